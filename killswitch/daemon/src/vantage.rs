//! From where probes look, and what they have seen work.

use crate::dial::NoAnswer;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use kill_wire::{CanaryState, PROBE_HEADER, ProbePoint, ProbePoints};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where our own gateway takes probes in.
const OWN_PATH: &str = "/v1/chat/completions";

/// From where probes are sent: one gateway, and how it is asked there.
#[derive(Clone)]
pub struct Vantage {
    /// The gateway's data listener.
    pub gateway: SocketAddr,
    pub(crate) asks: Asks,
}

/// How a gateway is asked.
#[derive(Clone)]
pub(crate) enum Asks {
    /// Ours: it lists its points, and knows a probe by this key.
    Own(String),
    /// Another's: these points, each asked for as its consumer would.
    Points(Vec<Point>),
}

/// One way through a gateway that is not ours.
#[derive(Clone)]
pub struct Point {
    /// The way.
    pub point: ProbePoint,
    /// Safe: it changes and buys nothing.
    pub method: Method,
    /// What is asked for, from the root.
    pub path: String,
    /// The consumer's key, in its header field.
    pub key: Option<(HeaderName, HeaderValue)>,
}

impl std::fmt::Debug for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Point({} {} {:?})", self.method, self.path, self.point)
    }
}

impl Vantage {
    /// A gateway of ours, with the key that makes a call a probe there.
    #[must_use]
    pub const fn own(gateway: SocketAddr, probe_key: String) -> Self {
        Self {
            gateway,
            asks: Asks::Own(probe_key),
        }
    }

    /// Another's gateway, and the ways through it.
    #[must_use]
    pub const fn http(gateway: SocketAddr, points: Vec<Point>) -> Self {
        Self {
            gateway,
            asks: Asks::Points(points),
        }
    }

    /// The ways through it, where they were named by its owner; our own says them itself.
    pub(crate) fn named(&self) -> Option<ProbePoints> {
        let Asks::Points(points) = &self.asks else {
            return None;
        };
        let ways = || points.iter().map(|point| &point.point);
        let names = ways().flat_map(|way| [&way.route, &way.consumer]);
        let mut names: Vec<_> = names.cloned().collect();
        names.sort();
        names.dedup();
        Some(ProbePoints {
            names,
            points: ways().cloned().collect(),
        })
    }

    /// The request that goes this way.
    pub(crate) fn request(&self, way: &ProbePoint) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let points = match &self.asks {
            Asks::Own(_) => {
                let address = way.address().to_string();
                return probe_request(self, Method::POST, OWN_PATH, Some(&address));
            }
            Asks::Points(points) => points,
        };
        let named = points.iter().find(|point| point.point == *way);
        let named = named.ok_or_else(|| NoAnswer::new("no such way is configured"))?;
        let mut request = self.to(&named.method, &named.path);
        if let Some((name, value)) = &named.key {
            request = request.header(name, value);
        }
        request.body(Full::default()).map_err(NoAnswer::new)
    }

    fn to(&self, method: &Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.gateway.to_string())
            .header(header::CONNECTION, "close")
    }
}

impl std::fmt::Debug for Vantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vantage({})", self.gateway)
    }
}

/// Where probes stand, and whether each worked when it last should have.
#[derive(Debug, Default)]
pub(crate) struct Canaries {
    pub(crate) worked: BTreeMap<(usize, ProbePoint), bool>,
    pub(crate) state: CanaryState,
}

/// A call that only who holds the probe key of a gateway of ours may make; with `probe` it goes a consumer's way.
pub(crate) fn probe_request(
    vantage: &Vantage,
    method: Method,
    path: &str,
    probe: Option<&str>,
) -> Result<Request<Full<Bytes>>, NoAnswer> {
    let Asks::Own(key) = &vantage.asks else {
        return Err(NoAnswer::new("not a gateway of ours"));
    };
    let bearer = format!("Bearer {key}");
    let mut request = vantage
        .to(&method, path)
        .header(header::AUTHORIZATION, bearer);
    if let Some(probe) = probe {
        request = request.header(PROBE_HEADER, probe);
    }
    request.body(Full::default()).map_err(NoAnswer::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Class, RouteKind};

    fn way(route: &str) -> ProbePoint {
        ProbePoint {
            kind: RouteKind::Llm,
            consumer: "claw".parse().unwrap(),
            route: route.parse().unwrap(),
            target: "box".parse().unwrap(),
            class: Class::Local,
        }
    }

    #[test]
    fn another_s_gateway_is_asked_only_what_was_named_and_never_shown_a_probe() {
        let key = HeaderValue::from_static("Bearer sk-claw");
        let vantage = Vantage::http(
            ([127, 0, 0, 1], 9080).into(),
            vec![Point {
                point: way("chat"),
                method: Method::GET,
                path: "/v1/models".to_owned(),
                key: Some((header::AUTHORIZATION, key.clone())),
            }],
        );
        let request = vantage.request(&way("chat")).unwrap();
        assert_eq!(
            (request.method(), request.uri().path()),
            (&Method::GET, "/v1/models")
        );
        assert_eq!(request.headers()[header::AUTHORIZATION], key);
        assert!(!request.headers().contains_key(PROBE_HEADER));
        assert!(vantage.request(&way("side")).is_err());
        assert!(probe_request(&vantage, Method::POST, "/", None).is_err());
        let named = vantage.named().unwrap();
        assert_eq!((named.names.len(), named.points.len()), (2, 1));
    }
}

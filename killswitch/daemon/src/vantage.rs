//! From where probes look, and what they have seen work.

use crate::dial::NoAnswer;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use kill_wire::{CanaryState, PROBE_HEADER, ProbePoint};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// From where probes are sent: one gateway, and the key that makes a call a probe there.
#[derive(Clone)]
pub struct Vantage {
    /// The gateway's data listener.
    pub gateway: SocketAddr,
    /// Its probe key.
    pub probe_key: String,
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

/// A call that only who holds the probe key may make; with `probe` it goes a consumer's way.
pub(crate) fn probe_request(
    vantage: &Vantage,
    method: Method,
    path: &str,
    probe: Option<&str>,
) -> Result<Request<Full<Bytes>>, NoAnswer> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, vantage.gateway.to_string())
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", vantage.probe_key),
        )
        .header(header::CONNECTION, "close");
    if let Some(probe) = probe {
        request = request.header(PROBE_HEADER, probe);
    }
    request.body(Full::default()).map_err(NoAnswer::new)
}

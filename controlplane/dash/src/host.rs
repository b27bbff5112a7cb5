//! Refuses foreign host names: a page of another site whose name was pointed at this machine (DNS rebinding)
//! calls under its own name. Literal addresses cannot be rebound and pass.

use crate::site::Site;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

pub(crate) async fn known(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let named = request.uri().host().or_else(|| {
        let host = headers.get(header::HOST)?.to_str().ok()?;
        Some(without_port(host))
    });
    if named.is_some_and(|host| is_known(host, &site.app.hosts)) {
        return next.run(request).await;
    }
    let text = "This dashboard does not answer under that host name.\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_known(host: &str, more: &[String]) -> bool {
    let literal = |text: &str| {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        match inner {
            Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
            None => text.parse::<Ipv4Addr>().is_ok(),
        }
    };
    literal(host)
        || host.eq_ignore_ascii_case("localhost")
        || more.iter().any(|name| name.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_house_are_known() {
        let more = ["portcullis.lan".to_owned()];
        for host in [
            "localhost",
            "LOCALHOST:7410",
            "127.0.0.1:7410",
            "[::1]:7410",
            "[::1]",
            "Portcullis.lan:80",
        ] {
            assert!(is_known(without_port(host), &more), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:7410",
            "127.0.0.1.evil.example",
            "localhost.evil.example:7410",
            "[evil]:1",
            "::1",
        ] {
            assert!(!is_known(without_port(host), &more), "{host}");
        }
    }
}

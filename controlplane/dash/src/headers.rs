//! What every answer says to the browser about its limits.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// No inline script or style, no foreign source, no frame. What breaks it is told to this site: by `report-uri`, since a
/// browser takes the newer `report-to` over TLS alone, and would then send nothing from a house without it.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; report-uri /csp-reports";

/// Told to this site alone. With `no-referrer` a browser would send its own forms with `Origin: null` (Fetch, section 3.2),
/// which over plain HTTP, where it sends no `Sec-Fetch-Site`, reads like another site's.
const REFERRER: &str = "same-origin";

pub(crate) async fn harden(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let fixed = HeaderValue::from_static;
    headers.insert(header::CONTENT_SECURITY_POLICY, fixed(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, fixed("DENY"));
    headers.insert(header::REFERRER_POLICY, fixed(REFERRER));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(fixed("no-store"));
    answer
}

//! What browsers tell of their own accord: that something on a page broke the page's policy.
//!
//! Anybody may send such a report, and a browser puts whole addresses into it. So nothing of its text is kept: a report is
//! counted, and what is logged are words of this file alone, each combination once.

use crate::access::access;
use crate::guard::From;
use crate::site::Site;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Where browsers send them.
pub(crate) const PATH: &str = "/csp-reports";
/// Longest body in bytes.
pub(crate) const LONGEST: usize = 8 * 1024;
/// Reports of one body that are looked at.
const MOST: usize = 20;

/// Rules of a policy that a report may name.
const RULES: [&str; 14] = [
    "base-uri",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "object-src",
    "script-src",
    "style-src",
    "worker-src",
    "media-src",
];

/// First parts of the paths that are served.
static PAGES: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let rows = access().into_iter();
    rows.map(|row| first_part(row.path)).collect()
});

/// How many were told of, and which kinds.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    told: AtomicU64,
    left_out: AtomicU64,
    kinds: Mutex<BTreeSet<Kind>>,
    senders: crate::attempts::Attempts,
}

/// One kind of report, in words of this file and of the access table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    rule: &'static str,
    blocked: &'static str,
    page: &'static str,
}

impl Violations {
    /// Reports since the start, and those that came too fast or were none.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (of(&self.told), of(&self.left_out))
    }

    fn leave_out(&self, status: StatusCode) -> StatusCode {
        self.left_out.fetch_add(1, Ordering::Relaxed);
        status
    }

    fn keep(&self, kind: Kind) {
        self.told.fetch_add(1, Ordering::Relaxed);
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let Kind {
            rule,
            blocked,
            page,
        } = kind;
        if kinds.insert(kind) {
            tracing::warn!(
                rule,
                blocked,
                page,
                "A browser kept something from a page that breaks its policy; more of this kind are only counted."
            );
        }
    }
}

pub(crate) async fn take_in(
    State(site): State<Arc<Site>>,
    From(from): From,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let violations = &site.violations;
    if !violations.senders.allow(from, site.now()) {
        return violations.leave_out(StatusCode::TOO_MANY_REQUESTS);
    }
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let found = match kind {
        "application/csp-report" => one(&body),
        "application/reports+json" => several(&body),
        _ => return violations.leave_out(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    };
    match found {
        Some(kinds) => {
            kinds.into_iter().for_each(|kind| violations.keep(kind));
            StatusCode::NO_CONTENT
        }
        None => violations.leave_out(StatusCode::BAD_REQUEST),
    }
}

/// CSP level 3, section 5.3: the form that `report-uri` asks for.
#[derive(Deserialize)]
struct Old {
    #[serde(rename = "csp-report")]
    report: OldReport,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct OldReport {
    #[serde(default)]
    document_uri: String,
    #[serde(default)]
    effective_directive: String,
    #[serde(default)]
    violated_directive: String,
    #[serde(default)]
    blocked_uri: String,
}

/// The Reporting API, section 2.2.
#[derive(Deserialize)]
struct New {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    body: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewBody {
    #[serde(default, rename = "documentURL")]
    document_url: String,
    #[serde(default)]
    effective_directive: String,
    #[serde(default, rename = "blockedURL")]
    blocked_url: String,
}

fn one(body: &[u8]) -> Option<Vec<Kind>> {
    let Old { report } = serde_json::from_slice(body).ok()?;
    let rule = if report.effective_directive.is_empty() {
        &report.violated_directive
    } else {
        &report.effective_directive
    };
    Some(vec![kind(rule, &report.blocked_uri, &report.document_uri)])
}

fn several(body: &[u8]) -> Option<Vec<Kind>> {
    let all: Vec<New> = serde_json::from_slice(body).ok()?;
    let of_policies = all.into_iter().filter(|it| it.kind == "csp-violation");
    let read = |it: New| {
        let body: NewBody = serde_json::from_value(it.body).ok()?;
        Some(kind(
            &body.effective_directive,
            &body.blocked_url,
            &body.document_url,
        ))
    };
    of_policies.take(MOST).map(read).collect()
}

fn kind(rule: &str, blocked: &str, page: &str) -> Kind {
    // `style-src-elem` and `style-src-attr` are `style-src`, `style-src 'self'` is too.
    let of = |known: &&&str| {
        let rest = rule.strip_prefix(**known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ' ']))
    };
    let path = page.split_once("://").map_or("", |(_, rest)| {
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
    });
    Kind {
        rule: RULES.iter().find(of).copied().unwrap_or("another rule"),
        blocked: match blocked {
            "inline" => "something inline",
            "eval" | "wasm-eval" => "a text run as code",
            "data" | "blob" | "filesystem" => "a source made on the page",
            "self" => "a source of this site",
            "" => "something",
            _ => "another source",
        },
        page: PAGES
            .get(first_part(path))
            .copied()
            .unwrap_or("another page"),
    }
}

/// `/hosts/nas?span=2h` is `/hosts`.
fn first_part(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let end = path.get(1..).and_then(|rest| rest.find('/'));
    end.and_then(|at| path.get(..=at)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_report_s_own_text_is_kept() {
        let old = br#"{"csp-report":{"document-uri":"http://h:1/hosts/nas?token=secret","violated-directive":"style-src-attr 'self'","blocked-uri":"inline"}}"#;
        let wanted = Kind {
            rule: "style-src",
            blocked: "something inline",
            page: "/hosts",
        };
        assert_eq!(one(old), Some(vec![wanted]));
        let new = br#"[{"type":"deprecation","body":{}},{"type":"csp-violation","body":{"documentURL":"https://h/nowhere","effectiveDirective":"x\ninjected","blockedURL":"https://evil/secret"}}]"#;
        let wanted = Kind {
            rule: "another rule",
            blocked: "another source",
            page: "another page",
        };
        assert_eq!(several(new), Some(vec![wanted]));
        assert_eq!(one(b"{}"), None);
        assert_eq!(several(b"{}"), None);
    }

    #[test]
    fn a_page_is_known_by_the_first_part_of_its_path() {
        assert_eq!(first_part("/"), "/");
        assert_eq!(first_part("/hosts"), "/hosts");
        assert_eq!(first_part("/hosts/{name}"), "/hosts");
        assert_eq!(first_part("/hosts#at"), "/hosts");
        assert_eq!(first_part(""), "");
    }
}

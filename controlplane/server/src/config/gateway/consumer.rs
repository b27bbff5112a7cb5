//! `[[gateway.consumers]]`.

use super::NAME;
use crate::config::secret_file;
use kill_config::{Problem, Problems, Section};
use kill_wire::Name;
use net_model::{Allowance, KeyHash, Policy, Span, When};
use std::path::Path;

/// A consumer as the file has it: its routes by name.
#[derive(Debug)]
pub(super) struct ConsumerWish {
    pub(super) name: Name,
    pub(super) key: KeyHash,
    pub(super) routes: Vec<String>,
    pub(super) role: Option<Name>,
    pub(super) policy: Policy,
}

/// Reads one consumer; `None` when a problem was noted that leaves it unusable.
pub(super) fn consumer(
    mut section: Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<ConsumerWish> {
    let name = section.need_parsed::<Name>("name", NAME);
    let file_key = section.key("key_file");
    let file = section.text("key_file", "the path of a file with the consumer's key");
    let hash = section.text("key_sha256", "64 hexadecimal digits");
    let key = match (file, hash) {
        (Some(file), None) => problems
            .take(
                &file_key,
                secret_file::read(&file_key, &folder.join(file), warnings),
            )
            .map(|secret| secret.hash()),
        (None, Some(hash)) => {
            let read = KeyHash::from_hex(&hash).ok_or("expected 64 hexadecimal digits");
            problems.take(&section.key("key_sha256"), read)
        }
        (None, None) => {
            section.missing(
                "key_file",
                "the path of a file with the consumer's key, or key_sha256",
            );
            None
        }
        (Some(_), Some(_)) => {
            let text = "give key_file or key_sha256, not both";
            problems.note(Problem::new(file_key, text));
            None
        }
    };
    let routes = section.need_texts("routes", "a list of names out of gateway.routes");
    let role = section.parse::<Name>("role", NAME);
    let policy = Policy {
        local: allowance(section.section("local")),
        cloud: allowance(section.section("cloud")),
    };
    section.finish();
    Some(ConsumerWish {
        name: name?,
        key: key?,
        routes: routes?,
        role,
        policy,
    })
}

fn allowance(section: Option<Section<'_>>) -> Allowance {
    let mut allowance = Allowance::default();
    let Some(mut section) = section else {
        return allowance;
    };
    let allow = section.flag("allow").unwrap_or(true);
    let hours = section.texts("hours", "a list such as [\"mon-fri 08:00-18:00\"]");
    if let Some(unknown_price) = section.flag("unknown_price") {
        allowance.unknown_price = unknown_price;
    }
    let mut spans = Vec::new();
    for (at, text) in hours.iter().flatten().enumerate() {
        match Span::parse(text) {
            Ok(span) => spans.push(span),
            Err(wrong) => section.note(&format!("hours[{at}]"), &wrong),
        }
    }
    allowance.when = match (allow, hours) {
        (false, _) => When::Never,
        (true, None) => When::Always,
        (true, Some(_)) => When::Hours(spans),
    };
    section.finish();
    allowance
}

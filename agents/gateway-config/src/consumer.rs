//! `[[gateway.consumers]]`.

use crate::NAME;
use crate::secret_file;
use kill_config::{Problem, Reading, Section};
use kill_wire::{Name, Timestamp};
use net_model::{Allowance, KeyHash, OldKey, Policy, Secret, Span, When};

/// Whether who reads drives a gateway that checks keys itself, and must therefore tell it the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// What is kept of a key is enough.
    Hashed,
    /// The keys themselves; a consumer of whom only a hash is known is a mistake then.
    Themselves,
}

/// A consumer as the file has it: its routes by name.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerWish {
    pub(crate) name: Name,
    pub(crate) key: KeyHash,
    pub(crate) old_key: Option<OldKey>,
    /// There with [`Keys::Themselves`] alone.
    pub(crate) secret: Option<Secret>,
    pub(crate) routes: Vec<String>,
    pub(crate) role: Option<Name>,
    pub(crate) policy: Policy,
}

/// Reads one consumer; `None` when a problem was noted that leaves it unusable.
pub(crate) fn consumer(
    mut section: Section<'_>,
    reading: &mut Reading<'_>,
    keys: Keys,
) -> Option<ConsumerWish> {
    let name = section.need_parsed::<Name>("name", NAME);
    let key = key(&mut section, reading, keys);
    let old_key = old_key(&mut section);
    let routes = section.need_texts("routes", "a list of names out of gateway.routes");
    let role = section.parse::<Name>("role", NAME);
    let policy = Policy {
        local: allowance(section.section("local")),
        cloud: allowance(section.section("cloud")),
    };
    section.finish();
    let (key, secret) = key?;
    Some(ConsumerWish {
        name: name?,
        key,
        old_key: old_key?,
        secret,
        routes: routes?,
        role,
        policy,
    })
}

/// What is kept of the key, and the key where it must be told to a gateway.
fn key(
    section: &mut Section<'_>,
    reading: &mut Reading<'_>,
    keys: Keys,
) -> Option<(KeyHash, Option<Secret>)> {
    let file_key = section.key("key_file");
    let file = section.text("key_file", "the path of a file with the consumer's key");
    let hash = section.text("key_sha256", "64 hexadecimal digits");
    match (file, hash) {
        (Some(file), None) => {
            let path = reading.folder.join(file);
            let read = secret_file::read(&file_key, &path, reading.warnings);
            let secret = reading.problems.take(&file_key, read)?;
            let hash = secret.hash();
            Some((hash, (keys == Keys::Themselves).then_some(secret)))
        }
        (None, Some(_)) if keys == Keys::Themselves => {
            let text = "a gateway that this host manages checks keys itself and must know this one; give key_file";
            section.note("key_sha256", text);
            None
        }
        (None, Some(hash)) => {
            let read = KeyHash::from_hex(&hash).ok_or("expected 64 hexadecimal digits");
            let hash = reading.problems.take(&section.key("key_sha256"), read)?;
            Some((hash, None))
        }
        (None, None) => {
            let expected = "the path of a file with the consumer's key, or key_sha256";
            section.missing("key_file", expected);
            None
        }
        (Some(_), Some(_)) => {
            let text = "give key_file or key_sha256, not both";
            reading.problems.note(Problem::new(file_key, text));
            None
        }
    }
}

/// The key it had before: what is kept of it, and until when it counts. `None` when a problem was noted.
fn old_key(section: &mut Section<'_>) -> Option<Option<OldKey>> {
    const UNTIL: &str = "an instant, such as `2026-11-22T10:00:00Z`";
    let hash = section.text("old_key_sha256", "64 hexadecimal digits");
    let until = section.text("old_key_until", UNTIL);
    match (hash, until) {
        (None, None) => Some(None),
        (Some(hash), Some(until)) => {
            let key = KeyHash::from_hex(&hash);
            if key.is_none() {
                section.note("old_key_sha256", "expected 64 hexadecimal digits");
            }
            let at = until.parse::<jiff::Timestamp>().ok();
            let at = at.and_then(|at| u64::try_from(at.as_millisecond()).ok());
            if at.is_none() {
                let short: String = until.chars().take(40).collect();
                section.note("old_key_until", &format!("`{short}` is not {UNTIL}"));
            }
            let until = Timestamp::from_millis(at?);
            Some(Some(OldKey { key: key?, until }))
        }
        (Some(_), None) => {
            section.missing("old_key_until", UNTIL);
            None
        }
        (None, Some(_)) => {
            section.missing("old_key_sha256", "what is kept of the key of before");
            None
        }
    }
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

//! One `[[killswitch.channels]]`: its name, kind, secrets, and whatever its kind may set.

use crate::problem::Problem;
use crate::reading::Reading;
use crate::secret::Secret;
use crate::secret_file;
use crate::walk::{Section, listed, nearest};
use kill_inbound::{Channel, Options, Setting};
use std::collections::BTreeMap;
use std::path::Path;

/// The channel that is always there; its secret is made at first start.
pub const LOCAL_CHANNEL: &str = "local";

/// What the courier knows of each kind of channel.
#[derive(Clone, Copy, Debug)]
pub struct Knows {
    /// What it may be told of a channel of a kind.
    pub settings: fn(kind: &str) -> &'static [Setting],
    /// Whether it can work with a channel; otherwise what to change.
    pub check: fn(wish: &CourierWish) -> Result<(), String>,
}

/// Who reads, and therefore which keys count and which secrets are opened.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The kill switch: makes channels that verify, with their secrets.
    pub channels: bool,
    /// The courier: takes its own settings. Without it they are left alone, unseen.
    pub courier: Option<Knows>,
}

/// What the file wants of a channel.
#[derive(Debug)]
pub struct ChannelWish {
    /// The channel; none when the kill switch does not read.
    pub channel: Option<Channel>,
    /// What the courier needs to know of it.
    pub courier: CourierWish,
}

/// What the courier needs to know of a channel.
#[derive(Clone)]
pub struct CourierWish {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// It brings texts of this channel.
    pub fetched: bool,
    /// The channel's secrets, as far as the courier may read them.
    pub secrets: Vec<Secret>,
    /// Its settings; of a file, the content.
    pub values: BTreeMap<String, String>,
}

/// Values may be secrets; their names are not.
impl std::fmt::Debug for CourierWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CourierWish")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("values", &self.values.keys())
            .finish_non_exhaustive()
    }
}

/// The channel `local` with this secret.
pub fn local(secret: &Secret) -> Result<Channel, String> {
    let secrets = vec![secret.expose().to_owned()];
    let options = Options {
        secrets,
        ..Options::default()
    };
    Channel::new(LOCAL_CHANNEL, "standard-webhooks", options)
}

/// Reads one; `None` when a problem was noted.
pub(crate) fn read(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<ChannelWish> {
    let at = section.key("name");
    let name = section.need(
        "name",
        "a name, such as `twilio`; it ends the path /v1/inbound/NAME",
    );
    let kind = kind(&mut section);
    let public_url = section.text("public_url", "the URL as the provider calls it");
    let secrets = secrets(&mut section, kind.as_deref(), reading);
    let known = kind.as_deref().unwrap_or_default();
    let inbound = Channel::settings(known);
    let own = if reading.reader.channels {
        values(&mut section, inbound, reading)
    } else {
        section.skip(inbound.iter().map(|setting| setting.name));
        Some(BTreeMap::new())
    };
    let courier = match reading.reader.courier {
        Some(knows) => values(&mut section, (knows.settings)(known), reading),
        None => Some(BTreeMap::new()),
    };
    let at_secret = section.key("secret_file");
    match (&kind, reading.reader.courier) {
        (Some(_), Some(_)) => section.finish(),
        // Of a kind that is none, or with the courier's keys unknown, only what looks mistyped can be told.
        _ => section.finish_lenient(reading.warnings),
    }
    let (secrets, settings, values) = (secrets?, own?, courier?);
    let (name, kind) = (name?, kind?);
    let channel = if reading.reader.channels {
        let options = Options {
            public_url,
            secrets: secrets.iter().map(|s| s.expose().to_owned()).collect(),
            settings,
        };
        let made = Channel::new(&name, &kind, options);
        let missing = secrets.is_empty() && made.as_ref().is_err_and(|why| why.contains("secret"));
        if missing {
            let text = "missing; expected the path of a file with the channel's secret";
            reading.problems.note(Problem::new(at_secret, text));
            return None;
        }
        Some(reading.problems.take(&at, made)?)
    } else {
        None
    };
    let courier = CourierWish {
        fetched: fetched(&kind),
        name,
        kind,
        secrets,
        values,
    };
    if let Some(knows) = reading.reader.courier {
        reading.problems.take(&at, (knows.check)(&courier))?;
    }
    Some(ChannelWish { channel, courier })
}

/// A kind there is, told even where the rest of the channel cannot be made.
fn kind(section: &mut Section<'_>) -> Option<String> {
    let all = listed(Channel::KINDS);
    let kind = section.need("kind", &format!("one of {all}"))?;
    if Channel::KINDS.contains(&kind.as_str()) {
        return Some(kind);
    }
    let short: String = kind.chars().take(60).collect();
    let text = match nearest(&short, Channel::KINDS) {
        Some(near) => format!("`{short}` is no kind of channel; did you mean `{near}`?"),
        None => format!("`{short}` is no kind of channel; expected one of {all}"),
    };
    section.note("kind", &text);
    None
}

/// The one or two secrets; none where the kind needs none, which the kind itself says.
fn secrets(
    section: &mut Section<'_>,
    kind: Option<&str>,
    reading: &mut Reading<'_>,
) -> Option<Vec<Secret>> {
    let mut secrets = Some(Vec::new());
    let names = ["secret_file", "next_secret_file"];
    if reading.reader.courier.is_none() && kind.is_some_and(fetched) {
        // The courier speaks to such a provider; the kill switch needs not read what it says there.
        section.skip(names.into_iter());
        return secrets;
    }
    for name in names {
        let key = section.key(name);
        let Some(path) = section.text(name, "the path of a file with the channel's secret") else {
            continue;
        };
        let path = reading.folder.join(path);
        let read = secret_file::read(&key, &path, reading.warnings);
        let needed = reading.reader.channels;
        match read {
            // What the kill switch verifies with may be closed to the courier, on purpose.
            Err(_) if !needed && std::fs::File::open(&path).is_err() => {}
            read => match (reading.problems.take(&key, read), &mut secrets) {
                (Some(secret), Some(all)) => all.push(secret),
                _ => secrets = None,
            },
        }
    }
    secrets
}

/// Whether the courier fetches texts of this kind.
fn fetched(kind: &str) -> bool {
    Channel::new("any", kind, Options::default()).is_ok_and(|channel| channel.pulled())
}

/// Values of these settings; `None` when a problem was noted.
fn values(
    section: &mut Section<'_>,
    settings: &[Setting],
    reading: &mut Reading<'_>,
) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut fine = true;
    for setting in settings {
        let key = section.key(setting.name);
        if setting.required && !section.has(setting.name) {
            section.missing(setting.name, setting.expect);
            fine = false;
            continue;
        }
        let had = section.has(setting.name);
        let Some(text) = section.value(setting.name, setting.expect) else {
            fine &= !had;
            if setting.name == ROOTS {
                // Absent or unreadable, the kind says what it misses.
                let roots = std::fs::read_to_string(SYSTEM_ROOTS).unwrap_or_default();
                values.insert(ROOTS.to_owned(), roots);
            }
            continue;
        };
        let value = if setting.file {
            content(&key, &text, reading)
        } else {
            Some(text)
        };
        match value {
            Some(value) => drop(values.insert(setting.name.to_owned(), value)),
            None => fine = false,
        }
    }
    fine.then_some(values)
}

/// Certificates that a chain may end in; where a channel names none, those the system trusts.
const ROOTS: &str = "roots_file";
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

fn content(key: &str, path: &str, reading: &mut Reading<'_>) -> Option<String> {
    let path = Path::new(path);
    let read = secret_file::content(key, &reading.folder.join(path), reading.warnings);
    reading
        .problems
        .take(key, read)
        .map(|secret| secret.expose().to_owned())
}

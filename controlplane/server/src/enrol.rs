//! A person's keys on their way into an authenticator app.

use crate::out::{Out, Paint};
use crate::random::random;
use crate::{private, qr};
use kill_core::{Digits, Key, Person};
use std::path::Path;
use zeroize::Zeroizing;

/// Shown by apps above the name.
const ISSUER: &str = "Portcullis";

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Cuts.
    Kill,
    /// Opens again.
    Restore,
    /// Says that somebody is there, asks for a drill or for the state.
    CheckIn,
    /// Seems to open again.
    Duress,
}

impl Purpose {
    /// All of them, in the order they are shown.
    pub(crate) const ALL: [Self; 4] = [Self::Kill, Self::Restore, Self::CheckIn, Self::Duress];

    /// Stands beside the name in the app. A duress key must not be told from another by whoever looks at the phone.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Restore => "RESTORE",
            Self::CheckIn => "CHECK-IN",
            Self::Duress => "RESTORE 2",
        }
    }

    /// For the person who scans it.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Kill => "cuts; keep it where you find it at night",
            Self::Restore => "opens again; best on another device",
            Self::CheckIn => "says that you are there; asks for a drill or the state",
            Self::Duress => "under duress: looks like a restore, opens nothing, tells the others",
        }
    }

    /// This key of a person.
    pub(crate) const fn of(self, person: &Person) -> Option<&Key> {
        match self {
            Self::Kill => Some(&person.kill),
            Self::Restore => Some(&person.restore),
            Self::CheckIn => person.check_in.as_ref(),
            Self::Duress => person.duress.as_ref(),
        }
    }
}

/// One fresh key, not yet known to anything.
pub(crate) struct Fresh {
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// The key itself.
    pub(crate) secret: Zeroizing<[u8; 20]>,
}

impl Fresh {
    /// From the system's randomness.
    pub(crate) fn make(purpose: Purpose) -> anyhow::Result<Self> {
        let secret = random()?;
        Ok(Self { purpose, secret })
    }

    /// As an app holds it that shows so many digits.
    pub(crate) fn key(&self, digits: Digits) -> Key {
        Key::from_random(*self.secret, digits)
    }
}

/// A person with fresh KILL and RESTORE keys, both of eight digits.
pub(crate) fn person(name: &str, senders: Vec<String>) -> anyhow::Result<Person> {
    let key = |purpose| anyhow::Ok(Fresh::make(purpose)?.key(Digits::Eight));
    Ok(Person {
        name: name.parse()?,
        kill: key(Purpose::Kill)?,
        restore: key(Purpose::Restore)?,
        check_in: None,
        duress: None,
        cards: Vec::new(),
        senders,
    })
}

/// The keys of a person, with what each is for.
fn keys(person: &Person) -> impl Iterator<Item = (Purpose, &Key)> {
    let all = Purpose::ALL.into_iter();
    all.filter_map(|purpose| Some((purpose, purpose.of(person)?)))
}

fn url(name: &str, purpose: Purpose, key: &Key) -> Zeroizing<String> {
    Zeroizing::new(key.otpauth_url(&format!("{name} {}", purpose.label()), ISSUER))
}

/// One key as a QR code, as an SVG element for a page.
pub(crate) fn svg(name: &str, purpose: Purpose, key: &Key) -> anyhow::Result<Zeroizing<String>> {
    let drawn = Zeroizing::new(qr::svg(&url(name, purpose, key))?);
    // What stands before the element is for a file of its own.
    let element = drawn.find("<svg").and_then(|at| drawn.get(at..));
    Ok(Zeroizing::new(element.unwrap_or_default().to_owned()))
}

/// Prints one key as a QR code.
pub(crate) fn show_one(
    out: &mut Out,
    name: &str,
    purpose: Purpose,
    key: &Key,
) -> anyhow::Result<()> {
    let title = format!("{} key of {name}", purpose.label());
    let title = out.paint(Paint::Bold, &title);
    out.line(format_args!("{title} ({})", purpose.what()))?;
    qr::print(out, &url(name, purpose, key))?;
    Ok(out.gap()?)
}

/// Prints every key of a person.
pub(crate) fn show(out: &mut Out, person: &Person) -> anyhow::Result<()> {
    for (purpose, key) in keys(person) {
        show_one(out, person.name.as_str(), purpose, key)?;
    }
    Ok(())
}

/// Saves every key of a person as SVG, readable by their owner alone.
pub(crate) fn save_svgs(folder: &Path, person: &Person) -> anyhow::Result<()> {
    let name = person.name.as_str();
    for (purpose, key) in keys(person) {
        let drawn = Zeroizing::new(qr::svg(&url(name, purpose, key))?);
        private::write(&svg_path(folder, name, purpose), &drawn)?;
    }
    Ok(())
}

/// Removes them; one that is gone already is fine.
pub(crate) fn remove_svgs(folder: &Path, name: &str) {
    for purpose in Purpose::ALL {
        drop(std::fs::remove_file(svg_path(folder, name, purpose)));
    }
}

fn svg_path(folder: &Path, name: &str, purpose: Purpose) -> std::path::PathBuf {
    let word = purpose.label().to_ascii_lowercase().replace(' ', "-");
    folder.join(format!("{name}-{word}.svg"))
}

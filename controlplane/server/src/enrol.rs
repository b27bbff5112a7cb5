//! A person's keys on their way into an authenticator app.

use crate::out::{Out, Paint};
use crate::random::random;
use crate::{private, qr};
use kill_core::{Digits, Key, Person};
use std::path::Path;
use zeroize::Zeroizing;

/// Shown by apps above the name.
const ISSUER: &str = "Portcullis";

/// Fresh keys, not yet known to anything.
pub(crate) struct Fresh {
    pub(crate) kill: Zeroizing<[u8; 20]>,
    pub(crate) restore: Zeroizing<[u8; 20]>,
}

impl Fresh {
    /// From the system's randomness.
    pub(crate) fn make() -> anyhow::Result<Self> {
        Ok(Self {
            kill: random()?,
            restore: random()?,
        })
    }

    /// The person who holds them; `kill_digits` is what their app shows for KILL.
    pub(crate) fn person(
        &self,
        name: &str,
        senders: Vec<String>,
        kill_digits: Digits,
    ) -> anyhow::Result<Person> {
        Ok(Person {
            name: name.parse()?,
            kill: Key::from_random(*self.kill, kill_digits),
            restore: Key::from_random(*self.restore, Digits::Eight),
            check_in: None,
            duress: None,
            cards: Vec::new(),
            senders,
        })
    }
}

/// The two keys of a person, with their words.
fn keys(person: &Person) -> [(&'static str, &Key, &'static str); 2] {
    [
        (
            "KILL",
            &person.kill,
            "cuts; keep it where you find it at night",
        ),
        (
            "RESTORE",
            &person.restore,
            "opens again; best on another device",
        ),
    ]
}

fn url(person: &Person, verb: &str, key: &Key) -> Zeroizing<String> {
    Zeroizing::new(key.otpauth_url(&format!("{} {verb}", person.name), ISSUER))
}

/// Prints both QR codes.
pub(crate) fn show(out: &mut Out, person: &Person) -> anyhow::Result<()> {
    for (verb, key, what) in keys(person) {
        let title = format!("{verb} key of {}", person.name);
        out.line(format_args!("{} ({what})", out.paint(Paint::Bold, &title)))?;
        qr::print(out, &url(person, verb, key))?;
        out.gap()?;
    }
    Ok(())
}

/// Saves both QR codes as SVG, readable by their owner alone.
pub(crate) fn save_svgs(folder: &Path, person: &Person) -> anyhow::Result<()> {
    for (verb, key, _) in keys(person) {
        let path = svg_path(folder, person.name.as_str(), verb);
        let drawn = Zeroizing::new(qr::svg(&url(person, verb, key))?);
        private::write(&path, &drawn)?;
    }
    Ok(())
}

/// Removes them; one that is gone already is fine.
pub(crate) fn remove_svgs(folder: &Path, name: &str) {
    for verb in ["KILL", "RESTORE"] {
        drop(std::fs::remove_file(svg_path(folder, name, verb)));
    }
}

fn svg_path(folder: &Path, name: &str, verb: &str) -> std::path::PathBuf {
    folder.join(format!("{name}-{}.svg", verb.to_ascii_lowercase()))
}

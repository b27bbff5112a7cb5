//! A person's keys on their way into an authenticator app.

use super::AddArgs;
use crate::out::{Out, Paint, aside};
use crate::{paths::Home, prompt, qr};
use anyhow::{Context as _, bail};
use kill_core::{Digits, Key, Person};
use kill_wire::{Step, Timestamp};
use serde_json::json;
use std::path::Path;
use zeroize::Zeroizing;

/// Shown by apps above the name.
const ISSUER: &str = "Portcullis";

/// How often a mistyped code may be typed again.
const TRIES: u32 = 3;

/// Fresh keys, not yet known to anything.
pub(crate) struct Fresh {
    kill: Zeroizing<[u8; 20]>,
    restore: Zeroizing<[u8; 20]>,
}

impl Fresh {
    /// From the system's randomness.
    pub(crate) fn make() -> anyhow::Result<Self> {
        Ok(Self {
            kill: crate::setup::random()?,
            restore: crate::setup::random()?,
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
        kill_files::write_atomic(&path, drawn.as_bytes(), 0o600)
            .with_context(|| format!("cannot write {}", path.display()))?;
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

/// `portcullis codes add`.
pub(crate) fn add(home: &Home, args: &AddArgs, json: bool) -> anyhow::Result<()> {
    // Before anything is shown: a name that is taken or wrong, a folder without keys.
    if super::load_or_none(home)?.get(&args.name).is_some() {
        bail!(
            "`{}` is there already; `portcullis codes qr {0}` shows the keys again",
            args.name
        );
    }
    let fresh = Fresh::make()?;
    let mut person = fresh.person(&args.name, args.sender.clone(), Digits::Eight)?;
    let mut out = Out::stdout();
    if !json {
        show(&mut out, &person)?;
    }
    let mut restores = true;
    if !args.no_check {
        if json {
            bail!("--json asks nothing; add --no-check, and try a code before you rely on it");
        }
        let kill = check("KILL", &fresh.kill)?;
        restores = check("RESTORE", &fresh.restore)? == Digits::Eight;
        person = fresh.person(&args.name, args.sender.clone(), kill)?;
    }
    super::change(home, |mut people| {
        people.add(person.clone())?;
        Ok((people, ()))
    })?;
    crate::setup::private_dir(&home.enrol())?;
    save_svgs(&home.enrol(), &person)?;
    let digits = person.kill.digits();
    if json {
        out.json(
            &json!({ "added": args.name, "kill_digits": digits.count(), "svg": home.enrol() }),
        )?;
        return Ok(());
    }
    out.line(format_args!(
        "{} is added; the QR codes are also in {}.",
        args.name,
        home.enrol().display()
    ))?;
    if digits == Digits::Six {
        out.line("The app shows 6 digits for KILL: a KILL of this person needs two codes in a row, from two half minutes.")?;
    }
    if !restores {
        let text = "The app shows 6 digits for RESTORE, too few to restore with: this person can cut, not restore. Another app may do.";
        out.line(out.paint(Paint::Yellow, text))?;
    }
    Ok(())
}

/// Asks for the code the app shows, and learns from it how many digits the app makes.
fn check(verb: &str, secret: &[u8; 20]) -> anyhow::Result<Digits> {
    for _ in 0..TRIES {
        let typed = prompt::line(&format!("The {verb} code that the app shows now: "))?;
        if let Some(digits) = shown_digits(secret, &typed, crate::clock::now()) {
            return Ok(digits);
        }
        aside("That is not the code of this key. Scan the QR code again; check the phone's clock.");
    }
    bail!("no right code; nothing was added")
}

/// How many digits an app makes that shows `typed` at `now`, give or take one half minute.
fn shown_digits(secret: &[u8; 20], typed: &str, now: Timestamp) -> Option<Digits> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    [Digits::Eight, Digits::Six].into_iter().find(|digits| {
        let key = Key::from_random(*secret, *digits);
        now.step()
            .around(1, 1)
            .any(|step: Step| key.code_at(step) == typed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 20] = *b"12345678901234567890";

    #[test]
    fn an_app_that_shows_six_digits_is_noticed() {
        let now = Timestamp::from_millis(59_000);
        let digits = |typed| shown_digits(&SECRET, typed, now);
        assert_eq!(digits("9428 7082"), Some(Digits::Eight));
        assert_eq!(digits("287082"), Some(Digits::Six));
        assert_eq!(digits("94287083"), None);
        assert_eq!(digits(""), None);
    }

    #[test]
    fn a_code_of_another_hour_is_not_taken() {
        let later = Timestamp::from_millis(3_659_000);
        assert_eq!(shown_digits(&SECRET, "94287082", later), None);
    }
}

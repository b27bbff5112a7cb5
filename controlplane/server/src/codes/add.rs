//! `portcullis codes add`: nothing is added before the app has shown a right code.

use crate::out::{Out, Paint, aside};
use crate::paths::Home;
use crate::{clock, enrol, people_file, private, prompt};
use anyhow::bail;
use clap::Args;
use kill_core::{Digits, Key};
use kill_wire::{Step, Timestamp};
use serde_json::json;

/// How often a mistyped code may be typed again.
const TRIES: u32 = 3;

/// The new person.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 1 to 24 of a-z, 0-9, `.`, `-`, `_`
    name: String,
    /// A phone number (or name of a generic channel's sender) that gets replies and may ask STATUS; may be repeated
    #[arg(long, value_name = "SENDER")]
    sender: Vec<String>,
    /// Do not ask for a code that the app shows
    #[arg(long)]
    no_check: bool,
}

/// `portcullis codes add`.
pub(super) fn add(home: &Home, args: &AddArgs, json: bool) -> anyhow::Result<()> {
    // Before anything is shown: a name that is taken or wrong, a folder without keys.
    if people_file::load_or_none(home)?.get(&args.name).is_some() {
        bail!(
            "`{}` is there already; `portcullis codes qr {0}` shows the keys again",
            args.name
        );
    }
    let fresh = enrol::Fresh::make()?;
    let mut person = fresh.person(&args.name, args.sender.clone(), Digits::Eight)?;
    let mut out = Out::stdout();
    if !json {
        enrol::show(&mut out, &person)?;
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
    people_file::change(home, |mut people| {
        people.add(person.clone())?;
        Ok((people, ()))
    })?;
    private::dir(&home.enrol())?;
    enrol::save_svgs(&home.enrol(), &person)?;
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
        if let Some(digits) = shown_digits(secret, &typed, clock::now()) {
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

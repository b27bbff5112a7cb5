//! `portcullis codes add`: nothing is added before the app has shown a right code of every key.

use crate::enrol::{self, Fresh, Purpose};
use crate::out::{Out, Paint, aside};
use crate::paths::Home;
use crate::{clock, people_file, private, prompt};
use anyhow::bail;
use clap::Args;
use kill_core::{Digits, Key, People, Person, Rules};
use kill_wire::{Step, Timestamp};
use serde_json::json;

/// How often a mistyped code may be typed again.
const TRIES: u32 = 3;

/// The new person, or the new keys of one who is there.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 1 to 24 of a-z, 0-9, `.`, `-`, `_`
    name: String,
    /// A phone number (or name of a generic channel's sender) that gets replies and may ask STATUS; may be repeated
    #[arg(long, value_name = "SENDER")]
    sender: Vec<String>,
    /// Also a check-in key: for OK, DRILL, and STATUS from any phone
    #[arg(long)]
    check_in: bool,
    /// Also a duress key: seems to restore and opens nothing; counts only with `duress = true`
    #[arg(long)]
    duress: bool,
    /// Do not ask for codes that the app shows
    #[arg(long)]
    no_check: bool,
}

impl AddArgs {
    fn wanted(&self, known: Option<&Person>) -> anyhow::Result<Vec<Purpose>> {
        let extra = [
            (self.check_in, Purpose::CheckIn),
            (self.duress, Purpose::Duress),
        ];
        let extra = extra.into_iter();
        let extra = extra.filter_map(|(asked, purpose)| asked.then_some(purpose));
        let Some(person) = known else {
            let first = [Purpose::Kill, Purpose::Restore];
            return Ok(first.into_iter().chain(extra).collect());
        };
        let wanted: Vec<_> = extra
            .filter(|purpose| purpose.of(person).is_none())
            .collect();
        if wanted.is_empty() || !self.sender.is_empty() {
            bail!(
                "`{}` is there already; `portcullis codes qr {0}` shows the keys again, --check-in and --duress add a key that is missing",
                self.name
            );
        }
        Ok(wanted)
    }
}

/// `portcullis codes add`.
pub(super) fn add(home: &Home, rules: &Rules, args: &AddArgs, json: bool) -> anyhow::Result<()> {
    // Before anything is shown: a name that is taken or wrong, a folder without keys.
    let people = people_file::load_or_none(home)?;
    let known = people.get(&args.name);
    let wanted = args.wanted(known)?;
    let mut person = match known {
        Some(person) => person.clone(),
        None => enrol::person(&args.name, args.sender.clone())?,
    };
    if json && !args.no_check {
        bail!("--json asks nothing; add --no-check, and try a code before you rely on it");
    }
    let mut out = Out::stdout();
    let mut said = Vec::new();
    for purpose in wanted {
        let fresh = Fresh::make(purpose)?;
        let mut digits = Digits::Eight;
        if !json {
            enrol::show_one(&mut out, &args.name, purpose, &fresh.key(digits))?;
        }
        if !args.no_check {
            digits = check(&fresh)?;
        }
        said.extend(take(&mut person, &fresh, digits));
    }
    people_file::change(home, |people| Ok((joined(&people, &person, rules)?, ())))?;
    private::dir(&home.enrol())?;
    enrol::save_svgs(&home.enrol(), &person)?;
    if json {
        let digits = person.kill.digits().count();
        out.json(&json!({
            "added": args.name,
            "kill_digits": digits,
            "check_in": person.check_in.is_some(),
            "duress": person.duress.is_some(),
            "svg": home.enrol(),
        }))?;
        return Ok(());
    }
    out.line(format_args!(
        "{} is added; the QR codes are also in {}.",
        args.name,
        home.enrol().display()
    ))?;
    for text in said {
        out.line(out.paint(Paint::Yellow, text))?;
    }
    Ok(())
}

/// These people and this one, unless the rules would not hold with them any more.
pub(crate) fn joined(people: &People, person: &Person, rules: &Rules) -> anyhow::Result<People> {
    let were_fine = rules.check(people).is_ok();
    let people = with(people, person.clone())?;
    match rules.check(&people) {
        Err(why) if were_fine => bail!("nobody was added: {why}"),
        _ => Ok(people),
    }
}

/// These people, and this one as they are now.
fn with(people: &People, person: Person) -> anyhow::Result<People> {
    let mut all = People::default();
    let others = people.iter().filter(|other| other.name != person.name);
    for other in others {
        all.add(other.clone())?;
    }
    all.add(person)?;
    Ok(all)
}

/// Puts a key into its place; gives what a short one means.
pub(crate) fn take(person: &mut Person, fresh: &Fresh, digits: Digits) -> Option<&'static str> {
    let text = match fresh.purpose {
        Purpose::Kill => {
            person.kill = fresh.key(digits);
            "The app shows 6 digits for KILL: a KILL of this person needs two codes in a row, from two half minutes."
        }
        Purpose::Restore => {
            person.restore = fresh.key(Digits::Eight);
            "The app shows 6 digits for RESTORE, too few to restore with: this person can cut, not restore. Another app may do."
        }
        Purpose::CheckIn => {
            person.check_in = Some(fresh.key(digits));
            return None;
        }
        Purpose::Duress => {
            person.duress = Some(fresh.key(Digits::Eight));
            "The app shows 6 digits for the duress key, too few: its codes would be taken for wrong ones. Another app may do."
        }
    };
    (digits == Digits::Six).then_some(text)
}

/// Asks for the code the app shows, and learns from it how many digits the app makes.
fn check(fresh: &Fresh) -> anyhow::Result<Digits> {
    let verb = fresh.purpose.label();
    for _ in 0..TRIES {
        let typed = prompt::line(&format!("The {verb} code that the app shows now: "))?;
        if let Some(digits) = shown_digits(&fresh.secret, &typed, clock::now()) {
            return Ok(digits);
        }
        aside("That is not the code of this key. Scan the QR code again; check the phone's clock.");
    }
    bail!("no right code; nothing was added")
}

/// How many digits an app makes that shows `typed` at `now`, give or take one half minute.
pub(crate) fn shown_digits(secret: &[u8; 20], typed: &str, now: Timestamp) -> Option<Digits> {
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

//! `portcullis codes`: persons, their one-time codes and printed cards.
//!
//! Works on `people.json` alone, so only whoever may read the data folder gets anywhere; then tells a running kill switch.

mod cards;
pub(crate) mod enrol;
mod now;

use crate::cli::examples;
use crate::out::{Out, Paint, aside};
use crate::paths::{Home, Part};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kill_core::{People, Person};
use kill_wire::{ErrorCode, LeverReply, LeverRequest};
use rustix::fs::{FlockOperation, flock};
use serde_json::json;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum CodesCommand {
    /// Current codes, as an authenticator shows them
    #[command(after_long_help = examples::NOW)]
    Now(NowArgs),
    /// Who holds keys and how many cards
    #[command(after_long_help = examples::LIST)]
    List,
    /// Make keys for a new person and show them as QR codes
    #[command(after_long_help = examples::ADD)]
    Add(AddArgs),
    /// Show a person's QR codes again
    #[command(after_long_help = examples::QR)]
    Qr {
        /// The person
        name: String,
    },
    /// Print single-use KILL cards as a page to cut and fold
    #[command(after_long_help = examples::CARDS)]
    Cards(CardsArgs),
    /// Let RESTORE codes count again after too many wrong ones
    #[command(after_long_help = examples::UNLOCK)]
    Unlock,
    /// Take a person's keys and cards away
    #[command(after_long_help = examples::REVOKE)]
    Revoke {
        /// The person
        name: String,
        /// Only the printed cards
        #[arg(long)]
        cards: bool,
    },
}

/// Which codes to print.
#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// Print only the KILL code, bare
    #[arg(long, conflicts_with = "restore")]
    pub(crate) kill: bool,
    /// Print only the RESTORE code, bare
    #[arg(long)]
    pub(crate) restore: bool,
    /// With --kill or --restore: the code of the next half minute, which is good already
    #[arg(long)]
    pub(crate) next: bool,
    /// Only this person [default with --kill or --restore: the first]
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<String>,
}

/// The new person.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// 1 to 24 of a-z, 0-9, `.`, `-`, `_`
    pub(crate) name: String,
    /// A phone number (or name of a generic channel's sender) that gets replies and may ask STATUS; may be repeated
    #[arg(long, value_name = "SENDER")]
    pub(crate) sender: Vec<String>,
    /// Do not ask for a code that the app shows
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// The cards to print.
#[derive(Debug, Args)]
pub(crate) struct CardsArgs {
    /// The person who will carry them
    pub(crate) name: String,
    /// How many codes
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(crate) count: u8,
    /// The page to write; it must not exist
    #[arg(long, value_name = "FILE.html")]
    pub(crate) out: PathBuf,
}

/// Runs one of the commands.
pub(crate) fn run(home: &Home, command: &CodesCommand, json: bool) -> anyhow::Result<()> {
    match command {
        CodesCommand::Now(args) => now::print(&load(home)?, args, crate::clock::now(), json),
        CodesCommand::List => list(&load(home)?, json),
        CodesCommand::Add(args) => enrol::add(home, args, json),
        CodesCommand::Qr { name } => enrol::show(&mut Out::stdout(), person(&load(home)?, name)?),
        CodesCommand::Cards(args) => cards::print(home, args, json),
        CodesCommand::Unlock => unlock(home, json),
        CodesCommand::Revoke { name, cards } => revoke(home, name, *cards, json),
    }
}

/// Reads `people.json`; when it was lost, nobody holds keys.
fn load_or_none(home: &Home) -> anyhow::Result<People> {
    if home.part(Part::Killswitch).is_dir() && !home.people().exists() {
        return Ok(People::default());
    }
    load(home)
}

/// Reads `people.json`.
fn load(home: &Home) -> anyhow::Result<People> {
    let path = home.people();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => bail!(
            "{} holds no keys; run `portcullis up` first, or say where the state is: --data DIR",
            home.root().display()
        ),
        Err(why) => return Err(why).with_context(|| format!("cannot read {}", path.display())),
    };
    People::parse(&text).with_context(|| format!("{} cannot be used", path.display()))
}

/// The first person of the folder: whose keys first start made.
pub(crate) fn first(home: &Home) -> anyhow::Result<Person> {
    load(home)?
        .iter()
        .next()
        .cloned()
        .context("nobody holds keys")
}

fn person<'p>(people: &'p People, name: &str) -> anyhow::Result<&'p Person> {
    people.get(name).with_context(|| {
        let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
        format!(
            "there is no person of that name; there are: {}",
            names.join(", ")
        )
    })
}

/// Changes `people.json` under a lock, then tells a running kill switch.
fn change<T>(
    home: &Home,
    edit: impl FnOnce(People) -> anyhow::Result<(People, T)>,
) -> anyhow::Result<T> {
    let path = home.people();
    let folder = path.parent().context("the data folder has no parent")?;
    // The folder itself is the lock: `people.json` is replaced, so a lock on it would be lost.
    let lock = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let (people, result) = edit(load_or_none(home)?)?;
    let text = zeroize::Zeroizing::new(people.to_json());
    kill_files::write_atomic(&path, text.as_bytes(), 0o600)
        .with_context(|| format!("cannot write {}", path.display()))?;
    drop(lock);
    tell(home)?;
    Ok(result)
}

fn tell(home: &Home) -> anyhow::Result<()> {
    let lever = killctl::Lever::at(home.lever());
    match lever.ask(&LeverRequest::Reload, Duration::from_secs(3)) {
        Ok(LeverReply::Reloaded { .. }) => Ok(()),
        Ok(_) => bail!("written, but the kill switch answered something else; restart it"),
        Err(why) if why.code == ErrorCode::Unavailable => {
            aside("The kill switch does not run here; it reads this at its next start.");
            Ok(())
        }
        Err(why) => Err(why).context("written, but the kill switch did not take it"),
    }
}

fn unlock(home: &Home, json: bool) -> anyhow::Result<()> {
    let LeverReply::Unlocked = crate::lever::ask(home, &LeverRequest::Unlock)? else {
        bail!("the kill switch answered something else; run `portcullis status`");
    };
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "unlocked": true }))?;
    } else {
        out.line("RESTORE codes count again.")?;
    }
    Ok(())
}

fn list(people: &People, json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        let rows: Vec<_> = people
            .iter()
            .map(|person| {
                json!({
                    "name": person.name.as_str(),
                    "kill_digits": person.kill.digits().count(),
                    "restore_digits": person.restore.digits().count(),
                    "cards": person.cards.len(),
                    "senders": person.senders,
                })
            })
            .collect();
        out.json(&json!({ "people": rows }))?;
        return Ok(());
    }
    let head = format!(
        "{:<24}  {:>4}  {:>7}  {:>5}  senders",
        "name", "KILL", "RESTORE", "cards"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for person in people {
        out.line(format_args!(
            "{:<24}  {:>4}  {:>7}  {:>5}  {}",
            person.name.as_str(),
            person.kill.digits().count(),
            person.restore.digits().count(),
            person.cards.len(),
            person.senders.join(", ")
        ))?;
    }
    Ok(())
}

fn revoke(home: &Home, name: &str, only_cards: bool, json: bool) -> anyhow::Result<()> {
    let cards = change(home, |people| {
        let cards = person(&people, name)?.cards.len();
        if !only_cards && people.len() == 1 {
            bail!(
                "`{name}` is the last person with keys; add another one first, or nobody could restore"
            );
        }
        let mut rest = People::default();
        for person in &people {
            let mut person = person.clone();
            if person.name.as_str() == name {
                if !only_cards {
                    continue;
                }
                person.cards.clear();
            }
            rest.add(person)?;
        }
        Ok((rest, cards))
    })?;
    if !only_cards {
        enrol::remove_svgs(&home.enrol(), name);
    }
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "revoked": name, "keys": !only_cards, "cards": cards }))?;
    } else if only_cards {
        out.line(format_args!("{cards} cards of {name} do nothing any more."))?;
    } else {
        out.line(format_args!(
            "The keys and {cards} cards of {name} do nothing any more."
        ))?;
    }
    Ok(())
}

//! `portcullis codes`: persons, their one-time codes and printed cards.
//!
//! Works on `people.json` alone, so only whoever may read the data folder gets anywhere; then tells a running kill switch.

pub(crate) mod add;
pub(crate) mod cards;
mod examples;
mod now;

use crate::out::{Out, Paint};
use crate::paths::Home;
use crate::people_file::{change, load, person};
use crate::{clock, config, enrol, lever};
use add::AddArgs;
use anyhow::bail;
use cards::CardsArgs;
use clap::Subcommand;
use kill_core::Person;
use kill_wire::{LeverReply, LeverRequest};
use now::NowArgs;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

#[derive(Debug, Subcommand)]
pub(crate) enum CodesCommand {
    /// Current codes, as an authenticator shows them
    #[command(after_long_help = examples::NOW)]
    Now(NowArgs),
    /// Who holds keys and how many cards
    #[command(after_long_help = examples::LIST)]
    List,
    /// Make keys for a new person, or one that a person lacks, and show them as QR codes
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

/// Runs one of the commands.
pub(crate) fn run(
    home: &Home,
    file: Option<&Path>,
    command: &CodesCommand,
    json: bool,
) -> anyhow::Result<()> {
    match command {
        CodesCommand::Now(args) => now::print(&load(home)?, args, clock::now(), json),
        CodesCommand::List => {
            let holders: Vec<Holder> = load(home)?.iter().map(Holder::of).collect();
            list(&holders, json)
        }
        CodesCommand::Add(args) => {
            let rules = config::read(file)?.killswitch.rules;
            add::add(home, &rules, args, json)
        }
        CodesCommand::Qr { name } => enrol::show(&mut Out::stdout(), person(&load(home)?, name)?),
        CodesCommand::Cards(args) => cards::print(home, args, json),
        CodesCommand::Unlock => unlock(home, json),
        CodesCommand::Revoke { name, cards } => revoke(home, name, *cards, json),
    }
}

fn unlock(home: &Home, json: bool) -> anyhow::Result<()> {
    let LeverReply::Unlocked = lever::ask(home, &LeverRequest::Unlock)? else {
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

/// Who holds what; no secret of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Holder {
    name: String,
    kill_digits: u8,
    restore_digits: u8,
    check_in: bool,
    duress: bool,
    cards: usize,
    /// Numbers and names of senders; empty for who may not know them.
    senders: Vec<String>,
}

impl Holder {
    fn of(person: &Person) -> Self {
        Self {
            name: person.name.as_str().to_owned(),
            kill_digits: person.kill.digits().count(),
            restore_digits: person.restore.digits().count(),
            check_in: person.check_in.is_some(),
            duress: person.duress.is_some(),
            cards: person.cards.len(),
            senders: person.senders.clone(),
        }
    }
}

/// The list, wherever it comes from.
pub(crate) fn list(holders: &[Holder], json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "people": holders }))?;
        return Ok(());
    }
    let head = format!(
        "{:<24}  {:>4}  {:>7}  {:>8}  {:>5}  senders",
        "name", "KILL", "RESTORE", "check-in", "cards"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for holder in holders {
        out.line(format_args!(
            "{:<24}  {:>4}  {:>7}  {:>8}  {:>5}  {}",
            holder.name,
            holder.kill_digits,
            holder.restore_digits,
            if holder.check_in { "yes" } else { "no" },
            holder.cards,
            holder.senders.join(", ")
        ))?;
    }
    Ok(())
}

/// Takes a person's cards away, and the keys too unless `only_cards`; gives how many cards there were.
pub(crate) fn take_away(home: &Home, name: &str, only_cards: bool) -> anyhow::Result<usize> {
    let cards = change(home, |people| {
        let cards = person(&people, name)?.cards.len();
        let mut rest = people;
        if only_cards {
            rest.revoke_cards(name)?;
        } else if rest.len() == 1 {
            bail!(
                "`{name}` is the last person with keys; add another one first, or nobody could restore"
            );
        } else {
            rest.revoke(name)?;
        }
        Ok((rest, cards))
    })?;
    if !only_cards {
        enrol::remove_svgs(&home.enrol(), name);
    }
    Ok(cards)
}

fn revoke(home: &Home, name: &str, only_cards: bool, json: bool) -> anyhow::Result<()> {
    let cards = take_away(home, name, only_cards)?;
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

//! Printed single-use KILL codes, as a page to cut out and fold into a wallet.

use crate::out::Out;
use crate::paths::Home;
use crate::random::random;
use crate::{clock, people_file};
use anyhow::{Context as _, bail};
use askama::Template;
use clap::Args;
use kill_core::{Card, CardHash};
use serde_json::json;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Codes on one side of a folded card; more start another card.
const PER_CARD: usize = 20;

/// The cards to print.
#[derive(Debug, Args)]
pub(crate) struct CardsArgs {
    /// The person who will carry them
    name: String,
    /// How many codes
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=50))]
    count: u8,
    /// Digits alone, 20 a code, for a phone with number keys
    #[arg(long)]
    digits: bool,
    /// The page to write; it must not exist
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
}

#[derive(Template)]
#[template(path = "cards.html")]
struct Page<'a> {
    person: &'a str,
    date: &'a str,
    sheets: Vec<Sheet>,
}

struct Sheet {
    number: usize,
    codes: Vec<Numbered>,
}

struct Numbered {
    number: usize,
    code: String,
}

/// `portcullis codes cards`: writes the page first, so that no card counts that nobody has.
pub(super) fn print(home: &Home, args: &CardsArgs, json: bool) -> anyhow::Result<()> {
    people_file::person(&people_file::load(home)?, &args.name)?;
    let cards = make(args.count, args.digits)?;
    let date = clock::now().to_string();
    let date = date.split('T').next().unwrap_or_default();
    let text = Zeroizing::new(page(&args.name, date, &cards)?);
    write_new(&args.out, &text)?;
    let known = count(home, &args.name, &cards);
    if let Err(why) = known {
        // A page of codes that do nothing would be found out at the worst moment.
        drop(std::fs::remove_file(&args.out));
        return Err(why);
    }
    let mut out = Out::stdout();
    let shown = args.out.display();
    if json {
        out.json(&json!({ "person": args.name, "cards": args.count, "file": args.out }))?;
    } else {
        out.line(format_args!(
            "{} cards of {} are in {shown}.",
            args.count, args.name
        ))?;
        out.line("Open it in a browser, print it on A4, cut along the marks, fold; then remove the file.")?;
    }
    Ok(())
}

/// Fresh cards that nothing knows yet.
pub(crate) fn make(count: u8, digits: bool) -> anyhow::Result<Vec<Card>> {
    let one = |_| {
        Ok(if digits {
            Card::digits_from_random(*random()?)
        } else {
            Card::from_random(*random()?)
        })
    };
    (0..count).map(one).collect()
}

/// Lets these cards of a person count.
pub(crate) fn count(home: &Home, name: &str, cards: &[Card]) -> anyhow::Result<()> {
    let hashes: Vec<CardHash> = cards.iter().map(Card::hash).collect();
    people_file::change(home, |mut people| {
        people.add_cards(name, hashes)?;
        Ok((people, ()))
    })
}

fn page(person: &str, date: &str, cards: &[Card]) -> anyhow::Result<String> {
    let mut sheets = Vec::new();
    for (at, chunk) in cards.chunks(PER_CARD).enumerate() {
        let codes = chunk.iter().enumerate().map(|(place, card)| Numbered {
            number: at * PER_CARD + place + 1,
            code: card.printed(),
        });
        sheets.push(Sheet {
            number: at + 1,
            codes: codes.collect(),
        });
    }
    Ok(Page {
        person,
        date,
        sheets,
    }
    .render()?)
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let opened = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = match opened {
        Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!(
                "{} exists; cards are never written over another file",
                path.display()
            )
        }
        other => other.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_card_stands_on_the_page_once() {
        let cards: Vec<Card> = (0..47u8).map(|n| Card::from_random([n; 9])).collect();
        let text = page("ada", "2026-11-21", &cards).unwrap();
        for card in &cards {
            assert_eq!(text.matches(&card.printed()).count(), 1);
        }
        assert_eq!(text.matches("class=\"card\"").count(), 3);
    }
}

//! `portcullis prices`: what models cost in this house.

use crate::{
    out::{Out, Paint},
    paths::{Home, Part},
    private, setup,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use net_model::MicroDollars;
use prices::{Book, Known, Origin, Price, Prices, Rates, from_litellm};
use serde_json::json;
use std::path::{Path, PathBuf};

/// At the end of each `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis prices list gpt-5
  portcullis prices set my-model --input 2.50 --output 10 --cached 0.25
  portcullis prices import model_prices_and_context_window.json
  portcullis prices check

Prices are dollars a million tokens. A running gateway takes changes over with SIGHUP.";

/// Longest name of a model.
const MAX_NAME: usize = 256;

#[derive(Debug, Subcommand)]
pub(crate) enum PricesCommand {
    /// Known prices, or that of one model
    #[command(after_long_help = EXAMPLES)]
    List {
        /// As the target is asked for it
        model: Option<String>,
    },
    /// Say what a model costs in this house
    #[command(after_long_help = EXAMPLES)]
    Set(SetArgs),
    /// Forget what was said of a model; the built-in price counts again
    #[command(after_long_help = EXAMPLES)]
    Unset {
        /// Its name
        model: String,
    },
    /// Take in a price table of LiteLLM
    #[command(after_long_help = EXAMPLES)]
    Import {
        /// `model_prices_and_context_window.json`
        file: PathBuf,
    },
    /// Check the house's own price file
    #[command(after_long_help = EXAMPLES)]
    Check,
}

/// Dollars a million tokens.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// As the target is asked for it
    model: String,
    /// Of the prompt, in dollars a million tokens
    #[arg(long, value_name = "USD")]
    input: MicroDollars,
    /// Of the answer
    #[arg(long, value_name = "USD")]
    output: MicroDollars,
    /// Of what came from a cache [default: as input]
    #[arg(long, value_name = "USD")]
    cached: Option<MicroDollars>,
    /// Of what went into a cache [default: as input]
    #[arg(long, value_name = "USD")]
    cache_write: Option<MicroDollars>,
}

/// What holds in this house: its own prices over the built-in ones.
pub(crate) fn read(home: &Home) -> anyhow::Result<Prices> {
    own(home).map(Prices::new)
}

fn own(home: &Home) -> anyhow::Result<Book> {
    let path = home.prices();
    match std::fs::read_to_string(&path) {
        Ok(text) => Book::read(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Book::default()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn write(home: &Home, book: &Book) -> anyhow::Result<()> {
    // The folder alone would look like a house that has lost its other parts.
    if !home.part(Part::Gateway).is_dir() {
        return Err(setup::no_keys(home.root()));
    }
    private::write(&home.prices(), &book.write()?)
}

/// Runs one of the commands.
pub(crate) fn run(home: &Home, command: &PricesCommand, json: bool) -> anyhow::Result<()> {
    match command {
        PricesCommand::List { model } => list(&read(home)?, model.as_deref(), json),
        PricesCommand::Set(args) => set(home, args, json),
        PricesCommand::Unset { model } => {
            let mut book = own(home)?;
            if book.models.remove(model).is_none() {
                bail!("this house has no own price of `{model}`");
            }
            write(home, &book)?;
            said(json, "the built-in price counts again, if there is one", 1)
        }
        PricesCommand::Import { file } => import(home, file, json),
        PricesCommand::Check => {
            let book = own(home)?;
            said(json, "own prices, all in order", book.models.len())
        }
    }
}

fn list(prices: &Prices, model: Option<&str>, json: bool) -> anyhow::Result<()> {
    let known: Vec<Known<'_>> = match model {
        Some(model) => vec![prices.known(model).with_context(|| {
            format!("the price of `{model}` is not known; say it with `portcullis prices set`")
        })?],
        None => prices.all().collect(),
    };
    let mut out = Out::stdout();
    if json {
        let each = known
            .iter()
            .map(|it| json!({ "model": it.model, "origin": it.origin, "price": it.price }));
        let built_in = Book::built_in();
        let prices: Vec<_> = each.collect();
        out.json(&json!({ "prices": prices, "source": built_in.source, "taken": built_in.taken }))?;
        return Ok(());
    }
    let head = format!(
        "{:<48} {:>10} {:>10} {:>10} {:>10}",
        "dollars a million tokens", "input", "output", "cached", "to cache"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for it in &known {
        row(&mut out, it)?;
    }
    let built_in = Book::built_in();
    let source = format!(
        "built in: {} ({}), taken {}",
        built_in.source, built_in.licence, built_in.taken
    );
    out.line(out.paint(Paint::Dim, &source))?;
    Ok(())
}

fn row(out: &mut Out, it: &Known<'_>) -> std::io::Result<()> {
    let some =
        |rate: Option<MicroDollars>| rate.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let Price {
        rates,
        above,
        sound,
    } = it.price;
    let own = if it.origin == Origin::Own {
        "  own"
    } else {
        ""
    };
    out.line(format_args!(
        "{:<48} {:>10} {:>10} {:>10} {:>10}{own}",
        it.model,
        rates.input.to_string(),
        rates.output.to_string(),
        some(rates.cached),
        some(rates.cache_write),
    ))?;
    if let Some(sound) = sound {
        out.line(format_args!(
            "{:<48} {:>10} {:>10} {:>10}",
            "  sound",
            sound.input.to_string(),
            sound.output.to_string(),
            some(sound.cached),
        ))?;
    }
    let Some(above) = above else { return Ok(()) };
    out.line(format_args!(
        "{:<48} {:>10} {:>10} {:>10} {:>10}",
        format!("  prompts above {} tokens", above.tokens),
        above.rates.input.to_string(),
        above.rates.output.to_string(),
        some(above.rates.cached),
        some(above.rates.cache_write),
    ))
}

fn set(home: &Home, args: &SetArgs, json: bool) -> anyhow::Result<()> {
    let name = args.model.trim();
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        bail!("a model's name has 1 to {MAX_NAME} bytes and no control characters");
    }
    let mut rates = Rates::new(args.input, args.output);
    (rates.cached, rates.cache_write) = (args.cached, args.cache_write);
    let mut book = own(home)?;
    book.models.insert(name.to_owned(), Price::flat(rates));
    write(home, &book)?;
    said(json, "own price set", 1)
}

fn import(home: &Home, file: &Path, json: bool) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let table = from_litellm(&text).with_context(|| file.display().to_string())?;
    if table.is_empty() {
        bail!("{} holds no price by the token", file.display());
    }
    let mut book = own(home)?;
    let count = table.len();
    book.models.extend(table);
    write(home, &book)?;
    said(json, "own prices taken in", count)
}

/// A gateway that runs takes them over when it is told to.
fn said(json: bool, what: &str, models: usize) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "done": what, "models": models }))?;
    } else {
        out.line(format_args!(
            "{models}: {what}. A running gateway takes its prices over with SIGHUP."
        ))?;
    }
    Ok(())
}

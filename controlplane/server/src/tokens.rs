//! `portcullis tokens`: what programs show to the API. Made at the machine, whose owner may everything.

use crate::{
    clock, http,
    lever::whoami,
    out::{Out, Paint},
    paths::Home,
    random::random,
};
use anyhow::{bail, ensure};
use clap::{Args, Subcommand};
use data_encoding::BASE64URL_NOPAD;
use kill_wire::{Name, Timestamp};
use net_model::{DashRole, KeyHash, SignedInBy};
use serde_json::json;
use store::{NewChange, Store, TokenRecord};

pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis tokens create grafana                      looks, for 90 days
  portcullis tokens create night-watch --role operator --days 30
  portcullis tokens list --json | jq '.tokens[] | {name, role, last_used}'
  portcullis tokens revoke grafana

A token is printed once and kept as a hash. It is sent as `Authorization: Bearer pct_…`; `portcullis --url URL --token-file FILE` reads it from a file.";

const DAY_MS: u64 = 24 * 3600 * 1000;
/// More than anybody has.
const MOST: u32 = 10_000;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Make one, and print it this once
    #[command(after_long_help = EXAMPLES)]
    Create(CreateArgs),
    /// All of them, those that no longer let in as well
    #[command(after_long_help = EXAMPLES)]
    List,
    /// Let one in no more, at once
    #[command(after_long_help = EXAMPLES)]
    Revoke {
        /// Its name
        name: Name,
    },
}

/// What the new one may.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter
    pub(crate) name: Name,
    /// viewer looks, operator cuts besides, admin changes things besides
    #[arg(long, default_value = "viewer")]
    pub(crate) role: DashRole,
    /// How long it lets in
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub(crate) days: u32,
}

/// Does it, in the house's database.
pub(crate) fn run(home: &Home, command: &TokensCommand, json: bool) -> anyhow::Result<()> {
    let path = home.database();
    if !path.exists() {
        bail!(
            "there is no database at {}; the control plane makes it",
            path.display()
        );
    }
    http::block_on(async {
        let store = Store::open(&path).await?;
        let done = act(&store, command, json).await;
        store.close().await;
        done
    })
}

async fn act(store: &Store, command: &TokensCommand, json: bool) -> anyhow::Result<()> {
    match command {
        TokensCommand::Create(args) => create(store, args, json).await,
        TokensCommand::List => list(&store.tokens(None, MOST).await?, json),
        TokensCommand::Revoke { name } => {
            write_down(store, "token.revoke", name, "").await?;
            let revoked = store.revoke_token(name, clock::now()).await?;
            ensure!(
                revoked.is_some(),
                "there is no token {name}, or it is revoked already"
            );
            show_revoked(&mut Out::stdout(), name, json)
        }
    }
}

/// Says that a token lets in no more.
pub(crate) fn show_revoked(out: &mut Out, name: &Name, json: bool) -> anyhow::Result<()> {
    if json {
        out.json(&json!({ "revoked": name }))?;
    } else {
        out.line(format_args!("{name} lets in no more."))?;
    }
    Ok(())
}

async fn create(store: &Store, args: &CreateArgs, json: bool) -> anyhow::Result<()> {
    let now = clock::now();
    let text = format!("pct_{}", BASE64URL_NOPAD.encode(&*random::<32>()?));
    let until = now.millis().saturating_add(u64::from(args.days) * DAY_MS);
    let record = TokenRecord {
        name: args.name.clone(),
        role: args.role,
        created: now,
        created_by: format!("{} at the machine", whoami()),
        expires: Timestamp::from_millis(until),
        revoked: None,
        last_used: None,
    };
    let detail = format!("role {}, until {}", record.role, record.expires);
    write_down(store, "token.create", &args.name, &detail).await?;
    let made = store
        .create_token(KeyHash::of(text.as_bytes()), &record)
        .await?;
    ensure!(
        made,
        "there is, or was, a token {}; choose another name",
        args.name
    );
    show_made(&text, &record, json)
}

/// Prints a new token, this once.
pub(crate) fn show_made(text: &str, record: &TokenRecord, json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "token": text, "record": record }))?;
    } else {
        out.line(text)?;
        crate::out::aside(format_args!(
            "{} may what a {} may, until {}. It is not shown again.",
            record.name, record.role, record.expires
        ));
    }
    Ok(())
}

async fn write_down(store: &Store, what: &str, name: &Name, detail: &str) -> anyhow::Result<()> {
    let change = NewChange {
        at: clock::now(),
        by: format!("{} at the machine", whoami()),
        // Who is at the machine could have a link as well.
        how: SignedInBy::Link,
        from: None,
        what: what.to_owned(),
        subject: name.to_string(),
        detail: detail.to_owned(),
    };
    store.keep_change(&change).await?;
    Ok(())
}

/// Prints all of them.
pub(crate) fn list(tokens: &[TokenRecord], json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "tokens": tokens }))?;
        return Ok(());
    }
    if tokens.is_empty() {
        out.line("There is no token.")?;
    }
    let now = clock::now();
    for token in tokens {
        let (paint, state) = match token.revoked {
            Some(at) => (Paint::Dim, format!("revoked {at}")),
            None if token.expires <= now => (Paint::Dim, format!("expired {}", token.expires)),
            None => (Paint::Green, format!("until {}", token.expires)),
        };
        let used = token
            .last_used
            .map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
        out.line(format_args!(
            "{:<24}  {:<8}  {}  {used}  by {}",
            token.name.as_str(),
            token.role.as_str(),
            out.paint(paint, &state),
            token.created_by
        ))?;
    }
    Ok(())
}

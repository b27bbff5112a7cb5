//! Tokens of a house that runs elsewhere, and who holds keys there. No token may have more than the one that asks, and none outlives
//! it.

use super::Page;
use super::house::every;
use crate::codes::{self, Holder};
use crate::out::Out;
use crate::remote::{Remote, escaped};
use crate::tokens::{self, CreateArgs, TokensCommand};
use serde::Deserialize;
use serde_json::json;
use store::TokenRecord;

#[derive(Deserialize)]
struct Made {
    token: String,
    record: TokenRecord,
}

/// Who holds keys; numbers of phones for an admin's token alone.
pub(super) fn people(remote: &Remote, json: bool) -> anyhow::Result<()> {
    let people: Page<Holder> = remote.get("/api/v1/people")?;
    codes::list(&people.items, json)
}

pub(super) fn run(remote: &Remote, command: &TokensCommand, json: bool) -> anyhow::Result<()> {
    match command {
        TokensCommand::Create(CreateArgs { name, role, days }) => {
            let body = json!({ "name": name, "role": role, "days": days });
            let (_, made): (_, Made) = remote.post("/api/v1/tokens", &body)?;
            tokens::show_made(&made.token, &made.record, json)
        }
        TokensCommand::List => tokens::list(&every(remote, "/api/v1/tokens?")?, json),
        TokensCommand::Revoke { name } => {
            remote.delete(&format!("/api/v1/tokens/{}", escaped(name.as_str())))?;
            tokens::show_revoked(&mut Out::stdout(), name, json)
        }
    }
}

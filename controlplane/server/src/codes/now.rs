//! `portcullis codes now`.

use super::NowArgs;
use crate::out::{Out, Paint};
use anyhow::Context as _;
use kill_core::{People, Person};
use kill_wire::{Step, Timestamp};
use serde_json::json;

/// Prints the codes that hold at `now`.
pub(crate) fn print(
    people: &People,
    args: &NowArgs,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    let chosen: Vec<&Person> = match &args.person {
        Some(name) => vec![super::person(people, name)?],
        None => people.iter().collect(),
    };
    let step = now.step();
    let next = Step::new(step.get() + 1);
    if args.kill || args.restore {
        let person = chosen
            .first()
            .context("nobody holds keys; add a person: portcullis codes add NAME")?;
        let key = if args.kill {
            &person.kill
        } else {
            &person.restore
        };
        let code = key.code_at(if args.next { next } else { step });
        if json {
            let verb = if args.kill { "kill" } else { "restore" };
            out.json(&json!({ "name": person.name.as_str(), verb: code }))?;
        } else {
            out.line(code)?;
        }
        return Ok(());
    }
    let left = next.starts_at_secs().saturating_sub(now.secs());
    if json {
        let rows: Vec<_> = chosen
            .iter()
            .map(|person| {
                json!({
                    "name": person.name.as_str(),
                    "kill": person.kill.code_at(step),
                    "kill_next": person.kill.code_at(next),
                    "restore": person.restore.code_at(step),
                    "restore_next": person.restore.code_at(next),
                    "seconds_left": left,
                })
            })
            .collect();
        out.json(&json!({ "people": rows }))?;
        return Ok(());
    }
    let head = format!(
        "{:<24}  {:<9}  {:<9}  {:<9}  {:<9}",
        "name", "KILL", "next", "RESTORE", "next"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for person in chosen {
        out.line(format_args!(
            "{:<24}  {:<9}  {:<9}  {:<9}  {:<9}",
            person.name.as_str(),
            person.kill.code_at(step),
            person.kill.code_at(next),
            person.restore.code_at(step),
            person.restore.code_at(next),
        ))?;
    }
    let foot = format!(
        "{left} s left. Each code works once; a RESTORE needs a newer one than the last KILL had."
    );
    out.line(out.paint(Paint::Dim, &foot))?;
    Ok(())
}

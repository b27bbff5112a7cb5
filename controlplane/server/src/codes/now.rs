//! `portcullis codes now`.

use crate::enrol::Purpose;
use crate::out::{Out, Paint};
use crate::people_file;
use anyhow::Context as _;
use clap::Args;
use kill_core::{People, Person};
use kill_wire::{Step, Timestamp};
use serde_json::json;

/// Which codes to print.
#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// Print only the KILL code, bare
    #[arg(long, conflicts_with_all = ["restore", "check_in"])]
    kill: bool,
    /// Print only the RESTORE code, bare
    #[arg(long)]
    restore: bool,
    /// Print only the check-in code, bare
    #[arg(long, conflicts_with = "restore")]
    check_in: bool,
    /// With one of these: the code of the next half minute, which is good already
    #[arg(long)]
    next: bool,
    /// Only this person [default with --kill or --restore: the first]
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
}

/// Prints the codes that hold at `now`.
pub(super) fn print(
    people: &People,
    args: &NowArgs,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let chosen: Vec<&Person> = match &args.person {
        Some(name) => vec![people_file::person(people, name)?],
        None => people.iter().collect(),
    };
    let step = now.step();
    let next = Step::new(step.get() + 1);
    let asked = [
        (args.kill, Purpose::Kill),
        (args.restore, Purpose::Restore),
        (args.check_in, Purpose::CheckIn),
    ];
    if let Some((_, purpose)) = asked.into_iter().find(|(asked, _)| *asked) {
        let person = chosen
            .first()
            .context("nobody holds keys; add a person: portcullis codes add NAME")?;
        return bare(person, purpose, if args.next { next } else { step }, json);
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
                    "check_in": person.check_in.as_ref().map(|key| key.code_at(step)),
                    "seconds_left": left,
                })
            })
            .collect();
        Out::stdout().json(&json!({ "people": rows }))?;
        return Ok(());
    }
    table(&chosen, step, next, left)?;
    Ok(())
}

/// One code, for a script.
fn bare(person: &Person, purpose: Purpose, step: Step, json: bool) -> anyhow::Result<()> {
    let verb = purpose.label().to_ascii_lowercase().replace('-', "_");
    let name = person.name.as_str();
    let key = purpose.of(person).with_context(|| {
        format!("`{name}` has no check-in key; make one: portcullis codes add {name} --check-in")
    })?;
    let code = key.code_at(step);
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "name": name, verb: code }))?;
    } else {
        out.line(code)?;
    }
    Ok(())
}

fn table(people: &[&Person], step: Step, next: Step, left: u64) -> std::io::Result<()> {
    let mut out = Out::stdout();
    let row = |name: &str, codes: [&str; 4]| {
        let [kill, kill_next, restore, restore_next] = codes;
        format!("{name:<24}  {kill:<9}  {kill_next:<9}  {restore:<9}  {restore_next}")
    };
    let head = row("name", ["KILL", "next", "RESTORE", "next"]);
    out.line(out.paint(Paint::Bold, &head))?;
    for person in people {
        let [kill, kill_next] = [step, next].map(|step| person.kill.code_at(step));
        let [restore, restore_next] = [step, next].map(|step| person.restore.code_at(step));
        let codes = [&*kill, &*kill_next, &*restore, &*restore_next];
        out.line(row(person.name.as_str(), codes))?;
    }
    let foot = format!(
        "{left} s left. Each code works once; a RESTORE needs a newer one than the last KILL had."
    );
    out.line(out.paint(Paint::Dim, &foot))
}

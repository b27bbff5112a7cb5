//! What people read: one GSM-7 segment, so it costs one message and arrives whole.
//!
//! **Invariant:** a plain CUT is said only of [`Outcome::Cut`].

use crate::decision::{Cut, Why};
use crate::segment::{Reply, may, must};
use kill_wire::{CutReport, Latch, LatchSet, Outcome, Scope, Timestamp};

/// What a cut is answered with, once its proof has ended.
#[must_use]
pub fn cut_reply(cut: &Cut, report: &CutReport) -> Reply {
    let proof = &report.proof;
    let scope = &report.scope;
    let late = if cut.late { "LATE: " } else { "" };
    let verb = if cut.repeated { "ALREADY CUT" } else { "CUT" };
    let at = report.at.clock();
    let mut parts = match report.outcome {
        Outcome::Cut => vec![
            must(format!(
                "{late}{verb} {scope} {at} {}.",
                seconds(report.severed_ms)
            )),
            may(format!(
                " {}/{} routes blocked,",
                proof.routes_blocked, proof.routes
            )),
            may(format!(" {} closed,", streams(report.streams))),
            must(format!(
                " probes {}/{} dead.",
                proof.probes_dead, proof.probes
            )),
        ],
        Outcome::Partial => vec![
            must(format!("{late}{verb} {scope} PARTIAL {at}.")),
            must(format!(" {}/{} dead.", proof.probes_dead, proof.probes)),
            must(format!(" STILL OPEN: {}.", still_open(&proof.still_open))),
        ],
        Outcome::Unproven => vec![
            must(format!(
                "{late}{verb} {scope} {at} {} UNPROVEN: no probe worked before.",
                seconds(report.severed_ms)
            )),
            may(format!(" {} closed.", streams(report.streams))),
        ],
    };
    parts.push(must(format!(
        " By {} {}.",
        short(&cut.initials, 3),
        report.incident
    )));
    if !report.recorded {
        parts.push(must(" NOT ON DISK."));
    }
    if cut.restore_refused {
        parts.push(must(" RESTORE refused."));
    }
    if report.outcome != Outcome::Partial {
        parts.push(may(format!(" Undo: RESTORE {scope} code")));
    }
    Reply::of(&parts)
}

/// What a registered sender gets for STATUS: latches, then how many canaries and agents are good.
#[must_use]
pub fn status_reply(
    latches: &LatchSet,
    good: u32,
    points: u32,
    agents_good: u32,
    agents: u32,
    now: Timestamp,
    warnings: &[String],
) -> Reply {
    let state = match cut_list(latches, 3) {
        Some(list) => format!("Cut: {list}."),
        None => "Nothing cut.".to_owned(),
    };
    let mut parts = vec![must(format!(
        "STATUS {}. {state} Probes {good}/{points} good, agents {agents_good}/{agents}.",
        now.clock()
    ))];
    parts.extend(
        warnings
            .iter()
            .map(|warning| may(format!(" {}.", short(warning, 60)))),
    );
    Reply::of(&parts)
}

/// What a restore is answered with.
pub(crate) fn restored(latch: &Latch, initials: &str, left: &LatchSet, now: Timestamp) -> Reply {
    let Latch {
        incident, scope, ..
    } = latch;
    let mut parts = vec![must(format!(
        "RESTORED {scope} {}. {incident} ended. By {}.",
        now.clock(),
        short(initials, 3)
    ))];
    parts.extend(cut_list(left, 2).map(|list| must(format!(" Still cut: {list}"))));
    Reply::of(&parts)
}

/// What a refusal is answered with, and to RESTORE what is cut.
pub(crate) fn refused(why: &Why, latches: &LatchSet) -> Reply {
    let mut parts = vec![must(format!("Refused: {why}."))];
    match why {
        Why::NoScope | Why::NotCut(_) => {
            let list = cut_list(latches, 3).unwrap_or_else(|| "nothing".to_owned());
            parts.push(must(format!(" Cut now: {list}")));
        }
        Why::NoCode
        | Why::NotAccepted
        | Why::StepUp
        | Why::TooOld
        | Why::Locked
        | Why::Untrusted
        | Why::NotByText(_) => {}
    }
    Reply::of(&parts)
}

/// `ALL #7, LLM #9 +3`; what covers most comes first.
fn cut_list(latches: &LatchSet, most: usize) -> Option<String> {
    let mut all: Vec<&Latch> = latches.as_slice().iter().collect();
    all.sort_by_key(|latch| latch.scope != Scope::All);
    let shown: Vec<String> = all
        .iter()
        .take(most)
        .map(|l| format!("{} {}", l.scope, l.incident))
        .collect();
    let more = all.len().saturating_sub(most);
    let list = shown.join(", ");
    match (all.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(list),
        (false, more) => Some(format!("{list} +{more}")),
    }
}

/// As many names as 48 characters hold.
fn still_open(names: &[String]) -> String {
    let mut list = String::new();
    for (at, name) in names.iter().enumerate() {
        let name = short(name, 40);
        let comma = if at == 0 { "" } else { ", " };
        if list.chars().count() + comma.len() + name.chars().count() > 48 {
            return format!("{list} +{}", names.len() - at);
        }
        list.push_str(comma);
        list.push_str(&name);
    }
    if list.is_empty() {
        "unknown, an agent is silent".to_owned()
    } else {
        list
    }
}

fn short(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

fn streams(count: u32) -> String {
    if count == 1 {
        "1 stream".to_owned()
    } else {
        format!("{count} streams")
    }
}

/// Rounded up to hundredths: what took time never reads as nothing.
fn seconds(ms: u64) -> String {
    let hundredths = ms.div_ceil(10).max(1);
    format!("{}.{:02}s", hundredths / 100, hundredths % 100)
}

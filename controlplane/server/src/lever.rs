//! `portcullis cut` and `portcullis restore`: over the kill switch's own socket, without network, sign-in or database.

use crate::out::{Out, Paint};
use crate::{paths::Home, prompt};
use anyhow::{Context as _, bail};
use kill_wire::{CutReport, LeverError, LeverReply, LeverRequest, Outcome, Scope};
use killctl::Lever;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use zeroize::Zeroizing;

/// A cut answers after its proof, a drill after its last canary; an order itself is out within milliseconds.
const LIMIT: Duration = Duration::from_secs(30);

/// Cuts. Exit status 0 also when the proof is partial or absent: the cut is ordered, and the text says what is open.
pub(crate) fn cut(home: &Home, scope: &Scope, why: &str, json: bool) -> anyhow::Result<ExitCode> {
    let request = LeverRequest::Cut {
        scope: scope.clone(),
        by: whoami(),
        why: why.to_owned(),
    };
    let LeverReply::Cut(report) = ask(home, &request)? else {
        bail!("the kill switch answered something else than a cut; run `portcullis status`");
    };
    show_cut(&report, json)
}

/// What a cut came to.
pub(crate) fn show_cut(report: &CutReport, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    if json {
        out.json(report)?;
    } else {
        print(&mut out, report)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut Out, report: &CutReport) -> std::io::Result<()> {
    out.line(out.paint(Paint::Red, &report.text))?;
    let proof = &report.proof;
    match report.outcome {
        Outcome::Cut => Ok(()),
        Outcome::Partial if proof.still_open.is_empty() => out
            .line("Not everything is confirmed: `portcullis status` shows which agent is silent."),
        Outcome::Partial => out.line(format_args!("Still open: {}", proof.still_open.join(", "))),
        Outcome::Unproven => {
            out.line("Ordered and confirmed, but no probe had worked before, so nothing proves it.")
        }
    }
}

/// Restores. Exit status 1 when it is held for a second person.
pub(crate) fn restore(
    home: &Home,
    scope: &Scope,
    code_file: Option<&Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let code = code(scope, code_file)?;
    let request = LeverRequest::Restore {
        scope: scope.clone(),
        code: code.to_string(),
        by: whoami(),
    };
    let reply = ask(home, &request)?;
    let (text, paint, code) = match &reply {
        LeverReply::Restored { text, .. } => (text, Paint::Green, ExitCode::SUCCESS),
        // Half done is not done: a script must not go on as if it were open.
        LeverReply::Held { text } => (text, Paint::Yellow, ExitCode::from(1)),
        LeverReply::Cut(_)
        | LeverReply::State(_)
        | LeverReply::Incidents { .. }
        | LeverReply::Reloaded { .. }
        | LeverReply::Unlocked
        | LeverReply::Vouched { .. }
        | LeverReply::Drilled { .. }
        | LeverReply::CheckedIn { .. }
        | LeverReply::Told { .. }
        | LeverReply::Refused(_) => {
            bail!("the kill switch answered something else than a restore; run `portcullis status`")
        }
    };
    let mut out = Out::stdout();
    if json {
        out.json(&reply)?;
    } else {
        out.line(out.paint(paint, text))?;
    }
    Ok(code)
}

/// The RESTORE code, out of a file or asked for.
pub(crate) fn code(scope: &Scope, file: Option<&Path>) -> anyhow::Result<Zeroizing<String>> {
    match file {
        Some(path) if path != Path::new("-") => {
            let mut text = Zeroizing::new(String::new());
            std::fs::File::open(path)
                .and_then(|file| file.take(256).read_to_string(&mut text))
                .with_context(|| format!("cannot read {}", path.display()))?;
            Ok(Zeroizing::new(text.trim().to_owned()))
        }
        Some(_) | None => prompt::hidden(&format!("RESTORE code for {scope}: ")),
    }
}

/// Asks the kill switch of this folder; a refusal or a dead socket is the error.
pub(crate) fn ask(home: &Home, request: &LeverRequest) -> Result<LeverReply, LeverError> {
    Lever::at(home.lever()).ask(request, LIMIT)
}

/// For the journal: the login name. The kill switch adds that it came over the lever.
pub(crate) fn whoami() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let name = name.unwrap_or_else(|| match rustix::process::getuid() {
        root if root.is_root() => "root".to_owned(),
        other => format!("uid-{}", other.as_raw()),
    });
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        .take(24)
        .collect()
}

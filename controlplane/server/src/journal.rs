//! `portcullis journal verify`.

use crate::out::{Out, Paint, aside};
use crate::paths::Home;
use serde_json::json;

/// The journal for the dashboard.
pub(crate) fn of(home: &Home) -> dash::JournalFile {
    dash::JournalFile::new(home.journal(), |path| {
        let good = killswitchd::journal::verify(path).map_err(|broken| broken.to_string())?;
        Ok(dash::JournalHolds {
            entries: good.entries,
            last_hash: good.last_hash,
            torn_bytes: good.torn_bytes,
        })
    })
}

/// Checks the whole chain; reads the file alone, so it works when nothing runs.
pub(crate) fn verify(home: &Home, json: bool) -> anyhow::Result<()> {
    let path = home.journal();
    let mut out = Out::stdout();
    match killswitchd::journal::verify(&path) {
        Ok(good) => {
            if json {
                out.json(&json!({
                    "ok": true,
                    "entries": good.entries,
                    "last_hash": good.last_hash,
                    "torn_bytes": good.torn_bytes,
                }))?;
                return Ok(());
            }
            let noun = if good.entries == 1 {
                "entry"
            } else {
                "entries"
            };
            let text = format!("{} {noun}, every hash fits.", good.entries);
            out.line(out.paint(Paint::Green, &text))?;
            out.line(format_args!("Last hash {}", good.last_hash))?;
            if good.torn_bytes > 0 {
                aside(format_args!(
                    "The last line is unfinished ({} bytes): it was being written and never acknowledged.",
                    good.torn_bytes
                ));
            }
            Ok(())
        }
        Err(broken) => {
            if json {
                out.json(&json!({ "ok": false, "line": broken.line, "why": broken.why }))?;
            }
            anyhow::bail!("{}, line {}: {}", path.display(), broken.line, broken.why)
        }
    }
}

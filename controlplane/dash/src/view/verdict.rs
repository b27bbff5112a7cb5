//! The head of the page: is anything cut, and what must be known before trusting the rest.

use askama::Template;
use net_model::Snapshot;

#[derive(Debug, Template)]
#[template(path = "parts/verdict.html")]
pub(crate) struct Verdict {
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Also the title of the browser's tab.
    pub(crate) title: String,
    pub(crate) line: String,
    /// What keeps the page from being true, with the reason.
    pub(crate) unreadable: Vec<(&'static str, String)>,
    pub(crate) warnings: Vec<String>,
    pub(crate) demo: bool,
}

impl Verdict {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let (tone, title, line) = headline(snapshot);
        let mut unreadable = Vec::new();
        if let Err(why) = &snapshot.killswitch {
            unreadable.push(("The kill switch cannot be read", why.clone()));
        }
        if let Err(why) = &snapshot.gateway {
            unreadable.push(("The gateway cannot be read", why.clone()));
        }
        let mut warnings = Vec::new();
        if let Ok(state) = &snapshot.killswitch {
            if state.restore_locked {
                warnings.push(
                    "RESTORE is locked after too many wrong codes. It is unlocked at the machine."
                        .to_owned(),
                );
            }
            if state.step_up {
                warnings.push(
                    "Guessing was seen: a KILL by text needs two codes or a card for now."
                        .to_owned(),
                );
            }
            warnings.extend(state.warnings.iter().cloned());
        }
        Self {
            tone,
            title,
            line,
            unreadable,
            warnings,
            demo: snapshot.demo,
        }
    }
}

fn headline(snapshot: &Snapshot) -> (&'static str, String, String) {
    let state = match &snapshot.killswitch {
        Ok(state) => state,
        Err(_) => {
            let line = "What is cut cannot be told from here. A cut stays a cut; without word from the kill switch, leases lapse.";
            return ("bad", "Unknown".to_owned(), line.to_owned());
        }
    };
    let latches = state.latches.as_slice();
    if latches.is_empty() {
        return ("good", "Open".to_owned(), "Nothing is cut.".to_owned());
    }
    let mut names: Vec<String> = latches
        .iter()
        .take(4)
        .map(|l| l.scope.to_string())
        .collect();
    if latches.len() > names.len() {
        names.push(format!("{} more", latches.len() - names.len()));
    }
    let line = "Stays cut until someone restores it with a RESTORE code.";
    ("cut", format!("Cut: {}", names.join(", ")), line.to_owned())
}

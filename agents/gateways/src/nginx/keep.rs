//! Keeps the file that nginx includes as routes and consumers want it, and sees to it that nginx has taken it in.

use super::overlay::{Text, compile, told};
use super::{Found, Nginx, SLOW, look, program};
use crate::http::Lane;
use crate::{Drift, GatewayError, Mode, Wanted};
use std::collections::BTreeSet;
use std::time::Duration;

/// Until nginx must have taken in what it was told to: its new workers start first.
const TAKES: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(50);

pub(super) async fn keep(
    nginx: &Nginx,
    wanted: &Wanted,
    mode: Mode,
) -> Result<Drift, GatewayError> {
    let text = compile(wanted, nginx.shelf.folder());
    let before = nginx.at_shelf(|shelf| shelf.read()).await?;
    let mut drift = differs(before.as_deref(), &text);
    let behind = taken_in(nginx, &text).await == Some(false);
    if behind && drift.is_none() {
        drift
            .changed
            .push("nginx has not taken in the file".to_owned());
    }
    if mode == Mode::Show {
        return Ok(drift);
    }
    {
        // Also where nginx refuses it: what is wanted is what people mean by the names they cut.
        let mut known = nginx.known();
        known.wanted = wanted.clone();
        known.id.clone_from(&text.id);
    }
    // Until nginx serves by it, whatever is cut is everything.
    nginx.put().await?;
    let mut behind = behind;
    if before.as_deref() != Some(&text.text) {
        if let Err(why) = replace(nginx, &text, before).await {
            drift.failed.push(why);
            return Ok(drift);
        }
        // Also where what it serves by now is no file of ours: it was somebody else's that stood there.
        behind |= taken_in(nginx, &text).await == Some(false) || unguarded(nginx).await;
    }
    if behind && let Err(why) = take_in(nginx, &text).await {
        drift.failed.push(why);
    }
    nginx.at_shelf(|shelf| shelf.tidy()).await?;
    Ok(drift)
}

fn differs(before: Option<&str>, text: &Text) -> Drift {
    let mut drift = Drift::default();
    let Some(before) = before else {
        drift
            .missing
            .push("the file that nginx includes".to_owned());
        return drift;
    };
    let (was, is): (BTreeSet<String>, BTreeSet<String>) = (told(before), told(&text.text));
    drift.missing = is.difference(&was).cloned().collect();
    drift.surplus = was.difference(&is).cloned().collect();
    if drift.is_none() && before != text.text {
        drift
            .changed
            .push("the file that nginx includes".to_owned());
    }
    drift
}

/// Puts the file there, unless nginx would not read it: then what was there before is put back.
async fn replace(nginx: &Nginx, text: &Text, before: Option<String>) -> Result<(), String> {
    let new = text.text.clone();
    let put = nginx.at_shelf(move |shelf| shelf.replace(&new)).await;
    put.map_err(|why| why.to_string())?;
    let settings = &nginx.settings;
    let complaint = match program::read(&settings.program, &settings.conf).await {
        Ok(said) if said.good => return Ok(()),
        Ok(said) => said.complaint,
        Err(why) => why.to_string(),
    };
    if let Some(before) = before {
        let back = nginx.at_shelf(move |shelf| shelf.replace(&before)).await;
        back.map_err(|why| why.to_string())?;
    }
    Err(format!(
        "nginx does not read its configuration, so that nothing was changed: {complaint}"
    ))
}

async fn take_in(nginx: &Nginx, text: &Text) -> Result<(), String> {
    program::reload(&nginx.settings.pid)?;
    let taken = async {
        while taken_in(nginx, text).await != Some(true) {
            tokio::time::sleep(AGAIN).await;
        }
    };
    let taken = tokio::time::timeout(TAKES.min(SLOW), taken).await;
    taken.map_err(|_| format!("nginx was told to take in the file, and has not within {TAKES:?}: its error log says why"))
}

/// Whether one of its ports serves without any file of ours.
async fn unguarded(nginx: &Nginx) -> bool {
    for at in &nginx.settings.data {
        let found = look(&Lane::new(*at), "/", None, super::SOON).await;
        if matches!(found, Ok(Found::Nobody)) {
            return true;
        }
    }
    false
}

/// Whether nginx serves by this file at every port that says so; none where nobody says.
async fn taken_in(nginx: &Nginx, text: &Text) -> Option<bool> {
    let mut taken = None;
    for at in &nginx.settings.data {
        // A connection of its own: a kept one might still lead to a worker that is about to end.
        let found = look(&Lane::new(*at), "/", None, super::SOON).await;
        if let Ok(Found::Gate(gate)) = found {
            taken = Some(taken.unwrap_or(true) && gate.file == text.id);
        }
    }
    taken
}

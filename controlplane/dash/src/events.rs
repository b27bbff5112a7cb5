//! The live pages: each part is sent again when what it shows has changed, and only then. Between them goes a beat: it says
//! that the connection lives and whether the kill switch answers, and a page whose beats stop makes its red button grey.

use crate::answer::refusal;
use crate::caller::Caller;
use crate::fleet::driven;
use crate::listening::{Full, Line, Teller};
use crate::site::Site;
use crate::view::{Map, Now, Parts, Proofs, drawn};
use crate::{listening, spend, targets};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::response::sse::Event;
use net_model::Snapshot;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often a page is told that it is still connected.
const BEAT: Duration = Duration::from_secs(1);

/// Which page listens.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    #[serde(default)]
    view: View,
}

/// What a page shows that changes by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum View {
    /// Every part of the first page.
    #[default]
    Overview,
    /// The page with the red button: what the kill switch itself says.
    Stop,
    /// Routes and targets.
    Targets,
    /// Budgets.
    Spend,
    /// Nothing but whether it is connected.
    Frame,
}

pub(crate) async fn listen(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(which): Query<Which>,
) -> Response {
    let page = Page {
        view: which.view,
        shown: BTreeMap::new(),
    };
    listening::listen(site, caller, page).unwrap_or_else(|Full| {
        let text = "Too many pages listen already; close one and reload.";
        refusal(StatusCode::SERVICE_UNAVAILABLE, text)
    })
}

/// The connection lives.
#[derive(Serialize)]
struct Beat {
    /// The kill switch answers.
    kill: bool,
}

/// One page that listens, with what it was sent of each part.
struct Page {
    view: View,
    shown: BTreeMap<&'static str, String>,
}

impl Page {
    /// A part, unless it says what it said before.
    fn send(&mut self, line: &mut Line, name: &'static str, html: String) {
        if self.shown.get(name) != Some(&html) {
            line.send(Event::default().event(name).data(&html));
            self.shown.insert(name, html);
        }
    }
}

impl Teller for Page {
    const BEAT: Option<Duration> = Some(BEAT);
    const HELLO: Option<&'static str> = None;

    async fn look(&mut self, line: &mut Line, snapshot: Arc<Snapshot>) {
        let parts = match self.view {
            View::Overview => {
                let mut parts = Parts::of(&snapshot).drawn();
                let house = line.site.house().await;
                parts.push(("map", drawn(&Map::of(&snapshot, &house))));
                parts
            }
            View::Targets => targets::parts(&snapshot),
            View::Spend => spend::parts(&snapshot),
            View::Stop | View::Frame => Vec::new(),
        };
        for (name, html) in parts {
            self.send(line, name, html);
        }
    }

    async fn beat(&mut self, line: &mut Line) {
        let pulse = line.site.pulse().await;
        if self.view == View::Stop {
            self.send(line, "now", drawn(&Now::of(&pulse.said)));
            self.send(line, "proofs", drawn(&Proofs::of(&pulse.said)));
        }
        let said = Beat {
            kill: pulse.said.is_ok(),
        };
        match Event::default().event("beat").json_data(said) {
            Ok(event) => line.send(event),
            Err(error) => tracing::error!(%error, "A beat cannot be written."),
        }
    }

    /// What hosts told since.
    async fn now_and_then(&mut self, line: &mut Line) {
        if self.view == View::Targets
            && let Some(table) = driven::live(&line.site).await
        {
            self.send(line, "elsewhere", drawn(&table));
        }
    }

    fn farewell(&self, line: &mut Line) {
        let text = match line.caller.person() {
            None => "<p>Your sign-in has ended. <a href=\"/sign-in\">Sign in again</a></p>",
            Some(_) => "<p>You are no longer let in. <a href=\"/\">Try again</a></p>",
        };
        line.send(Event::default().event("ended").data(text));
    }
}

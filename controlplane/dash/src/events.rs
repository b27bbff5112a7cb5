//! The live pages: each part is sent again when what it shows has changed, and only then. Between them goes a beat: it says
//! that the connection lives and whether the kill switch answers, and a page whose beats stop makes its red button grey.

use crate::answer::refusal;
use crate::caller::Caller;
use crate::fleet::driven;
use crate::site::Site;
use crate::view::{Map, Now, Parts, Proofs, drawn};
use crate::{spend, targets};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use net_model::Snapshot;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior};

/// How often a listener's session is looked up again: so long may a page go on after its sign-out.
const RECHECK: Duration = Duration::from_secs(10);

/// How often a page is told that it is still connected.
const BEAT: Duration = Duration::from_secs(1);

/// Silence after which a comment is sent, so that proxies keep the connection and a dead one is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

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
    let Ok(place) = Arc::clone(&site.listeners).try_acquire_owned() else {
        let text = "Too many pages listen already; close one and reload.";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, text);
    };
    Sse::new(events(site, caller, which.view, place))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response()
}

/// The connection lives.
#[derive(Serialize)]
struct Beat {
    /// The kill switch answers.
    kill: bool,
}

/// One listening browser.
struct Listener {
    site: Arc<Site>,
    caller: Caller,
    view: View,
    beat: Interval,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    recheck: Interval,
    shown: BTreeMap<&'static str, String>,
    waiting: VecDeque<Event>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

fn events(
    site: Arc<Site>,
    caller: Caller,
    view: View,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut snapshots = site.app.snapshots.clone();
    // Everything once: the page may be older than this connection, which a browser renews by itself.
    snapshots.mark_changed();
    let mut recheck = tokio::time::interval(RECHECK);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        site,
        caller,
        view,
        beat,
        snapshots,
        recheck,
        shown: BTreeMap::new(),
        waiting: VecDeque::new(),
        ended: false,
        _place: place,
    };
    unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            tokio::select! {
                changed = self.snapshots.changed() => match changed {
                    Ok(()) => self.draw().await,
                    // The control plane stops; the browser calls again until it is back.
                    Err(_) => return None,
                },
                _ = self.beat.tick() => self.beat().await,
                _ = self.recheck.tick() => self.check().await,
            }
        }
    }

    async fn beat(&mut self) {
        let pulse = self.site.pulse().await;
        if self.view == View::Stop {
            self.send("now", drawn(&Now::of(&pulse.said)));
            self.send("proofs", drawn(&Proofs::of(&pulse.said)));
        }
        let said = Beat {
            kill: pulse.said.is_ok(),
        };
        match Event::default().event("beat").json_data(said) {
            Ok(event) => self.waiting.push_back(event),
            Err(error) => tracing::error!(%error, "A beat cannot be written."),
        }
    }

    async fn draw(&mut self) {
        let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
        let parts = match self.view {
            View::Overview => {
                let mut parts = Parts::of(&snapshot).drawn();
                let house = self.site.house().await;
                parts.push(("map", drawn(&Map::of(&snapshot, &house))));
                parts
            }
            View::Targets => targets::parts(&snapshot),
            View::Spend => spend::parts(&snapshot),
            View::Stop | View::Frame => Vec::new(),
        };
        for (name, html) in parts {
            self.send(name, html);
        }
    }

    /// A part, unless it says what it said before.
    fn send(&mut self, name: &'static str, html: String) {
        if self.shown.get(name) != Some(&html) {
            self.waiting
                .push_back(Event::default().event(name).data(&html));
            self.shown.insert(name, html);
        }
    }

    /// Ends the stream of whoever is no longer let in, and shows the others what hosts told since.
    async fn check(&mut self) {
        if self.view == View::Targets
            && let Some(table) = driven::live(&self.site).await
        {
            self.send("elsewhere", drawn(&table));
        }
        if !self.caller.may_go_on(&self.site).await {
            let text = match self.caller.person() {
                None => "<p>Your sign-in has ended. <a href=\"/sign-in\">Sign in again</a></p>",
                Some(_) => "<p>You are no longer let in. <a href=\"/\">Try again</a></p>",
            };
            self.waiting
                .push_back(Event::default().event("ended").data(text));
            self.ended = true;
        }
    }
}

//! What stands around every page: where else one can go, who is signed in, and whether the red button would work.

mod nav;

use crate::assets::{Links, links};
use crate::caller::Caller;
use crate::site::Site;
use crate::view::When;
use nav::Group;
use net_model::{DashRole, SignedInBy};

/// Held by each view whose template extends `frame.html`.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) links: Links,
    pub(crate) nav: Vec<Group>,
    /// The parts this page is told of when they change, as `/events?view=` names them.
    pub(crate) live: &'static str,
    /// Who is signed in, and how.
    pub(crate) who: String,
    /// May look, not act.
    pub(crate) only_looks: bool,
    pub(crate) until: Option<When>,
    /// The kill switch answered when the house was last looked at.
    pub(crate) presses: bool,
}

impl Frame {
    /// The frame of the page at `path`, which may stand below the one that the navigation names.
    pub(crate) fn of(site: &Site, caller: &Caller, path: &str) -> Self {
        Self {
            links: links(),
            nav: nav::groups(path),
            live: "frame",
            who: who(caller),
            only_looks: caller.role() < DashRole::Operator,
            until: caller.expires().map(When::clock),
            presses: site.snapshot().killswitch.is_ok(),
        }
    }

    /// The same for a page with parts of its own that change by themselves.
    pub(crate) const fn live(mut self, view: &'static str) -> Self {
        self.live = view;
        self
    }
}

fn who(caller: &Caller) -> String {
    let login = caller.login();
    match caller.how() {
        SignedInBy::Link => "Signed in by a link".to_owned(),
        SignedInBy::Oidc => login.to_owned(),
        SignedInBy::Passkey if login.is_empty() => "Signed in by the owner’s passkey".to_owned(),
        SignedInBy::Passkey => format!("{login}, by passkey"),
        SignedInBy::Mesh => format!("{login}, over the mesh"),
        SignedInBy::Token => format!("{login}, by token"),
    }
}

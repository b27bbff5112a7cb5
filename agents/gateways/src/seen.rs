//! What a driver says of a gateway that knows no overlay by itself.

use net_model::{Observed, Overlay, RouteTable};

/// What was found in a gateway called `boot`: the overlay that was seen to be in force there, if one was, and what of
/// `table` there is to close. Ways and notices are the driver's own.
pub(crate) fn observed(boot: &str, in_force: Option<&Overlay>, table: &RouteTable) -> Observed {
    let routes = table.routes().iter();
    let consumers = table.consumers().iter();
    Observed {
        boot: boot.to_owned(),
        seq: in_force.map(|overlay| overlay.seq),
        paused: in_force.map_or_else(Vec::new, |overlay| overlay.paused.clone()),
        held: in_force.map_or_else(Vec::new, |overlay| overlay.held.clone()),
        routes: routes.map(|route| route.name.clone()).collect(),
        consumers: consumers.map(|one| one.name.clone()).collect(),
        ..Observed::default()
    }
}

//! The driver that a wish comes to, and what it finds before anything is cut.

use crate::{DriverWish, Speaks};
use gateways::{Apisix, Driver, Finding, Gateway as _, Litellm, Nginx};
use kill_wire::Name;

impl DriverWish {
    /// Speaks to the gateway as the file says; it need not run yet.
    #[must_use]
    pub fn driver(&self) -> Driver {
        match self.speaks.clone() {
            Speaks::Apisix(settings) => Driver::Apisix(Apisix::new(settings)),
            Speaks::Litellm(settings) => Driver::Litellm(Litellm::new(settings)),
            Speaks::Nginx(settings) => Driver::Nginx(Nginx::new(settings)),
        }
    }

    /// Whether the gateway tells how often it answered what.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        match &self.speaks {
            Speaks::Apisix(settings) => settings.metrics.is_some(),
            Speaks::Litellm(_) | Speaks::Nginx(_) => false,
        }
    }
}

/// What each gateway has against a cut, looked at now: one after the other, each for a few seconds at most. One that cannot
/// be asked is a grave finding.
pub async fn findings(wishes: &[DriverWish]) -> Vec<(Name, Vec<Finding>)> {
    let mut all = Vec::new();
    for wish in wishes {
        let found = wish.driver().check().await.unwrap_or_else(|why| {
            let text = format!("it cannot be looked at: {why}");
            vec![Finding { grave: true, text }]
        });
        all.push((wish.name.clone(), found));
    }
    all
}

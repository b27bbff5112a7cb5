//! Where accounts are written down.

use crate::{known::Known, metrics::Metrics, spool::Spool, telling::Pace};
use net_model::Story;
use std::sync::Arc;

/// Where accounts are written down.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    /// One record for each exchange.
    pub(crate) spool: Arc<Spool>,
    /// The figures of all of them.
    pub(crate) metrics: Arc<Metrics>,
    /// What things cost, and how servers count.
    pub(crate) known: Arc<Known>,
    /// How many stories of refusals are kept.
    pub(crate) pace: Arc<Pace>,
}

impl Books {
    /// Keeps what is told of a request.
    pub(crate) fn tell(&self, story: Story) {
        if !self.spool.tell(story) {
            self.metrics.following().stories_dropped.inc();
        }
    }
}

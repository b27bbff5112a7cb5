//! The figures of each way through the gateway, at hand by its names: the labels are made once, not for each exchange.

use super::Way;
use kill_wire::ProbePoint;
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

/// What is counted on one way. Each figure is there from its first exchange on, as in the families they belong to.
#[derive(Debug)]
pub(crate) struct OfWay {
    pub(super) labels: Way,
    pub(super) input: OnceLock<Counter>,
    pub(super) output: OnceLock<Counter>,
    pub(super) took: OnceLock<Histogram>,
    pub(super) first_byte: OnceLock<Histogram>,
    /// By how exchanges end, of which there are few ways.
    ended: RwLock<Vec<(&'static str, Counter)>>,
}

impl OfWay {
    /// The number of exchanges that ended like this; `make` finds it in its family the first time.
    pub(super) fn ended(&self, how: &'static str, make: impl FnOnce() -> Counter) -> Counter {
        let known = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counter)) = known.iter().find(|(known, _)| *known == how) {
            return counter.clone();
        }
        drop(known);
        let counter = make();
        let mut known = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        known.push((how, counter.clone()));
        counter
    }
}

/// All ways that were ever gone; as many as route tables have named.
#[derive(Debug, Default)]
pub(super) struct Ways(RwLock<HashMap<ProbePoint, Arc<OfWay>>>);

impl Ways {
    /// The figures of this way.
    pub(super) fn of(&self, point: &ProbePoint) -> Arc<OfWay> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = known.get(point) {
            return Arc::clone(of);
        }
        drop(known);
        let mut ways = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let of = ways.entry(point.clone()).or_insert_with(|| {
            Arc::new(OfWay {
                labels: Way {
                    consumer: point.consumer.to_string(),
                    route: point.route.to_string(),
                    target: point.target.to_string(),
                },
                input: OnceLock::new(),
                output: OnceLock::new(),
                took: OnceLock::new(),
                first_byte: OnceLock::new(),
                ended: RwLock::default(),
            })
        });
        Arc::clone(of)
    }
}

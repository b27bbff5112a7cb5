//! What the inventory is given by the program it runs in.

use crate::alerts::AlertRules;
use kill_wire::Timestamp;
use net_model::{HostName, Zone, ZoneName};
use std::sync::Arc;

/// What the house is, and what it wants to be told of.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Its zones.
    pub zones: Arc<[Zone]>,
    /// What is an alert.
    pub alerts: AlertRules,
}

impl Settings {
    pub(crate) fn zone(&self, name: &ZoneName) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == *name)
    }
}

/// A host that has joined and should be heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Who.
    pub host: HostName,
    /// Since when.
    pub joined: Timestamp,
    /// When the certificate ends that it was given last.
    pub certificate_ends: Option<Timestamp>,
}

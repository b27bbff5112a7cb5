//! Incidents, folded from the journal's entries.

use crate::event::Event;
use kill_wire::{Incident, IncidentEnd, IncidentRecord, ProofState, Scope, Timestamp};
use std::collections::BTreeMap;

/// Most incidents kept at hand; older ones stay in the journal file.
const MAX: usize = 500;

/// The newest incidents by number.
#[derive(Debug, Default)]
pub(crate) struct Incidents(BTreeMap<Incident, IncidentRecord>);

impl Incidents {
    /// Takes in what happened at `at`.
    pub(crate) fn take(&mut self, at: Timestamp, event: &Event) {
        match event {
            Event::Cut {
                incident,
                scope,
                by,
                via,
                why,
                repeated: false,
                ..
            } => self.begin(*incident, scope, at, format!("{by} ({via})"), why),
            Event::PeerCut {
                incident,
                scope,
                peer,
            } => self.begin(*incident, scope, at, format!("kill switch {peer}"), ""),
            Event::Proved {
                incident,
                streams,
                proof,
                ..
            } => self.proved(*incident, *streams, proof),
            Event::Restored {
                incident, by, via, ..
            } => self.end(*incident, at, format!("{by} ({via})")),
            Event::PeerRestored { incident, peer, .. } => {
                self.end(*incident, at, format!("kill switch {peer}"));
            }
            Event::NotRestored { incident, .. } => self.goes_on(*incident),
            Event::Cut { repeated: true, .. }
            | Event::Started { .. }
            | Event::Refused { .. }
            | Event::Agent { .. }
            | Event::Channel { .. }
            | Event::Held { .. }
            | Event::Feigned { .. }
            | Event::CheckedIn { .. }
            | Event::CheckInDue { .. }
            | Event::Drilled { .. }
            | Event::Alarm { .. }
            | Event::Unlocked
            | Event::Vouched { .. }
            | Event::People { .. } => {}
        }
    }

    /// It is still cut, whatever the journal says of its end.
    pub(crate) fn goes_on(&mut self, incident: Incident) {
        if let Some(record) = self.0.get_mut(&incident) {
            record.ended = None;
        }
    }

    fn begin(&mut self, incident: Incident, scope: &Scope, at: Timestamp, by: String, why: &str) {
        let record = IncidentRecord {
            incident,
            scope: scope.clone(),
            since: at,
            by,
            why: why.to_owned(),
            proof: None,
            streams: 0,
            ended: None,
        };
        self.0.insert(incident, record);
        if self.0.len() > MAX {
            self.0.pop_first();
        }
    }

    fn proved(&mut self, incident: Incident, streams: u32, proof: &ProofState) {
        if let Some(record) = self.0.get_mut(&incident) {
            record.streams = record.streams.saturating_add(streams);
            // A cut repeated after a restart may have nothing to prove it by; the first proof still stands.
            if record.proof.is_none() || proof.probes > 0 {
                record.proof = Some(proof.clone());
            }
        }
    }

    fn end(&mut self, incident: Incident, at: Timestamp, by: String) {
        if let Some(record) = self.0.get_mut(&incident) {
            record.ended = Some(IncidentEnd { at, by });
        }
    }

    /// Newest first, at most `limit`.
    pub(crate) fn newest(&self, limit: u32) -> Vec<IncidentRecord> {
        self.0
            .values()
            .rev()
            .take(limit.min(MAX as u32) as usize)
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Outcome;

    fn proved(probes: u32, outcome: Outcome) -> Event {
        Event::Proved {
            incident: Incident::FIRST,
            outcome,
            streams: 1,
            severed_ms: 1,
            proven_ms: 2,
            proof: ProofState {
                probes,
                probes_dead: probes,
                ..ProofState::default()
            },
        }
    }

    #[test]
    fn a_proof_is_not_replaced_by_none() {
        let mut incidents = Incidents::default();
        let at = Timestamp::from_millis(1);
        let cut = Event::Cut {
            incident: Incident::FIRST,
            scope: Scope::All,
            by: "owner".to_owned(),
            via: "lever".to_owned(),
            why: String::new(),
            repeated: false,
            late: false,
        };
        incidents.take(at, &cut);
        incidents.take(at, &proved(3, Outcome::Cut));
        incidents.take(at, &proved(0, Outcome::Unproven));
        let record = incidents.newest(9).pop().unwrap();
        assert_eq!(
            (record.proof.map(|proof| proof.probes), record.streams),
            (Some(3), 2)
        );
    }

    #[test]
    fn a_restore_that_was_not_done_ends_nothing() {
        let mut incidents = Incidents::default();
        let at = Timestamp::from_millis(1);
        let (incident, scope) = (Incident::FIRST, Scope::All);
        for event in [
            Event::Cut {
                incident,
                scope: scope.clone(),
                by: "owner".to_owned(),
                via: "lever".to_owned(),
                why: String::new(),
                repeated: false,
                late: false,
            },
            Event::Restored {
                incident,
                scope: scope.clone(),
                by: "owner".to_owned(),
                via: "lever".to_owned(),
            },
            Event::NotRestored {
                incident,
                scope,
                why: "the disk hangs".to_owned(),
            },
        ] {
            incidents.take(at, &event);
        }
        assert_eq!(incidents.newest(1).pop().unwrap().ended, None);
    }
}

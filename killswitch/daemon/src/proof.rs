//! Proves a cut: what worked before must now be refused with one of our incidents, or be gone.

use crate::canary::{Limits, Seen, probe};
use crate::direct::{self, Ways};
use crate::held::{Verdict, Way, holds};
use crate::switch::Switch;
use crate::vantage::Vantage;
use kill_wire::{LatchSet, Name, Outcome, ProbePoint, ProofState, Scope};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A refusal comes in a millisecond; whoever sent the text does not wait for what hangs.
const FIRST: Limits = Limits {
    each: Duration::from_millis(400),
    all: Duration::from_millis(1_200),
};
/// For what was not yet refused the first time.
const AGAIN: Limits = Limits {
    each: Duration::from_millis(400),
    all: Duration::from_millis(600),
};

/// Until streams that were open before must have ended, from when their end was ordered.
const STREAMS: Duration = Duration::from_millis(800);

/// Probes everything the scope closes, twice where the first answer was not yet a refusal, and looks at what became of
/// the streams that were open when the cut was asked for at `since`.
pub(crate) async fn prove(switch: &Arc<Switch>, scope: &Scope, since: Instant) -> ProofState {
    let worked: BTreeMap<Way, bool> = switch
        .canaries()
        .worked
        .iter()
        .filter(|((_, point), _)| scope.covers(&point.subject()))
        .map(|(key, worked)| (key.clone(), *worked))
        .collect();
    let latches = switch.latches();
    let (seen, streams, direct) = tokio::join!(
        twice(switch, &worked, &latches),
        switch.streams.settle(scope, since, &latches, STREAMS),
        direct::after(switch, scope)
    );
    let mut proof = count(&worked, &seen, &latches, &switch.vantages);
    count_streams(&mut proof, &streams, &switch.vantages);
    count_direct(&mut proof, direct);
    proof
}

async fn twice(
    switch: &Arc<Switch>,
    worked: &BTreeMap<Way, bool>,
    latches: &LatchSet,
) -> BTreeMap<Way, Seen> {
    let mut seen = probe(switch, worked.keys().cloned().collect(), FIRST).await;
    let dead = |key| seen.get(key).is_some_and(|seen| is_dead(seen, latches));
    let again: Vec<_> = worked.keys().filter(|key| !dead(key)).cloned().collect();
    if !again.is_empty() {
        seen.extend(probe(switch, again, AGAIN).await);
    }
    seen
}

/// A refusal counts only with the number of a latch that holds: another's 503 proves nothing.
fn is_dead(seen: &Seen, latches: &LatchSet) -> bool {
    match seen {
        Seen::Cut(incident) => holds(latches, *incident),
        Seen::Gone => true,
        Seen::Open | Seen::Closed | Seen::Odd(_) => false,
    }
}

fn count(
    worked: &BTreeMap<Way, bool>,
    seen: &BTreeMap<Way, Seen>,
    latches: &LatchSet,
    vantages: &[Vantage],
) -> ProofState {
    let mut proof = ProofState::default();
    let mut routes: BTreeSet<&Name> = BTreeSet::new();
    let mut open: BTreeSet<&Name> = BTreeSet::new();
    for (key, worked) in worked {
        let dead = seen.get(key).is_some_and(|seen| is_dead(seen, latches));
        routes.insert(&key.1.route);
        if !dead {
            open.insert(&key.1.route);
            let ProbePoint {
                route,
                consumer,
                target,
                ..
            } = &key.1;
            let via = via(vantages, key.0);
            proof
                .still_open
                .push(format!("{route} for {consumer} to {target}{via}"));
        }
        if *worked {
            proof.probes += 1;
            proof.probes_dead += u32::from(dead);
        } else {
            proof.unproven += 1;
        }
    }
    proof.routes = u32::try_from(routes.len()).unwrap_or(u32::MAX);
    proof.routes_blocked = u32::try_from(routes.len() - open.len()).unwrap_or(u32::MAX);
    proof
}

/// A stream opened before counts as a probe that worked before.
fn count_streams(proof: &mut ProofState, streams: &Verdict, vantages: &[Vantage]) {
    let len = |list: &[Way]| u32::try_from(list.len()).unwrap_or(u32::MAX);
    proof.probes += len(&streams.dead) + len(&streams.open);
    proof.probes_dead += len(&streams.dead);
    proof.unproven += len(&streams.unproven);
    for (at, point) in &streams.open {
        let via = via(vantages, *at);
        proof
            .still_open
            .push(format!("{} stream{via}", point.route));
    }
}

/// A way past the gateway that was open, before or now, counts as a probe that worked before.
fn count_direct(proof: &mut ProofState, ways: Ways) {
    proof.probes += ways.dead + u32::try_from(ways.open.len()).unwrap_or(u32::MAX);
    proof.probes_dead += ways.dead;
    proof.unproven += ways.unproven;
    proof.still_open.extend(ways.open);
}

/// Where there are several, from which: an address of the other family may leak.
fn via(vantages: &[Vantage], at: usize) -> String {
    let several = vantages.get(at).filter(|_| vantages.len() > 1);
    several.map_or_else(String::new, |vantage| format!(" via {}", vantage.gateway))
}

/// What may be said of it: CUT only when every agent confirmed and something that worked is dead.
pub(crate) fn outcome(proof: &ProofState, unconfirmed: &[String]) -> Outcome {
    if !unconfirmed.is_empty() || !proof.still_open.is_empty() {
        Outcome::Partial
    } else if proof.probes == 0 {
        Outcome::Unproven
    } else {
        Outcome::Cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Class, Incident, Latch, RouteKind, Timestamp};

    fn point(route: &str) -> (usize, ProbePoint) {
        let name = |text: &str| text.parse().unwrap();
        (
            0,
            ProbePoint {
                kind: RouteKind::Llm,
                consumer: name("claw"),
                route: name(route),
                target: name("box"),
                class: Class::Local,
            },
        )
    }

    fn held() -> LatchSet {
        vec![Latch {
            incident: Incident::FIRST,
            scope: Scope::All,
            since: Timestamp::from_millis(0),
        }]
        .try_into()
        .unwrap()
    }

    #[test]
    fn a_refusal_with_a_foreign_incident_proves_nothing() {
        let worked = BTreeMap::from([(point("chat"), true)]);
        let other = Incident::FIRST.next();
        let proof = count(
            &worked,
            &BTreeMap::from([(point("chat"), Seen::Cut(other))]),
            &held(),
            &[],
        );
        assert_eq!((proof.probes_dead, proof.still_open.len()), (0, 1));
        assert_eq!(outcome(&proof, &[]), Outcome::Partial);
    }

    #[test]
    fn what_never_worked_is_unproven_and_not_dead() {
        let worked = BTreeMap::from([(point("chat"), false)]);
        let proof = count(
            &worked,
            &BTreeMap::from([(point("chat"), Seen::Cut(Incident::FIRST))]),
            &held(),
            &[],
        );
        assert_eq!((proof.probes, proof.unproven), (0, 1));
        assert_eq!(outcome(&proof, &[]), Outcome::Unproven);
    }

    #[test]
    fn a_silent_agent_makes_it_partial() {
        let worked = BTreeMap::from([(point("chat"), true)]);
        let proof = count(
            &worked,
            &BTreeMap::from([(point("chat"), Seen::Cut(Incident::FIRST))]),
            &held(),
            &[],
        );
        assert_eq!(outcome(&proof, &[]), Outcome::Cut);
        assert_eq!(
            outcome(&proof, &["agent: silent".to_owned()]),
            Outcome::Partial
        );
    }

    #[test]
    fn a_stream_that_goes_on_makes_it_partial_and_is_named_with_its_vantage() {
        let vantage = |port| Vantage::own(([127, 0, 0, 1], port).into(), "prb_test".to_owned());
        let mut proof = ProofState::default();
        let streams = Verdict {
            dead: vec![point("rag")],
            open: vec![point("chat")],
            unproven: vec![point("side")],
        };
        count_streams(&mut proof, &streams, &[vantage(7412), vantage(7512)]);
        assert_eq!((proof.probes, proof.probes_dead, proof.unproven), (2, 1, 1));
        assert_eq!(proof.still_open, ["chat stream via 127.0.0.1:7412"]);
        assert_eq!(outcome(&proof, &[]), Outcome::Partial);
    }

    #[test]
    fn a_way_past_the_gateway_that_stays_open_makes_it_partial_and_is_named() {
        let mut proof = ProofState::default();
        let open = vec!["direct claw-v6".to_owned()];
        let ways = Ways {
            dead: 1,
            open,
            unproven: 0,
        };
        count_direct(&mut proof, ways);
        assert_eq!((proof.probes, proof.probes_dead), (2, 1));
        assert_eq!(proof.still_open, ["direct claw-v6"]);
        assert_eq!(outcome(&proof, &[]), Outcome::Partial);
    }

    #[test]
    fn a_probe_that_was_not_answered_counts_as_open() {
        let worked = BTreeMap::from([(point("chat"), true), (point("rag"), true)]);
        let seen = BTreeMap::from([
            (point("chat"), Seen::Gone),
            (point("rag"), Seen::Odd("timeout".to_owned())),
        ]);
        let proof = count(&worked, &seen, &held(), &[]);
        assert_eq!((proof.routes_blocked, proof.routes), (1, 2));
    }
}

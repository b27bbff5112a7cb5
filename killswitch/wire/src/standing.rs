//! How a scope stands while other scopes are cut: said of the ways that really exist, not guessed from words.

use crate::latch::{Latch, LatchSet};
use crate::probe::ProbePoint;
use crate::scope::Scope;

/// How one scope stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Cut by itself; can be restored by its own name.
    Cut(&'a Latch),
    /// Every way it has is closed, by these cuts of other scopes.
    Closed(Vec<&'a Latch>),
    /// Some of its ways are closed, by these; or, while no ways are known, may be.
    Partly(Vec<&'a Latch>),
    /// Nothing of it is closed.
    Open,
}

impl LatchSet {
    /// How `scope` stands, given every way through the house's gateways.
    #[must_use]
    pub fn standing(&self, scope: &Scope, points: &[ProbePoint]) -> Standing<'_> {
        if let Some(latch) = self.of(scope) {
            return Standing::Cut(latch);
        }
        if let Some(all) = self.of(&Scope::All) {
            return Standing::Closed(vec![all]);
        }
        if points.is_empty() {
            return if self.is_empty() {
                Standing::Open
            } else {
                Standing::Partly(self.as_slice().iter().collect())
            };
        }
        let mut closing: Vec<&Latch> = Vec::new();
        let mut open = false;
        for point in points.iter().filter(|point| scope.covers(&point.subject())) {
            match self.closing(&point.subject()) {
                Some(latch) if closing.contains(&latch) => {}
                Some(latch) => closing.push(latch),
                None => open = true,
            }
        }
        match (closing.is_empty(), open) {
            (true, _) => Standing::Open,
            (false, true) => Standing::Partly(closing),
            (false, false) => Standing::Closed(closing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latch::Incident;
    use crate::probe::{Class, RouteKind};
    use crate::time::Timestamp;

    fn points() -> Vec<ProbePoint> {
        [
            ("claw", "chat", "box", Class::Local),
            ("claw", "chat", "far", Class::Cloud),
            ("paw", "deep", "far", Class::Cloud),
        ]
        .into_iter()
        .map(|(consumer, route, target, class)| ProbePoint {
            kind: RouteKind::Llm,
            consumer: consumer.parse().unwrap(),
            route: route.parse().unwrap(),
            target: target.parse().unwrap(),
            class,
        })
        .collect()
    }

    /// `cut`, `closed`, `partly` or `open`.
    fn stands(cut: &str, scope: &str, points: &[ProbePoint]) -> &'static str {
        let latch = Latch {
            incident: Incident::FIRST,
            scope: cut.parse().unwrap(),
            since: Timestamp::default(),
        };
        let set = LatchSet::try_from(vec![latch]).unwrap();
        match set.standing(&scope.parse().unwrap(), points) {
            Standing::Cut(_) => "cut",
            Standing::Closed(_) => "closed",
            Standing::Partly(_) => "partly",
            Standing::Open => "open",
        }
    }

    #[test]
    fn a_scope_stands_as_its_ways_do() {
        for (cut, scope, expected) in [
            ("ALL", "chat", "closed"),
            ("ALL", "ALL", "cut"),
            ("LLM", "ALL", "closed"),
            ("LLM", "CLOUD", "closed"),
            ("LLM", "TOOLS", "open"),
            ("CLOUD", "ALL", "partly"),
            ("CLOUD", "chat", "partly"),
            ("CLOUD", "deep", "closed"),
            ("CLOUD", "paw", "closed"),
            ("deep", "paw", "closed"),
            ("deep", "claw", "open"),
            ("claw", "CLOUD", "partly"),
        ] {
            assert_eq!(
                stands(cut, scope, &points()),
                expected,
                "{cut} cut, {scope}"
            );
        }
    }

    #[test]
    fn while_no_way_is_known_nothing_is_called_open() {
        assert_eq!(stands("CLOUD", "chat", &[]), "partly");
        assert_eq!(
            LatchSet::default().standing(&Scope::All, &[]),
            Standing::Open
        );
    }
}

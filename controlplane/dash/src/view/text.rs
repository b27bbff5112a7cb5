//! Small texts that several parts share.

use kill_wire::{ProofState, Timestamp};
use net_model::grouped;

/// An instant: for machines, and in UTC for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) machine: String,
    pub(crate) people: String,
}

impl When {
    /// With the day: `2026-11-21 14:02:07Z`.
    pub(crate) fn day(at: Timestamp) -> Self {
        let machine = at.to_string();
        let people = format!("{} {}", machine.get(..10).unwrap_or_default(), at.clock());
        Self { machine, people }
    }

    /// The time of day alone: `14:02:07Z`.
    pub(crate) fn clock(at: Timestamp) -> Self {
        Self {
            machine: at.to_string(),
            people: at.clock(),
        }
    }
}

/// `1 stream`, `2 streams`.
pub(crate) fn counted(figure: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(figure),
        if figure == 1 { one } else { many }
    )
}

/// A proof in one line.
pub(crate) fn proof(proof: &ProofState) -> String {
    let mut text = format!(
        "{} of {} routes blocked, {} of {} probes refused",
        proof.routes_blocked, proof.routes, proof.probes_dead, proof.probes
    );
    if proof.unproven > 0 {
        let unproven = counted(proof.unproven.into(), "probe proves", "probes prove");
        text.push_str(&format!(", {unproven} nothing: it had not worked before"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_carry_their_day_and_zone() {
        let at = Timestamp::from_millis(1_709_251_199_000);
        assert_eq!(When::day(at).people, "2024-02-29 23:59:59Z");
    }
}

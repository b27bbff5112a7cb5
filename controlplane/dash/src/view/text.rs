//! Small texts that several parts share.

use kill_wire::{ProofState, Timestamp};

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

/// `12345` as `12,345`.
pub(crate) fn grouped(figure: u64) -> String {
    let digits = figure.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
    fn figures_are_grouped_by_three() {
        for (figure, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(figure), text);
        }
    }

    #[test]
    fn instants_carry_their_day_and_zone() {
        let at = Timestamp::from_millis(1_709_251_199_000);
        assert_eq!(When::day(at).people, "2024-02-29 23:59:59Z");
    }
}

//! What people really text: a cut, then a restore of what was cut before it, and so on. Each is carried out once.

use crate::house::{House, PEOPLE, Sent};
use kill_core::{Core, Decision, Trust};
use kill_wire::{Incident, Timestamp};

const SCOPES: [&str; 5] = ["ALL", "LLM", "CLOUD", "AGENTS", "TOOLS"];

/// Cuts and restores before the first replay: sixteen turns.
pub(crate) const BEFORE: u64 = 32;

/// How far it has come.
pub(crate) struct Script {
    /// Cuts and restores by turns, from the first cut on.
    pub(crate) next: u64,
    /// Of the last cut.
    cut_at: Timestamp,
    incident: Incident,
    /// How many were carried out, each as it should.
    pub(crate) cuts: u64,
    pub(crate) restores: u64,
    /// What was not carried out as it should.
    pub(crate) odd: Vec<String>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            next: 0,
            cut_at: Timestamp::default(),
            incident: Incident::FIRST,
            cuts: 0,
            restores: 0,
            odd: Vec::new(),
        }
    }

    /// Lets the next one be sent and carried out; gives what can be replayed from now on.
    pub(crate) fn go_on(&mut self, house: &House, core: &mut Core, now: Timestamp) -> Option<Sent> {
        let turn = self.next / 2;
        if self.next.is_multiple_of(2) {
            self.next += 1;
            return self.cut(house, core, turn, now);
        }
        // A code of the step of the cut is too old to restore with.
        if now.step() <= self.cut_at.step() {
            return None;
        }
        self.next += 1;
        // Something always stays cut, for a RESTORE that is replayed.
        let before = turn.checked_sub(1)?;
        self.restore(house, core, before, now)
    }

    fn cut(&mut self, house: &House, core: &mut Core, turn: u64, now: Timestamp) -> Option<Sent> {
        self.cut_at = now;
        let scope = scope(turn);
        let person = PEOPLE[(turn / 2 % 4) as usize];
        let step = now.step().get();
        let code = |ago: u64| house.kill_code(person, step - ago);
        // Replays of codes that ran out look like guesses: then a KILL needs a card or two codes.
        let proof = match (turn >= BEFORE / 2, turn % 2) {
            (true, 0) => house.cards[(turn / 2) as usize].printed(),
            (true, _) => format!("{} {}", code(1), code(0)),
            (false, _) => code(0),
        };
        let sent = if turn == 0 {
            house.posted(now)
        } else {
            let by = turn as usize % house.channels.len();
            let id = format!("cut-{turn}");
            let says = format!("KILL {scope} {proof}");
            let sent = house.send(by, &id, &says, now);
            // What SNS cannot be made to sign goes by the next channel.
            sent.or_else(|| house.send(by + 1, &id, &says, now))?
        };
        match core.on_text(&sent.text, now) {
            Decision::Cut(cut)
                if !cut.repeated
                    && cut.latch.scope.to_string() == scope
                    && cut.latch.incident == self.incident =>
            {
                core.remember(&sent.text, &format!("CUT {scope}").into());
                self.cuts += 1;
            }
            other => self.odd.push(format!("KILL {scope}: {other:?}")),
        }
        // Had anything else been given a number, the next cut's would not fit.
        self.incident = self.incident.next();
        Some(sent)
    }

    fn restore(
        &mut self,
        house: &House,
        core: &mut Core,
        turn: u64,
        now: Timestamp,
    ) -> Option<Sent> {
        let scope = scope(turn);
        let code = house.restore_code(PEOPLE[(turn % 4) as usize], now.step().get());
        let says = format!("RESTORE {scope} {code}");
        let count = house.channels.len();
        let mut ways = (0..count).map(|n| (turn as usize + n) % count);
        let may = |by: &usize| house.channels[*by].trust() != Trust::C;
        let id = format!("restore-{turn}");
        let sent = ways
            .by_ref()
            .filter(may)
            .find_map(|by| house.send(by, &id, &says, now))?;
        // Replayed RESTOREs look like guesses and lock it; somebody at the machine sees to that.
        core.clear_restore_lock();
        match core.on_text(&sent.text, now) {
            Decision::Restore(restore) if restore.latch.scope.to_string() == scope => {
                self.restores += u64::from(!core.commit(restore.seal, now).overtaken);
            }
            other => self.odd.push(format!("RESTORE {scope}: {other:?}")),
        }
        Some(sent)
    }
}

fn scope(turn: u64) -> &'static str {
    SCOPES[(turn % 5) as usize]
}

/// The words, about another scope.
pub(crate) fn about_another(says: &str, n: usize) -> String {
    let mut words: Vec<&str> = says.split_whitespace().collect();
    if words.len() > 2 {
        words[1] = SCOPES[n % SCOPES.len()];
    }
    words.join(" ")
}

//! 100,000 orders of arrival: after each step of each of them the same is cut as by the reference.

use crate::house::{self, Codes, NOW, Verb, at, core, people, restarted};
use crate::reference::{Leave, Outcome, Reference, Sent};
use fastrand::Rng;
use kill_core::{Core, Decision, People, RestoreSeal};

const CASES: u64 = 25_000;

struct World<'a> {
    core: Core,
    reference: Reference,
    codes: &'a Codes,
    sent: Vec<Sent>,
    /// A restore that is being written down.
    pending: Option<(RestoreSeal, Leave)>,
    steps: u64,
    check_ins: u64,
}

impl<'a> World<'a> {
    fn new(people: &People, codes: &'a Codes, two_person: bool) -> Self {
        Self {
            core: core(people, &house::rules(two_person)),
            reference: Reference::new(two_person),
            codes,
            sent: Vec::new(),
            pending: None,
            steps: 25,
            check_ins: 0,
        }
    }

    /// A new text, or one that was on its way before.
    fn pick(&mut self, chance: &mut Rng) -> Sent {
        if !self.sent.is_empty() && chance.u64(..100) < 25 {
            let n = chance.u64(..(self.sent.len() as u64)) as usize;
            return self.sent[n].clone();
        }
        let verb = match chance.u64(..10) {
            0..=3 => Verb::Kill,
            4..=8 => Verb::Restore,
            _ => Verb::CheckIn,
        };
        let age = if chance.u64(..100) < 70 {
            chance.u64(..4)
        } else {
            chance.u64(..25)
        };
        let sent = Sent {
            id: self.sent.len(),
            person: chance.u64(..2) as usize,
            verb,
            scope: chance.choice(["ALL", "LLM"]).unwrap(),
            minted: at(self.steps).step().get() + 2 - age,
        };
        self.sent.push(sent.clone());
        sent
    }

    fn says(&self, sent: &Sent) -> String {
        let code = self.codes.get(sent.person, sent.verb, sent.minted);
        match sent.verb {
            Verb::Kill => format!("KILL {} {code}", sent.scope),
            Verb::Restore => format!("RESTORE {} {code}", sent.scope),
            Verb::CheckIn => format!("OK {code}"),
        }
    }

    fn deliver(&mut self, sent: &Sent) -> Result<(), String> {
        let now = at(self.steps);
        let sender = format!("+{}", sent.id);
        let text = house::text("sms", &sent.id.to_string(), &sender, &self.says(sent));
        let decision = self.core.on_text(&text, now);
        let (expected, leave) = self.reference.deliver(sent, now.step().get());
        let seen = match decision {
            Decision::Cut(_) => Outcome::Cuts,
            Decision::Restore(restore) => {
                self.pending = leave.map(|leave| (restore.seal, leave));
                Outcome::MayRestore
            }
            Decision::Held(_) => Outcome::Held,
            Decision::CheckedIn(_) => {
                self.check_ins += 1;
                Outcome::ChecksIn
            }
            Decision::Refused(_) | Decision::Duplicate { .. } => Outcome::Nothing,
            other => return Err(format!("{other:?}")),
        };
        if seen == expected {
            Ok(())
        } else {
            Err(format!(
                "{sent:?} at {}: {seen:?}, not {expected:?}",
                now.step().get()
            ))
        }
    }

    fn commit(&mut self) -> Result<(), String> {
        let Some((seal, leave)) = self.pending.take() else {
            return Ok(());
        };
        let opened = !self.core.commit(seal, at(self.steps)).overtaken;
        if opened == self.reference.commit(&leave) {
            Ok(())
        } else {
            Err(format!("a restore opened: {opened}"))
        }
    }

    fn same(&self) -> Result<(), String> {
        let latches = self.core.memory().latches();
        let all = latches.as_slice().iter();
        let mut cut: Vec<String> = all.map(|latch| latch.scope.to_string()).collect();
        cut.sort();
        let expected: Vec<&str> = self.reference.cut.iter().copied().collect();
        if cut == expected {
            Ok(())
        } else {
            Err(format!("cut is {cut:?}, not {expected:?}"))
        }
    }

    /// One text after another, with pauses, restarts and slow disks in between.
    fn run(&mut self, chance: &mut Rng) -> Result<(), String> {
        for _ in 0..4 + chance.u64(..7) {
            self.steps += chance.u64(..4);
            let sent = self.pick(chance);
            let writing = self.pending.take();
            self.deliver(&sent)?;
            // The disk is slow: the restore of before is committed only now.
            if let Some(before) = writing {
                let newer = self.pending.replace(before);
                self.commit()?;
                self.pending = newer;
            }
            if !chance.u64(..100) < 30 {
                self.commit()?;
            }
            self.same()?;
            if chance.u64(..100) < 12 {
                // What was being written down is lost with the process.
                self.pending = None;
                self.core = restarted(&self.core);
                self.same()?;
            }
        }
        self.commit()?;
        self.same()
    }
}

fn run(seed: u64, two_person: bool) {
    let people = people(2);
    let codes = Codes::of(&people);
    let (mut wrong, mut cuts, mut restores, mut check_ins) = (Vec::new(), 0_u64, 0_u64, 0_u64);
    for case in 0..CASES {
        let mut chance = Rng::with_seed(seed << 32 | case);
        let mut world = World::new(&people, &codes, two_person);
        if let Err(why) = world.run(&mut chance) {
            wrong.push(format!("case {case}: {why}: {:?}", world.sent));
        }
        let latches = world.core.memory().latches();
        cuts += latches.as_slice().len() as u64;
        restores += u64::from(latches.is_empty());
        check_ins += world.check_ins;
    }
    println!(
        "{CASES} interleavings (two people: {two_person}): {} wrong; {cuts} scopes cut, {restores} houses open, {check_ins} check-ins",
        wrong.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong, the first: {}",
        wrong.len(),
        wrong[0]
    );
    assert!(cuts > CASES / 10 && restores > CASES / 10 && check_ins > CASES / 10);
    assert!(at(25 + 40).step().get() < NOW.step().get() + 130);
}

#[test]
fn one_person_restores_first_25_000() {
    run(1, false);
}

#[test]
fn one_person_restores_second_25_000() {
    run(2, false);
}

#[test]
fn two_people_restore_first_25_000() {
    run(3, true);
}

#[test]
fn two_people_restore_second_25_000() {
    run(4, true);
}

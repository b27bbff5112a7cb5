use crate::house::*;
use kill_core::{
    CheckInStep, Cut, Opening, Reply, Rules, Then, Why, check_in_warning, cut_reply, drill_reply,
    status_reply,
};
use kill_wire::{CutReport, DrillState, Outcome, ProofState, Scope};

fn figures(cut: &Cut, outcome: Outcome, still_open: &[&str]) -> CutReport {
    CutReport {
        scope: cut.latch.scope.clone(),
        incident: cut.latch.incident,
        outcome,
        at: NOW,
        severed_ms: 178,
        proven_ms: 240,
        streams: 3,
        proof: ProofState {
            routes_blocked: 12,
            routes: 12,
            probes_dead: 24,
            probes: 24,
            unproven: 0,
            still_open: still_open.iter().map(|name| (*name).to_owned()).collect(),
        },
        recorded: true,
        repeated: cut.repeated,
        by: cut.by.clone(),
        text: String::new(),
    }
}

fn a_cut() -> Cut {
    core().lever_cut(Scope::All, "anna-karin", "test", NOW)
}

#[test]
fn the_proof_is_what_is_said() {
    let cut = a_cut();
    let said = cut_reply(&cut, &figures(&cut, Outcome::Cut, &[]));
    assert_eq!(
        said.as_str(),
        "CUT ALL 08:02:00Z 0.18s. 12/12 routes blocked, 3 streams closed, probes 24/24 dead. By AK #1. Undo: RESTORE ALL code"
    );
    let said = cut_reply(&cut, &figures(&cut, Outcome::Partial, &["rag-api", "chat"]));
    assert_eq!(
        said.as_str(),
        "CUT ALL PARTIAL 08:02:00Z. 24/24 dead. STILL OPEN: rag-api, chat. By AK #1."
    );
    let said = cut_reply(&cut, &figures(&cut, Outcome::Unproven, &[]));
    assert_eq!(
        said.as_str(),
        "CUT ALL 08:02:00Z 0.18s UNPROVEN: no probe worked before. 3 streams closed. By AK #1. Undo: RESTORE ALL code"
    );
}

#[test]
fn what_was_not_proven_is_never_called_plainly_cut() {
    let plain = Cut {
        late: true,
        repeated: true,
        restore_refused: true,
        ..a_cut()
    };
    for outcome in [Outcome::Partial, Outcome::Unproven] {
        for cut in [a_cut(), plain.clone()] {
            let said = cut_reply(&cut, &figures(&cut, outcome, &[]));
            let word = if outcome == Outcome::Partial {
                "PARTIAL"
            } else {
                "UNPROVEN"
            };
            assert!(said.as_str().contains(word), "{said}");
        }
    }
}

#[test]
fn late_repeated_and_refused_are_said() {
    let cut = Cut {
        late: true,
        repeated: true,
        restore_refused: true,
        ..a_cut()
    };
    let said = cut_reply(&cut, &figures(&cut, Outcome::Cut, &[]));
    assert!(
        said.as_str().starts_with("LATE: ALREADY CUT ALL "),
        "{said}"
    );
    assert!(said.as_str().contains("RESTORE refused."), "{said}");
}

#[test]
fn a_cut_that_is_not_written_down_says_so() {
    let cut = a_cut();
    for outcome in [Outcome::Cut, Outcome::Partial, Outcome::Unproven] {
        let unwritten = CutReport {
            recorded: false,
            ..figures(&cut, outcome, &["rag-api"])
        };
        let said = cut_reply(&cut, &unwritten);
        assert!(said.as_str().contains("NOT ON DISK."), "{said}");
        assert!(fits(&said), "{said}");
    }
}

#[test]
fn a_status_says_what_is_cut_and_what_is_wrong() {
    let mut core = core();
    let said = status_reply(&core.memory().latches(), 4, 4, 1, 1, NOW, &[]);
    assert_eq!(
        said.as_str(),
        "STATUS 08:02:00Z. Nothing cut. Probes 4/4 good, agents 1/1."
    );
    for name in ["chat", "agent", "x1", "x2"] {
        core.lever_cut(scope(name), "a", "b", NOW);
    }
    core.lever_cut(Scope::All, "a", "b", NOW);
    let warnings = ["clock looks wrong".to_owned()];
    let said = status_reply(&core.memory().latches(), 0, 4, 0, 1, NOW, &warnings);
    assert_eq!(
        said.as_str(),
        "STATUS 08:02:00Z. Cut: ALL #5, chat #1, agent #2 +2. Probes 0/4 good, agents 0/1. clock looks wrong."
    );
}

#[test]
fn every_notice_fits_one_segment_with_the_longest_names() {
    let long = scope("route-with-a-long-name01");
    let at = kill_wire::Timestamp::from_millis(4_102_444_799_999);
    let mut all = Vec::new();
    for then in [Then::Warn, Then::Cut(long.clone())] {
        for step in [
            CheckInStep::WarnFirst { next: at },
            CheckInStep::WarnSecond { next: at },
            CheckInStep::Act(then.clone()),
        ] {
            all.push(check_in_warning(&step, &then));
        }
    }
    for failed in [
        vec![],
        vec!["x".repeat(300)],
        vec!["agent 10.0.0.1:7413".to_owned(); 40],
    ] {
        all.push(drill_reply(&DrillState {
            at,
            by: "anna-karin-lisa".to_owned(),
            channels: (u32::MAX, u32::MAX),
            agents: (u32::MAX, u32::MAX),
            probes: (u32::MAX, u32::MAX),
            failed,
        }));
    }
    let mut house = two(Rules {
        two_person: true,
        duress: true,
        ..by_any_text()
    });
    house.lever_cut(long.clone(), "a", "b", NOW);
    let code = duress_code(&house, "anna", later(3).step());
    match house.lever_restore(&long, &code, "x", later(3)).unwrap() {
        Opening::Held(held) => all.push(held.reply),
        other => panic!("{other:?}"),
    }
    let code = restore_code(&house, "ben", later(3).step());
    match house.lever_restore(&long, &code, "x", later(3)).unwrap() {
        Opening::Feigned(feigned) => all.extend([feigned.reply, feigned.warning]),
        other => panic!("{other:?}"),
    }
    all.push(house.lever_check_in("somebody-with-a-name-0001", at).reply);
    for reply in all {
        // Nothing was cut off: each ends as its sentence does.
        let whole = reply.as_str().ends_with(['.', '!']) || reply.as_str().ends_with("#1");
        assert!(
            fits(&reply) && whole && !reply.as_str().contains('?'),
            "{reply}"
        );
    }
}

#[test]
fn every_reason_fits_one_segment() {
    let long = scope("route-with-a-long-name01");
    for why in [
        Why::NoCode,
        Why::NotAccepted,
        Why::StepUp,
        Why::TooOld,
        Why::NoScope,
        Why::NotCut(long.clone()),
        Why::Locked,
        Why::Untrusted,
        Why::NotByText(long),
    ] {
        let said = Reply::from(format!("Refused: {why}."));
        assert!(fits(&said) && said.as_str().ends_with('.'), "{said}");
    }
}

#[test]
fn every_reply_is_one_gsm_segment() {
    let hostile = Reply::from("a\u{0}b\nc[{|}]~^\\€ü漢\u{202e}`".repeat(20));
    assert_eq!(hostile.as_str().chars().count(), Reply::MAX);
    assert!(hostile.as_str().chars().all(in_alphabet), "{hostile}");
}

/// The part of the GSM 7-bit default alphabet that ASCII has too.
pub(crate) fn in_alphabet(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '[' | ']' | '{' | '}' | '\\' | '|' | '^' | '~' | '`')
}

pub(crate) fn fits(reply: &Reply) -> bool {
    reply.as_str().chars().count() <= Reply::MAX && reply.as_str().chars().all(in_alphabet)
}

pub(crate) fn report(cut: &Cut, outcome: Outcome, big: u32, open: &[String]) -> CutReport {
    let mut report = figures(cut, outcome, &[]);
    report.severed_ms = u64::from(big);
    report.streams = big;
    report.proof = ProofState {
        routes_blocked: big,
        routes: big,
        probes_dead: big,
        probes: big,
        unproven: big,
        still_open: open.to_vec(),
    };
    report
}

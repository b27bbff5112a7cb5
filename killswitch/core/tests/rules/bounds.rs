use crate::house::*;
use kill_core::{Card, Core, Digits, Memory, NotAMemory, People};
use kill_wire::LatchSet;

fn everybody() -> People {
    let mut people = People::default();
    for n in 0..People::MAX {
        let seed = u8::try_from(n * 2).unwrap();
        let mut one = person(&format!("person-with-a-long-na{n:03}"), seed, Digits::Eight);
        one.cards = (0..25_u8)
            .map(|c| Card::from_random([seed + 1, c, 3, 4, 5, 6, 7, 8, 9]).hash())
            .collect();
        people.add(one).unwrap();
    }
    people
}

#[test]
fn the_memory_stays_below_48_kib_at_all_bounds() {
    let people = everybody();
    let json = Memory::fresh().to_json();
    let json = json.replace(r#""next_incident":1"#, r#""next_incident":4294960000"#);
    let mut core = Core::new(Memory::parse(json.as_bytes()).unwrap(), people);
    let names: Vec<String> = core.people().iter().map(|p| p.name.to_string()).collect();
    for n in 0..LatchSet::MAX {
        core.lever_cut(
            scope(&format!("route-with-a-long-nam{n:03}")),
            "a",
            "b",
            NOW,
        );
    }
    for (n, name) in names.iter().enumerate() {
        let seed = u8::try_from(n * 2).unwrap();
        for step in 0..22 {
            let says = kill_code(&core, name, before(step));
            let text = text(&format!("{name}{step}"), &says);
            core.on_text(&text, NOW);
            core.remember(&text, &"x".repeat(160).into());
        }
        for at in 4..30 {
            let at = later(at);
            let code = restore_code(&core, name, at.step());
            let latch = core
                .memory()
                .latches()
                .as_slice()
                .last()
                .unwrap()
                .scope
                .clone();
            let restore = at_once(core.lever_restore(&latch, &code, "x", at).unwrap());
            core.commit(restore.seal, at);
            core.lever_cut(scope(&format!("route-with-a-long-name{n}")), "a", "b", NOW);
        }
        for c in 0..25_u8 {
            let card = Card::from_random([seed + 1, c, 3, 4, 5, 6, 7, 8, 9]);
            core.on_text(&text(&format!("{name}c{c}"), &card.printed()), NOW);
        }
    }
    for n in 0..300 {
        core.on_text(&text(&format!("id{n}"), "KILL 00000000"), later(30));
    }
    let json = core.memory().to_json();
    assert!(core.memory().latches().as_slice().len() >= LatchSet::MAX - 2);
    assert!(
        json.len() > 30 * 1024,
        "the bounds were not reached: {}",
        json.len()
    );
    assert!(json.len() < 48 * 1024, "{}", json.len());
    assert_eq!(restarted(&core).memory().to_json(), json);
}

#[test]
fn what_is_not_a_memory_is_refused() {
    let json = core().memory().to_json();
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"seq\":0", "\"seq\":0,\"new\":1"),
        ("\"seq\":0,", ""),
        ("\"seq\":0", "\"seq\":-1"),
        ("\"next_incident\":1", "\"next_incident\":0"),
    ] {
        assert!(json.contains(from));
        let wrong = json.replacen(from, to, 1);
        assert_eq!(
            Memory::parse(wrong.as_bytes()).unwrap_err(),
            NotAMemory,
            "{to}"
        );
    }
    for bytes in [b"".as_slice(), b"{}", b"null", b"\xff"] {
        assert!(Memory::parse(bytes).is_err());
    }
    for end in 0..json.len() {
        assert!(Memory::parse(&json.as_bytes()[..end]).is_err());
    }
}

#[test]
fn garbage_does_not_push_out_what_was_answered() {
    let mut core = core();
    let says = format!("KILL {}", kill_code(&core, "owner", NOW.step()));
    let first = text("first", &says);
    cut(core.on_text(&first, NOW));
    core.remember(&first, &"CUT".to_owned().into());
    for n in 0..1000 {
        core.on_text(&text(&format!("g{n}"), "hello"), NOW);
    }
    assert_eq!(
        duplicate(core.on_text(&first, NOW)),
        Some("CUT".to_owned().into())
    );
}

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
    let json = filled(&core.memory().to_json());
    assert!(core.memory().latches().as_slice().len() >= LatchSet::MAX - 2);
    assert!(
        json.len() > 30 * 1024,
        "the bounds were not reached: {}",
        json.len()
    );
    assert!(json.len() < 48 * 1024, "{}", json.len());
    let memory = Memory::parse(json.as_bytes()).unwrap();
    let again = Core::new(memory, core.people().clone()).memory().to_json();
    assert_eq!(again, json);
}

/// The same memory with everything else that may be in it, at its bounds.
fn filled(json: &str) -> String {
    let mut memory: serde_json::Value = serde_json::from_str(json).unwrap();
    let names: Vec<String> = everybody().iter().map(|p| p.name.to_string()).collect();
    let used = |most: u64| -> serde_json::Value {
        let steps: Vec<u64> = (59_841_604..59_841_604 + most).collect();
        let all = names
            .iter()
            .map(|name| (name.clone(), steps.clone().into()));
        serde_json::Value::Object(all.collect())
    };
    for (kind, most) in [
        ("used_kill", 24),
        ("used_restore", 8),
        ("used_check_in", 8),
        ("used_duress", 8),
    ] {
        memory[kind] = used(most);
    }
    for kind in ["failed", "restore_failed", "check_in_failed"] {
        memory[kind] = vec![NOW.millis(); 20].into();
    }
    let votes = names.iter().take(8).map(|name| {
        serde_json::json!({"person": name, "scope": "route-with-a-long-nam000", "at": NOW, "duress": false})
    });
    memory["votes"] = votes.collect();
    let feigned = names.iter().take(8);
    memory["feigned"] = feigned
        .map(|name| serde_json::json!([name, 4_294_960_000_u32]))
        .collect();
    memory["check_in"] = serde_json::json!({"by": names[0], "at": NOW, "taken": 3});
    memory["halves"] = serde_json::json!({"spent": 288, "at": NOW});
    let memory = Memory::parse(memory.to_string().as_bytes()).unwrap();
    memory.to_json()
}

#[test]
fn a_memory_of_before_these_fields_is_read() {
    let mut core = core();
    core.lever_cut(scope("chat"), "a", "b", NOW);
    let mut old: serde_json::Value = serde_json::from_str(&core.memory().to_json()).unwrap();
    let fields = old.as_object_mut().unwrap();
    fields.retain(|name, _| {
        [
            "version",
            "seq",
            "next_incident",
            "latches",
            "last_kill",
            "last_restore",
            "restore_failures",
            "failed",
            "used_kill",
            "used_restore",
            "used_cards",
            "outcomes",
        ]
        .contains(&name.as_str())
    });
    let memory = Memory::parse(old.to_string().as_bytes()).unwrap();
    assert_eq!(memory.to_json(), core.memory().to_json());
}

#[test]
fn a_memory_beyond_its_bounds_is_refused() {
    let json = filled(&core().memory().to_json());
    Memory::parse(json.as_bytes()).unwrap();
    for (field, beyond) in [
        ("failed", serde_json::json!(vec![NOW; 21])),
        ("check_in_failed", serde_json::json!(vec![NOW; 21])),
        (
            "used_duress",
            serde_json::json!({"a": (0..25).collect::<Vec<u64>>()}),
        ),
        ("feigned", serde_json::json!(vec![("a", 1); 9])),
    ] {
        let mut memory: serde_json::Value = serde_json::from_str(&json).unwrap();
        memory[field] = beyond;
        assert!(
            Memory::parse(memory.to_string().as_bytes()).is_err(),
            "{field}"
        );
    }
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

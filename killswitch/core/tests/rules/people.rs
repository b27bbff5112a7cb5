use crate::house::*;
use kill_core::{Card, Digits, Key, People, PeopleError, PersonName};

#[test]
fn people_survive_writing_and_are_never_printed() {
    let people = core().people().clone();
    let again = People::parse(&people.to_json()).unwrap();
    assert_eq!(again.to_json(), people.to_json());
    assert_eq!((again.len(), again.iter().count()), (2, 2));
    let printed = format!("{people:?}");
    let owner = &again.get("owner").unwrap();
    let secret = serde_json::to_value(&owner.kill).unwrap();
    assert!(!printed.contains(secret["secret"].as_str().unwrap()));
}

#[test]
fn a_key_that_could_cut_and_restore_is_refused() {
    let mut people = core().people().clone();
    let mut same = person("x", 30, Digits::Eight);
    same.restore = same.kill.clone();
    assert!(matches!(people.add(same), Err(PeopleError::SameKey(_))));
    let mut across = person("x", 30, Digits::Eight);
    across.restore = Key::from_random([10; 20], Digits::Eight);
    assert!(matches!(people.add(across), Err(PeopleError::SameKey(_))));
    let mut short = person("x", 30, Digits::Eight);
    short.restore = Key::from_random([31; 20], Digits::Six);
    assert!(matches!(
        people.add(short),
        Err(PeopleError::ShortRestore(_))
    ));
}

#[test]
fn names_and_bounds_are_kept() {
    let mut people = People::default();
    for n in 0..People::MAX {
        let seed = u8::try_from(n * 2).unwrap();
        people
            .add(person(&format!("p{n}"), seed, Digits::Eight))
            .unwrap();
    }
    let twice = person("p0", 100, Digits::Eight);
    assert!(matches!(people.add(twice), Err(PeopleError::Twice(_))));
    assert_eq!(
        people.add(person("more", 102, Digits::Eight)),
        Err(PeopleError::TooMany)
    );
    let many = |n: usize| vec![Card::from_random([7; 9]).hash(); n];
    assert_eq!(
        people.add_cards("p0", many(People::MAX_CARDS)),
        Err(PeopleError::TooMany)
    );
    people.add_cards("p0", many(20)).unwrap();
    assert_eq!(
        people.add_cards("nobody", many(1)),
        Err(PeopleError::Nobody)
    );
    assert_eq!(people.revoke("nobody").unwrap_err(), PeopleError::Nobody);
    for bad in ["", "A", "a b", "äh", "0123456789012345678901234"] {
        assert!(bad.parse::<PersonName>().is_err(), "{bad}");
    }
}

#[test]
fn initials_fit_a_text_message() {
    for (name, letters) in [
        ("anna-karin", "AK"),
        ("owner", "OW"),
        ("a.b.c.d", "ABC"),
        ("x", "X"),
        ("-", "?"),
    ] {
        assert_eq!(name.parse::<PersonName>().unwrap().initials(), letters);
    }
}

#[test]
fn a_file_that_is_wrong_is_refused_without_its_secrets() {
    let json = core().people().to_json();
    for (from, to) in [
        ("\"version\": 1", "\"version\": 2"),
        ("\"kill\"", "\"kil\""),
        ("\"digits\": 8", "\"digits\": 9"),
        ("\"owner\"", "\"Owner\""),
    ] {
        let error = People::parse(&json.replacen(from, to, 1)).unwrap_err();
        assert!(matches!(error, PeopleError::Form { .. }), "{from}");
        assert!(error.to_string().len() < 100);
    }
    assert!(People::parse("").is_err());
}

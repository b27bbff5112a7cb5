use super::*;
use dash::ConsumerView;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

fn book(of: &[(&str, bool, bool)]) -> ConsumerBook {
    let view = |(name, kept, built_in): &(&str, bool, bool)| ConsumerView {
        name: (*name).to_owned(),
        kept: *kept,
        built_in: *built_in,
        source: "portcullis.toml line 7".to_owned(),
        ..ConsumerView::default()
    };
    ConsumerBook {
        consumers: of.iter().map(view).collect(),
        routes: vec!["chat".to_owned()],
        ..ConsumerBook::default()
    }
}

fn wish(open: Option<u64>) -> ConsumerWish {
    ConsumerWish {
        routes: vec!["chat".to_owned()],
        local: true,
        cloud: false,
        own: OwnRules {
            open,
            ..OwnRules::default()
        },
        ..ConsumerWish::default()
    }
}

fn does(kept: &mut Table, change: &ConsumerChange, book: &ConsumerBook) -> Result<(), Trouble> {
    let (new, built_in) = (KeyHash::of(b"new"), KeyHash::of(b"built in"));
    apply(kept, change, book, Some(new), built_in, NOW)
}

#[test]
fn what_is_made_is_read_again_as_it_was_asked_for_and_goes_whole() {
    let mut kept = Table::new();
    let create = ConsumerChange::Create {
        name: "ada".to_owned(),
        wish: wish(Some(3)),
    };
    does(&mut kept, &create, &book(&[("claw", false, false)])).unwrap();
    let mut read: Table = text(&kept).parse().unwrap();
    assert_eq!(names(&read), ["ada"]);
    assert_eq!(own(&read, "ada").open, Some(3));
    let all = book(&[("claw", false, false), ("ada", true, false)]);
    let twice = does(&mut read, &create, &all).unwrap_err();
    assert!(twice.text.contains("is there already"), "{twice:?}");
    let revoke = ConsumerChange::Revoke {
        name: "ada".to_owned(),
    };
    does(&mut read, &revoke, &all).unwrap();
    assert!(names(&read).is_empty() && own(&read, "ada") == OwnRules::default());
    assert!(!text(&read).contains("ada"), "{read}");
}

#[test]
fn one_of_the_configuration_file_is_changed_there() {
    let all = book(&[("claw", false, false)]);
    for change in [
        ConsumerChange::Revoke {
            name: "claw".to_owned(),
        },
        ConsumerChange::Rotate {
            name: "claw".to_owned(),
            overlap_ms: 0,
        },
    ] {
        let refused = does(&mut Table::new(), &change, &all).unwrap_err();
        assert!(
            refused.text.contains("portcullis.toml line 7"),
            "{refused:?}"
        );
    }
    let nobody = ConsumerChange::Revoke {
        name: "bob".to_owned(),
    };
    let unknown = does(&mut Table::new(), &nobody, &all).unwrap_err();
    assert_eq!(unknown.kind, TroubleKind::Unknown);
}

#[test]
fn a_key_that_is_rotated_counts_as_long_as_was_chosen_and_is_forgotten_afterwards() {
    let mut kept = Table::new();
    let all = book(&[("agent", false, true)]);
    let rotate = |overlap_ms| ConsumerChange::Rotate {
        name: "agent".to_owned(),
        overlap_ms,
    };
    does(&mut kept, &rotate(60_000), &all).unwrap();
    let written = text(&kept);
    let old = KeyHash::of(b"built in").to_hex();
    assert!(
        written.contains(&format!("old_key_sha256 = \"{old}\"")),
        "{written}"
    );
    let until = NOW.plus_millis(60_000).to_string();
    assert!(
        written.contains(&format!("old_key_until = \"{until}\"")),
        "{written}"
    );
    forget_old_keys(&mut kept, NOW.plus_millis(59_999));
    assert!(text(&kept).contains(&old));
    forget_old_keys(&mut kept, NOW.plus_millis(60_000));
    assert!(!text(&kept).contains("old_key"));
    let all = book(&[("agent", true, false)]);
    does(&mut kept, &rotate(0), &all).unwrap();
    assert!(!text(&kept).contains("old_key"), "it ends at once");
    assert!(does(&mut kept, &rotate(LONGEST_OVERLAP + 1), &all).is_err());
}

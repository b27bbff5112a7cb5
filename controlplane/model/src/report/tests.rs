use super::*;

fn small() -> serde_json::Value {
    serde_json::json!({
        "v": 1, "seq": 7, "boot": "00ff00ff00ff00ff", "up_ms": 1000, "at_ms": 1_700_000_000_000_u64,
        "facts": {"memory": {"total_bytes": 8, "available_bytes": 4, "swap_total_bytes": 0, "swap_used_bytes": 0}},
    })
}

fn refusal(value: &serde_json::Value) -> String {
    Report::parse(value.to_string().as_bytes())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_report_reads_back_as_it_was_written() {
    let report = Report::parse(small().to_string().as_bytes()).unwrap();
    assert_eq!(report.boot, BootId::new(0x00ff_00ff_00ff_00ff));
    assert_eq!(report.facts.memory.unwrap().available_bytes, 4);
    assert_eq!(Report::parse(report.line().as_bytes()).unwrap(), report);
    assert!(report.line().starts_with(r#"{"v":1,"seq":7,"boot":"00ff"#));
    assert!(!report.line().contains("null"), "{}", report.line());
}

#[test]
fn a_field_nobody_knows_is_refused_by_its_name_wherever_it_stands() {
    for path in ["", "/facts", "/facts/memory"] {
        let mut value = small();
        let place = value.pointer_mut(path).unwrap();
        place["host"] = "someone-else".into();
        assert!(refusal(&value).contains("`host`"), "{}", refusal(&value));
    }
}

#[test]
fn every_limit_holds() {
    let with = |path: &str, new: serde_json::Value| {
        let mut value = small();
        let (parent, key) = path.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[key] = new;
        refusal(&value)
    };
    assert!(with("/v", 2.into()).contains("version 2"));
    assert!(with("/seq", 0.into()).contains("`seq`"));
    assert!(with("/seq", (MAX_WHOLE + 1).into()).contains("`seq`"));
    assert!(with("/at_ms", u64::MAX.into()).contains("`at_ms`"));
    assert!(with("/gap", 7.into()).contains("`gap`"));
    assert!(with("/boot", "00FF00FF00FF00FF".into()).contains("16 of"));
    assert!(with("/boot", "+0ff00ff00ff00ff".into()).contains("16 of"));
    let disk =
        |name: &str| serde_json::json!({"mount": name, "filesystem": "ext4", "read_only": false});
    assert!(with("/facts/disks", vec![disk("/"); 65].into()).contains("65"));
    for text in ["a\u{1b}[2J", "a\nb", "a\u{202e}b", &"x".repeat(97)] {
        assert!(with("/facts/disks", vec![disk(text)].into()).contains("printable"));
    }
    let long = vec![b' '; MAX_REPORT_BYTES + 1];
    assert_eq!(Report::parse(&long), Err(NotAReport::Long(long.len())));
}

#[test]
fn a_text_is_clipped_to_what_may_be_said() {
    let long = Printable::clipped(&"é".repeat(500));
    assert_eq!(long.as_str().chars().count(), MAX_PRINTABLE);
    assert!(long.as_str().ends_with('…'));
    assert_eq!(Printable::clipped("a\u{1b}[2J").as_str(), "a?[2J");
    let exact = "y".repeat(MAX_PRINTABLE);
    assert_eq!(Printable::clipped(&exact).as_str(), exact);
}

#[test]
fn of_a_long_list_the_first_are_kept_and_the_rest_counted() {
    let (few, besides) = Few::first_of(0..70);
    assert_eq!((few.len(), besides), (MAX_FEW, 6));
    let mut full = few;
    assert_eq!(full.push(1), Err(1));
    assert_eq!((full.keep_first(10), full.len()), (54, 10));
}

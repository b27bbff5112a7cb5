use super::*;
use net_model::Span;

fn at(seconds: u64) -> Timestamp {
    // 2026-11-21, a Saturday, 20:00 UTC.
    Timestamp::from_millis(1_795_291_200_000 + seconds * 1000)
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

fn key(rule: Rule) -> Key {
    Key {
        host: Some(host("claw1")),
        rule,
        subject: String::new(),
    }
}

fn set(book: &mut Book, rule: Rule, seconds: u64) {
    book.set(key(rule), Some("it is so".to_owned()), at(seconds));
}

#[test]
fn what_lasts_becomes_an_alert_and_is_told_once() {
    let (mut book, rules) = (Book::default(), AlertRules::default());
    set(&mut book, Rule::Disk, 0);
    assert!(book.due(&rules, at(59)).is_empty());
    let due = book.due(&rules, at(60));
    assert_eq!(due.len(), 1);
    book.told(&[due[0].id], at(60));
    assert!(book.due(&rules, at(61)).is_empty());
    assert_eq!(book.changed().last().unwrap().told, Some(at(60)));
}

#[test]
fn what_is_over_before_it_lasted_was_none() {
    let (mut book, rules) = (Book::default(), AlertRules::default());
    set(&mut book, Rule::Disk, 0);
    book.set(key(Rule::Disk), None, at(30));
    set(&mut book, Rule::Disk, 40);
    assert!(book.due(&rules, at(70)).is_empty());
    assert!(book.changed().is_empty());
}

#[test]
fn quiet_hours_keep_it_for_later_but_not_a_hole_in_a_wall() {
    let mut book = Book::default();
    let rules = AlertRules::new(&[Span::parse("20:00-07:00").unwrap()]);
    set(&mut book, Rule::Clock, 0);
    set(&mut book, Rule::Silent, 0);
    set(&mut book, Rule::Canary, 0);
    let due = book.due(&rules, at(100));
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].rule, "canary");
    book.told(&[due[0].id], at(100));
    let quiet: Vec<_> = book.changed().into_iter().filter(|it| it.quiet).collect();
    assert_eq!(quiet.len(), 2);
    let due = book.due(&rules, at(11 * 3600));
    assert_eq!(due.len(), 1, "clocks are not told by text");
    assert_eq!(due[0].rule, "silent");
}

#[test]
fn an_alert_that_comes_again_soon_is_the_same_alert() {
    let (mut book, rules) = (Book::default(), AlertRules::default());
    set(&mut book, Rule::Canary, 0);
    let first = book.due(&rules, at(0))[0].id;
    book.told(&[first], at(0));
    book.set(key(Rule::Canary), None, at(10));
    assert_eq!(book.firing(), 0);
    set(&mut book, Rule::Canary, 20);
    assert!(book.due(&rules, at(20)).is_empty(), "told already");
    assert_eq!(book.firing(), 1);
    assert!(book.changed().iter().all(|it| it.id == first));
    book.set(key(Rule::Canary), None, at(30));
    book.due(&rules, at(30 + 3600));
    set(&mut book, Rule::Canary, 3700);
    assert_ne!(book.due(&rules, at(3700))[0].id, first);
}

#[test]
fn who_makes_up_troubles_fills_no_book_and_nobody_s_phone() {
    let (mut book, rules) = (Book::default(), AlertRules::default());
    let mut texts = 0;
    for round in 0..1_000_u64 {
        let found = (0..64).map(|n| Condition {
            rule: Rule::Canary,
            subject: format!("{round}-{n}"),
            text: "made up".to_owned(),
        });
        book.replace(&host("liar"), &[Rule::Canary], found.collect(), at(round));
        let due = book.due(&rules, at(round));
        if !due.is_empty() {
            let ids: Vec<u64> = due.iter().map(|it| it.id).collect();
            book.told(&ids, at(round));
            texts += 1;
        }
    }
    assert!(book.entries.len() <= OPEN);
    assert!(book.last <= AN_HOUR as u64);
    assert!(texts <= rules.texts_a_day);
}

#[test]
fn what_fired_before_a_restart_is_not_told_again() {
    let (mut book, rules) = (Book::default(), AlertRules::default());
    set(&mut book, Rule::Canary, 0);
    let due = book.due(&rules, at(0));
    book.told(&[due[0].id], at(0));
    let kept = book.changed();
    let mut book = Book::open(kept, due[0].id);
    set(&mut book, Rule::Canary, 60);
    assert!(book.due(&rules, at(60)).is_empty());
    assert_eq!(book.firing(), 1);
}

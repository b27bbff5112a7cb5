use super::*;
use net_model::{OnBreach, OnSilence};

const NOW: Timestamp = Timestamp::from_millis(1_795_291_200_000);

fn report(facts: &str) -> Report {
    let at = NOW.millis();
    let text = format!(
        r#"{{"v":1,"seq":1,"boot":"00000000000000aa","up_ms":1,"at_ms":{at},"facts":{facts}}}"#
    );
    Report::parse(text.as_bytes()).unwrap()
}

fn zone(tier: Tier) -> Zone {
    Zone {
        name: "red".parse().unwrap(),
        tier,
        vlan: None,
        nets: vec!["198.18.30.0/24".parse().unwrap()],
        on_silence: OnSilence::Cut,
        on_breach: OnBreach::Alert,
        must: Vec::new(),
        must_not: Vec::new(),
    }
}

fn found(facts: &str, change: impl FnOnce(&mut About<'_>, &mut Models)) -> Vec<(Rule, String)> {
    let (rules, zone) = (AlertRules::default(), zone(Tier::Contained));
    let mut models = Models::default();
    let mut about = About {
        rules: &rules,
        zone: Some(&zone),
        address: "198.18.30.2".parse().unwrap(),
        now: NOW,
        cut: false,
        models: &Models::default(),
    };
    change(&mut about, &mut models);
    let about = About {
        models: &models,
        ..about
    };
    of_report(&report(facts), &about)
        .into_iter()
        .map(|it| (it.rule, it.subject))
        .collect()
}

#[test]
fn nothing_is_wrong_with_a_quiet_host() {
    assert_eq!(found("{}", |_, _| {}), []);
}

#[test]
fn a_full_disk_is_named_by_where_it_is_mounted() {
    let disk = |free: u64, read_only: bool| {
        format!(
            r#"{{"disks":[{{"mount":"/data","filesystem":"ext4","read_only":{read_only},
            "size":{{"total_bytes":1000,"free_bytes":{free},"files_total":0,"files_free":0}}}}]}}"#
        )
    };
    assert_eq!(
        found(&disk(100, false), |_, _| {}),
        [(Rule::Disk, "/data".to_owned())]
    );
    assert_eq!(found(&disk(101, false), |_, _| {}), []);
    assert_eq!(found(&disk(0, true), |_, _| {}), []);
}

#[test]
fn who_is_contained_listens_only_where_allowed() {
    let facts = r#"{"listeners":[
        {"protocol":"tcp","address":"0.0.0.0","port":7415,"uid":0},
        {"protocol":"tcp","address":"127.0.0.1","port":9000,"uid":0},
        {"protocol":"udp","address":"::","port":5353,"uid":0}]}"#;
    assert_eq!(
        found(facts, |_, _| {}),
        [(Rule::Listener, "udp/5353".to_owned())]
    );
    let service = zone(Tier::Service);
    let (rules, models) = (AlertRules::default(), Models::default());
    let about = About {
        rules: &rules,
        zone: Some(&service),
        address: "198.18.30.2".parse().unwrap(),
        now: NOW,
        cut: false,
        models: &models,
    };
    assert_eq!(of_report(&report(facts), &about), []);
}

#[test]
fn a_wall_with_a_hole_and_a_way_that_is_gone_are_two_things() {
    let canary = |target: &str, must: bool, found: &str, agreed: u32| {
        format!(
            r#"{{"target":"{target}","must":{must},"found":"{found}","agreed":{agreed},"age_ms":1}}"#
        )
    };
    let facts = format!(
        r#"{{"canary":[{},{},{},{},{}]}}"#,
        canary("tcp://198.18.99.1:445", false, "open", 2),
        canary("tcp://198.18.99.1:446", false, "open", 1),
        canary("tcp://198.18.99.1:22", false, "silent", 9),
        canary("tcp://198.18.20.1:443", true, "refused", 2),
        canary("tcp://198.18.20.1:80", true, "untried", 9),
    );
    assert_eq!(
        found(&facts, |_, _| {}),
        [
            (Rule::Canary, "tcp://198.18.99.1:445".to_owned()),
            (Rule::Unreachable, "tcp://198.18.20.1:443".to_owned())
        ]
    );
}

const OLLAMA: &str = r#"{"ollama":{"live":"up","models":[{"name":"a:1","digest":"aa","size_bytes":1},{"name":"b:1","digest":"bb","size_bytes":1}],
    "loaded":[{"name":"a:1","digest":"aa","size_bytes":1,"vram_bytes":1,"spilled_bytes":0}]}}"#;
const LESS: &str =
    r#"{"ollama":{"live":"up","models":[{"name":"a:1","digest":"aa","size_bytes":1}]}}"#;

#[test]
fn a_model_that_comes_into_memory_during_a_cut_is_seen_and_one_that_was_there_is_not() {
    let while_cut = |before: &str| {
        found(OLLAMA, |about, models| {
            models.learn(&report(before).facts, false, NOW);
            models.learn(&report(OLLAMA).facts, true, NOW);
            about.cut = true;
        })
    };
    assert_eq!(while_cut(OLLAMA), []);
    let seen = while_cut(LESS);
    assert!(
        seen.contains(&(Rule::ModelWhileCut, "aa".to_owned())),
        "{seen:?}"
    );
}

#[test]
fn a_model_is_new_when_the_host_was_known_before_and_for_a_day() {
    let with = |before: Option<&str>, later: u64| {
        found(OLLAMA, |about, models| {
            if let Some(before) = before {
                models.learn(&report(before).facts, false, NOW);
            }
            models.learn(&report(OLLAMA).facts, false, NOW);
            about.now = NOW.plus_millis(later);
        })
        .into_iter()
        .filter(|(rule, _)| *rule == Rule::NewModel)
        .collect::<Vec<_>>()
    };
    assert_eq!(with(None, 0), []);
    assert_eq!(with(Some(LESS), 0), [(Rule::NewModel, "bb".to_owned())]);
    assert_eq!(with(Some(LESS), NEW_MS), []);
}

#[test]
fn a_clock_far_off_is_told_but_not_of_a_report_out_of_a_buffer() {
    let agent = |waiting: u64| {
        format!(r#"{{"agent":{{"version":"1","rss_bytes":1,"cpu_ppm":1,"waiting":{waiting}}}}}"#)
    };
    let later = |facts: &str| found(facts, |about, _| about.now = NOW.plus_millis(62_000));
    assert_eq!(later(&agent(0)), [(Rule::Clock, String::new())]);
    assert_eq!(later(&agent(7)), []);
}

#[test]
fn who_speaks_from_outside_its_zone_is_seen() {
    let from = |address: &str| found("{}", |about, _| about.address = address.parse().unwrap());
    assert_eq!(from("198.18.31.2"), [(Rule::Place, String::new())]);
    assert_eq!(from("127.0.0.1"), []);
}

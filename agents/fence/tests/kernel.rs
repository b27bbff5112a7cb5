//! A fence in a network of its own: what the kernel holds is what was put, however it came about.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the kernel by its own programs"
)]

use fence::{Fence, Flow, Looked, Plan, Side, Standing, TableName, Way, everything};
use std::process::Command;
use std::time::Duration;

/// Runs the rest of the test in an empty network namespace; false where that is not for this process to do.
fn alone(test: &str) -> bool {
    const MARK: &str = "PORTCULLIS_FENCE_ALONE";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let may = Command::new("unshare")
        .args(["-n", "nft", "list", "ruleset"])
        .output();
    if !may.is_ok_and(|ended| ended.status.success()) {
        eprintln!("SKIPPED: needs root, unshare and nft");
        return false;
    }
    let ended = Command::new("unshare")
        .arg("-n")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(MARK, "1")
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr)
    );
    false
}

fn nft(arguments: &[&str]) -> String {
    let ended = Command::new("nft").args(arguments).output().unwrap();
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

fn set(name: &str) -> String {
    nft(&["list", "set", "inet", "portcullis", name])
}

fn plan() -> Plan {
    let zone = |name: &str, interface: &str, nets: &[&str]| Way {
        name: name.parse().unwrap(),
        side: Side::Zone(vec![interface.parse().unwrap()]),
        nets: nets.iter().map(|net| net.parse().unwrap()).collect(),
        flows: vec![
            Flow::From("198.18.10.2".parse().unwrap(), 7415),
            Flow::To("fd00:10::2".parse().unwrap(), 7414),
        ],
    };
    Plan {
        table: TableName::default(),
        nft: "/usr/sbin/nft".into(),
        ways: vec![
            zone("red", "vlan30", &["198.18.30.0/24", "fd00:30::/64"]),
            zone("iot", "vlan50", &["198.18.50.0/24"]),
        ],
    }
}

fn host() -> Plan {
    let mut plan = plan();
    plan.ways.truncate(1);
    for way in &mut plan.ways {
        way.side = Side::Host;
        way.nets = everything();
    }
    plan
}

const OPEN: Standing = Standing::Open(Some(Duration::from_secs(60)));

#[test]
fn the_kernel_takes_the_table_of_a_router_and_of_a_host() {
    if !alone("the_kernel_takes_the_table_of_a_router_and_of_a_host") {
        return;
    }
    for plan in [plan(), host()] {
        Fence::check(&plan).unwrap();
        assert_eq!(nft(&["list", "tables"]), "", "a check changes nothing");
    }
}

#[test]
fn what_is_cut_leased_and_paused_stands_in_the_sets() {
    if !alone("what_is_cut_leased_and_paused_stands_in_the_sets") {
        return;
    }
    let mut fence = Fence::new(plan());
    fence.put(&[Standing::Cut, OPEN]).unwrap();
    assert!(set("cut4").contains("{ 198.18.30.0 }"), "{}", set("cut4"));
    assert!(set("cut6").contains("{ fd00:30:: }"), "{}", set("cut6"));
    assert!(set("lease4").contains("198.18.50.0 timeout 1m expires"));
    fence.put(&[OPEN, Standing::Open(None)]).unwrap();
    assert!(!set("cut4").contains("elements") && !set("cut6").contains("elements"));
    assert!(set("lease4").contains("198.18.30.0 timeout 1m"));
    assert!(set("lease4").contains("198.18.50.0"));
    assert!(set("lease6").contains("fd00:30:: timeout 1m"));
    fence.put(&[]).unwrap();
    for name in ["cut4", "cut6", "lease4", "lease6"] {
        assert!(!set(name).contains("elements"), "{}", set(name));
    }
    assert_eq!(fence.look(&[]), Ok(Looked::Same));
}

#[test]
fn a_renewal_keeps_a_lease_alive_and_its_end_needs_nobody() {
    if !alone("a_renewal_keeps_a_lease_alive_and_its_end_needs_nobody") {
        return;
    }
    let short = Standing::Open(Some(Duration::from_millis(300)));
    let mut fence = Fence::new(plan());
    for _ in 0..50 {
        fence.put(&[short, Standing::Paused]).unwrap();
        std::thread::sleep(Duration::from_millis(10));
        assert!(set("lease4").contains("198.18.30.0"));
    }
    drop(fence);
    std::thread::sleep(Duration::from_millis(400));
    assert!(!set("lease4").contains("elements") && !set("lease6").contains("elements"));
}

#[test]
fn what_somebody_flushed_or_changed_is_put_back() {
    if !alone("what_somebody_flushed_or_changed_is_put_back") {
        return;
    }
    let mut fence = Fence::new(host());
    let now = [Standing::Cut];
    fence.put(&now).unwrap();
    let fine = nft(&["list", "table", "inet", "portcullis"]);
    assert_eq!(fence.look(&now), Ok(Looked::Same));
    for (change, found) in [
        ("flush ruleset", Looked::Rules),
        ("flush chain inet portcullis output", Looked::Rules),
        (
            "insert rule inet portcullis way0_from accept",
            Looked::Rules,
        ),
        (
            "delete element inet portcullis cut4 { 0.0.0.0 }",
            Looked::Elements,
        ),
        (
            "add element inet portcullis lease6 { :: }",
            Looked::Elements,
        ),
    ] {
        nft(&[change]);
        assert_eq!(fence.look(&now), Ok(found), "{change}");
        assert_eq!(
            nft(&["list", "table", "inet", "portcullis"]),
            fine,
            "{change}"
        );
        assert_eq!(fence.look(&now), Ok(Looked::Same), "{change}");
    }
    nft(&["add table inet others"]);
    assert_eq!(fence.look(&now), Ok(Looked::Same), "another's table is his");
}

#[test]
fn a_lease_that_somebody_made_endless_gets_its_end_back() {
    if !alone("a_lease_that_somebody_made_endless_gets_its_end_back") {
        return;
    }
    let mut fence = Fence::new(host());
    fence.put(&[OPEN]).unwrap();
    nft(&[
        "delete element inet portcullis lease4 { 0.0.0.0 } ; add element inet portcullis lease4 { 0.0.0.0 }",
    ]);
    assert_eq!(fence.look(&[OPEN]), Ok(Looked::Elements));
    assert!(set("lease4").contains("0.0.0.0 timeout 1m"));
}

#[test]
fn a_cut_finds_a_flushed_table_and_makes_it_anew() {
    if !alone("a_cut_finds_a_flushed_table_and_makes_it_anew") {
        return;
    }
    let mut fence = Fence::new(host());
    fence.put(&[OPEN]).unwrap();
    nft(&["flush ruleset"]);
    fence.put(&[Standing::Cut]).unwrap();
    assert!(set("cut4").contains("0.0.0.0") && set("cut6").contains("::"));
}

#[test]
fn the_program_alone_does_the_same() {
    if !alone("the_program_alone_does_the_same") {
        return;
    }
    let mut fence = Fence::new(plan());
    fence.put(&[OPEN, OPEN]).unwrap();
    fence.put_by_program(&[Standing::Cut, OPEN]).unwrap();
    assert!(set("cut4").contains("{ 198.18.30.0 }") && set("cut6").contains("{ fd00:30:: }"));
    assert!(set("lease4").contains("198.18.50.0 timeout 1m"));
    assert!(!set("lease4").contains("198.18.30.0"));
}

#[test]
fn without_the_program_or_the_right_it_says_so() {
    if !alone("without_the_program_or_the_right_it_says_so") {
        return;
    }
    let mut plan = host();
    plan.nft = "/nowhere/nft".into();
    let why = Fence::new(plan).put(&[Standing::Cut]).unwrap_err();
    assert!(why.to_string().contains("/nowhere/nft"), "{why}");
}

use crate::house::House;

#[test]
fn a_capture_is_started_shown_and_stopped_at_the_machine() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    assert!(house.json(&["capture", "status"])["capture"].is_null());
    let words = [
        "capture",
        "start",
        "--consumer",
        "agent",
        "--for",
        "10m",
        "--max",
        "1MB",
    ];
    let started = house.json(&words)["capture"].clone();
    assert_eq!(
        (&started["consumer"], &started["bytes_left"]),
        (&"agent".into(), &1_000_000.into())
    );
    assert!(
        started["path"]
            .as_str()
            .unwrap()
            .contains("/gateway/captures/"),
        "{started}"
    );
    let twice = house.run(&words);
    assert_eq!(twice.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&twice.stderr).contains("stop it first"));
    let text = house.good(&["capture", "status"]);
    assert!(text.starts_with("Captured: bodies of agent"), "{text}");
    house.good(&["capture", "stop"]);
    assert_eq!(
        house.good(&["capture", "status"]).trim(),
        "Nothing is captured."
    );
    let log = house.log();
    assert!(
        log.contains("Bodies are captured.") && log.contains("Bodies are no longer captured."),
        "{log}"
    );
    up.stop();
    let gone = house.run(&["capture", "status"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no gateway"));
}

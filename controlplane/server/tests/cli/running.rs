use crate::house::{FREE_PORTS, House, get, wait};

#[test]
fn a_cut_at_the_machine_needs_no_code_and_a_restore_does() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    let report = house.json(&["cut", "LLM", "--why", "a test"]);
    assert_eq!(
        (&report["scope"], &report["repeated"]),
        (&"LLM".into(), &false.into())
    );
    let incidents = house.json(&["incidents"]);
    assert_eq!(incidents["incidents"][0]["why"], "a test");
    let code = house.path("code");
    std::fs::write(&code, "00000000").unwrap();
    let file = code.to_str().unwrap();
    let wrong = house.run(&["restore", "LLM", "--code-file", file]);
    assert_eq!(wrong.status.code(), Some(1));
    let next = house.good(&["codes", "now", "--restore", "--next"]);
    std::fs::write(&code, next).unwrap();
    let said = house.good(&["restore", "LLM", "--code-file", file]);
    assert!(said.starts_with("RESTORED LLM "), "{said}");
    let verified = house.json(&["journal", "verify"]);
    assert_eq!(verified["ok"], true);
    up.stop();
}

#[test]
fn a_cut_outlives_kill_9_and_shows_in_the_next_status() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    house.good(&["cut", "ALL"]);
    drop(up);
    let up = house.start(&["up", "--json"]);
    let state = house.json(&["status"]);
    assert_eq!(state["killswitch"]["latches"][0]["incident"], 1);
    let targets = &state["gateway"]["health"]["targets"];
    assert_eq!(targets[0]["state"], "closed", "{targets}");
    let text = house.good(&["status"]);
    assert!(text.contains("breaker closed"), "{text}");
    assert!(
        text.contains("CUT #1") && text.contains("closed by ALL #1"),
        "{text}"
    );
    up.stop();
}

#[test]
fn status_says_what_holds_when_nothing_runs() {
    let house = House::set_up();
    let done = house.run(&["status"]);
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.contains("What was cut stays cut"), "{said}");
    let json = house.run(&["status", "--json"]);
    assert_eq!(json.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(
        said["killswitch"].is_null() && said["gateway"]["ok"] == false,
        "{said}"
    );
}

#[test]
fn a_damaged_journal_is_found() {
    let house = House::set_up();
    assert_eq!(house.json(&["journal", "verify"])["ok"], true);
    let path = house.data().join("killswitch/journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("started", "stopped", 1)).unwrap();
    let done = house.run(&["journal", "verify", "--json"]);
    assert_eq!(done.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&said["ok"], &said["line"]), (&false.into(), &1.into()));
}

#[test]
fn a_reload_takes_good_configuration_and_keeps_the_old_one_else() {
    let house = House::new();
    let mut up = house.start(&["up", "--json"]);
    house.good(&["cut", "LLM"]);
    house.configure(&format!("{FREE_PORTS}[[gateway.targets]]\nname = \"x\"\n"));
    up.signal("-HUP");
    house.wait_for_log("gateway.targets[0].class");
    assert!(up.running());
    house.configure(&format!(
        "{FREE_PORTS}[[gateway.targets]]\nname = \"other\"\nclass = \"local\"\nbase_url = \"http://127.0.0.1:9/v1\"\n"
    ));
    up.signal("-HUP");
    house.wait_for_log("The configuration was read again.");
    assert_eq!(
        house.json(&["status"])["killswitch"]["latches"][0]["scope"],
        "LLM"
    );
    up.stop();
}

#[test]
fn every_part_answers_where_the_ready_line_says() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    let ready = up.ready();
    for part in ["controlplane", "killswitch", "gateway", "agent"] {
        let address = ready[part].as_str().unwrap();
        let answer = get(address, "/healthz");
        assert!(answer.starts_with("HTTP/1.1 200"), "{part}: {answer}");
    }
    let run: serde_json::Value = serde_json::from_str(&house.read("run.json")).unwrap();
    assert_eq!(
        (&run["gateway"], &run["pid"]),
        (&ready["gateway"], &ready["pid"])
    );
    up.stop();
}

#[test]
fn a_dead_database_leaves_the_kill_switch_running() {
    let house = House::set_up();
    let database = house.data().join("controlplane/portcullis.db");
    std::fs::write(
        &database,
        "this is no database, and long enough to be looked at".repeat(40),
    )
    .unwrap();
    let up = house.start(&["up", "--json"]);
    let why = up.ready()["controlplane_error"].to_string();
    assert!(why.contains("portcullis.db"), "{why}");
    house.good(&["cut", "ALL"]);
    assert_eq!(house.json(&["status"])["controlplane"]["ok"], false);
    up.stop();
}

#[test]
fn a_sign_in_link_leaves_only_its_hash() {
    use sha2::{Digest as _, Sha256};
    let house = House::set_up();
    let link = house.good(&["sign-in"]);
    let token = link.trim().split("token=").nth(1).unwrap();
    let name = data_encoding::HEXLOWER.encode(&Sha256::digest(token.as_bytes()));
    let file = house.data().join("controlplane/sign-in").join(name);
    assert_eq!(std::fs::read(file).unwrap(), b"");
}

/// Opens a stream and reads until the model's first word.
fn stream(house: &House, gateway: &str) -> std::net::TcpStream {
    use std::io::{Read as _, Write as _};
    let key = house.read("gateway/keys/agent.key");
    let body = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
    let mut stream = std::net::TcpStream::connect(gateway).unwrap();
    write!(
        stream,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        key.trim(),
        body.len()
    )
    .unwrap();
    let mut seen = String::new();
    let mut buffer = [0; 1024];
    while !seen.contains("data: ") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    stream
}

#[test]
fn open_streams_hold_up_the_end_and_a_second_signal_does_not_wait_for_them() {
    let house = House::new();
    let mut up = house.start(&["up", "--json"]);
    if up.ready()["model"] != "demo" {
        // With a real Ollama on this machine there is no stream that is known to last.
        return up.stop();
    }
    let gateway = up.ready()["gateway"].as_str().unwrap().to_owned();
    let open = stream(&house, &gateway);
    up.signal("-INT");
    house.wait_for_log("Stopping: open streams have 10 s");
    assert!(up.running());
    // While it drains, the kill switch still works: what runs can still be cut.
    house.good(&["status"]);
    up.signal("-INT");
    wait("the end", || !up.running());
    assert!(house.log().contains("stopped at once"));
    drop(open);
}

#[test]
fn a_cut_ends_what_drains() {
    let house = House::new();
    let up = house.start(&["up", "--json"]);
    if up.ready()["model"] != "demo" {
        return up.stop();
    }
    let gateway = up.ready()["gateway"].as_str().unwrap().to_owned();
    let mut open = stream(&house, &gateway);
    up.signal("-TERM");
    house.wait_for_log("Stopping: open streams have 10 s");
    house.good(&["cut", "LLM"]);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut open, &mut rest).unwrap();
    assert!(rest.contains(r#""code":"cut""#), "{rest}");
    let mut up = up;
    wait("the end", || !up.running());
}

use crate::house::House;
use kill_inbound::{Channel, Incoming, Options, RawRequest};
use std::io::{Read as _, Write as _};

/// Takes one request, answers it, gives it back.
fn take_one(listener: &std::net::TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.contains("\r\n\r\n") || !request.ends_with('}') {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the request broke off: {request}");
        request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    let answer = r#"{"reply":"hello"}"#;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
    request
}

#[test]
fn a_text_is_signed_as_any_webhook_is() {
    let house = House::set_up();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/inbound/local", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || take_one(&listener));
    let said = house.good(&[
        "text",
        "STATUS please",
        "--to",
        &url,
        "--id",
        "msg_1",
        "--from",
        "me",
    ]);
    assert_eq!(said, "hello\n");
    let request = server.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let headers: Vec<(&str, &[u8])> = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name, value.as_bytes()))
        .collect();
    let at = headers
        .iter()
        .find(|(name, _)| *name == "webhook-timestamp")
        .unwrap()
        .1;
    let at: u64 = std::str::from_utf8(at).unwrap().parse().unwrap();
    let options = Options {
        public_url: None,
        secrets: vec![house.read("killswitch/channels/local.secret")],
        ..Options::default()
    };
    let channel = Channel::new("local", "standard-webhooks", options).unwrap();
    let raw = RawRequest {
        method: "POST",
        headers: &headers,
        query: None,
        body: body.as_bytes(),
    };
    let taken = channel.verify(&raw, kill_wire::Timestamp::from_millis(at * 1000));
    let Ok(Incoming::Text(text)) = taken else {
        panic!("not a text: {taken:?}");
    };
    assert_eq!(
        (text.text.as_str(), text.id.as_str()),
        ("STATUS please", "msg_1")
    );
    assert_eq!(text.sender.as_deref(), Some("me"));
}

#[test]
fn the_printed_lines_cut_and_bring_back_when_pasted() {
    let house = House::new();
    let up = house.start(&["up"]);
    let kill = house.paste(up.after("Cut it by text message"));
    let said = String::from_utf8(kill.stdout).unwrap();
    assert!(
        said.starts_with("CUT ALL "),
        "{said}{}",
        String::from_utf8_lossy(&kill.stderr)
    );
    assert_eq!(
        house.json(&["status"])["killswitch"]["latches"][0]["scope"],
        "ALL"
    );
    let back = house.paste(up.after("Bring it back"));
    let said = String::from_utf8(back.stdout).unwrap();
    assert!(
        said.starts_with("RESTORED ALL "),
        "{said}{}",
        String::from_utf8_lossy(&back.stderr)
    );
    assert_eq!(
        house.json(&["status"])["killswitch"]["latches"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    up.stop();
}

#[test]
fn without_a_kill_switch_a_text_fails_with_the_way_out() {
    let house = House::set_up();
    let done = house.run(&["text", "STATUS"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("portcullis up"));
}

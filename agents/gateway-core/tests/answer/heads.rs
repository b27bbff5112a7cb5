//! Heads.

use crate::{Fate, read, read_however_it_comes, read_pieces};
use gateway_core::answer::{Asked, MAX_HEAD, MAX_HEADERS, NotUnderstood};

fn refused(text: &str) -> NotUnderstood {
    match read_however_it_comes(text.as_bytes()) {
        Fate::Refused(why) => why,
        other @ (Fate::Whole(_) | Fate::Early) => panic!("{text:?}: {other:?}"),
    }
}

#[test]
fn a_head_is_read_as_it_stands() {
    let text = b"HTTP/1.1 200 \r\nContent-Type: text/event-stream\r\nX-Two: a\r\nx-two:  b \r\nX-Odd: \xfc\r\nContent-Length: 2\r\n\r\nok";
    let whole = read_however_it_comes(text).whole();
    assert_eq!(whole.status, 200);
    assert_eq!(whole.headers["content-type"], "text/event-stream");
    let two: Vec<_> = whole.headers.get_all("x-two").iter().collect();
    assert_eq!(two, ["a", "b"]);
    assert_eq!(whole.headers["x-odd"].as_bytes(), b"\xfc");
    assert_eq!(whole.body, b"ok");
    assert!(whole.keeps && whole.behind == 0);
}

#[test]
fn what_is_no_head_is_refused_as_soon_as_it_shows() {
    for text in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\x15\x03\x01\x00\x02\x02\x46",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nspace : 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: 1\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: \x01\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: 1\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        assert_eq!(refused(text), NotUnderstood::BadHead, "{text:?}");
    }
    // A server that speaks first, and then waits, is known at once.
    assert_eq!(read(b"SSH"), Fate::Refused(NotUnderstood::BadHead));
    assert_eq!(read(b"HTTP/1.1 200 OK\r\na: b\r\n"), Fate::Early);
}

#[test]
fn heads_are_bounded() {
    let many = |count: usize| format!("HTTP/1.1 204 N\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert_eq!(read(many(MAX_HEADERS).as_bytes()).whole().status, 204);
    let more = read(many(MAX_HEADERS + 1).as_bytes());
    assert_eq!(more, Fate::Refused(NotUnderstood::BadHead));
    let frame = "HTTP/1.1 204 N\r\na: \r\n\r\n".len();
    let long = |length: usize| {
        let value = "x".repeat(length - frame);
        format!("HTTP/1.1 204 N\r\na: {value}\r\n\r\n")
    };
    let pieces = |text: &str| read_pieces(Asked::default(), text.as_bytes().chunks(1000));
    assert_eq!(pieces(&long(MAX_HEAD)).whole().status, 204);
    assert_eq!(read(long(MAX_HEAD).as_bytes()).whole().status, 204);
    for fate in [
        pieces(&long(MAX_HEAD + 1)),
        read(long(MAX_HEAD + 1).as_bytes()),
        // One that never ends.
        pieces(&long(2 * MAX_HEAD)[..MAX_HEAD + 4]),
    ] {
        assert_eq!(fate, Fate::Refused(NotUnderstood::LongHead));
    }
}

#[test]
fn informational_answers_are_passed_over_up_to_a_bound() {
    let interim = |count: usize| {
        let mut text = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(count);
        text.push_str("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
        text
    };
    let whole = read_however_it_comes(interim(2).as_bytes()).whole();
    assert_eq!((whole.status, whole.body), (200, b"x".to_vec()));
    assert!(!whole.headers.contains_key("link"));
    assert_eq!(
        read(interim(20).as_bytes()),
        Fate::Refused(NotUnderstood::Interim)
    );
}

#[test]
fn a_switch_to_another_protocol_is_taken_only_where_it_was_asked_for() {
    let text = b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\n\r\n\x81\x00";
    assert_eq!(read(text), Fate::Refused(NotUnderstood::Switched));
    let asked = Asked {
        upgrade: true,
        ..Asked::default()
    };
    let whole = read_pieces(asked, [text.as_slice()]).whole();
    assert_eq!((whole.status, whole.behind), (101, 2));
    assert!(whole.body.is_empty() && !whole.keeps);
}

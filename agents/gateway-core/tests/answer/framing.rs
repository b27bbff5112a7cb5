//! Where bodies end.

use crate::{Fate, Whole, read, read_however_it_comes, read_pieces};
use gateway_core::answer::{Asked, NotUnderstood};

fn answer(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}")
}

fn whole(headers: &str, body: &str) -> Whole {
    read_however_it_comes(answer(headers, body).as_bytes()).whole()
}

fn chunked(body: &str) -> Fate {
    read_however_it_comes(answer("transfer-encoding: chunked\r\n", body).as_bytes())
}

#[test]
fn a_body_ends_where_its_length_says() {
    let read = whole("content-length: 5\r\n", "hello");
    assert_eq!((read.body, read.keeps), (b"hello".to_vec(), true));
    let read = whole("content-length: 5, 5\r\ncontent-length: 5\r\n", "hello");
    assert_eq!((read.body, read.keeps), (b"hello".to_vec(), true));
    let read = whole("content-length: 3\r\n", "hello");
    assert_eq!((read.body, read.behind), (b"hel".to_vec(), 2));
    assert!(whole("content-length: 0\r\n", "").body.is_empty());
    let short = answer("content-length: 6\r\n", "hello");
    assert_eq!(read_however_it_comes(short.as_bytes()), Fate::Early);
}

#[test]
fn chunks_are_put_together() {
    let text = "5\r\nhello\r\n1;a=\"b c\"\r\n,\r\n00b \t;x\r\n wide world\r\n0\r\n\r\n";
    let read = chunked(text).whole();
    assert_eq!(read.body, b"hello, wide world");
    assert!(read.keeps && read.behind == 0);
    let read = chunked("A\r\n0123456789\r\n000;end\r\nx-sum: 1\r\nx-more:\r\n\r\nnext").whole();
    assert_eq!(read.body, b"0123456789");
    assert_eq!(read.behind, 4);
    assert!(!read.headers.contains_key("x-sum"), "trailers are dropped");
    assert_eq!(chunked("5\r\nhello\r\n"), Fate::Early);
    assert_eq!(chunked("5\r\nhello\r\n0\r\n"), Fate::Early);
}

#[test]
fn a_chunk_that_two_readers_could_read_in_two_ways_is_refused() {
    for text in [
        "\r\n",
        ";\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\nx\r\n",
        "1 1\r\n",
        "1\nx\r\n0\r\n\r\n",
        "1;a\nx\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n",
        "1\r\nx\r\n0\n\r\n",
        "1\r\nxy\r\n",
        "1\r\nx\n",
        "1\r\nx\rx",
        "1;a\nb\r\nx",
        "1;a\x01\r\nx",
        "0\r\n\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\na: b\nc: d\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\n folded\r\n\r\n",
        "10000000000000000\r\n",
        "0000000000000001\r\nx",
    ] {
        assert_eq!(
            chunked(text),
            Fate::Refused(NotUnderstood::Chunk),
            "{text:?}"
        );
    }
}

#[test]
fn extensions_and_trailers_are_bounded() {
    let some = "x".repeat(16_000);
    let more = "x".repeat(1000);
    let once = format!("1;{some}\r\na\r\n0\r\nt: {some}\r\n\r\n");
    let coded = |body: &str| read(answer("transfer-encoding: chunked\r\n", body).as_bytes());
    assert_eq!(coded(&once).whole().body, b"a");
    for text in [
        format!("1;{some}\r\na\r\n1;{more}\r\na\r\n0\r\n\r\n"),
        format!("0\r\nt: {some}\r\nu: {more}\r\n\r\n"),
    ] {
        assert_eq!(coded(&text), Fate::Refused(NotUnderstood::Chunk));
    }
}

#[test]
fn a_body_without_an_end_of_its_own_ends_with_the_connection() {
    let read = whole("", "hello");
    assert_eq!((read.body, read.keeps), (b"hello".to_vec(), false));
    let text = b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok";
    let read = read_however_it_comes(text).whole();
    assert_eq!((read.body, read.keeps), (b"ok".to_vec(), false));
    assert!(!whole("content-length: 0\r\nconnection: x, Close\r\n", "").keeps);
}

#[test]
fn answers_that_have_no_body_have_none() {
    for status in ["204 No Content", "304 Not Modified"] {
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: 5\r\n\r\n");
        let read = read_however_it_comes(text.as_bytes()).whole();
        assert!(read.body.is_empty() && read.keeps, "{status}");
    }
    let head = Asked {
        bare: true,
        ..Asked::default()
    };
    for headers in [
        "content-length: 5\r\n",
        "transfer-encoding: chunked\r\n",
        "",
    ] {
        let read = read_pieces(head, [answer(headers, "").as_bytes()]).whole();
        assert!(read.body.is_empty() && read.keeps, "{headers:?}");
    }
}

#[test]
fn a_head_that_leaves_the_end_in_doubt_is_refused() {
    let length = [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5, 6\r\n",
        "content-length: \r\n",
        "content-length: -5\r\n",
        "content-length: +5\r\n",
        "content-length: 5 5\r\n",
        "content-length: 0x5\r\n",
        "content-length: 18446744073709551616\r\n",
        "content-length: 18446744073709551615\r\n",
    ];
    let coding = [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: \r\n",
        "transfer-encoding: xchunked\r\n",
    ];
    for (headers, why) in length
        .map(|text| (text, NotUnderstood::Length))
        .into_iter()
        .chain(coding.map(|text| (text, NotUnderstood::Coding)))
    {
        let fate = read_however_it_comes(answer(headers, "0\r\n\r\n").as_bytes());
        assert_eq!(fate, Fate::Refused(why), "{headers:?}");
    }
    let old = b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(read(old), Fate::Refused(NotUnderstood::Coding));
}

#[test]
fn what_is_left_of_a_body_is_known_where_it_was_announced() {
    let mut reader = gateway_core::answer::HeadReader::new(Asked::default());
    let text = answer("content-length: 5\r\n", "");
    let (mut head, _) = reader.read(text.as_bytes()).unwrap().unwrap();
    assert_eq!(head.body.left(), Some(5));
    head.body.take(&mut b"he".to_vec()).unwrap();
    assert_eq!(head.body.left(), Some(3));
}

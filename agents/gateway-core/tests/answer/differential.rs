//! Another reader of HTTP/1, which is in wide use, reads the same from the same bytes, or we refuse them.

use crate::{Fate, Whole, read_pieces};
use gateway_core::answer::Asked;
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

type Seen = (u16, HeaderMap, Vec<u8>);

/// What hyper's client makes of an answer, after which the target closes.
async fn other(method: Method, text: &[u8]) -> Option<Seen> {
    let (ours, mut target) = tokio::io::duplex(256 * 1024);
    let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.unwrap();
    let request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "a");
    let asking = async move {
        let answer = sender
            .send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap())
            .await
            .ok()?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.ok()?.to_bytes().to_vec();
        Some((head.status.as_u16(), head.headers, body))
    };
    let answering = async move {
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(target.read_u8().await.unwrap());
        }
        target.write_all(text).await.unwrap();
    };
    let (seen, _, ()) = tokio::join!(asking, connection, answering);
    seen
}

fn other_reads(method: Method, text: &[u8]) -> Option<Seen> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(other(method, text))
}

fn seen(whole: Whole) -> Seen {
    (whole.status, whole.headers, whole.body)
}

const HEADERS: [&str; 12] = [
    "content-type: text/event-stream",
    "Content-Length: 5",
    "content-length: 5, 5",
    "content-length: 7",
    "content-length: +5",
    "transfer-encoding: chunked",
    "Transfer-Encoding: Chunked",
    "transfer-encoding: gzip, chunked",
    "connection: close",
    "x-a:\tb ",
    "x-a: b\r\n folded",
    "x-a : b",
];

const BODIES: [&str; 9] = [
    "hello",
    "hello, world",
    "",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;ext=1\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n",
    "05 \r\nhello\r\n00\r\nx-t: 1\r\n\r\n",
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\r\n0\r\nno trailer\r\n\r\n",
    "ffffffffffffffffff\r\nhello",
];

fn answers() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![
        Just("HTTP/1.1 200 OK"),
        Just("HTTP/1.0 200 OK"),
        Just("HTTP/1.1 204"),
        Just("HTTP/1.1 304 Not Modified"),
        Just("HTTP/1.1 500 "),
        Just("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
        Just("HTTP/1.1 101 Switching Protocols"),
    ];
    let headers = prop_oneof![
        Just(vec!["transfer-encoding: chunked"]),
        Just(vec!["content-length: 5"]),
        proptest::sample::subsequence(HEADERS.to_vec(), 0..4),
    ];
    let end = prop_oneof![8 => Just("\r\n"), 1 => Just("\n")];
    (status, headers, end, proptest::sample::select(&BODIES[..])).prop_map(
        |(status, headers, end, body)| {
            let lines: Vec<&str> = std::iter::once(status).chain(headers).collect();
            format!("{}{end}{end}{body}", lines.join(end)).into_bytes()
        },
    )
}

/// What is done to one byte.
fn changes() -> impl Strategy<Value = Vec<(usize, Option<u8>, bool)>> {
    let byte = prop_oneof![
        Just(b'\r'),
        Just(b'\n'),
        Just(b' '),
        Just(b':'),
        Just(b';'),
        Just(b','),
        Just(b'0'),
        Just(b'\t'),
        Just(0),
        any::<u8>()
    ];
    proptest::collection::vec(
        (0_usize..200, proptest::option::of(byte), any::<bool>()),
        0..4,
    )
}

fn changed(mut text: Vec<u8>, changes: &[(usize, Option<u8>, bool)]) -> Vec<u8> {
    for (at, byte, more) in changes {
        let at = at % text.len();
        let gone = usize::from(byte.is_none() || !more);
        text.splice(at..at + gone, *byte);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_we_read_another_reads_alike(
        text in answers(),
        changes in changes(),
        bare in any::<bool>(),
        size in 1_usize..40,
    ) {
        let text = changed(text, &changes);
        let asked = Asked { bare, upgrade: false };
        let fate = read_pieces(asked, text.chunks(size));
        prop_assert_eq!(&fate, &read_pieces(asked, [text.as_slice()]), "however it comes");
        if let Fate::Whole(whole) = fate {
            let method = if bare { Method::HEAD } else { Method::GET };
            prop_assert_eq!(Some(seen(*whole)), other_reads(method, &text));
        }
    }

    #[test]
    fn whatever_is_well_formed_is_read(
        names in proptest::collection::vec("[a-zA-Z][a-zA-Z0-9-]{0,12}", 0..6),
        values in proptest::collection::vec("[!-~]([ -~]{0,30}[!-~])?", 6),
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6),
        coded in any::<bool>(),
        size in 1_usize..400,
    ) {
        let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
        for (name, value) in names.iter().zip(&values) {
            text.extend_from_slice(format!("x-{name}: {value}\r\n").as_bytes());
        }
        let body = chunks.concat();
        if coded {
            text.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
            for chunk in &chunks {
                text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
        } else {
            text.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
            text.extend_from_slice(&body);
        }
        let read = read_pieces(Asked::default(), text.chunks(size)).whole();
        prop_assert_eq!(&read.body, &body);
        prop_assert!(read.keeps && read.behind == 0);
        prop_assert_eq!(Some(seen(read)), other_reads(Method::GET, &text));
    }
}

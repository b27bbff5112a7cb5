//! Peers that break the rules of the protocol, on either side: a clear end, and nothing that stays behind.

use super::*;
use kill_wire::Class;
use net_model::Rules;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A session whose client then speaks bytes of its own choice.
async fn raw(site: &Site) -> TcpStream {
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    let head = format!(
        "GET /v1/realtime?model=steady HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {CLAW}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(timeout(LIMIT, stream.read_u8()).await.unwrap().unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    stream
}

/// Reads up to the end: the code of the close frame, if one came.
async fn closed_with(stream: &mut TcpStream) -> Option<u16> {
    let mut all = Vec::new();
    let _reset = timeout(LIMIT, stream.read_to_end(&mut all)).await.unwrap();
    let mut rest = all.as_slice();
    while let Some((&first, after)) = rest.split_first() {
        let (length, after) = match after {
            [126, high, low, after @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), after),
            [short, after @ ..] => (usize::from(*short), after),
            [] => return None,
        };
        if let (8, [high, low, ..]) = (first & 15, after) {
            return Some(u16::from_be_bytes([*high, *low]));
        }
        rest = after.get(length..)?;
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_a_rule_is_told_which_and_leaves_nothing_behind() {
    let site = Site::open().await;
    let giant = [
        &[0x81, 0xff][..],
        &(1_u64 << 30).to_be_bytes(),
        &[1, 2, 3, 4],
    ]
    .concat();
    let cases: [(&str, Vec<u8>, u16); 6] = [
        ("a gigabyte is announced", giant, 1009),
        ("not masked", vec![0x81, 0x02, b'{', b'}'], 1002),
        ("a reserved bit", vec![0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("an unknown kind", vec![0x83, 0x80, 0, 0, 0, 0], 1002),
        ("no text", vec![0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], 1007),
        ("garbage", b"GET / HTTP/1.1\r\n\r\n".to_vec(), 1002),
    ];
    for (number, (what, bytes, code)) in cases.into_iter().enumerate() {
        let mut stream = raw(&site).await;
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(closed_with(&mut stream).await, Some(code), "{what}");
        let records = site.until_spooled(number + 1).await;
        assert_eq!(records[number].ended, Ended::ClientGone, "{what}");
        site.until_all_is_given_back().await;
    }
    // None of it is the target's fault.
    assert_eq!(site.observed().await.targets[0].failures, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_just_vanishes_leaves_nothing_behind() {
    let site = Site::open().await;
    for reset in [false, true] {
        let stream = raw(&site).await;
        if reset {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
        site.until_all_is_given_back().await;
    }
    assert_eq!(site.until_spooled(2).await.len(), 2);
    // What was begun and not finished goes with its client.
    let mut stream = raw(&site).await;
    stream
        .write_all(&[0x01, 0x82, 0, 0, 0, 0, b'{'])
        .await
        .unwrap();
    drop(stream);
    site.until_all_is_given_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_gives_no_sign_of_life_is_let_go() {
    let site = Site::open().await;
    let table = table(&[("home", Class::Local, &site.home.base_url())]);
    let mut targets = table.targets().to_vec();
    targets[0].timeouts.idle = Duration::from_millis(200);
    let hasty =
        net_model::RouteTable::new(targets, table.routes().to_vec(), table.consumers().to_vec());
    site.gateway.reload(hasty.unwrap(), Rules::default());
    // One that answers pings may say nothing for as long as it likes.
    let mut well = site.session(CLAW, "steady").await;
    let mut mute = raw(&site).await;
    let alive = async {
        well.until("session.created").await;
        let silent = timeout(Duration::from_millis(900), well.hear()).await;
        assert!(silent.is_err(), "{silent:?}");
    };
    let (code, ()) = tokio::join!(closed_with(&mut mute), alive);
    assert_eq!(code, Some(1008));
    assert_eq!(site.until_spooled(1).await[0].ended, Ended::ClientGone);
    site.until_open(1).await;
}

/// A target that answers one handshake with `answer`, in which `ACCEPT` stands for the proof, and then says `then`.
async fn target(answer: &'static str, then: Vec<u8>) -> (SocketAddr, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else {
                    break;
                };
                asked.push(byte);
            }
            let asked = String::from_utf8(asked).unwrap();
            let key = asked
                .lines()
                .find_map(|line| line.strip_prefix("sec-websocket-key: "));
            let proof = derive_accept_key(key.unwrap_or_default().as_bytes());
            let answer = answer.replace("ACCEPT", &proof);
            let _gone = stream.write_all(&[answer.as_bytes(), &then].concat()).await;
            let mut rest = Vec::new();
            let _gone = stream.read_to_end(&mut rest).await;
        }
    });
    (addr, tasks)
}

const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ACCEPT\r\n\r\n";

async fn site_with(home: SocketAddr) -> Site {
    let site = Site::open().await;
    let url = format!("http://{home}/v1");
    site.gateway
        .reload(table(&[("home", Class::Local, &url)]), Rules::default());
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_switch_as_it_must_is_a_failure() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: ACCEPT\r\nsec-websocket-extensions: permessage-deflate\r\n\r\n",
        "garbage\r\n\r\n",
        "",
    ] {
        let (home, _tasks) = target(answer, Vec::new()).await;
        let site = site_with(home).await;
        if answer.is_empty() {
            // It never says anything, and the cut does not wait for it.
            let waiting = async {
                site.until_open(1).await;
                site.apply(2, &["ALL"]).await
            };
            let (refused, severed) = tokio::join!(site.refused(CLAW, "steady"), waiting);
            assert_eq!((refused.status.as_u16(), severed), (503, 1));
        } else {
            let refused = site.refused(CLAW, "steady").await;
            assert_eq!(refused.status.as_u16(), 502, "{answer}");
        }
        site.until_open(0).await;
        assert_eq!(site.until_spooled(1).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_breaks_a_rule_ends_the_session_as_its_own_failure() {
    let giant = [&[0x81, 0x7f][..], &(1_u64 << 30).to_be_bytes()].concat();
    let hello = b"\x81\x1e{\"type\":\"session.created\",\"a\":1}".to_vec();
    let cases = [
        giant,
        vec![0x81, 0x82, 0, 0, 0, 0, b'{', b'}'],
        vec![0xff; 40],
        vec![0x81, 0x02, 0xff, 0xfe],
        b"HTTP/1.1 200 OK\r\n\r\n".repeat(9),
    ];
    for bytes in cases {
        // What is right before it passes, and is counted.
        let mut then = hello.clone();
        then[1] = u8::try_from(then.len() - 2).unwrap();
        then.extend_from_slice(&bytes);
        let (home, _tasks) = target(SWITCHES, then).await;
        let site = site_with(home).await;
        let mut session = site.session(CLAW, "steady").await;
        assert_eq!(session.hear().await.unwrap()["type"], "session.created");
        let (last, close) = session.rest().await;
        assert_eq!(last["error"]["code"], "upstream_broke_off");
        assert_eq!(close, said(1011, "upstream_broke_off"));
        let record = &site.until_spooled(1).await[0];
        assert_eq!((record.status, record.ended), (101, Ended::UpstreamFailed));
        site.until_open(0).await;
        assert_eq!(site.observed().await.targets[0].failures, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_of_a_target_that_closes_reaches_the_client() {
    for (code, reason, ended) in [
        (1000_u16, "", Ended::Complete),
        (3000, "session_expired", Ended::Complete),
        (1013, "later", Ended::UpstreamFailed),
    ] {
        let length = u8::try_from(reason.len() + 2).unwrap();
        let close = [&[0x88, length][..], &code.to_be_bytes(), reason.as_bytes()].concat();
        let (home, _tasks) = target(SWITCHES, close).await;
        let site = site_with(home).await;
        let mut session = site.session(CLAW, "steady").await;
        assert_eq!(session.rest().await.1, said(code, reason));
        assert_eq!(site.until_spooled(1).await[0].ended, ended);
    }
}

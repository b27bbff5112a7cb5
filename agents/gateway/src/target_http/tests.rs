//! Before real sockets, at whose other end every byte is said by hand.

use crate::{
    target_http::Flow,
    upstream::{Ask, UpstreamError, Upstreams},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, response::Parts};
use kill_wire::Class;
use net_model::Target;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(10);
const SHORT: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A gateway's way to a target whose words are said by the test.
struct Way {
    upstreams: Upstreams,
    listener: TcpListener,
    target: Target,
}

impl Way {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        Self {
            upstreams: Upstreams::new().unwrap(),
            target: Target::new("home".parse().unwrap(), Class::Local, base.parse().unwrap()),
            listener,
        }
    }

    async fn asks(&self, body: &Bytes) -> Result<(Parts, Flow), UpstreamError> {
        self.asks_with(HeaderMap::new(), body).await
    }

    async fn asks_with(
        &self,
        headers: HeaderMap,
        body: &Bytes,
    ) -> Result<(Parts, Flow), UpstreamError> {
        let ask = Ask {
            target: &self.target,
            method: Method::POST,
            path: "/v1/chat?a=b",
            headers,
            body: body.clone(),
        };
        timeout(LIMIT, self.upstreams.ask(&ask)).await.unwrap()
    }

    async fn accepts(&self) -> TcpStream {
        timeout(LIMIT, self.listener.accept())
            .await
            .unwrap()
            .unwrap()
            .0
    }
}

/// Reads a question with a body of so many bytes.
async fn hears(socket: &mut TcpStream, body: usize) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        heard.push(timeout(LIMIT, socket.read_u8()).await.unwrap().unwrap());
    }
    let mut rest = vec![0; body];
    socket.read_exact(&mut rest).await.unwrap();
    String::from_utf8(heard).unwrap()
}

async fn rest(flow: &mut Flow) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(piece) = timeout(LIMIT, flow.piece()).await.unwrap() {
        all.extend_from_slice(&piece.unwrap());
    }
    all
}

/// Asks once on a fresh connection, answers so, and gives the answer back when it was read and parked.
async fn served(way: &Way, says: &[u8]) -> TcpStream {
    let body = Bytes::from_static(b"{}");
    let (answer, socket) = tokio::join!(way.asks(&body), async {
        let mut socket = way.accepts().await;
        hears(&mut socket, 2).await;
        socket.write_all(says).await.unwrap();
        socket
    });
    let (_, mut flow) = answer.unwrap();
    assert_eq!(rest(&mut flow).await, b"ok");
    flow.park();
    socket
}

async fn is_closed(mut socket: TcpStream) {
    let read = timeout(LIMIT, socket.read(&mut [0; 16])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn a_question_says_its_length_once_and_ends_each_line() {
    let way = Way::open().await;
    let mut headers = HeaderMap::new();
    for name in ["content-length", "transfer-encoding", "x-a"] {
        headers.insert(name, HeaderValue::from_static("7"));
    }
    let body = Bytes::from_static(b"12345");
    let (answer, heard) = tokio::join!(way.asks_with(headers, &body), async {
        let mut socket = way.accepts().await;
        let heard = hears(&mut socket, 5).await;
        socket.write_all(SHORT).await.unwrap();
        heard
    });
    assert_eq!(answer.unwrap().0.status, 200);
    let expected = "POST /v1/chat?a=b HTTP/1.1\r\nx-a: 7\r\ncontent-length: 5\r\n\r\n";
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn a_path_that_is_none_is_not_sent() {
    let way = Way::open().await;
    for path in ["/a\r\nb: c", "/a b", "/a\0"] {
        let ask = Ask {
            target: &way.target,
            method: Method::GET,
            path,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let refused = way.upstreams.ask(&ask).await.unwrap_err();
        assert!(matches!(refused, UpstreamError::Build(_)), "{path:?}");
    }
}

#[tokio::test]
async fn a_connection_serves_again_after_an_answer_that_was_read_to_its_end() {
    let way = Way::open().await;
    let mut socket = served(&way, SHORT).await;
    let body = Bytes::from_static(b"{}");
    let coded =
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n";
    for says in [coded.as_slice(), SHORT] {
        let (answer, ()) = tokio::join!(way.asks(&body), async {
            hears(&mut socket, 2).await;
            socket.write_all(says).await.unwrap();
        });
        let (_, mut flow) = answer.unwrap();
        assert_eq!(rest(&mut flow).await, b"ok");
        flow.park();
    }
}

#[tokio::test]
async fn a_connection_that_may_not_serve_again_is_closed() {
    for says in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok",
        // What stands behind an answer would be taken for the next one's.
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
    ] {
        let way = Way::open().await;
        is_closed(served(&way, says.as_bytes()).await).await;
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_while_it_idled_is_replaced_once() {
    let way = Way::open().await;
    let mut socket = served(&way, SHORT).await;
    let body = Bytes::from_static(b"{}");
    let (answer, ()) = tokio::join!(way.asks(&body), async {
        // It looked open until it was written to.
        hears(&mut socket, 2).await;
        drop(socket);
        let mut second = way.accepts().await;
        hears(&mut second, 2).await;
        second.write_all(SHORT).await.unwrap();
    });
    assert_eq!(answer.unwrap().0.status, 200);
}

#[tokio::test]
async fn a_question_whose_answer_had_begun_is_not_asked_again() {
    for says in ["H", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let way = Way::open().await;
        let mut socket = served(&way, SHORT).await;
        let body = Bytes::from_static(b"{}");
        let (answer, ()) = tokio::join!(way.asks(&body), async {
            hears(&mut socket, 2).await;
            socket.write_all(says.as_bytes()).await.unwrap();
            drop(socket);
        });
        assert!(matches!(answer, Err(UpstreamError::NoAnswer(_))));
        let again = timeout(Duration::from_millis(50), way.listener.accept()).await;
        assert!(again.is_err(), "asked again");
    }
}

#[tokio::test]
async fn a_refusal_is_heard_before_a_long_question_is_out() {
    let way = Way::open().await;
    let body = Bytes::from(vec![b'x'; 64 * 1024 * 1024]);
    let (answer, socket) = tokio::join!(way.asks(&body), async {
        let mut socket = way.accepts().await;
        hears(&mut socket, 1).await;
        let says = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno";
        socket.write_all(says).await.unwrap();
        socket
    });
    let (head, mut flow) = answer.unwrap();
    assert_eq!((head.status.as_u16(), flow.left()), (413, Some(2)));
    assert_eq!(rest(&mut flow).await, b"no");
    flow.park();
    drop(socket);
}

#[tokio::test]
async fn a_target_may_answer_while_it_reads() {
    let way = Way::open().await;
    let length = 32 * 1024 * 1024;
    let body = Bytes::from(vec![b'x'; length]);
    let (answer, mut socket) = tokio::join!(way.asks(&body), async {
        let mut socket = way.accepts().await;
        hears(&mut socket, 0).await;
        let says = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(says).await.unwrap();
        socket
    });
    let (_, mut flow) = answer.unwrap();
    let (read, ()) = tokio::join!(rest(&mut flow), async {
        let mut rest = vec![0; length];
        socket.read_exact(&mut rest).await.unwrap();
        socket.write_all(b"2\r\nok\r\n0\r\n\r\n").await.unwrap();
    });
    assert_eq!(read, b"ok");
}

#[tokio::test]
async fn an_answer_that_is_dropped_closes_its_socket() {
    let way = Way::open().await;
    let body = Bytes::new();
    let (answer, socket) = tokio::join!(way.asks(&body), async {
        let mut socket = way.accepts().await;
        hears(&mut socket, 0).await;
        let says = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok";
        socket.write_all(says).await.unwrap();
        socket
    });
    let (_, mut flow) = answer.unwrap();
    assert_eq!(flow.piece().await.unwrap().unwrap(), "ok");
    drop(flow);
    is_closed(socket).await;
}

#[tokio::test]
async fn an_answer_that_ends_too_early_is_not_called_whole() {
    for says in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n",
    ] {
        let way = Way::open().await;
        let body = Bytes::new();
        let (answer, ()) = tokio::join!(way.asks(&body), async {
            let mut socket = way.accepts().await;
            hears(&mut socket, 0).await;
            socket.write_all(says.as_bytes()).await.unwrap();
        });
        let (_, mut flow) = answer.unwrap();
        assert_eq!(flow.piece().await.unwrap().unwrap(), "ok");
        assert!(flow.piece().await.unwrap().is_err(), "{says}");
    }
}

#[tokio::test]
async fn what_follows_a_switch_is_handed_over() {
    let way = Way::open().await;
    let headers = HeaderMap::from_iter([(http::header::UPGRADE, HeaderValue::from_static("x"))]);
    let body = Bytes::new();
    let (answer, mut far) = tokio::join!(way.asks_with(headers, &body), async {
        let mut socket = way.accepts().await;
        hears(&mut socket, 0).await;
        let says = b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\nearly";
        socket.write_all(says).await.unwrap();
        socket
    });
    let (head, mut flow) = answer.unwrap();
    assert_eq!(head.status, 101);
    assert!(flow.piece().await.is_none());
    let (mut socket, early) = flow.switched();
    assert_eq!(early, "early");
    far.write_all(b"late").await.unwrap();
    let mut late = [0; 4];
    socket.read_exact(&mut late).await.unwrap();
    assert_eq!(&late, b"late");
}

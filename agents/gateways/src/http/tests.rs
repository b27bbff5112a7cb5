use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(5);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

async fn server() -> (TcpListener, Lane) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let lane = Lane::new(listener.local_addr().unwrap());
    (listener, lane)
}

/// Reads one request's head, which is all of it here.
async fn read(client: &mut TcpStream) {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(client.read_u8().await.unwrap());
    }
}

async fn answer(client: &mut TcpStream, with: &[u8]) {
    read(client).await;
    client.write_all(with).await.unwrap();
}

fn ask(method: Method) -> Ask {
    Ask::new(method, "/")
}

fn unknown(answer: Result<Answer, Failure>) -> GatewayError {
    match answer {
        Err(Failure::Unknown(why)) => why,
        Err(Failure::NotSent(why)) => panic!("said not to be sent: {why}"),
        Ok(_) => panic!("answered"),
    }
}

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other() {
    let (listener, lane) = server().await;
    let serving = async {
        let (mut client, _) = listener.accept().await.unwrap();
        answer(&mut client, OK).await;
        answer(&mut client, OK).await;
        client
    };
    let asking = async {
        for _ in 0..2 {
            let got = lane.call(&ask(Method::GET), LIMIT).await.ok().unwrap();
            assert_eq!((got.status, &got.body[..]), (StatusCode::OK, &b"{}"[..]));
        }
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_whatever_the_method() {
    let (listener, lane) = server().await;
    let serving = async {
        for _ in 0..2 {
            let (mut client, _) = listener.accept().await.unwrap();
            answer(&mut client, OK).await;
            client.shutdown().await.unwrap();
        }
    };
    let asking = async {
        for _ in 0..2 {
            // The end of the first connection may not have come yet; then a POST may have reached it.
            let got = lane.call(&ask(Method::PUT), LIMIT).await;
            assert!(got.is_ok());
        }
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let (listener, lane) = server().await;
    drop(listener);
    let refused = lane.call(&ask(Method::PUT), LIMIT).await;
    assert!(matches!(refused, Err(Failure::NotSent(_))));
}

#[tokio::test]
async fn silence_after_a_request_leaves_it_unknown() {
    let (listener, lane) = server().await;
    let put = ask(Method::PUT);
    let asking = lane.call(&put, Duration::from_millis(200));
    let (silent, _held) = tokio::join!(asking, listener.accept());
    let why = unknown(silent);
    assert!(matches!(why, GatewayError::Silent(_)), "{why}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_a_request_leaves_it_unknown() {
    let (listener, lane) = server().await;
    let serving = async {
        let (mut client, _) = listener.accept().await.unwrap();
        read(&mut client).await;
    };
    let put = ask(Method::PUT);
    let (broken, ()) = tokio::join!(lane.call(&put, LIMIT), serving);
    let why = unknown(broken);
    assert!(matches!(why, GatewayError::Unreachable(_)), "{why}");
}

#[tokio::test]
async fn a_post_that_may_have_been_carried_out_is_not_sent_twice() {
    let (listener, lane) = server().await;
    let serving = async {
        let (mut client, _) = listener.accept().await.unwrap();
        answer(&mut client, OK).await;
        read(&mut client).await;
        drop(client);
        let again = listener.accept();
        assert!(timeout(Duration::from_millis(300), again).await.is_err());
    };
    let asking = async {
        assert!(lane.call(&ask(Method::POST), LIMIT).await.is_ok());
        unknown(lane.call(&ask(Method::POST), LIMIT).await)
    };
    tokio::join!(serving, asking);
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let (listener, lane) = server().await;
    let serving = async {
        let (mut client, _) = listener.accept().await.unwrap();
        read(&mut client).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut sent = client.write_all(head).await;
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
        while sent.is_ok() {
            sent = client.write_all(&chunk).await;
        }
    };
    let asking = async {
        let got = lane.call(&ask(Method::GET), LIMIT).await;
        // A connection that was given up is not kept: it ends here, and with it the server.
        drop(lane);
        got
    };
    let (long, ()) = tokio::join!(asking, serving);
    let why = unknown(long);
    assert!(why.to_string().contains("longer than"), "{why}");
}

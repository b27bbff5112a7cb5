//! Strangers, thieves, floods.

use crate::house::{House, control_goes_ahead, control_now, free, host_now, report, until};
use hyper::{Method, StatusCode};
use net_link::{CONTROL_NAME, Credentials, HOST_NAME, Talk, Trust};
use net_model::{HostIdentity, JOIN_PATH, RENEW_PATH, REPORTS_PATH};
use pki::{Authority, Life};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use uplink::JoinError;

const LIMIT: Duration = Duration::from_secs(10);

/// A key, and its certificate by this authority.
fn certificate(authority: &Authority, name: &str) -> Credentials {
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key);
    let request = request.unwrap().pem().unwrap();
    let name: HostIdentity = name.parse().unwrap();
    let when = (control_now(), Life::from_millis(3_600_000));
    let issued = authority.sign(&request, &name, when, [3; 16]).unwrap();
    Credentials::from_pem(&issued.pem, &key.serialize_pem()).unwrap()
}

fn authority(house: &House) -> Authority {
    let read = |name| std::fs::read_to_string(house.folder.path().join("ca").join(name)).unwrap();
    Authority::read(&read("authority.pem"), &read("authority.key")).unwrap()
}

fn trust(house: &House) -> Trust {
    let authority = authority(house);
    Trust::new(authority.der(), control_now, authority.made()).unwrap()
}

/// Asks with these credentials; none when no connection came of it.
async fn status(house: &House, own: Option<&Credentials>, path: &str) -> Option<StatusCode> {
    let config = trust(house).client(own).unwrap();
    let mut talk = Talk::open(house.address, &config, CONTROL_NAME, LIMIT)
        .await
        .ok()?;
    let asked = talk
        .ask(Method::POST, path, "{}\n".into(), 4096, LIMIT)
        .await;
    asked.ok().map(|reply| reply.status)
}

#[tokio::test]
async fn without_a_certificate_that_counts_nothing_is_taken() {
    let house = House::start().await;
    house.joined("claw1").await;
    assert_eq!(
        status(&house, None, REPORTS_PATH).await,
        Some(StatusCode::UNAUTHORIZED)
    );
    assert_eq!(
        status(&house, None, RENEW_PATH).await,
        Some(StatusCode::UNAUTHORIZED)
    );
    // Signed by the house's own authority, for a name that is in, and never given out.
    let forged = certificate(&authority(&house), "portcullis://house/red/claw1");
    for path in [REPORTS_PATH, RENEW_PATH] {
        let answered = status(&house, Some(&forged), path).await;
        assert_eq!(answered, Some(StatusCode::FORBIDDEN), "{path}");
    }
    // Of an authority of the same name that is not the house's: no connection at all.
    let (foreign, _) = Authority::make(&"house".parse().unwrap(), control_now(), [1; 16]).unwrap();
    let stranger = certificate(&foreign, "portcullis://house/red/claw1");
    assert_eq!(status(&house, Some(&stranger), REPORTS_PATH).await, None);
    assert!(house.taken("claw1").is_empty());
    house.end().await;
}

#[tokio::test]
async fn the_token_of_another_house_is_not_even_shown() {
    let (house, other) = (House::start().await, House::start().await);
    let token = other.invite("claw1", None, false).await.unwrap();
    let refused = house.join(&token, "claw1").await;
    assert!(
        matches!(refused, Err(JoinError::AnotherHouse(_))),
        "{refused:?}"
    );
    let state = other.state("claw1");
    uplink::join(&token, &[other.address], &state, host_now)
        .await
        .unwrap();
    other.end().await;
    house.end().await;
}

#[tokio::test]
async fn a_man_in_the_middle_who_hands_on_the_true_card_sees_no_token() {
    let house = House::start().await;
    let token = house.invite("claw1", None, false).await.unwrap();
    let secret = token.expose().split('.').nth(2).unwrap().to_owned();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::<u8>::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let middle = listener.local_addr().unwrap();
    let card = {
        let config = net_link::stranger_client(None).unwrap();
        let mut talk = Talk::open(house.address, &config, CONTROL_NAME, LIMIT)
            .await
            .unwrap();
        let reply = talk
            .ask(Method::GET, "/v1/card", bytes::Bytes::new(), 8192, LIMIT)
            .await;
        reply.unwrap().body
    };
    // A certificate of his own, with the right name in it: the best he can have.
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![CONTROL_NAME.to_owned()]).unwrap();
    let own = params.self_signed(&key).unwrap().pem();
    let own = Credentials::from_pem(&own, &key.serialize_pem()).unwrap();
    let config = trust(&house).server(&own, true).unwrap();
    let heard = std::sync::Arc::clone(&seen);
    let tasks = tokio_util::task::TaskTracker::new();
    let serving = tasks.spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (card, heard) = (card.clone(), std::sync::Arc::clone(&heard));
            let served = net_link::serve(tcp, std::sync::Arc::clone(&config), |_| {
                move |request: hyper::Request<hyper::body::Incoming>| {
                    let (card, heard) = (card.clone(), std::sync::Arc::clone(&heard));
                    async move {
                        let body = net_link::read(request.into_body(), 65536, LIMIT).await;
                        heard.lock().unwrap().extend(body.unwrap());
                        net_link::text(StatusCode::OK, "application/json", card)
                    }
                }
            });
            drop(served.await);
        }
    });
    let state = house.state("claw1");
    let joined = uplink::join(&token, &[middle], &state, host_now).await;
    assert!(
        matches!(joined, Err(JoinError::AnotherHouse(_))),
        "{joined:?}"
    );
    let seen = String::from_utf8_lossy(&seen.lock().unwrap()).into_owned();
    assert!(!seen.contains(&secret));
    house.join(&token, "claw1").await.unwrap();
    serving.abort();
    house.end().await;
}

#[tokio::test]
async fn a_host_that_answers_at_another_s_address_is_not_taken_for_it() {
    let house = House::start().await;
    let (a, b) = (free(), free());
    for (name, at) in [("claw1", a), ("claw2", b)] {
        let token = house.invite(name, Some(at), false).await.unwrap();
        let state = house.state(name);
        uplink::wait_to_be_called(&token, at, &state, host_now)
            .await
            .unwrap();
    }
    // The second one listens where the first is called.
    let shelf = house.run("claw2", a);
    report(&shelf);
    let mut called = TcpStream::connect_timeout(&a, LIMIT);
    until("the listener", || {
        called = TcpStream::connect_timeout(&a, LIMIT);
        let there = called.is_ok();
        async move { there }
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(house.taken("claw1").is_empty());
    house.end().await;
}

#[tokio::test]
async fn only_the_control_plane_of_its_house_is_heard_by_a_host_that_is_called() {
    let house = House::start().await;
    let at = free();
    let token = house.invite("claw1", Some(at), false).await.unwrap();
    let state = house.state("claw1");
    uplink::wait_to_be_called(&token, at, &state, host_now)
        .await
        .unwrap();
    let shelf = house.run("claw1", at);
    report(&shelf);
    until("a report", || async { house.taken("claw1") == [1] }).await;
    let neighbour = certificate(&authority(&house), "portcullis://house/red/claw2");
    let ask = async |own: Option<&Credentials>| {
        let config = trust(&house).client(own).unwrap();
        let mut talk = Talk::open(at, &config, HOST_NAME, LIMIT).await.ok()?;
        let path = "/v1/reports?through=0";
        let reply = talk
            .ask(Method::GET, path, bytes::Bytes::new(), 65536, LIMIT)
            .await;
        Some(reply.ok()?.status)
    };
    assert_eq!(ask(Some(&neighbour)).await, Some(StatusCode::FORBIDDEN));
    assert_eq!(ask(None).await, None);
    house.end().await;
}

#[tokio::test]
async fn slow_and_long_questions_keep_no_host_waiting() {
    let house = House::start().await;
    house.joined("gw1").await;
    let mut hanging = Vec::new();
    for _ in 0..200 {
        let tcp = tokio::net::TcpStream::connect(house.address).await.unwrap();
        tcp.writable().await.unwrap();
        tcp.try_write(&[22]).unwrap();
        hanging.push(tcp);
    }
    let config = trust(&house).client(None).unwrap();
    let mut talk = Talk::open(house.address, &config, CONTROL_NAME, LIMIT)
        .await
        .unwrap();
    let long = vec![b'x'; 300 * 1024];
    let reply = talk
        .ask(Method::POST, JOIN_PATH, long.into(), 4096, LIMIT)
        .await;
    assert!(reply.is_err_and_or_status(StatusCode::PAYLOAD_TOO_LARGE));
    let shelf = house.run("gw1", free());
    report(&shelf);
    until("its report", || async { house.taken("gw1") == [1] }).await;
    drop(hanging);
    house.end().await;
}

trait Refused {
    fn is_err_and_or_status(&self, status: StatusCode) -> bool;
}

/// The answer may be lost when the rest of the question is not read.
impl Refused for Result<net_link::Reply, net_link::TalkError> {
    fn is_err_and_or_status(&self, status: StatusCode) -> bool {
        self.as_ref().map_or(true, |reply| reply.status == status)
    }
}

#[tokio::test]
async fn a_connection_that_was_set_up_before_outlives_no_certificate() {
    let house = House::with_life(60_000).await;
    house.joined("claw1").await;
    let identity = std::fs::read(house.state("claw1").join("identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
    let text = |key: &str| identity[key].as_str().unwrap().to_owned();
    let own = Credentials::from_pem(&text("certificate"), &text("key")).unwrap();
    let config = trust(&house).client(Some(&own)).unwrap();
    let mut talk = Talk::open(house.address, &config, CONTROL_NAME, LIMIT)
        .await
        .unwrap();
    let line = r#"{"v":1,"seq":1}"#;
    let reply = talk
        .ask(Method::POST, REPORTS_PATH, line.into(), 4096, LIMIT)
        .await;
    assert_eq!(reply.unwrap().status, StatusCode::OK);
    control_goes_ahead(61_000);
    let reply = talk
        .ask(Method::POST, REPORTS_PATH, line.into(), 4096, LIMIT)
        .await;
    assert_eq!(reply.unwrap().status, StatusCode::FORBIDDEN);
    house.end().await;
}

#[tokio::test]
async fn what_is_no_tls_gets_no_answer() {
    let house = House::start().await;
    let address: SocketAddr = house.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(LIMIT)).unwrap();
        tcp.write_all(b"GET /v1/card HTTP/1.1\r\nhost: x\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        tcp.read_to_end(&mut answer).unwrap_or(0);
        answer
    });
    let answer = String::from_utf8_lossy(&answer.await.unwrap()).into_owned();
    assert!(!answer.contains("authority"), "{answer}");
    house.end().await;
}

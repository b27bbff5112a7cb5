//! What is said of streams whenever they were not seen to end.

use super::*;
use kill_wire::Incident;

fn all() -> Closing {
    Closing {
        all: Some(Some(Incident::FIRST)),
        ..Closing::default()
    }
}

fn ports() -> [SocketAddr; 1] {
    // A port nobody has: nothing of this machine is ended by this test.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    [listener.local_addr().unwrap()]
}

#[tokio::test]
async fn what_the_owner_does_not_want_ended_goes_on_and_is_said_at_each_order() {
    let streams = Streams::of(&ports(), false);
    assert!(streams.notice().unwrap().contains("when a cut comes"));
    assert_eq!(streams.end(&Closing::default()).await, Severed::default());
    for _ in 0..3 {
        let done = streams.end(&all()).await;
        assert_eq!(done.goes_on.as_deref(), Some("sever = false"));
        assert!(streams.notice().unwrap().contains("were open go on"));
    }
    // A restore closes nothing: nothing has to end.
    assert_eq!(streams.end(&Closing::default()).await, Severed::default());
    assert!(streams.notice().unwrap().contains("when a cut comes"));
    assert!(streams.end(&all()).await.goes_on.is_some());
}

#[tokio::test]
async fn what_has_ended_once_is_not_ended_twice() {
    let streams = Streams::of(&ports(), true);
    if fence::may_sever().is_err() {
        assert!(streams.end(&all()).await.goes_on.is_some());
        return;
    }
    assert_eq!(streams.end(&all()).await, Severed::default());
    assert_eq!(streams.known().ended, all());
    assert_eq!(streams.notice(), None);
}

#[test]
fn only_what_the_kernel_ended_wholly_is_taken_for_ended() {
    let of = |ended, failed, denied, why: Option<&str>| {
        came_of(fence::Severed {
            ended,
            failed,
            denied,
            why: why.map(ToOwned::to_owned),
        })
    };
    let whole = of(3, 0, false, None);
    assert_eq!(
        (whole.severed, whole.lingering, whole.goes_on),
        (3, 0, None)
    );
    let denied = of(0, 2, true, Some("Operation not permitted"));
    assert_eq!(
        denied.goes_on.as_deref(),
        Some("no CAP_NET_ADMIN (2 connections)")
    );
    let half = of(5, 1, false, Some("it is busy"));
    assert_eq!((half.severed, half.lingering), (6, 1));
    assert_eq!(half.goes_on.as_deref(), Some("it is busy (1 connections)"));
    let unknown = of(0, 0, false, Some("the kernel is silent"));
    assert_eq!(unknown.goes_on.as_deref(), Some("the kernel is silent"));
}

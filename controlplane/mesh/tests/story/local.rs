//! Our client of the service of this machine.

use crate::fake::{STATUS, Says, Server, with};
use mesh::{LocalApi, LocalError};
use net_model::KeyEnd;
use serde_json::{Value, json};
use std::time::Duration;

const ASKED: &str = "GET /localapi/v0/status";

async fn status(says: Says) -> Result<mesh::Status, LocalError> {
    let server = Server::local();
    server.book.on(ASKED, says);
    LocalApi::at(server.socket()).status().await
}

#[tokio::test]
async fn a_whole_answer_gives_every_node_with_what_matters_of_it() {
    let status = status(Says::json(STATUS)).await.unwrap();
    assert_eq!(
        (status.state.as_str(), status.network.as_str()),
        ("Running", "house.example")
    );
    let [own, claw, laptop] = status.nodes.as_slice() else {
        panic!("{status:?}")
    };
    assert!(own.own && own.relayed.is_none());
    assert_eq!(own.login, "ada@house.example");
    assert!(matches!(own.key, KeyEnd::At(_)));
    assert_eq!(
        (claw.id.as_str(), claw.name.as_str(), claw.login.as_str()),
        ("nCLAW1CNTRL", "claw1", "")
    );
    assert_eq!(claw.routes, ["10.20.10.0/24".parse().unwrap()]);
    assert!(claw.exit_node && claw.ssh && claw.relayed == Some(true));
    assert_eq!(claw.key, KeyEnd::Never);
    assert_eq!((laptop.key, laptop.relayed), (KeyEnd::Ended, Some(false)));
    assert_eq!(status.unreadable, 0);
}

#[tokio::test]
async fn states_fields_and_gaps_of_other_versions_do_not_hide_the_rest() {
    for (pointer, value) in [
        ("/BackendState", json!("InUseOtherUser")),
        ("/BackendState", Value::Null),
        ("/Self", Value::Null),
        ("/Peer", Value::Null),
        ("/User", Value::Null),
        ("/CurrentTailnet", Value::Null),
        ("/Health", Value::Null),
        ("/New", json!({ "with": ["anything"] })),
        ("/Peer/nodekey:07", Value::Null),
        ("/Peer/nodekey:07/Tags", Value::Null),
        ("/Peer/nodekey:07/OS", Value::Null),
    ] {
        let status = status(Says::json(with(STATUS, pointer, value))).await;
        assert_eq!(status.unwrap().unreadable, 0, "{pointer}");
    }
}

#[tokio::test]
async fn a_peer_of_wrong_types_is_counted_and_hides_no_other() {
    let bad = with(STATUS, "/Peer/nodekey:07/Tags", json!("tag:agent"));
    let status = status(Says::json(bad)).await.unwrap();
    assert_eq!((status.nodes.len(), status.unreadable), (2, 1));
}

#[tokio::test]
async fn every_status_is_told_apart() {
    let refused = |status| Says::status(status, "no");
    assert!(matches!(
        status(refused(404)).await,
        Err(LocalError::Nobody)
    ));
    assert!(matches!(
        status(refused(403)).await,
        Err(LocalError::Denied)
    ));
    assert!(matches!(
        status(refused(500)).await,
        Err(LocalError::Status(500))
    ));
}

#[tokio::test]
async fn answers_that_break_off_or_are_none_are_errors() {
    assert!(matches!(
        status(Says::Half).await,
        Err(LocalError::Broken(_))
    ));
    for text in ["", "null", "[]", "{\"BackendState\":7}", "{\"Peer\":[]}"] {
        let error = status(Says::json(text)).await.unwrap_err();
        assert!(
            matches!(error, LocalError::NotUnderstood(_)),
            "{text}: {error}"
        );
    }
    for end in 0..STATUS.len() - 2 {
        if end % 97 == 0 {
            let cut = status(Says::json(&STATUS[..end])).await;
            assert!(matches!(cut, Err(LocalError::NotUnderstood(_))), "{end}");
        }
    }
}

#[tokio::test]
async fn a_service_that_never_answers_or_never_ends_is_given_up() {
    assert!(matches!(
        status(Says::Nothing).await,
        Err(LocalError::Silent)
    ));
    let long = vec![b' '; 8 * 1024 * 1024 + 1];
    assert!(matches!(
        status(Says::json(long)).await,
        Err(LocalError::TooLong)
    ));
    let gone = LocalApi::at("/nonexistent/socket").status().await;
    assert!(matches!(gone, Err(LocalError::Unreachable { .. })));
}

#[tokio::test]
async fn changes_are_heard_as_they_come() {
    let server = Server::local();
    let pieces = vec![
        "{\"Prefs\":nu",
        "ll}\n{\"State\":6}\n",
        "{\"State\":",
        "4}\n",
    ];
    server.book.on(
        "GET /localapi/v0/watch-ipn-bus?mask=45056",
        Says::Pieces(pieces),
    );
    let mut bus = LocalApi::at(server.socket()).watch().await.unwrap();
    let heard = async {
        let mut lines = 0;
        while lines < 3 {
            lines += bus.changed().await.unwrap().unwrap();
        }
        lines
    };
    assert_eq!(
        tokio::time::timeout(Duration::from_secs(20), heard)
            .await
            .unwrap(),
        3
    );
}

#[tokio::test]
async fn a_service_that_goes_ends_the_stream() {
    let server = Server::local();
    server.book.on(
        "GET /localapi/v0/watch-ipn-bus?mask=45056",
        Says::json("{}\n"),
    );
    let mut bus = LocalApi::at(server.socket()).watch().await.unwrap();
    assert_eq!(bus.changed().await.unwrap(), Some(1));
    assert_eq!(bus.changed().await.unwrap(), None);
}

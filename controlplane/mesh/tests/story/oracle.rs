//! The public crate for the same interface reads the same out of the same answers, and where it does not, why it is not ours.

use crate::fake::{STATUS, Says, Server, WHOIS, with};
use mesh::LocalApi;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;

const WHO: &str = "GET /localapi/v0/whois?addr=100.64.0.8:4321";

fn peer() -> SocketAddr {
    "100.64.0.8:4321".parse().unwrap()
}

#[tokio::test]
async fn both_read_the_same_nodes() {
    let server = Server::local();
    server
        .book
        .on("GET /localapi/v0/status", Says::json(STATUS));
    let theirs = tailscale_localapi::LocalApi::new_with_socket_path(server.socket());
    let theirs = theirs.status().await.unwrap();
    let ours = LocalApi::at(server.socket()).status().await.unwrap();
    let ids = |own: &str, peers: Vec<&str>| -> BTreeSet<String> {
        peers.into_iter().chain([own]).map(str::to_owned).collect()
    };
    let peers = theirs.peer.values().map(|it| it.id.as_str()).collect();
    let listed: BTreeSet<String> = ours.nodes.iter().map(|it| it.id.clone()).collect();
    assert_eq!(listed, ids(&theirs.self_status.id, peers));
    assert_eq!(ours.addresses, theirs.tailscale_ips);
    for node in &ours.nodes {
        let same = theirs.peer.values().find(|it| it.id == node.id);
        let same = same.unwrap_or(&theirs.self_status);
        assert_eq!(node.addresses, same.tailscale_ips);
        assert_eq!(node.tags, same.tags);
        assert_eq!(node.online, Some(same.online));
        assert_eq!(node.exit_node, same.exit_node_option);
        assert_eq!(node.ssh, !same.ssh_hostkeys.is_empty());
    }
}

#[tokio::test]
async fn both_know_the_same_person() {
    let server = Server::local();
    server.book.on(WHO, Says::json(WHOIS));
    let theirs = tailscale_localapi::LocalApi::new_with_socket_path(server.socket());
    let theirs = theirs.whois(peer()).await.unwrap();
    let ours = LocalApi::at(server.socket()).whois(peer()).await.unwrap();
    assert_eq!(ours.stable_id, theirs.node.stable_id);
    assert_eq!(ours.login, theirs.user_profile.login_name);
    assert_eq!(ours.display, theirs.user_profile.display_name);
}

#[tokio::test]
async fn ours_reads_what_makes_the_other_fail_whole() {
    for (pointer, value) in [
        ("/BackendState", json!("InUseOtherUser")),
        ("/Self", Value::Null),
    ] {
        let server = Server::local();
        let answer = Says::json(with(STATUS, pointer, value));
        server.book.on("GET /localapi/v0/status", answer);
        let theirs = tailscale_localapi::LocalApi::new_with_socket_path(server.socket());
        assert!(theirs.status().await.is_err(), "{pointer}");
        assert!(
            LocalApi::at(server.socket()).status().await.is_ok(),
            "{pointer}"
        );
    }
}

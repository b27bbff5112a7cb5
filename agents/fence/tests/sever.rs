//! Connections to ports of this host end, and nothing else does: real sockets on loopback, on ports of the test's own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test starts itself anew, without the right"
)]

use fence::{may_sever, sever};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

/// Whether this process may end connections.
fn may() -> bool {
    let may = may_sever();
    if let Err(why) = &may {
        eprintln!("SKIPPED: needs CAP_NET_ADMIN: {why}");
    }
    may.is_ok()
}

/// A listening socket and a connection to it that nobody has accepted yet.
fn pair(at: &str) -> (TcpListener, TcpStream) {
    let listener = TcpListener::bind(at).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    (listener, client)
}

fn ended(mut client: &TcpStream) -> bool {
    let read = client.read(&mut [0; 8]);
    read.is_err_and(|why| why.kind() == ErrorKind::ConnectionReset)
}

#[test]
fn what_is_connected_ends_and_the_port_goes_on_listening() {
    if !may() {
        return;
    }
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let (listener, idle) = pair(at);
        let port = listener.local_addr().unwrap().port();
        let (mut served, _) = listener.accept().unwrap();
        let waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        waiting
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let (other, mut stays) = pair(at);
        let (mut beyond, _) = other.accept().unwrap();

        let done = sever(&[port]);
        assert_eq!((done.ended, done.failed), (2, 0), "{at}: {done:?}");
        assert!(done.whole());
        assert!(ended(&idle) && ended(&waiting), "{at}");
        assert!(served.write_all(b"more").is_err(), "{at}: our side too");

        beyond.write_all(b"on").unwrap();
        stays.read_exact(&mut [0; 2]).unwrap();
        // What waited to be accepted may still be handed over, dead.
        let mut fresh = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        fresh.write_all(b"x").unwrap();
        let served = (0..2).any(|_| {
            let (mut taken, _) = listener.accept().unwrap();
            taken.read_exact(&mut [0; 1]).is_ok()
        });
        assert!(served, "{at}: still listening");
    }
}

#[test]
fn a_socket_of_the_newer_family_that_speaks_the_older_one_ends_too() {
    if !may() {
        return;
    }
    let listener = TcpListener::bind("[::]:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let served = listener.accept().unwrap();
    assert_eq!(sever(&[port]).ended, 1);
    assert!(ended(&client));
    drop(served);
}

#[test]
fn several_ports_end_at_once_and_a_port_with_nobody_is_no_failure() {
    if !may() {
        return;
    }
    let (one, at_one) = pair("127.0.0.1:0");
    let (two, at_two) = pair("127.0.0.1:0");
    let ports = [&one, &two].map(|listener| listener.local_addr().unwrap().port());
    assert_eq!(sever(&ports).ended, 2);
    assert!(ended(&at_one) && ended(&at_two));
    assert_eq!(sever(&ports).ended, 0);
    assert!(sever(&ports).whole() && sever(&[]).whole());
}

#[test]
fn without_the_right_it_says_so_and_how_many_go_on() {
    const MARK: &str = "PORTCULLIS_SEVER_WITHOUT_RIGHT";
    if std::env::var_os(MARK).is_some() {
        let (listener, mut client) = pair("127.0.0.1:0");
        let done = sever(&[listener.local_addr().unwrap().port()]);
        assert_eq!((done.ended, done.failed, done.denied), (0, 1, true));
        assert!(!done.whole() && may_sever().is_err());
        let (mut served, _) = listener.accept().unwrap();
        served.write_all(b"on").unwrap();
        client.read_exact(&mut [0; 2]).unwrap();
        return;
    }
    let drop_right = ["--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    let may = Command::new("setpriv")
        .args(drop_right)
        .arg("true")
        .output();
    if !may.is_ok_and(|ended| ended.status.success()) {
        eprintln!("SKIPPED: needs root and setpriv");
        return;
    }
    let ended = Command::new("setpriv")
        .args(drop_right)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "without_the_right_it_says_so_and_how_many_go_on"])
        .env(MARK, "1")
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stdout)
    );
}

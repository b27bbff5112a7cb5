//! A flood of connections that bring nothing does not keep a signed text out.

use crate::house::{House, kill_code};
use crate::inbound::{send, signed};
use killswitchd::Settings;
use std::io::Write as _;
use std::net::TcpStream;

#[test]
fn hundreds_of_connections_held_open_make_room_for_a_signed_text() {
    let (channel, secret) = signed("local", 1);
    let house = House::up(Settings {
        channels: vec![channel],
        ..Settings::default()
    });
    let held: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut stream = TcpStream::connect(house.address).unwrap();
            // Half a request: the rest never comes.
            stream
                .write_all(b"POST /v1/inbound/local HTTP/1.1\r\n")
                .unwrap();
            stream
        })
        .collect();
    let (status, said) = send(&house, &secret, "m1", &format!("KILL {}", kill_code()));
    assert!(status == 200 && said.contains("CUT ALL"), "{status} {said}");
    drop(held);
}

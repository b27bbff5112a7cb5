//! Looks past the gateway: what is reachable from this host by v4 and v6, and what is none of anybody's business.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use gateways::{Driver, Memory};
use kill_wire::{Look, Looked, Reached, SigningKey};
use node_agent::{NodeAgent, Settings, Silence};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// An agent of two kill switches that may be asked to try these.
struct Site {
    agent: NodeAgent,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Site {
    fn new(direct: Vec<SocketAddr>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        node_agent::create_state(dir.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            node: "lab".to_owned(),
            keys: vec![key(7).verifying_key(), key(8).verifying_key()],
            state_dir: dir.path().to_owned(),
            gateways: vec![Driver::Memory(Memory::default())],
            on_silence: Silence::default(),
            direct,
            fence: None,
        };
        let agent = NodeAgent::start(settings, listener).unwrap();
        Self {
            agent,
            address,
            _dir: dir,
        }
    }

    fn post(&self, body: &[u8]) -> (u16, String) {
        let mut line = TcpStream::connect(self.address).unwrap();
        line.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST /v1/looks HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        line.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap();
        let status = answer.get(9..12).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, body.to_owned())
    }

    fn look(&self, seed: u8, addresses: &[&str]) -> Vec<Reached> {
        let look = Look {
            nonce: [seed; 16],
            addresses: addresses.iter().map(ToString::to_string).collect(),
        };
        let (status, body) = self.post(&look.seal(&key(seed)));
        assert_eq!(status, 200, "{body}");
        let looked: Looked = serde_json::from_str(&body).unwrap();
        assert_eq!((looked.node.as_str(), looked.nonce.len()), ("lab", 32));
        let asked: Vec<&str> = looked.seen.iter().map(|(at, _)| at.as_str()).collect();
        assert_eq!(asked, addresses);
        looked
            .seen
            .into_iter()
            .map(|(_, reached)| reached)
            .collect()
    }

    fn stop(self) {
        assert!(self.agent.stop(PATIENCE));
    }
}

/// A listener that never accepts, and an address where nothing listens.
fn open_and_shut(host: &str) -> (TcpListener, [SocketAddr; 2]) {
    let open = TcpListener::bind((host, 0)).unwrap();
    let shut = TcpListener::bind((host, 0)).unwrap().local_addr().unwrap();
    let addresses = [open.local_addr().unwrap(), shut];
    (open, addresses)
}

#[test]
fn listed_addresses_are_tried_by_v4_and_v6_and_others_are_not() {
    let (_four, v4) = open_and_shut("127.0.0.1");
    let (_six, v6) = open_and_shut("::1");
    let unlisted = TcpListener::bind("127.0.0.1:0").unwrap();
    unlisted.set_nonblocking(true).unwrap();
    let site = Site::new([v4, v6].concat());
    let mut names: Vec<String> = [v4, v6].concat().iter().map(ToString::to_string).collect();
    names.push(unlisted.local_addr().unwrap().to_string());
    names.extend(["chat.example:443".to_owned(), "".to_owned()]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let seen = [
        Reached::Open,
        Reached::Refused,
        Reached::Open,
        Reached::Refused,
        Reached::Unlisted,
        Reached::Unlisted,
        Reached::Unlisted,
    ];
    // Each kill switch of the house may ask.
    assert_eq!(site.look(7, &names), seen);
    assert_eq!(site.look(8, &names), seen);
    assert!(unlisted.accept().is_err(), "nobody knocked there");
    site.stop();
}

#[test]
fn a_look_of_nobody_of_this_house_is_refused_and_nothing_is_tried() {
    let listed = TcpListener::bind("127.0.0.1:0").unwrap();
    listed.set_nonblocking(true).unwrap();
    let address = listed.local_addr().unwrap();
    let site = Site::new(vec![address]);
    let look = Look {
        nonce: [1; 16],
        addresses: vec![address.to_string()],
    };
    assert_eq!(site.post(&look.seal(&key(9))).0, 403);
    assert_eq!(site.post(b"").0, 403);
    assert_eq!(site.post(&vec![b'a'; 5000]).0, 400);
    assert!(listed.accept().is_err());
    site.stop();
}

/// Runs `ip` or another tool with these words.
#[expect(
    clippy::disallowed_methods,
    reason = "a test builds a network of its own"
)]
fn run(line: &str) -> Result<(), String> {
    let mut words = line.split(' ');
    let done = Command::new(words.next().unwrap()).args(words).output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A second network with one host in it, which listens on port 8443 by v4 and v6.
struct Net {
    name: String,
    host: Option<Child>,
}

impl Net {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test needs a host in that network"
    )]
    fn make() -> Result<Self, String> {
        let name = format!("pc{}", std::process::id());
        run(&format!("ip netns add {name}"))?;
        let mut net = Self {
            name: name.clone(),
            host: None,
        };
        for line in [
            "ip link add NAMEa type veth peer name NAMEb netns NAME",
            "ip addr add 10.213.7.1/24 dev NAMEa",
            "ip -6 addr add fd13:7::1/64 dev NAMEa nodad",
            "ip link set NAMEa up",
            "ip netns exec NAME ip addr add 10.213.7.2/24 dev NAMEb",
            "ip netns exec NAME ip -6 addr add fd13:7::2/64 dev NAMEb nodad",
            "ip netns exec NAME ip link set NAMEb up",
        ] {
            run(&line.replace("NAME", &name))?;
        }
        let listen = "import socket\nkeep=[]\nfor f,a in ((socket.AF_INET,'10.213.7.2'),(socket.AF_INET6,'fd13:7::2')):\n s=socket.socket(f);s.bind((a,8443));s.listen();keep.append(s)\nprint('up',flush=True)\nimport time;time.sleep(60)";
        let mut host = Command::new("ip")
            .args(["netns", "exec", &name, "python3", "-c", listen])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut up = [0; 3];
        let told = host.stdout.as_mut().unwrap().read_exact(&mut up);
        net.host = Some(host);
        told.map_err(|error| error.to_string())?;
        Ok(net)
    }

    /// From now on nothing comes back: by a firewall where there is one, else by routes that lead nowhere.
    fn drop_all(&self) {
        let within = format!("ip netns exec {}", self.name);
        let walled = run(&format!("{within} nft add table inet wall"))
            .and_then(|()| run(&format!("{within} nft add chain inet wall in {{ type filter hook input priority 0 ; policy drop ; }}")));
        if walled.is_err() {
            run(&format!("{within} ip route add blackhole 10.213.7.1/32")).unwrap();
            run(&format!("{within} ip -6 route add blackhole fd13:7::1/128")).unwrap();
        }
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        if let Some(host) = &mut self.host {
            drop(host.kill());
            drop(host.wait());
        }
        drop(run(&format!("ip netns del {}", self.name)));
    }
}

#[test]
fn what_a_firewall_drops_is_silent_and_the_look_does_not_wait_for_it() {
    let net = match Net::make() {
        Ok(net) => net,
        Err(why) => {
            eprintln!("SKIPPED: no network can be made here (needs root and `ip`): {why}");
            return;
        }
    };
    let far = ["10.213.7.2:8443", "[fd13:7::2]:8443"];
    let site = Site::new(far.iter().map(|far| far.parse().unwrap()).collect());
    // The new link needs a moment to carry.
    let mut tries = 0..50;
    while site.look(7, &far) != [Reached::Open; 2] {
        assert!(tries.next().is_some(), "not reached: {far:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    net.drop_all();
    assert_eq!(site.look(7, &far), [Reached::Silent; 2]);
    drop(net);
    let gone = site.look(7, &far);
    assert!(!gone.contains(&Reached::Open), "{gone:?}");
    site.stop();
}

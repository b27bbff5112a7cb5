//! One kill switch with one person, and the ways to speak to it.

use kill_core::{Digits, Key, People};
use kill_inbound::{Channel, Options};
use kill_wire::{
    FromCourier, LeverError, LeverReply, LeverRequest, SigningKey, StateReport, Timestamp,
    ToCourier,
};
use killctl::Lever;
use killswitchd::{KillSwitch, Settings};
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// The owner's phone.
pub(crate) const PHONE: &str = "+4712345678";

pub(crate) struct House {
    pub(crate) dir: TempDir,
    switch: Option<KillSwitch>,
    pub(crate) address: SocketAddr,
}

pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap())
}

fn kill_key() -> Key {
    Key::from_random([1; 20], Digits::Eight)
}

fn restore_key() -> Key {
    Key::from_random([2; 20], Digits::Eight)
}

/// The owner's KILL code of this moment.
pub(crate) fn kill_code() -> String {
    kill_key().code_at(now().step())
}

pub(crate) fn restore_code() -> String {
    restore_key().code_at(now().step())
}

pub(crate) fn people() -> People {
    let person = serde_json::json!({
        "name": "owner", "kill": kill_key(), "restore": restore_key(), "senders": [PHONE],
    });
    People::parse(&serde_json::json!({"version": 1, "people": [person]}).to_string()).unwrap()
}

/// A channel that needs no secret.
pub(crate) fn pulled(name: &str, kind: &str) -> Channel {
    Channel::new(name, kind, Options::default()).unwrap()
}

/// A folder as first start leaves it.
pub(crate) fn fresh() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    killswitchd::create_state(dir.path(), &SigningKey::from_bytes(&[7; 32])).unwrap();
    fs::write(dir.path().join("people.json"), people().to_json()).unwrap();
    dir
}

impl House {
    pub(crate) fn up(settings: Settings) -> Self {
        Self::up_in(fresh(), settings)
    }

    pub(crate) fn up_in(dir: TempDir, settings: Settings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings {
            state_dir: dir.path().to_owned(),
            ..settings
        };
        let switch = KillSwitch::start(settings, listener).unwrap();
        Self {
            dir,
            switch: Some(switch),
            address,
        }
    }

    /// Stops, and leaves its folder.
    pub(crate) fn down(mut self) -> TempDir {
        self.switch.take().unwrap().stop(LIMIT);
        let empty = tempfile::tempdir().unwrap();
        std::mem::replace(&mut self.dir, empty)
    }

    pub(crate) fn ask(&self, request: &LeverRequest) -> LeverReply {
        self.try_asking(request).unwrap()
    }

    pub(crate) fn try_asking(&self, request: &LeverRequest) -> Result<LeverReply, LeverError> {
        let lever = Lever::at(killswitchd::lever_socket(self.dir.path()));
        lever.ask(request, LIMIT)
    }

    pub(crate) fn state(&self) -> StateReport {
        match self.ask(&LeverRequest::State) {
            LeverReply::State(state) => *state,
            other => panic!("no state: {other:?}"),
        }
    }

    /// Waits until the state is as `wanted` says.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&StateReport) -> bool) -> StateReport {
        let until = Instant::now() + LIMIT;
        loop {
            let state = self.state();
            if wanted(&state) {
                return state;
            }
            assert!(Instant::now() < until, "never {what}: {state:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn cut(&self) -> Vec<String> {
        let state = self.state();
        let latches = state.latches.as_slice().iter();
        latches.map(|latch| latch.scope.to_string()).collect()
    }

    pub(crate) fn courier(&self) -> Courier {
        Courier::at(&killswitchd::courier_socket(self.dir.path()))
    }

    /// One HTTP call; gives status and body.
    pub(crate) fn call(&self, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let length = body.len();
        let request = format!(
            "{head}\r\nhost: house\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        (status, body)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(switch) = self.switch.take() {
            switch.stop(LIMIT);
        }
    }
}

/// The other end of the courier's socket.
pub(crate) struct Courier {
    lines: BufReader<UnixStream>,
}

impl Courier {
    pub(crate) fn at(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self {
            lines: BufReader::new(stream),
        }
    }

    pub(crate) fn say(&mut self, message: &FromCourier) {
        let mut line = serde_json::to_vec(message).unwrap();
        line.push(b'\n');
        self.raw(&line);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.lines.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn text(&mut self, channel: &str, id: &str, text: &str) {
        self.say(&FromCourier::Text {
            channel: channel.to_owned(),
            id: id.to_owned(),
            sender: Some(PHONE.to_owned()),
            text: text.to_owned(),
            sent: None,
        });
    }

    /// The next message; none when it was hung up on.
    pub(crate) fn next(&mut self) -> Option<ToCourier> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Err(why) if why.kind() == ErrorKind::ConnectionReset => return None,
            read => read.unwrap(),
        };
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Skips the state until something else comes.
    pub(crate) fn next_but_state(&mut self) -> ToCourier {
        loop {
            match self.next().unwrap() {
                ToCourier::State { .. } => {}
                other => return other,
            }
        }
    }

    pub(crate) fn taken(&mut self) -> String {
        match self.next_but_state() {
            ToCourier::Taken { id, .. } => id,
            other => panic!("not taken: {other:?}"),
        }
    }

    /// Number and text of the next reply.
    pub(crate) fn reply(&mut self) -> (u64, String) {
        loop {
            if let ToCourier::Reply { number, text, .. } = self.next().unwrap() {
                return (number, text);
            }
        }
    }
}

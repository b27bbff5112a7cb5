//! One data folder with its configuration, and the program run on it.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(20);

/// Every port chosen by the system. Ends within `[gateway]`: tests add keys of it.
pub(crate) const FREE_PORTS: &str = "[controlplane]\nlisten = \"127.0.0.1:0\"\n[killswitch]\nlisten = \"127.0.0.1:0\"\n[agent]\nlisten = \"127.0.0.1:0\"\n[hosts]\nlisten = \"127.0.0.1:0\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n";

pub(crate) struct House {
    folder: tempfile::TempDir,
}

/// `portcullis up` or `serve`, ended when dropped.
pub(crate) struct Up {
    child: Child,
    lines: mpsc::Receiver<String>,
    /// Standard output so far.
    pub(crate) seen: Vec<String>,
}

impl House {
    pub(crate) fn new() -> Self {
        let house = Self {
            folder: tempfile::Builder::new().prefix("pc-").tempdir().unwrap(),
        };
        house.configure(FREE_PORTS);
        house
    }

    /// With keys and state, as a first start left them.
    pub(crate) fn set_up() -> Self {
        let house = Self::new();
        house.start(&["up", "--json"]).stop();
        house
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("d")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("portcullis.toml")
    }

    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.data().join(name)).unwrap()
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command
            .args(words)
            .arg("--data")
            .arg(self.data())
            .arg("--config")
            .arg(self.config());
        plain(&mut command, self.folder.path());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs a command that must do what it says; gives its standard output.
    pub(crate) fn good(&self, words: &[&str]) -> String {
        let done = self.run(words);
        assert!(
            done.status.success(),
            "{words:?} ended with {}: {}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap()
    }

    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let mut words = words.to_vec();
        words.push("--json");
        serde_json::from_str(&self.good(&words)).unwrap()
    }

    /// Runs a line as a person would paste it.
    pub(crate) fn paste(&self, line: &str) -> Output {
        let mut command = Command::new("sh");
        command.arg("-c").arg(line);
        plain(&mut command, self.folder.path());
        command.output().unwrap()
    }

    /// Starts a program that stays, and waits until it says that it is ready.
    pub(crate) fn start(&self, words: &[&str]) -> Up {
        let mut up = self.spawn(words);
        let last = if words.contains(&"--json") {
            "\"ready\":true"
        } else {
            "A code works once"
        };
        up.wait_for(last);
        up
    }

    pub(crate) fn spawn(&self, words: &[&str]) -> Up {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut child = self
            .command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Up {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Standard error of everything that stayed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub(crate) fn wait_for_log(&self, text: &str) {
        wait(text, || self.log().contains(text));
    }
}

/// Without what the caller's environment would change.
fn plain(command: &mut Command, folder: &Path) {
    for name in [
        "PORTCULLIS_DATA",
        "PORTCULLIS_CONFIG",
        "RUST_LOG",
        "STATE_DIRECTORY",
    ] {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").current_dir(folder);
}

impl Up {
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + LIMIT;
        while !self.seen.iter().any(|line| line.contains(text)) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("never said `{text}`, but: {:#?}", self.seen),
            }
        }
    }

    /// What `--json` said.
    pub(crate) fn ready(&self) -> Value {
        serde_json::from_str(self.seen.last().unwrap()).unwrap()
    }

    /// The line after the one that contains `heading`.
    pub(crate) fn after(&self, heading: &str) -> &str {
        let at = self.seen.iter().position(|line| line.contains(heading));
        self.seen[at.unwrap() + 1].trim()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }

    pub(crate) fn running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Asks it to end; it must, with status 0.
    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        let mut status = None;
        wait("the end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(0));
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if self.running() {
            self.child.kill().unwrap();
        }
        self.child.wait().unwrap();
    }
}

/// Waits for a state.
pub(crate) fn wait(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !check() {
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One HTTP GET over a socket of our own.
pub(crate) fn get(address: &str, path: &str) -> String {
    use std::io::Write as _;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

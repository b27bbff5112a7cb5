//! The mesh's service of this machine, made up: answers `whois` over a unix socket and notes what it was asked.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};

pub(crate) const CAPABILITY: &str = "portcullis.example/cap/dashboard";

/// Status and body of the next answers.
type Says = Arc<Mutex<(u16, Value)>>;

pub(crate) struct MeshService {
    folder: tempfile::TempDir,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    says: Says,
}

/// A person's laptop, whom the policy grants this role.
pub(crate) fn ada(role: &str) -> Value {
    json!({
        "Node": {
            "StableID": "nLAP1CNTRL", "Name": "laptop.house.example.", "Addresses": ["100.64.0.8/32"],
            "AllowedIPs": ["100.64.0.8/32"],
        },
        "UserProfile": { "LoginName": "ada@house.example", "DisplayName": "Owner" },
        "CapMap": { CAPABILITY: [{ "role": role }] },
    })
}

impl MeshService {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let says = Says::new(Mutex::new((200, ada("operator"))));
        let (book, answers) = (Arc::clone(&asked), Arc::clone(&says));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(&stream, &book, &answers);
            }
        });
        Self {
            folder,
            asked,
            says,
        }
    }

    pub(crate) fn says(&self, status: u16, body: Value) {
        *self.says.lock().unwrap() = (status, body);
    }

    /// Remembers nothing of what other askers were told.
    pub(crate) fn whois(&self) -> mesh::Whois {
        mesh::Whois::new(mesh::LocalApi::at(self.folder.path().join("s")), CAPABILITY)
    }

    pub(crate) fn was_asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: &UnixStream, book: &Mutex<Vec<String>>, says: &Says) {
    let lines = BufReader::new(stream).lines();
    let head: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    book.lock().unwrap().extend(head.first().cloned());
    let (status, body) = says.lock().unwrap().clone();
    let body = body.to_string();
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    drop(stream.write_all(text.as_bytes()));
}

//! A provider: HTTP/1.1 on loopback, one request at a time per connection, answered as the test says.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};

use crate::switch::LIMIT;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What it answers.
pub(crate) enum Given {
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Takes the request and says nothing.
    Silence,
    /// Hangs up.
    End,
    /// Lines as they come, until the sender is dropped.
    Lines(Receiver<String>),
}

impl Given {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Answer(200, Vec::new(), value.to_string())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), "{}".to_owned())
    }
}

#[derive(Default)]
struct Log {
    asked: Mutex<Vec<Asked>>,
    news: Condvar,
}

/// Serves until the test ends.
pub(crate) struct Provider {
    pub(crate) url: String,
    log: Arc<Log>,
}

impl Provider {
    /// `answer` gets each request and how many came before it.
    pub(crate) fn serve(answer: impl Fn(&Asked, usize) -> Given + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Log::default());
        let (shared, answer) = (Arc::clone(&log), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || connection(stream.unwrap(), &log, &*answer));
            }
        });
        Self { url, log }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.log.asked.lock().unwrap().clone()
    }

    /// Waits for the request that `wanted` accepts, in the order they came.
    pub(crate) fn wait(&self, wanted: impl Fn(&Asked) -> bool) -> Asked {
        let mut asked = self.log.asked.lock().unwrap();
        loop {
            if let Some(found) = asked.iter().find(|asked| wanted(asked)) {
                return found.clone();
            }
            let (next, waited) = self.log.news.wait_timeout(asked, LIMIT).unwrap();
            asked = next;
            assert!(!waited.timed_out(), "asked only {asked:?}");
        }
    }

    /// Waits until it was asked so often.
    pub(crate) fn wait_for(&self, count: usize) -> Asked {
        let mut asked = self.log.asked.lock().unwrap();
        while asked.len() < count {
            let (next, waited) = self.log.news.wait_timeout(asked, LIMIT).unwrap();
            asked = next;
            assert!(!waited.timed_out(), "asked only {asked:?}");
        }
        asked[count - 1].clone()
    }
}

/// Lines for [`Given::Lines`].
pub(crate) fn lines() -> (Sender<String>, Receiver<String>) {
    channel()
}

fn connection(stream: TcpStream, log: &Log, answer: &impl Fn(&Asked, usize) -> Given) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(asked) = request(&mut reader) {
        let before = {
            let mut all = log.asked.lock().unwrap();
            all.push(asked.clone());
            all.len() - 1
        };
        log.news.notify_all();
        match answer(&asked, before) {
            Given::Answer(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head.push_str(&format!("{name}: {value}\r\n"));
                }
                if write!(writer, "{head}\r\n{body}").is_err() {
                    return;
                }
            }
            Given::Silence => {
                // Until the other side hangs up.
                drop(reader.read(&mut [0]));
                return;
            }
            Given::End => return,
            Given::Lines(lines) => {
                let head = "HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n";
                if write!(writer, "{head}").is_err() {
                    return;
                }
                for line in lines {
                    if write!(writer, "{:x}\r\n{line}\n\r\n", line.len() + 1).is_err() {
                        return;
                    }
                }
                drop(writer.write_all(b"0\r\n\r\n"));
                return;
            }
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Asked {
        method,
        path,
        headers,
        body,
    })
}

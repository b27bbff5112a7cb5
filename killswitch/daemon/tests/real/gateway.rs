//! A gateway and its agent, told how to behave: one route `chat` for `claw` to `box`, and a stream that a probe holds.

use kill_wire::{HOLD_HEADER, Look, Order, SigningKey};
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the pair does.
#[derive(Default)]
pub(crate) struct Script {
    /// The incident that closes everything, as the agent was last ordered.
    cut: Option<u32>,
    /// Streams go on through a cut.
    pub(crate) leaks: bool,
    /// Streams that are held now.
    pub(crate) held: u32,
    /// What the agent says of every address it is asked to look at, before a cut and after it.
    pub(crate) past: Option<[&'static str; 2]>,
}

pub(crate) struct Pair {
    pub(crate) agent: SocketAddr,
    pub(crate) gateway: SocketAddr,
    pub(crate) script: Arc<Mutex<Script>>,
}

const POINTS: &str = r#"{"names":["chat","claw"],"points":[{"kind":"llm","consumer":"claw","route":"chat","target":"box","class":"local"}]}"#;

impl Pair {
    pub(crate) fn up() -> Self {
        let script = Arc::new(Mutex::new(Script::default()));
        Self {
            agent: serve(&script, agent),
            gateway: serve(&script, gateway),
            script,
        }
    }
}

type Handler = fn(&Mutex<Script>, &str, &[u8], &mut TcpStream);

/// Answers every call on a thread of its own until the test ends.
fn serve(script: &Arc<Mutex<Script>>, handler: Handler) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let script = Arc::clone(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || while call(&script, handler, &stream).is_some() {});
        }
    });
    address
}

/// One call on a connection; none when it is over.
fn call(script: &Mutex<Script>, handler: Handler, stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    handler(script, &head, &body, &mut stream.try_clone().ok()?);
    (!head.contains("connection: close")).then_some(())
}

fn answer(stream: &mut TcpStream, status: &str, more: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n{body}");
    // Whoever asked may have gone.
    let _gone = stream.write_all(text.as_bytes());
}

fn agent(script: &Mutex<Script>, head: &str, body: &[u8], stream: &mut TcpStream) {
    let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
    if head.starts_with("post /v1/looks") {
        let script = script.lock().unwrap();
        let [before, after] = script.past.unwrap();
        let seen = if script.cut.is_some() { after } else { before };
        let look = Look::open(body, &key).unwrap();
        let all: Vec<_> = look
            .addresses
            .iter()
            .map(|address| (address, seen))
            .collect();
        let nonce = data_encoding::HEXLOWER.encode(&look.nonce);
        let looked = serde_json::json!({"nonce": nonce, "node": "twin", "seen": all});
        return answer(stream, "200 OK", "", &looked.to_string());
    }
    let order = Order::open(body, &key).unwrap();
    let cut = order.latches.as_slice().first();
    script.lock().unwrap().cut = cut.map(|latch| latch.incident.get());
    let receipt = format!(
        r#"{{"seq":{},"node":"twin","severed":0,"lingering":0,"failed":[],"took_us":1}}"#,
        order.seq
    );
    answer(stream, "200 OK", "", &receipt);
}

fn gateway(script: &Mutex<Script>, head: &str, _body: &[u8], stream: &mut TcpStream) {
    let cut = script.lock().unwrap().cut;
    let other = head.starts_with("get /v1/models");
    match cut {
        _ if other && !head.contains("authorization: bearer sk-claw") => {
            answer(stream, "401 Unauthorized", "", "{}");
        }
        None if other => answer(stream, "200 OK", "", "{}"),
        Some(_) if other && script.lock().unwrap().leaks => answer(stream, "200 OK", "", "{}"),
        _ if !other && head.starts_with("get ") => answer(stream, "200 OK", "", POINTS),
        Some(incident) => answer(
            stream,
            "503 Service Unavailable",
            &format!("x-portcullis-incident: {incident}\r\n"),
            "{}",
        ),
        None if head.contains(HOLD_HEADER) => hold(script, stream),
        None => answer(stream, "200 OK", "", "{}"),
    }
}

fn hold(script: &Mutex<Script>, stream: &mut TcpStream) {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    script.lock().unwrap().held += 1;
    let mut open = stream
        .write_all((head + &chunk(": beat\n\n")).as_bytes())
        .is_ok();
    while open {
        std::thread::sleep(Duration::from_millis(5));
        let (cut, leaks) = {
            let script = script.lock().unwrap();
            (script.cut, script.leaks)
        };
        if let Some(incident) = cut.filter(|_| !leaks) {
            let event =
                format!("data: {{\"error\":{{\"code\":\"cut\",\"incident\":{incident}}}}}\n\n");
            let _gone = stream.write_all((chunk(&event) + "0\r\n\r\n").as_bytes());
            break;
        }
        open = stream.write_all(chunk(": beat\n\n").as_bytes()).is_ok();
    }
    script.lock().unwrap().held -= 1;
}

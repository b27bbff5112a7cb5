//! The sender and the receiver.

use crate::cutter::now;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const RECEIVER: &str = "198.18.20.2:443";
/// Between two small records; the kernel adds its own slack.
const PACE: Duration = Duration::from_micros(50);

/// Paced: 64 bytes about every 100 microseconds. Flat out: 64 KiB at a time.
pub(crate) fn send(bulk: bool) -> anyhow::Result<()> {
    let mut line = loop {
        match TcpStream::connect(RECEIVER) {
            Ok(line) => break line,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    line.set_nodelay(true)?;
    let record = vec![7; if bulk { 65_536 } else { 64 }];
    loop {
        line.write_all(&record)?;
        if !bulk {
            std::thread::sleep(PACE);
        }
    }
}

/// Says `flows` when the first bytes came, and, asked for it, when the last did.
pub(crate) fn receive() -> anyhow::Result<()> {
    let listener = TcpListener::bind(RECEIVER)?;
    let last = Arc::new(AtomicI64::new(0));
    let seen = Arc::clone(&last);
    let reader = std::thread::spawn(move || -> std::io::Result<()> {
        let (mut line, _) = listener.accept()?;
        let mut buffer = vec![0; 65_536];
        while line.read(&mut buffer)? > 0 {
            seen.store(now(), Ordering::Relaxed);
        }
        Ok(())
    });
    while last.load(Ordering::Relaxed) == 0 && !reader.is_finished() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut out = std::io::stdout();
    writeln!(out, "flows")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        line?;
        writeln!(out, "{}", last.load(Ordering::Relaxed))?;
        out.flush()?;
    }
    Ok(())
}

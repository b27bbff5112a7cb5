//! Stands in for a kill switch whose leases are as short as a test wants them: signs orders and sends them to one agent
//! again and again, over one connection, until it is ended.

#![expect(
    clippy::print_stdout,
    reason = "a program of the tests says that it has begun"
)]

use anyhow::Context as _;
use clap::Parser;
use kill_wire::{
    CHALLENGE_HEADER, Challenge, Grant, Incident, Latch, LatchSet, Order, Scope, SigningKey,
    Timestamp,
};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[derive(Parser)]
struct Arguments {
    /// The agent
    #[arg(long)]
    to: SocketAddr,
    /// Every byte of the signing key
    #[arg(long, default_value_t = 7)]
    seed: u8,
    /// How long each order permits, in milliseconds
    #[arg(long)]
    lease_ms: u64,
    /// Between two orders, in milliseconds
    #[arg(long)]
    every_ms: u64,
    /// Number of the first order
    #[arg(long)]
    first: u64,
    /// Cut this scope
    #[arg(long)]
    cut: Option<Scope>,
    /// Only print the public key
    #[arg(long)]
    public: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let key = SigningKey::from_bytes(&[arguments.seed; 32]);
    if arguments.public {
        let bytes = key.verifying_key().to_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{hex}");
        return Ok(());
    }
    let mut seq = arguments.first;
    let mut line: Option<BufReader<TcpStream>> = None;
    let mut challenge = None;
    let mut told = false;
    loop {
        seq += 1;
        let order = order(&arguments, seq, challenge)?.seal(&key);
        match send(&mut line, arguments.to, &order) {
            Ok((status, next)) => {
                challenge = next.or(challenge);
                // The first order answers no challenge yet.
                if status == 200 && !told {
                    println!("permitted");
                    std::io::stdout().flush()?;
                    told = true;
                }
                if status != 200 {
                    continue;
                }
            }
            Err(_) => line = None,
        }
        std::thread::sleep(Duration::from_millis(arguments.every_ms));
    }
}

fn order(arguments: &Arguments, seq: u64, challenge: Option<Challenge>) -> anyhow::Result<Order> {
    let latches = arguments.cut.clone().map(|scope| Latch {
        incident: Incident::FIRST,
        scope,
        since: Timestamp::from_millis(1),
    });
    let latches: Vec<Latch> = latches.into_iter().collect();
    Ok(Order {
        seq,
        issued: Timestamp::from_millis(1),
        nonce: [9; 16],
        grant: Grant {
            lease_ms: arguments.lease_ms,
            answers: challenge.into_iter().collect(),
            ..Grant::default()
        },
        latches: LatchSet::try_from(latches)?,
        theirs: Vec::new(),
    })
}

/// One order and the status of its answer, with the challenge the next must answer.
fn send(
    line: &mut Option<BufReader<TcpStream>>,
    to: SocketAddr,
    order: &[u8],
) -> anyhow::Result<(u16, Option<Challenge>)> {
    let open = match line.take() {
        Some(open) => open,
        None => {
            let open = TcpStream::connect_timeout(&to, Duration::from_millis(500))?;
            open.set_read_timeout(Some(Duration::from_secs(2)))?;
            open.set_nodelay(true)?;
            BufReader::new(open)
        }
    };
    let reader = line.insert(open);
    let length = order.len();
    let mut request =
        format!("POST /v1/orders HTTP/1.1\r\nhost: {to}\r\ncontent-length: {length}\r\n\r\n")
            .into_bytes();
    request.extend(order);
    reader.get_mut().write_all(&request)?;
    let (mut status, mut challenge, mut body) = (0, None, 0);
    loop {
        let mut head = String::new();
        anyhow::ensure!(reader.read_line(&mut head)? > 0, "the agent hung up");
        let head = head.trim();
        if head.is_empty() {
            break;
        }
        if let Some(rest) = head.strip_prefix("HTTP/1.1 ") {
            status = rest.get(..3).context("no status")?.parse()?;
        }
        if let Some((name, value)) = head.split_once(": ") {
            match name {
                CHALLENGE_HEADER => challenge = value.parse().ok(),
                "content-length" => body = value.parse()?,
                _ => {}
            }
        }
    }
    std::io::copy(&mut reader.by_ref().take(body), &mut std::io::sink())?;
    Ok((status, challenge))
}

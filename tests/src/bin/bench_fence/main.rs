//! Measures how fast a fence cuts: a sender, a router with the fence and a receiver in three network namespaces, on one
//! clock. The figure is when the last byte came, counted from just before the cut was asked for.
//!
//! The namespaces are made and taken away by this program; it needs root. Packets that wait in the receiver's queue are
//! read after they came, which is why a stream flat out seems to end later than a paced one.

mod cutter;
mod table;
mod traffic;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use site_tests::bench::page;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Measures how fast a fence cuts.
#[derive(Debug, Parser)]
struct Asked {
    /// Cuts of each kind.
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// Puts the table into this page, between its marks.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// What this process is within the measurement; the program starts itself with it.
    #[arg(long, hide = true)]
    part: Option<Part>,
    /// Whether the sender paces itself.
    #[arg(long, hide = true)]
    bulk: bool,
}

/// What one of the processes does.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// Sends until it is ended.
    Send,
    /// Receives, and says when the last byte came.
    Receive,
    /// Cuts and permits over netlink.
    Cut,
    /// The same by the program `nft`.
    CutByProgram,
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    match asked.part {
        Some(Part::Send) => traffic::send(asked.bulk),
        Some(Part::Receive) => traffic::receive(),
        Some(Part::Cut) => cutter::serve(false),
        Some(Part::CutByProgram) => cutter::serve(true),
        None => measure(&asked),
    }
}

fn measure(asked: &Asked) -> anyhow::Result<()> {
    let spaces = Spaces::make()?;
    let mut rows = Vec::new();
    for (part, way) in [
        ("cut", "element over the held netlink socket"),
        ("cut-by-program", "the program `nft` (the fallback)"),
    ] {
        for bulk in [false, true] {
            writeln!(
                std::io::stderr(),
                "{way}, {}",
                if bulk { "flat out" } else { "paced" }
            )?;
            let mut all = Vec::new();
            for _ in 0..asked.rounds {
                all.push(round(&spaces, part, bulk)?);
            }
            rows.push((way, bulk, all));
        }
    }
    let table = table::render(asked.rounds, &rows);
    if let Some(file) = &asked.write {
        page::put(file, "fence", "bench_fence", &table)?;
    }
    writeln!(std::io::stdout(), "{table}")?;
    Ok(())
}

/// One cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// From just before the call to its return, in nanoseconds.
    pub(crate) call: i64,
    /// From just before the call to the last byte that came, in nanoseconds.
    pub(crate) last: i64,
}

fn round(spaces: &Spaces, part: &str, bulk: bool) -> anyhow::Result<Round> {
    let mut cutter = spaces.start("r", &["--part", part])?;
    cutter.line("open")?;
    let mut receiver = spaces.start("b", &["--part", "receive"])?;
    let kind: &[&str] = if bulk { &["--bulk"] } else { &[] };
    let words = [&["--part", "send"], kind].concat();
    let _sender = spaces.start("a", &words)?;
    receiver.said("flows")?;
    std::thread::sleep(std::time::Duration::from_millis(40));
    let cut = cutter.line("cut")?;
    std::thread::sleep(std::time::Duration::from_millis(60));
    let last = receiver.line("last")?;
    let mut times = cut.split_whitespace().map(str::parse::<i64>);
    let (begun, ended) = (times.next(), times.next());
    let (begun, ended) = (begun.context("no time")??, ended.context("no time")??);
    Ok(Round {
        call: ended - begun,
        last: last.trim().parse::<i64>()? - begun,
    })
}

/// Three network namespaces in a row, taken away when dropped.
struct Spaces(String);

impl Spaces {
    fn make() -> anyhow::Result<Self> {
        let made = Self(format!("pcb{}", std::process::id()));
        let name = &made.0;
        let script = format!(
            "set -e; for s in a r b; do ip netns add {name}$s; ip -n {name}$s link set lo up; done
            for p in 'a 30' 'b 20'; do set -- $p
            ip link add eth0 netns {name}$1 type veth peer name vlan$2 netns {name}r
            ip -n {name}$1 addr add 198.18.$2.2/24 dev eth0; ip -n {name}r addr add 198.18.$2.1/24 dev vlan$2
            ip -n {name}$1 link set eth0 up; ip -n {name}r link set vlan$2 up
            ip -n {name}$1 route add default via 198.18.$2.1; done
            nsenter --net=/run/netns/{name}r sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'"
        );
        run("sh", &["-c", &script])?;
        Ok(made)
    }

    fn start(&self, space: &str, words: &[&str]) -> anyhow::Result<cutter::Talk> {
        let own = std::env::current_exe()?;
        let net = format!("--net=/run/netns/{}{space}", self.0);
        #[expect(
            clippy::disallowed_methods,
            reason = "a program of the tests starts itself in a namespace"
        )]
        let child = Command::new("nsenter")
            .arg(net)
            .arg(own)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        cutter::Talk::with(child)
    }
}

impl Drop for Spaces {
    fn drop(&mut self) {
        for space in ["a", "r", "b"] {
            drop(run("ip", &["netns", "del", &format!("{}{space}", self.0)]));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of the tests makes namespaces"
)]
fn run(program: &str, words: &[&str]) -> anyhow::Result<()> {
    let done = Command::new(program).args(words).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{program}: {said}");
    Ok(())
}

//! The router's process, and how this program speaks with its own parts: a word a line, a line back.

use anyhow::{Context as _, ensure};
use fence::{Fence, Plan, Side, Standing, TableName, Way};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::Duration;

/// Nanoseconds of the clock that all processes of this machine share.
pub(crate) fn now() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Opens and cuts as it is told; says when it began and ended.
pub(crate) fn serve(by_program: bool) -> anyhow::Result<()> {
    let mut fence = Fence::new(Plan {
        table: TableName::default(),
        nft: "/usr/sbin/nft".into(),
        ways: vec![Way {
            name: "red".parse()?,
            side: Side::Zone(vec!["vlan30".parse()?]),
            nets: vec!["198.18.30.0/24".parse()?, "fd00:30::/64".parse()?],
            flows: Vec::new(),
        }],
    });
    let mut out = std::io::stdout();
    for line in std::io::stdin().lines() {
        let begun = now();
        match line?.as_str() {
            "open" => fence.put(&[Standing::Open(Some(Duration::from_secs(60)))])?,
            _ if by_program => fence.put_by_program(&[Standing::Cut])?,
            _ => fence.put(&[Standing::Cut])?,
        }
        writeln!(out, "{begun} {}", now())?;
        out.flush()?;
    }
    Ok(())
}

/// A part of this program in a process of its own; ended when dropped.
pub(crate) struct Talk {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Talk {
    pub(crate) fn with(mut child: Child) -> anyhow::Result<Self> {
        let to = child.stdin.take().context("no way in")?;
        let from = BufReader::new(child.stdout.take().context("no way out")?);
        Ok(Self { child, to, from })
    }

    pub(crate) fn line(&mut self, word: &str) -> anyhow::Result<String> {
        writeln!(self.to, "{word}")?;
        let mut answer = String::new();
        ensure!(self.from.read_line(&mut answer)? > 0, "it ended");
        Ok(answer)
    }

    pub(crate) fn said(&mut self, word: &str) -> anyhow::Result<()> {
        let mut answer = String::new();
        self.from.read_line(&mut answer)?;
        ensure!(answer.trim() == word, "it said `{answer}`");
        Ok(())
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! A day of reports as fast as they can be made: what the agent's collecting half weighs, and whether it grows.
//!
//! `cargo run --release -p host-facts --example bench_agent_soak [BEATS]`
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, reason = "figures are its output")]

use host_facts::{Besides, Buffer, Settings, Watcher};

/// The reports of an hour, after which everything has been used once.
const HOUR: u64 = 360;
/// The reports of a day.
const DAY: u64 = 8640;

fn main() {
    let beats = std::env::args()
        .nth(1)
        .map_or(DAY, |text| text.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("portcullis-soak-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("reports");
    let mut buffer = Buffer::open(&path, 2 * 1024 * 1024).unwrap();
    let mut watcher = Watcher::new(Settings::default(), "soak");
    let (mut hour, mut used, mut largest, mut bytes) = (0, 0, 0, 0);
    for beat in 1..=beats {
        let at_ms = 1_700_000_000_000 + beat * 10_000;
        let besides = Besides {
            waiting: buffer.waiting(),
            ..Besides::default()
        };
        let report = watcher.look(buffer.next_seq(), at_ms, besides);
        let line = report.line();
        buffer.push(line.as_bytes()).unwrap();
        used = report.facts.agent.as_ref().unwrap().rss_bytes;
        largest = largest.max(used);
        bytes += line.len();
        if beat == HOUR {
            hour = used;
        }
    }
    // Nobody has taken any of them: this is the day without the control plane.
    let on_disk = std::fs::metadata(&path).unwrap().len();
    let all = buffer.after(0, usize::MAX).unwrap();
    let kept = all.iter().filter(|b| **b == b'\n').count();
    println!("beats                    {beats}");
    println!("resident after an hour   {} KiB", hour / 1024);
    println!("resident at the end      {} KiB", used / 1024);
    println!("resident at most         {} KiB", largest / 1024);
    println!(
        "a report                 {} bytes",
        bytes / usize::try_from(beats).unwrap()
    );
    println!("waiting on disk          {on_disk} bytes, {kept} of {beats} reports");
    std::fs::remove_dir_all(&folder).unwrap();
}

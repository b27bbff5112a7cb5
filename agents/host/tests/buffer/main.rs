//! The buffer of reports on a real disk.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod crashes;
mod model;
mod room;

use host_facts::Buffer;
use net_model::report::Report;
use std::path::Path;

/// A report as a small host writes it, `padding` bytes longer, with figures that differ from one to the next.
fn line(seq: u64, padding: usize) -> String {
    let noise = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let padding = "x".repeat(padding.min(96));
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"00112233445566aa","up_ms":{},"at_ms":{},"facts":{{"memory":{{"total_bytes":8000000000,"available_bytes":{},"swap_total_bytes":0,"swap_used_bytes":0}},"temps":[{{"name":"{padding}","temp_mc":{}}}]}}}}"#,
        seq * 10_000,
        1_700_000_000_000_u64 + seq * 10_000,
        noise >> 34,
        noise & 0xffff,
    )
}

fn push(buffer: &mut Buffer, padding: usize) -> u64 {
    let seq = buffer.next_seq();
    buffer.push(line(seq, padding).as_bytes()).unwrap();
    seq
}

fn push_many(buffer: &mut Buffer, count: usize, padding: usize) {
    for _ in 0..count {
        push(buffer, padding);
    }
}

fn reports(buffer: &Buffer, after: u64) -> Vec<Report> {
    parsed(&buffer.after(after, usize::MAX).unwrap())
}

fn parsed(lines: &[u8]) -> Vec<Report> {
    lines
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Report::parse(line).unwrap())
        .collect()
}

/// Each report follows the one before it, or says how many are gone; returns how many are there.
fn follows(reports: &[Report], after: u64, next: u64) -> usize {
    let mut before = after;
    for report in reports {
        assert_eq!(before + report.gap + 1, report.seq, "after {before}");
        before = report.seq;
    }
    assert!(
        before + 1 == next || reports.is_empty(),
        "{before} is the last, {next} comes next"
    );
    reports.len()
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

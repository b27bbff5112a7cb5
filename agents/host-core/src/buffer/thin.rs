//! Packing reports together, and throwing some away so that the rest says so.

use net_model::report::Report;

/// Of so many reports one is kept: of one each ten seconds, one a minute.
pub const KEEP_ONE_OF: u64 = 6;

/// Best of the levels that need no more than a second for a day's reports.
const LEVEL: u8 = 8;

/// Reports, each with its line's end, packed.
#[must_use]
pub fn deflated(lines: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(lines, LEVEL)
}

/// Unpacked again, unless that gives more than `most` bytes or cannot be read.
#[must_use]
pub fn inflated(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    miniz_oxide::inflate::decompress_to_vec_with_limit(packed, most).ok()
}

/// Adds to `kept` one of [`KEEP_ONE_OF`] of these reports (in ascending order, each with its line's end), and each
/// that is kept says how many right before it are gone. `before` is the last number that is there before the first
/// of them; what is not after it is done with and goes. Number `last` is always kept: what stands after it need not be
/// told of a gap. Gives the last number that is there now.
#[must_use]
pub fn thin(lines: &[u8], before: u64, last: u64, kept: &mut Vec<u8>) -> u64 {
    let mut before = before;
    for line in lines.split(|b| *b == b'\n') {
        let Ok(mut report) = Report::parse(line) else {
            continue;
        };
        let wanted = report.seq.is_multiple_of(KEEP_ONE_OF) || report.seq == last;
        if report.seq <= before || !wanted {
            continue;
        }
        report.gap = report.seq.saturating_sub(before).saturating_sub(1);
        before = report.seq;
        kept.extend_from_slice(report.line().as_bytes());
        kept.push(b'\n');
    }
    before
}

/// The same reports, of which the first says how many right before it are gone.
#[must_use]
pub fn with_gap(lines: &[u8], before: u64) -> Vec<u8> {
    let end = lines
        .iter()
        .position(|b| *b == b'\n')
        .unwrap_or(lines.len());
    let (first, rest) = lines.split_at(end);
    let Ok(mut report) = Report::parse(first) else {
        return lines.to_vec();
    };
    report.gap = report.seq.saturating_sub(before).saturating_sub(1);
    let mut changed = report.line().into_bytes();
    changed.extend_from_slice(rest);
    changed
}

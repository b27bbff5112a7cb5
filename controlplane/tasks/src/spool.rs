//! The form of the gateway's spool, and what a batch of it holds.
//!
//! Files are called `usage-<20 digits>.jsonl`. The gateway appends whole lines to the one with the highest
//! number, goes on to a higher number, and never rewrites. A last line without an end is still being written,
//! unless a later file exists: then nobody will ever finish it.

use net_model::{Story, UsageRecord};
use serde::Deserialize;

/// Most records in one transaction.
pub(crate) const BATCH: usize = 500;

/// Longest line in bytes; the gateway's longest is far below.
pub(crate) const LONGEST_LINE: usize = 32 * 1024;

/// Longest id.
const LONGEST_ID: usize = 64;

/// What one read brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Records in the order of the file.
    pub(crate) records: Vec<UsageRecord>,
    /// What is told of requests.
    pub(crate) stories: Vec<Story>,
    /// Bytes that need not be read again.
    pub(crate) consumed: usize,
    /// Where lines begin that are no records, from the start of the read.
    pub(crate) garbled: Vec<usize>,
}

/// The number of a spool file, when `name` is one.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("usage-")?.strip_suffix(".jsonl")?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    // The database's figures are signed.
    let number = digits.parse().ok().filter(|n| i64::try_from(*n).is_ok());
    number.filter(|_| all_digits)
}

/// The name of the spool file with this number.
pub(crate) fn name(number: u64) -> String {
    format!("usage-{number:020}.jsonl")
}

/// Takes whole lines out of `bytes`. With `finished`, what stands after the last end of line is a line too.
pub(crate) fn take(bytes: &[u8], finished: bool) -> Batch {
    let mut batch = Batch::default();
    while batch.records.len() + batch.stories.len() < BATCH {
        let rest = bytes.get(batch.consumed..).unwrap_or_default();
        let end = rest.iter().position(|b| *b == b'\n');
        let (line, used) = match end {
            Some(end) => (rest.get(..end).unwrap_or_default(), end + 1),
            // Too long to be a line of the gateway: let go of it rather than wait for its end for ever.
            None if rest.len() > LONGEST_LINE => (rest, rest.len()),
            None if finished && !rest.is_empty() => (rest, rest.len()),
            None => break,
        };
        match read(line) {
            Some(Line::Used(record)) => batch.records.push(*record),
            Some(Line::Told { told }) => batch.stories.push(*told),
            None if line.iter().all(u8::is_ascii_whitespace) => {}
            None => batch.garbled.push(batch.consumed),
        }
        batch.consumed += used;
    }
    batch
}

/// A line: told by its first member what it is.
enum Line {
    Used(Box<UsageRecord>),
    Told { told: Box<Story> },
}

#[derive(Deserialize)]
struct Told {
    told: Story,
}

fn read(line: &[u8]) -> Option<Line> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    if line.starts_with(b"{\"told\":") {
        let Told { told } = serde_json::from_slice(line).ok()?;
        let told = Box::new(told.bounded()?);
        return Some(Line::Told { told });
    }
    record(line).map(|record| Line::Used(Box::new(record)))
}

fn record(line: &[u8]) -> Option<UsageRecord> {
    let mut record: UsageRecord = serde_json::from_slice(line).ok()?;
    if record.id.is_empty() || record.id.len() > LONGEST_ID {
        return None;
    }
    if let Some((cut, _)) = record.model.char_indices().nth(128) {
        record.model.truncate(cut);
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":"a-1","at":5,"consumer":"claw","route":"chat","target":"ollama","class":"local","model":"m","stream":false,"status":200,"prompt_tokens":1,"completion_tokens":2,"estimated":false,"took_ms":3,"ended":"complete","incident":null}"#;

    #[test]
    fn names_are_twenty_digits_and_nothing_else() {
        assert_eq!(number(&name(7)), Some(7));
        assert_eq!(number("usage-7.jsonl"), None);
        assert_eq!(number("usage-+0000000000000000007.jsonl"), None);
        assert_eq!(number("usage-99999999999999999999.jsonl"), None);
        assert_eq!(number("usage-00000000000000000007.jsonl.tmp"), None);
    }

    #[test]
    fn a_torn_last_line_waits() {
        let text = format!("{LINE}\n{}", &LINE[..40]);
        let batch = take(text.as_bytes(), false);
        assert_eq!((batch.records.len(), batch.consumed), (1, LINE.len() + 1));
        assert!(batch.garbled.is_empty());
    }

    #[test]
    fn a_torn_line_that_nobody_will_finish_is_garbled() {
        let text = format!("{LINE}\n{}", &LINE[..40]);
        let batch = take(text.as_bytes(), true);
        assert_eq!((batch.records.len(), batch.consumed), (1, text.len()));
        assert_eq!(batch.garbled, [LINE.len() + 1]);
        // A whole record that lost only its end of line is a record.
        assert_eq!(take(LINE.as_bytes(), true).records.len(), 1);
    }

    #[test]
    fn garbled_lines_are_passed_over() {
        let text = format!("{LINE}\nnonsense\n\n\u{0}\u{0}\n{LINE}\n");
        let batch = take(text.as_bytes(), false);
        assert_eq!((batch.records.len(), batch.garbled.len()), (2, 2));
        assert_eq!(batch.consumed, text.len());
    }

    #[test]
    fn a_line_without_end_cannot_hold_up_the_spool() {
        let text = "x".repeat(LONGEST_LINE + 1);
        let batch = take(text.as_bytes(), false);
        assert_eq!((batch.consumed, batch.garbled.len()), (text.len(), 1));
    }

    #[test]
    fn what_is_told_of_a_request_is_no_usage() {
        let told = r#"{"told":{"id":"a-1","at":5,"status":503,"took_ms":2,"steps":[]}}"#;
        let wrong = r#"{"told":{"id":"a 1","at":5,"status":503,"took_ms":2,"steps":[]}}"#;
        let batch = take(format!("{told}\n{LINE}\n{wrong}\n").as_bytes(), false);
        assert_eq!((batch.stories.len(), batch.records.len()), (1, 1));
        assert_eq!(batch.garbled.len(), 1);
    }

    #[test]
    fn batches_are_bounded() {
        let text = format!("{LINE}\n").repeat(BATCH + 1);
        assert_eq!(take(text.as_bytes(), false).records.len(), BATCH);
    }
}

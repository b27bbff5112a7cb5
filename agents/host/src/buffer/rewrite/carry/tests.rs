use super::*;
use net_model::report::Report;
use std::cell::Cell;
use std::io::Cursor;

/// Bytes that were read and of which nothing was written yet: now, and at most.
#[derive(Default)]
struct Ahead {
    now: Cell<usize>,
    most: Cell<usize>,
}

struct Counted<'a, T>(T, &'a Ahead);

impl<T: Read> Read for Counted<'_, T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(bytes)?;
        self.1.now.set(self.1.now.get() + count);
        self.1.most.set(self.1.most.get().max(self.1.now.get()));
        Ok(count)
    }
}

impl<T: Seek> Seek for Counted<'_, T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

impl<T: Write> Write for Counted<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.now.set(0);
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A report of about 2.5 KB that hardly packs.
fn line(seq: u64) -> String {
    let mut noise = seq;
    let unknown: Vec<String> = (0..40)
        .map(|_| {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            format!(
                r#"{{"what":"{noise:x}","why":"{:x}"}}"#,
                noise.rotate_left(29) ^ noise
            )
        })
        .collect();
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"00112233445566aa","up_ms":{seq},"at_ms":{seq},"facts":{{"unknown":[{}]}}}}"#,
        unknown.join(",")
    )
}

/// A file of batches of 24 reports each, then of single ones.
fn file(batches: u64, singles: u64) -> (Vec<u8>, Frames) {
    let (mut bytes, mut frames) = (
        vec![0; usize::try_from(HEADER_BYTES).unwrap()],
        Frames::new(),
    );
    let mut add = |kind, seqs, payload: &[u8]| {
        let (frame, written) = Frame::write(kind, 1, seqs, payload).unwrap();
        frames.push_back((bytes.len() as u64, frame));
        bytes.extend_from_slice(&written);
    };
    for batch in 0..batches {
        let (first, last) = (batch * 24 + 1, batch * 24 + 24);
        let lines: String = (first..=last).map(|seq| line(seq) + "\n").collect();
        add(FrameKind::Batch, (first, last), &deflated(lines.as_bytes()));
    }
    for seq in batches * 24 + 1..=batches * 24 + singles {
        add(FrameKind::Line, (seq, seq), line(seq).as_bytes());
    }
    (bytes, frames)
}

fn carried(old: &[u8], frames: &Frames, header: &Header, most: u64) -> (Vec<u8>, Frames, usize) {
    let ahead = Ahead::default();
    let mut new = old[..usize::try_from(HEADER_BYTES).unwrap()].to_vec();
    let mut writing = Cursor::new(&mut new);
    writing.seek(SeekFrom::End(0)).unwrap();
    let carrier = Carrier::new(
        Counted(Cursor::new(old), &ahead),
        Counted(writing, &ahead),
        header,
    );
    let (frames, end) = carrier.carry(frames, most).unwrap();
    assert_eq!(end, new.len() as u64);
    (new, frames, ahead.most.get())
}

/// Each report follows the one before it or says how many are gone; gives their numbers.
fn follows(bytes: &[u8], frames: &Frames, through: u64) -> Vec<u64> {
    let (mut before, mut numbers) = (through, Vec::new());
    for (offset, frame) in frames {
        let at = usize::try_from(*offset).unwrap();
        let (prefix, rest) = bytes[at..].split_first_chunk().unwrap();
        let payload = &rest[..frame.payload as usize];
        assert_eq!(Frame::prefix(prefix, 1), Ok(*frame));
        assert!(Frame::holds(prefix, payload));
        let lines = match frame.kind {
            FrameKind::Line => payload.to_vec(),
            FrameKind::Batch | FrameKind::Thinned => inflated(payload, MAX_UNPACKED).unwrap(),
        };
        for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let report = Report::parse(line).unwrap();
            if report.seq > through {
                assert_eq!(before + report.gap + 1, report.seq, "after {before}");
                before = report.seq;
                numbers.push(before);
            }
        }
        assert_eq!(before, frame.last);
    }
    numbers
}

#[test]
fn of_two_megabytes_no_more_is_in_memory_than_one_frame_or_what_is_thinned_together() {
    let (old, frames) = file(92, 20);
    assert!(old.len() > 2_000_000, "{}", old.len());
    let longest = frames.iter().map(|(_, f)| f.bytes()).max().unwrap();
    let longest = usize::try_from(longest).unwrap();

    let (new, same, ahead) = carried(&old, &frames, &Header::FIRST, u64::MAX);
    assert!(new == old && same == frames);
    assert_eq!(ahead, longest);

    let half = old.len() as u64 / 2;
    let (new, thinned, ahead) = carried(&old, &frames, &Header::FIRST, half);
    assert!(live(&thinned) <= half);
    assert!(
        ahead <= TOGETHER * longest,
        "{ahead} bytes at once of {}",
        old.len()
    );
    // No more was thinned than had to be.
    let whole = |(_, frame): &&(u64, Frame)| frame.kind == FrameKind::Batch;
    assert!(thinned.iter().filter(whole).count() >= 30);
    let there = follows(&new, &thinned, 0);
    assert_eq!(there.last(), Some(&(92 * 24 + 20)));
}

#[test]
fn the_oldest_goes_only_where_no_batch_is_whole() {
    let (_, mut frames) = file(8, 1);
    assert_eq!(step(&frames, 0, false), Step::Copy);
    assert_eq!(step(&frames, 0, true), Step::Thin(TOGETHER));
    assert_eq!(step(&frames, 6, true), Step::Thin(2));
    assert_eq!(step(&frames, 8, true), Step::Copy);
    frames.retain(|(_, frame)| frame.kind == FrameKind::Line);
    assert_eq!(step(&frames, 0, true), Step::Throw);

    let (old, frames) = file(0, 20);
    let newest = frames.iter().skip(10).copied().collect();
    let (new, left, _) = carried(&old, &frames, &Header::FIRST, live(&newest));
    assert_eq!(
        follows(&new, &left, 0),
        (11..=20).collect::<Vec<_>>(),
        "the first that is left says what is gone"
    );
}

#[test]
fn what_the_disk_lost_is_told_by_the_report_after_it() {
    let (old, frames) = file(7, 3);
    for lost in [0, 5, 6, 7] {
        let mut old = old.clone();
        let (offset, frame) = frames[lost];
        old[usize::try_from(offset).unwrap() + PREFIX_BYTES + 9] ^= 1;
        for most in [u64::MAX, live(&frames) * 3 / 4, 1] {
            let (new, left, _) = carried(&old, &frames, &Header::FIRST, most);
            let there = follows(&new, &left, 0);
            assert_eq!(there.last(), Some(&(7 * 24 + 3)));
            assert!(
                there
                    .iter()
                    .all(|seq| !(frame.first..=frame.last).contains(seq))
            );
        }
    }
}

#[test]
fn what_is_done_with_is_not_counted_as_thrown_away() {
    let (old, frames) = file(6, 0);
    let header = Header {
        through: 10,
        ..Header::FIRST
    };
    let (new, left, _) = carried(&old, &frames, &header, 1);
    let there = follows(&new, &left, 10);
    assert_eq!(there, (2..=24).map(|n| n * 6).collect::<Vec<_>>());
}

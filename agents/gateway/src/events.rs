//! Finds where one event of a stream ends, so that a stream is only ever ended between two.
//!
//! A server-sent event ends with an empty line; a line ends with CR, LF or CRLF (WHATWG HTML, 9.2.5 and 9.2.6). Where
//! each line is an object of its own (Ollama's API), its LF ends it.

use bytes::{Bytes, BytesMut};
use gateway_core::dialect::Framing;
use std::collections::VecDeque;

/// Bytes of one unfinished event that are held back; beyond, they pass and the stream cannot be ended cleanly
/// until that event is over.
const MAX_HELD: usize = 64 * 1024;

/// Holds back the unfinished event at the end of a stream. Changes no byte.
#[derive(Debug)]
pub(crate) struct Splitter {
    ends: Ends,
    held: BytesMut,
    /// The unfinished event grew too long and is being passed through.
    passing: bool,
}

impl Splitter {
    /// For an answer of this framing; `None` where it has no events.
    pub(crate) fn of(framing: Framing) -> Option<Self> {
        let ends = match framing {
            Framing::Events => Ends::EmptyLine(Scan::default()),
            Framing::Lines => Ends::Line,
            Framing::Whole => return None,
        };
        Some(Self {
            ends,
            held: BytesMut::new(),
            passing: false,
        })
    }

    /// Takes what the upstream sent and hands out what may be sent on.
    pub(crate) fn push(&mut self, mut chunk: Bytes, out: &mut VecDeque<Bytes>) {
        if let Some(over) = self.ends.over(&chunk) {
            let begun = chunk.split_off(over.min(chunk.len()));
            self.passing = false;
            out.push_back(self.after_held(chunk));
            chunk = begun;
        }
        if self.passing {
            out.push_back(chunk);
        } else if self.held.len() + chunk.len() > MAX_HELD {
            self.passing = true;
            out.push_back(self.after_held(chunk));
        } else {
            self.held.extend_from_slice(&chunk);
        }
        out.retain(|piece| !piece.is_empty());
    }

    /// Whether everything handed out so far ends with the end of an event.
    pub(crate) fn between_events(&self) -> bool {
        !self.passing
    }

    /// The stream is over: what was still held back.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }

    fn after_held(&mut self, chunk: Bytes) -> Bytes {
        if self.held.is_empty() {
            return chunk;
        }
        self.held.extend_from_slice(&chunk);
        self.held.split().freeze()
    }
}

/// What ends an event.
#[derive(Debug)]
enum Ends {
    EmptyLine(Scan),
    Line,
}

impl Ends {
    /// Reads on; how many of `bytes` belong to events that are over, if one ended here.
    fn over(&mut self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::EmptyLine(scan) => scan.over(bytes),
            Self::Line => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
        }
    }
}

#[derive(Debug)]
struct Scan {
    line_is_empty: bool,
    /// The last byte was a CR; whether it ended an event. A LF right after it belongs to it.
    after_cr: Option<bool>,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            line_is_empty: true,
            after_cr: None,
        }
    }
}

impl Scan {
    fn over(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut over = None;
        let mut from = 0;
        for at in memchr::memchr2_iter(b'\r', b'\n', bytes) {
            if at > from {
                self.on_text();
            }
            if self.ends_event(bytes.get(at) == Some(&b'\r')) {
                over = Some(at + 1);
            }
            from = at + 1;
        }
        if from < bytes.len() {
            self.on_text();
        }
        over
    }

    fn on_text(&mut self) {
        self.line_is_empty = false;
        self.after_cr = None;
    }

    fn ends_event(&mut self, is_cr: bool) -> bool {
        if let Some(ended) = self.after_cr.take()
            && !is_cr
        {
            return ended;
        }
        let ended = self.line_is_empty;
        self.line_is_empty = true;
        self.after_cr = is_cr.then_some(ended);
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events() -> Splitter {
        Splitter::of(Framing::Events).unwrap()
    }

    fn handed_out(splitter: &mut Splitter, chunks: &[&[u8]]) -> Vec<u8> {
        let mut out = VecDeque::new();
        for chunk in chunks {
            splitter.push(Bytes::copy_from_slice(chunk), &mut out);
        }
        out.into_iter().flatten().collect()
    }

    #[test]
    fn every_kind_of_line_end_ends_an_event() {
        for (text, over) in [
            ("data: a\n\ndata: b", 9),
            ("data: a\r\n\r\ndata: b\r\n", 11),
            ("data: a\r\rdata: b\r", 9),
            ("data: a\n\r\ndata", 10),
            ("data: a\ndata: b\n", 0),
            (": ping\n\n", 8),
            ("\n\n", 2),
            ("", 0),
        ] {
            let out = handed_out(&mut events(), &[text.as_bytes()]);
            assert_eq!(out, text.as_bytes()[..over], "{text:?}");
        }
    }

    #[test]
    fn a_line_ends_an_object_of_its_own() {
        let mut lines = Splitter::of(Framing::Lines).unwrap();
        assert_eq!(
            handed_out(&mut lines, &[b"{\"a\":1}\n{\"b"]),
            b"{\"a\":1}\n"
        );
        assert_eq!(
            handed_out(&mut lines, &[b"\":2", b"}\r\n"]),
            b"{\"b\":2}\r\n"
        );
        assert!(lines.between_events() && lines.finish().is_empty());
        assert!(Splitter::of(Framing::Whole).is_none());
    }

    #[test]
    fn an_endless_event_passes_and_is_not_called_clean() {
        let mut splitter = events();
        let long = vec![b'x'; MAX_HELD + 1];
        assert_eq!(handed_out(&mut splitter, &[&long]).len(), long.len());
        assert!(!splitter.between_events());
        handed_out(&mut splitter, &[b"y\n\n"]);
        assert!(splitter.between_events());
    }

    proptest! {
        #[test]
        fn any_chunking_hands_out_the_same(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0_usize..200, 0..20),
        ) {
            let mut whole = events();
            let expected = handed_out(&mut whole, &[&text]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let mut parts = events();
            let out = handed_out(&mut parts, &chunks);
            prop_assert_eq!(&out, &expected);
            let mut all = out;
            all.extend_from_slice(&parts.finish());
            prop_assert_eq!(all, text);
        }

        #[test]
        fn any_chunking_of_a_long_event_agrees_on_clean(
            lengths in proptest::collection::vec(1_usize..40_000, 1..6),
            ends in any::<bool>(),
        ) {
            let mut text = vec![b'x'; lengths.iter().sum()];
            if ends {
                text.extend_from_slice(b"\n\nyy");
            }
            let mut whole = events();
            let expected = handed_out(&mut whole, &[&text]);
            let mut parts = events();
            let mut out = Vec::new();
            let mut rest = text.as_slice();
            for length in &lengths {
                let (chunk, after) = rest.split_at(*length);
                out.extend(handed_out(&mut parts, &[chunk]));
                rest = after;
            }
            for byte in rest {
                out.extend(handed_out(&mut parts, &[&[*byte]]));
            }
            prop_assert_eq!(parts.between_events(), whole.between_events());
            if !ends {
                prop_assert_eq!(out, expected);
            }
        }
    }
}

//! Where one event of an answer ends.

/// How an answer is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events: an empty line ends one.
    Events,
    /// One JSON object a line.
    Lines,
    /// Not at all: one object.
    Whole,
}

impl Framing {
    /// By the answer's `content-type`.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Self {
        let essence = content_type.split(|byte| *byte == b';').next();
        let is = |kind: &[u8]| {
            essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(kind))
        };
        if is(b"text/event-stream") {
            Self::Events
        } else if is(b"application/x-ndjson") {
            Self::Lines
        } else {
            Self::Whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_their_type() {
        assert_eq!(
            Framing::of(b"Text/Event-Stream; charset=utf-8"),
            Framing::Events
        );
        assert_eq!(Framing::of(b"application/x-ndjson"), Framing::Lines);
        assert_eq!(Framing::of(b"application/json"), Framing::Whole);
        assert_eq!(Framing::of(b""), Framing::Whole);
    }
}

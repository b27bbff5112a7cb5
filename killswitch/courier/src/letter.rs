//! A reply, and why it did not reach its provider.

use std::time::Duration;

/// One text to somebody.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number: the same when it is sent again.
    pub(crate) number: u64,
    /// To whom: the sender of the text it answers.
    pub(crate) to: String,
    /// One GSM-7 segment.
    pub(crate) text: String,
}

/// Shows neither the text nor the number.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.number)
    }
}

/// Why one attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// For people; no secret, number or text in it.
    pub(crate) why: String,
    /// Whether another attempt may help.
    pub(crate) again: Again,
}

/// Whether another attempt may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The provider refused this one for good.
    Never,
    /// The provider will refuse every one until someone mends the channel.
    Broken,
    /// Later.
    Later,
    /// Not before the time the provider named.
    After(Duration),
}

impl Failure {
    /// It may help to try again.
    pub(crate) fn later(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Later;
        Self { why, again }
    }

    /// It will not help to try again.
    pub(crate) fn never(why: impl Into<String>) -> Self {
        let why = why.into();
        let again = Again::Never;
        Self { why, again }
    }
}

/// The number a text goes to. Names that look like senders cannot be answered.
pub(crate) fn number_of(letter: &Letter) -> Result<&str, Failure> {
    let digits = letter.to.strip_prefix('+').unwrap_or(&letter.to);
    let fine = (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fine.then_some(letter.to.as_str())
        .ok_or_else(|| Failure::never("its sender is no number that can be texted"))
}

//! Texts and lists that cannot be large.

use serde::{Deserialize, Serialize};
use std::{fmt, ops::Deref};

/// Longest text of a report, in characters.
pub const MAX_PRINTABLE: usize = 96;
/// Longest list of a report.
pub const MAX_FEW: usize = 64;

/// At most [`MAX_PRINTABLE`] characters, none of which moves the cursor or turns the direction of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Printable(String);

/// Why a text is not [`Printable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text has at most {MAX_PRINTABLE} characters, all of them printable")]
pub struct NotPrintable;

/// Control characters, and those that are seen only by what they do to others (Unicode TR 9, TR 36).
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Printable {
    /// What of `text` can be said: other characters become `?`, what is too long ends in `…`.
    #[must_use]
    pub fn clipped(text: &str) -> Self {
        let long = text.chars().nth(MAX_PRINTABLE).is_some();
        let keep = if long {
            MAX_PRINTABLE - 1
        } else {
            MAX_PRINTABLE
        };
        let mut kept: String = text
            .chars()
            .take(keep)
            .map(|c| if invisible(c) { '?' } else { c })
            .collect();
        if long {
            kept.push('…');
        }
        Self(kept)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Printable {
    type Error = NotPrintable;
    fn try_from(text: String) -> Result<Self, NotPrintable> {
        if text.chars().nth(MAX_PRINTABLE).is_some() || text.chars().any(invisible) {
            return Err(NotPrintable);
        }
        Ok(Self(text))
    }
}

impl From<Printable> for String {
    fn from(text: Printable) -> Self {
        text.0
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A list of at most [`MAX_FEW`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    try_from = "Vec<T>",
    into = "Vec<T>",
    bound(
        serialize = "T: Clone + Serialize",
        deserialize = "T: Deserialize<'de>"
    )
)]
pub struct Few<T>(Vec<T>);

/// A list of more than [`MAX_FEW`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a list has at most {MAX_FEW} entries, this one has {0}")]
pub struct TooMany(pub usize);

impl<T> Few<T> {
    /// The first [`MAX_FEW`], and how many there were besides.
    #[must_use]
    pub fn first_of(entries: impl IntoIterator<Item = T>) -> (Self, usize) {
        let mut entries = entries.into_iter();
        let kept = entries.by_ref().take(MAX_FEW).collect();
        (Self(kept), entries.count())
    }

    /// Whether there is none: such a list is not written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops all but the first `count`; says how many went.
    pub fn keep_first(&mut self, count: usize) -> usize {
        let gone = self.0.len().saturating_sub(count);
        self.0.truncate(count);
        gone
    }

    /// Adds one; gives it back when the list is full.
    ///
    /// # Errors
    /// When the list is full.
    pub fn push(&mut self, entry: T) -> Result<(), T> {
        if self.0.len() >= MAX_FEW {
            return Err(entry);
        }
        self.0.push(entry);
        Ok(())
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> TryFrom<Vec<T>> for Few<T> {
    type Error = TooMany;
    fn try_from(entries: Vec<T>) -> Result<Self, TooMany> {
        if entries.len() > MAX_FEW {
            return Err(TooMany(entries.len()));
        }
        Ok(Self(entries))
    }
}

impl<T> From<Few<T>> for Vec<T> {
    fn from(few: Few<T>) -> Self {
        few.0
    }
}

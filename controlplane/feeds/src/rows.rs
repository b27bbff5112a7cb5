//! The rows of a batch, each left as it stands: one that is wrong spoils no other.

use crate::MAX_ROWS;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Why a batch is none.
#[derive(Debug, thiserror::Error)]
pub enum NotUsage {
    /// It is no JSON.
    #[error("it is neither a JSON array, nor a JSON object, nor a JSON object a line: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is too much at once.
    #[error("it has more than {MAX_ROWS} rows")]
    TooMany,
}

/// What the error of [`Bounded`] says, to know it again.
const TOO_MANY: &str = "too many rows";

/// An array, a row a line, or one row.
pub(crate) fn split(body: &[u8]) -> Result<Vec<&RawValue>, NotUsage> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let mut from = serde_json::Deserializer::from_slice(body);
        let rows = from.deserialize_seq(Bounded).map_err(|why| {
            if why.to_string().starts_with(TOO_MANY) {
                NotUsage::TooMany
            } else {
                NotUsage::NotJson(why)
            }
        })?;
        from.end()?;
        return Ok(rows);
    }
    let mut rows = Vec::new();
    for row in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        if rows.len() == MAX_ROWS {
            return Err(NotUsage::TooMany);
        }
        rows.push(row?);
    }
    if rows.is_empty() {
        return Err(NotUsage::NotJson(serde_json::Error::custom("it is empty")));
    }
    Ok(rows)
}

struct Bounded;

impl<'de> Visitor<'de> for Bounded {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            if rows.len() == MAX_ROWS {
                return Err(A::Error::custom(TOO_MANY));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

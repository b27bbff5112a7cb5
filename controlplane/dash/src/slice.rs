//! One page of a list, as programs ask for it: `limit` and `after`; what `next` said is the `after` of the page that follows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most rows of one answer.
const MOST: u32 = 500;

/// Which page.
#[derive(Debug, Deserialize)]
pub(crate) struct Slice<T = String> {
    limit: Option<u32>,
    /// Behind which row.
    pub(crate) after: Option<T>,
}

impl<T> Slice<T> {
    /// How many rows it may have, where `usual` is what one gets who asks for no number.
    pub(crate) fn limit(&self, usual: u32) -> u32 {
        self.limit.unwrap_or(usual).clamp(1, MOST)
    }
}

/// The answer out of rows that were read with one more than the page may have: only so is it known whether there are more.
pub(crate) fn page<T: Serialize>(
    mut items: Vec<T>,
    limit: u32,
    mark: impl Fn(&T) -> String,
) -> Value {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(mark);
    json!({ "items": items, "next": next })
}

/// A list that is always whole.
pub(crate) fn whole<T: Serialize>(items: &[T]) -> Value {
    json!({ "items": items, "next": null })
}

/// The same with more to say beside the rows.
pub(crate) fn with(mut answer: Value, more: Value) -> Value {
    let more: Map<String, Value> = match more {
        Value::Object(more) => more,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    if let Some(members) = answer.as_object_mut() {
        members.extend(more);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_next_page_only_where_there_are_more_rows() {
        let of = |rows: &[u32]| page(rows.to_vec(), 2, ToString::to_string);
        assert_eq!(of(&[5, 4, 3]), json!({ "items": [5, 4], "next": "4" }));
        assert_eq!(of(&[5, 4]), json!({ "items": [5, 4], "next": null }));
        assert_eq!(of(&[]), json!({ "items": [], "next": null }));
    }

    #[test]
    fn nobody_gets_more_than_the_most_or_less_than_one() {
        let limit = |limit| Slice::<u64> { limit, after: None }.limit(50);
        assert_eq!([None, Some(0), Some(9999)].map(limit), [50, 1, 500]);
    }
}

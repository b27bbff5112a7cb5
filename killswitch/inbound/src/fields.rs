//! What a call carries as names with values: a query, a form, or a JSON object of one level.

use crate::refusal::Refusal;
use crate::request::{MAX_BODY, RawRequest};
use serde_json::Value;
use std::collections::BTreeMap;

/// Names with values, sorted by name.
pub(crate) type Fields = BTreeMap<String, String>;

/// More than any provider sends.
const MAX_FIELDS: usize = 512;

/// Reads the query of a `GET`, else the body: JSON where it begins like it, else a form.
///
/// A name may stand there once. What is no text in JSON is given as its JSON.
pub(crate) fn of(request: &RawRequest<'_>) -> Result<Fields, Refusal> {
    if request.method == "GET" {
        let query = request.query.unwrap_or_default();
        let bounded = request.body.is_empty() && query.len() <= MAX_BODY;
        bounded.then_some(()).ok_or(Refusal::Content)?;
        return form(query.as_bytes());
    }
    if request.body.first() == Some(&b'{') {
        let object: BTreeMap<String, Value> =
            serde_json::from_slice(request.body).map_err(|_| Refusal::Content)?;
        return Ok(object.into_iter().map(|(n, v)| (n, plain(v))).collect());
    }
    form(request.body)
}

fn form(bytes: &[u8]) -> Result<Fields, Refusal> {
    let mut fields = Fields::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        let twice = fields.insert(name.into_owned(), value.into_owned());
        if twice.is_some() || fields.len() > MAX_FIELDS {
            return Err(Refusal::Content);
        }
    }
    Ok(fields)
}

fn plain(value: Value) -> String {
    if let Value::String(text) = value {
        text
    } else {
        value.to_string()
    }
}

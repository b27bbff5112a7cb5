//! The bytes Plivo signs, as its own libraries put them together (`plivo-python`, `plivo/utils`).

use crate::form::{Field, Form};
use crate::refusal::Refusal;
use crate::request::RawRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A header may list several signatures while a token is changed.
const MAX_SIGNATURES: usize = 8;

/// The second scheme: the address without its query, and the nonce.
pub(super) fn second(base: &str, nonce: &str) -> String {
    format!("{base}{nonce}")
}

/// The third scheme: the address, its query sorted, every field sorted, and the nonce.
pub(super) fn third(base: &str, query: Option<&str>, form: &Form<'_>, nonce: &str) -> String {
    let asked = Form::of(query.unwrap_or_default().as_bytes());
    let asked: Vec<String> = asked
        .sorted()
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    let fields: String = form.sorted().iter().flat_map(pair).collect();
    let (ask, stop) = match (asked.is_empty(), fields.is_empty()) {
        (true, true) => ("", ""),
        (true, false) | (false, true) => ("?", ""),
        (false, false) => ("?", "."),
    };
    let asked = asked.join("&");
    format!("{base}{ask}{asked}{stop}{fields}.{nonce}")
}

fn pair<'a>((name, value): &'a Field<'_>) -> [&'a str; 2] {
    [name.as_ref(), value.as_ref()]
}

/// Whether one of the tokens made one of the signatures in these headers, of which one at least must be there.
pub(super) fn by_one_of(
    tokens: &[Zeroizing<String>],
    content: &str,
    request: &RawRequest<'_>,
    headers: [&str; 2],
) -> Result<bool, Refusal> {
    let mut given: Vec<&str> = Vec::new();
    for header in headers.into_iter().filter(|header| request.has(header)) {
        given.extend(request.header(header)?.split(',').take(MAX_SIGNATURES));
    }
    if given.is_empty() {
        return Err(Refusal::Header);
    }
    let given: Vec<Vec<u8>> = given
        .into_iter()
        .filter_map(|one| STANDARD.decode(one.trim()).ok())
        .collect();
    let made = |token: &Zeroizing<String>, signature: &Vec<u8>| {
        Hmac::<Sha256>::new_from_slice(token.as_bytes()).is_ok_and(|mut mac| {
            mac.update(content.as_bytes());
            mac.verify_slice(signature).is_ok()
        })
    };
    Ok(tokens
        .iter()
        .any(|token| given.iter().any(|signature| made(token, signature))))
}

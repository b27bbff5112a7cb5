//! What someone typed, fit for a log.

/// What someone typed, fit for one line of a log: `max` characters, none of them control.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let short: String = clean.take(max).collect();
    if short.trim().is_empty() {
        "?".to_owned()
    } else {
        short.trim().to_owned()
    }
}

//! Text in an XML answer, as content or between double quotes.

/// The text with every character written so that it can only be text.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

//! Keys whose value is one word out of a list.

use kill_config::{Section, listed};

/// One word out of a list; anything else, or nothing, is noted.
pub fn one_of<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    words: &[(&str, T)],
) -> Option<T> {
    let text = section.need(key, &expected(words))?;
    meant(section, key, words, &text)
}

/// The same, but `usual` when nothing is said.
pub fn one_of_or<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    words: &[(&str, T)],
    usual: T,
) -> Option<T> {
    match section.text(key, &expected(words)) {
        Some(text) => meant(section, key, words, &text),
        None => Some(usual),
    }
}

fn expected<T>(words: &[(&str, T)]) -> String {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    format!("one of {}", listed(&names))
}

fn meant<T: Copy>(section: &Section<'_>, key: &str, words: &[(&str, T)], text: &str) -> Option<T> {
    let known = words.iter().find(|(name, _)| *name == text);
    if known.is_none() {
        let short: String = text.chars().take(40).collect();
        section.note(key, &format!("`{short}` is not {}", expected(words)));
    }
    known.map(|(_, value)| *value)
}

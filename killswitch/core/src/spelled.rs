//! Whether a text names a scope as it is written. Cutting is forgiving, opening is not.

use crate::scan::Scan;
use kill_wire::Scope;

impl Scan {
    /// Whether the scope stands in the text word by word: `chat-fast` as `chat fast`, but `ALL` not as `A L L`.
    pub(crate) fn spells(&self, scope: &Scope) -> bool {
        let name = scope.to_string().to_lowercase();
        let parts = name.split(|c: char| !c.is_alphanumeric());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            [] => false,
            [one] => self.says(one),
            parts => self.words.windows(parts.len()).any(|run| run == parts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_spelled_word_by_word() {
        for (text, scope, spelled) in [
            ("RESTORE ALL 12345678", "ALL", true),
            ("restore all12345678", "ALL", true),
            ("RESTORE A L L 12345678", "ALL", false),
            ("RESTORE chat-fast", "chat-fast", true),
            ("RESTORE Chat Fast", "chat-fast", true),
            ("RESTORE chatfast", "chat-fast", false),
            ("RESTORE ch at fast", "chat-fast", false),
        ] {
            let scope: Scope = scope.parse().unwrap();
            assert_eq!(Scan::of(text).spells(&scope), spelled, "{text}");
        }
    }
}

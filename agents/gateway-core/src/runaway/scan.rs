//! Walks over JSON text without building anything: where a member or an item begins and ends.
//!
//! What it is given was read as JSON before. In anything else it finds less, and never fails.

/// Stands somewhere in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// At the start of `text`.
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.get(self.at..)?;
        let white = rest.iter().take_while(|byte| byte.is_ascii_whitespace());
        self.at += white.count();
        self.text.get(self.at).copied()
    }

    /// Goes past `byte` if it is the next one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// The next member of an object whose brace was taken: its name and its value, as written.
    pub(super) fn member(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        self.take(b',');
        let name = self.string()?;
        if !self.take(b':') {
            return None;
        }
        Some((name, self.value()?))
    }

    /// The next item of an array whose bracket was taken, as written.
    pub(super) fn item(&mut self) -> Option<&'a [u8]> {
        self.take(b',');
        if self.peek()? == b']' {
            return None;
        }
        self.value()
    }

    /// What stands between the quotes of the string that comes next, as written.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        if !self.take(b'"') {
            return None;
        }
        let from = self.at;
        loop {
            let rest = self.text.get(self.at..)?;
            let found = memchr::memchr2(b'"', b'\\', rest)?;
            let at = self.at + found;
            if rest.get(found) == Some(&b'"') {
                self.at = at + 1;
                return self.text.get(from..at);
            }
            self.at = at + 2;
        }
    }

    /// The value that comes next, as written.
    pub(super) fn value(&mut self) -> Option<&'a [u8]> {
        let first = self.peek()?;
        let from = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => self.bare(),
        }
        // Nothing was there: going on from here would never end.
        (self.at > from).then(|| self.text.get(from..self.at))?
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_u32;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// A number, or one of the three words.
    fn bare(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

/// Gives the parts of `value` in their order, without members of these names wherever they stand.
pub(super) fn without<'a>(value: &'a [u8], names: &[&[u8]], mut part: impl FnMut(&'a [u8])) {
    let mut scan = Scan::new(value);
    let mut from = 0;
    while let Some(quote) = value
        .get(scan.at..)
        .and_then(|rest| memchr::memchr(b'"', rest))
    {
        scan.at += quote;
        let start = scan.at;
        let Some(name) = scan.string() else { break };
        if names.contains(&name) && scan.take(b':') {
            part(value.get(from..start).unwrap_or_default());
            if scan.value().is_none() {
                return;
            }
            from = scan.at;
        }
    }
    part(value.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn members(text: &str) -> Vec<(String, String)> {
        let mut scan = Scan::new(text.as_bytes());
        assert!(scan.take(b'{'));
        let owned = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        std::iter::from_fn(|| scan.member())
            .map(|(name, value)| (owned(name), owned(value)))
            .collect()
    }

    #[test]
    fn members_are_found_whatever_their_values_hold() {
        let text = r#" { "a" : "}\"{" , "b":[{"c":"]"},2], "d":-1.5e3 ,"e":{} , "f":null}"#;
        let found = members(text);
        let expected = [
            ("a", r#""}\"{""#),
            ("b", r#"[{"c":"]"},2]"#),
            ("d", "-1.5e3"),
            ("e", "{}"),
            ("f", "null"),
        ];
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn named_members_are_left_out_at_any_depth() {
        let text = br#"{"id":"x","f":{"id":7,"name":"id"},"t":"\"id\":1"}"#;
        let mut kept = Vec::new();
        without(text, &[b"id"], |part| kept.extend_from_slice(part));
        assert_eq!(
            String::from_utf8(kept).unwrap(),
            r#"{,"f":{,"name":"id"},"t":"\"id\":1"}"#
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail_or_go_on_for_ever(text in proptest::collection::vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'['), Just(b'\\'), Just(b','), Just(b':'), any::<u8>()], 0..60)) {
            let mut scan = Scan::new(&text);
            scan.take(b'{');
            prop_assert!(std::iter::from_fn(|| scan.member()).count() <= text.len());
            let mut scan = Scan::new(&text);
            scan.take(b'[');
            prop_assert!(std::iter::from_fn(|| scan.item()).count() <= text.len());
            without(&text, &[b"id"], |_| ());
        }
    }
}

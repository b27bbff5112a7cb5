//! Where in the file a field stands.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A text of which the lines of many fields are asked for: it is read once.
#[derive(Debug)]
pub struct Lines<'t> {
    root: Spanned<DeTable<'t>>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Reads it, as far as it can be read.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let (root, _) = DeTable::parse_recoverable(text);
        let bytes = text.bytes().enumerate();
        let ends = bytes.filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self {
            root,
            ends: ends.collect(),
        }
    }

    /// In which line, counted from 1, the field `key` stands, such as `gateway.targets[0].class`. Where it is missing: the table
    /// it is missing in.
    #[must_use]
    pub fn line(&self, key: &str) -> Option<usize> {
        let mut table = Some(self.root.get_ref());
        let mut found = None;
        for step in key.split('.') {
            let (name, places) = parts(step);
            let Some((at, value)) = table.and_then(|table| member(table, name)) else {
                break;
            };
            found = Some(at);
            let mut value = value;
            for place in places {
                let DeValue::Array(items) = value.get_ref() else {
                    break;
                };
                let Some(item) = items.get(place) else { break };
                found = Some(item.span().start);
                value = item;
            }
            table = None;
            if let DeValue::Table(inner) = value.get_ref() {
                table = Some(inner);
            }
        }
        found.map(|at| 1 + self.ends.partition_point(|end| *end < at))
    }
}

/// The line of one field: [`Lines::line`].
#[must_use]
pub fn line_of(text: &str, key: &str) -> Option<usize> {
    Lines::of(text).line(key)
}

/// Counted from 1.
pub(crate) fn line(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    1 + before.filter(|byte| *byte == b'\n').count()
}

/// `targets[0]`: its name, and the places in brackets.
fn parts(step: &str) -> (&str, impl Iterator<Item = usize>) {
    let (name, rest) = step.split_once('[').unwrap_or((step, ""));
    let places = rest.split('[').map_while(|place| {
        let digits = place.strip_suffix(']')?;
        digits.parse().ok()
    });
    (name, places)
}

fn member<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<(usize, &'t Spanned<DeValue<'i>>)> {
    let mut all = table.iter();
    all.find(|(key, _)| key.get_ref().as_ref() == name)
        .map(|(key, value)| (key.span().start, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_its_line_and_a_missing_one_in_its_table() {
        let text = "[gateway]\nlisten = \"x\"\n\n[[gateway.targets]]\nname = \"a\"\n\n[[gateway.targets]]\nname = \"b\"\nclass = 1\nmodels = [\"m\",\n  2]\n";
        for (key, wanted) in [
            ("gateway.listen", Some(2)),
            ("gateway.targets[0].name", Some(5)),
            ("gateway.targets[1].class", Some(9)),
            ("gateway.targets[0].class", Some(4)),
            ("gateway.targets[1].models[1]", Some(11)),
            ("nothing.at.all", None),
            ("file", None),
            ("a[x].b", None),
        ] {
            assert_eq!(line_of(text, key), wanted, "{key}");
        }
    }

    #[test]
    fn a_broken_file_is_searched_as_far_as_it_can_be_read() {
        let text = "[agent]\nlisten = \n[gateway]\nlisten = 1\n";
        assert_eq!(line_of(text, "gateway.listen"), Some(4));
    }
}

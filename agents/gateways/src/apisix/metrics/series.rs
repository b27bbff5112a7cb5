//! One line of the text format: labels, and a value that is no fraction.

/// Most labels of one series.
const MOST_LABELS: usize = 32;

/// One line. What it is known by is its name and labels, as they were written.
pub(super) struct Series<'a> {
    pub(super) known_by: &'a str,
    labels: Labels,
    pub(super) value: u64,
}

type Labels = Vec<(String, String)>;

impl<'a> Series<'a> {
    pub(super) fn of(line: &'a str) -> Option<Self> {
        let (labels, rest) = match line.split_once('{') {
            Some((_, rest)) => labels(rest)?,
            None => (Vec::new(), line.split_once(' ')?.1),
        };
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        let whole = value.is_finite() && (0.0..9e15).contains(&value);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was just looked at"
        )]
        let value = whole.then_some(value as u64)?;
        let known_by = line.get(..line.len() - rest.len())?;
        Some(Self {
            known_by,
            labels,
            value,
        })
    }

    pub(super) fn label(&self, name: &str) -> Option<String> {
        let mut labels = self.labels.iter();
        let label = labels.find(|(label, _)| label == name);
        label.map(|(_, value)| value.clone())
    }

    /// The first of these labels that is there; empty where none is.
    pub(super) fn first(&self, names: &[&str]) -> String {
        let mut names = names.iter();
        names.find_map(|name| self.label(name)).unwrap_or_default()
    }
}

/// Labels, and what follows their closing brace.
fn labels(mut rest: &str) -> Option<(Labels, &str)> {
    let mut labels = Vec::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once("=\"")?;
        let (value, after) = quoted(after)?;
        labels.push((name.to_owned(), value));
        if labels.len() > MOST_LABELS {
            return None;
        }
        rest = after;
    }
}

/// A value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

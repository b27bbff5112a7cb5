//! One thing wrong with a configuration.

use std::fmt;

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, such as `killswitch.channels[0].kind`.
    pub key: String,
    /// What is wrong and what was expected.
    pub text: String,
}

impl Problem {
    /// At this key, this. Keys and values of a file may hold anything, and a problem is one line of a terminal or a log.
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: plain(key.into()),
            text: plain(text.into()),
        }
    }
}

/// Spaces in place of line ends and whatever else steers a terminal.
fn plain(text: String) -> String {
    text.replace(char::is_control, " ")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_and_steers_no_terminal() {
        let problem = Problem::new("a\u{1b}[2J", "`b\nc` is not there");
        assert_eq!(problem.to_string(), "a [2J: `b c` is not there");
    }
}

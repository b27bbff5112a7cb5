//! What people and scripts read on standard output: calm lines, or one JSON value.

use serde::Serialize;
use std::fmt::{Arguments, Display};
use std::io::{self, IsTerminal, Write};

/// Standard output. Colour only on a terminal, and not when `NO_COLOR` is set.
#[derive(Debug)]
pub(crate) struct Out {
    stream: io::Stdout,
    colour: bool,
}

/// Colours with a meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paint {
    /// Cut, failed.
    Red,
    /// Open, good.
    Green,
    /// Look at this.
    Yellow,
    /// Headings.
    Bold,
    /// Less important.
    Dim,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31;1",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Bold => "1",
            Self::Dim => "2",
        }
    }
}

impl Out {
    /// This process's standard output.
    pub(crate) fn stdout() -> Self {
        let stream = io::stdout();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colour = wanted && stream.is_terminal();
        Self { stream, colour }
    }

    /// Whether colour may be used.
    pub(crate) const fn colour(&self) -> bool {
        self.colour
    }

    /// One line.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        self.write(format_args!("{text}\n"))
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        self.write(format_args!("\n"))
    }

    /// One JSON value on one line.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(text)
    }

    /// `text` in `paint`, or as it is.
    pub(crate) fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    fn write(&mut self, text: Arguments<'_>) -> io::Result<()> {
        let mut stream = self.stream.lock();
        match stream.write_fmt(text).and_then(|()| stream.flush()) {
            // `portcullis … | head`: whoever reads has seen enough.
            Err(gone) if gone.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// One line on standard error: questions, progress, and what went wrong.
pub(crate) fn aside(text: impl Display) {
    // Nothing can be done when standard error is closed.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// One quoted shell word, so that a printed line can be pasted.
pub(crate) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,@%+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_word_stays_one_word() {
        assert_eq!(shell_word("/tmp/a-b"), "/tmp/a-b");
        assert_eq!(shell_word("/tmp/it's here"), r"'/tmp/it'\''s here'");
        assert_eq!(shell_word(""), "''");
    }
}

//! Texts of the kernel, read up to a bound.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

/// Longest text that is read of the kernel as a whole.
const MOST: u64 = 1024 * 1024;
/// Longest text that is read line by line: a table of sockets has one for each connection.
const MOST_LINES: u64 = 8 * 1024 * 1024;

/// The text of a file; none when it cannot be read.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes);
    Some(text.unwrap_or_else(|why| String::from_utf8_lossy(why.as_bytes()).into_owned()))
}

/// Hands over the lines of a file that may be long, one after the other; what an agent once needed it keeps. None when it
/// cannot be read.
pub(crate) fn each_line(path: impl AsRef<Path>, mut each: impl FnMut(&str)) -> Option<()> {
    let mut lines = BufReader::new(File::open(path).ok()?.take(MOST_LINES));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).ok()? > 0 {
        each(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Some(())
}

/// Names in a folder, in their order; none when it cannot be read.
pub(crate) fn names(path: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(path).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.take(1024).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_over_as_the_text_has_them_whatever_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        std::fs::write(&path, b"one\n\xfftwo\n\nlast").unwrap();
        let mut seen = Vec::new();
        each_line(&path, |line| seen.push(line.trim_end().to_owned())).unwrap();
        assert_eq!(seen, ["one", "\u{fffd}two", "", "last"]);
        assert_eq!(text(&path).unwrap(), "one\n\u{fffd}two\n\nlast");
        let none = each_line(folder.path().join("none"), |_| unreachable!());
        assert_eq!(none, None);
    }
}

//! Puts a reply into the folder gammu-smsd's FILES service sends from (gammu-smsd-files(7)).

use std::io::Write;
use std::path::Path;

/// Longest number of a phone: 15 digits (ITU-T E.164), some room for what networks put before it.
const MOST_DIGITS: usize = 20;

/// Why a reply was not put there.
#[derive(Debug)]
pub(crate) enum Unsendable {
    /// The sender is no number.
    NoNumber,
    /// The folder cannot be written.
    Folder(std::io::Error),
}

/// Writes `OUTA_<to>_<number>.txt`: first in order of sending, whole or not at all.
pub(crate) fn put(folder: &Path, number: u64, to: &str, text: &str) -> Result<(), Unsendable> {
    let to = phone(to).ok_or(Unsendable::NoNumber)?;
    let name = format!("OUTA_{to}_{number}.txt");
    // gammu-smsd leaves out names that begin with a dot.
    let hidden = folder.join(format!(".{name}"));
    let mut content = vec![0xFE, 0xFF];
    content.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    std::fs::File::create(&hidden)
        .and_then(|mut file| file.write_all(&content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&hidden, folder.join(name)))
        .map_err(Unsendable::Folder)
}

/// A number: digits, perhaps after a plus. Anything else could name another folder.
fn phone(to: &str) -> Option<&str> {
    let digits = to.strip_prefix('+').unwrap_or(to);
    let fits = (1..=MOST_DIGITS).contains(&digits.len());
    (fits && digits.bytes().all(|b| b.is_ascii_digit())).then_some(to)
}

/// How many replies wait in the folder to be sent.
pub(super) fn waiting(folder: &Path) -> std::io::Result<usize> {
    let entries = std::fs::read_dir(folder)?;
    Ok(entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("OUTA_"))
        .count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_visible_file_in_utf_16() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), 7, "+15550001", "CUT ALL").unwrap();
        let names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["OUTA_+15550001_7.txt"]);
        let content = std::fs::read(folder.path().join(&names[0])).unwrap();
        assert_eq!(content, b"\xfe\xff\0C\0U\0T\0 \0A\0L\0L");
        assert_eq!(waiting(folder.path()).unwrap(), 1);
    }

    #[test]
    fn only_numbers_are_answered() {
        let folder = tempfile::tempdir().unwrap();
        for to in [
            "",
            "+",
            "Bank",
            "../../x",
            "+1;2",
            "12 34",
            "123456789012345678901",
        ] {
            assert!(put(folder.path(), 1, to, "no").is_err(), "{to}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

//! Reads what gammu-smsd's FILES service puts into its inbox folder (gammu-smsd-files(7)): the name says who and when,
//! the content is the text, one file a part.

use crate::stamp::Written;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most bytes read of one part: 255 characters in UTF-16 fit many times over.
const MOST_BYTES: u64 = 4096;
/// Most parts of one message that are read.
const MOST_PARTS: usize = 32;
/// Most messages taken from one look into the folder.
const MOST_MESSAGES: usize = 64;

/// One received message: all of its parts that gammu-smsd had.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The same for the same files with the same content, also after a restart.
    pub(super) id: String,
    pub(super) sender: String,
    pub(super) text: String,
    pub(super) written: Option<Written>,
    pub(super) files: Vec<PathBuf>,
}

/// One look into the folder.
#[derive(Default)]
pub(super) struct Found {
    /// Newest first, so that a text does not wait behind old ones.
    pub(super) messages: Vec<Message>,
    /// Something in the folder cannot be read.
    pub(super) problem: Option<String>,
}

/// `IN20261121_104500_00_+15550001_01.txt` in its parts.
#[derive(Debug, PartialEq, Eq)]
struct FileName<'a> {
    message: &'a str,
    written: Option<Written>,
    sender: &'a str,
    part: u8,
}

impl<'a> FileName<'a> {
    fn read(name: &'a str) -> Option<Self> {
        let whole = name.strip_suffix(".txt")?;
        let (message, part) = whole.rsplit_once('_')?;
        let mut fields = message.strip_prefix("IN")?.splitn(4, '_');
        let written = Written::read(fields.next()?, fields.next()?);
        let _serial = fields.next()?;
        Some(Self {
            message,
            written,
            sender: fields.next()?,
            part: part.parse().ok()?,
        })
    }
}

/// All messages in `folder`.
///
/// # Errors
/// The folder cannot be read; in words, without the name of any file, which holds a number.
pub(super) fn look(folder: &Path) -> Result<Found, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("inbox folder: {e}"))?;
    let mut groups: BTreeMap<String, BTreeMap<u8, PathBuf>> = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|e| format!("inbox folder: {e}"))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if let Some(file) = FileName::read(&name) {
            let group = groups.entry(file.message.to_owned()).or_default();
            group.insert(file.part, entry.path());
        }
    }
    let mut found = Found::default();
    for (message, parts) in groups.into_iter().rev().take(MOST_MESSAGES) {
        match read(&message, parts) {
            Ok(message) => found.messages.push(message),
            Err(why) => found.problem = Some(why),
        }
    }
    Ok(found)
}

fn read(message: &str, parts: BTreeMap<u8, PathBuf>) -> Result<Message, String> {
    let named = format!("{message}_00.txt");
    let name = FileName::read(&named).ok_or("a file in the inbox folder has no readable name")?;
    let mut hash = Sha256::new();
    hash.update(message);
    let mut text = String::new();
    let mut files = Vec::new();
    for path in parts.into_values().take(MOST_PARTS) {
        let content = content(&path).map_err(|e| format!("a file in the inbox folder: {e}"))?;
        hash.update(u64::try_from(content.len()).unwrap_or(0).to_be_bytes());
        hash.update(&content);
        text.push_str(&decoded(&content)?);
        files.push(path);
    }
    Ok(Message {
        id: shortened(hash),
        sender: name.sender.to_owned(),
        text,
        written: name.written,
        files,
    })
}

/// An id that tells messages apart: 128 bits.
pub(super) fn shortened(hash: Sha256) -> String {
    let digest = hash.finalize();
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

fn content(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?
        .take(MOST_BYTES)
        .read_to_end(&mut content)?;
    Ok(content)
}

/// UTF-16 with a byte order mark (`InboxFormat = unicode`, the default), or the bytes of the daemon's locale.
fn decoded(content: &[u8]) -> Result<String, String> {
    let units = |read: fn([u8; 2]) -> u16| -> String {
        let (pairs, _) = content.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().skip(1).map(|pair| read(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    if content.starts_with(&[0xFE, 0xFF]) {
        Ok(units(u16::from_be_bytes))
    } else if content.starts_with(&[0xFF, 0xFE]) {
        Ok(units(u16::from_le_bytes))
    } else if content.starts_with(b";") && content.windows(10).any(|w| w == b"[SMSBackup") {
        Err("gammu-smsd writes InboxFormat = detail, which is not read: set it to unicode".into())
    } else {
        Ok(String::from_utf8_lossy(content).into_owned())
    }
}

/// Shows neither the text, which may hold a live code, nor the number of the sender.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("parts", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        let mut bytes = vec![0xFE, 0xFF];
        bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        bytes
    }

    fn put(folder: &Path, name: &str, content: &[u8]) {
        std::fs::write(folder.join(name), content).unwrap();
    }

    #[test]
    fn the_name_says_who_and_when() {
        let name = FileName::read("IN20021130_021531_00_+45409000931640979_01.txt").unwrap();
        assert_eq!(name.sender, "+45409000931640979");
        assert_eq!(name.part, 1);
        assert_eq!(name.written, Written::read("20021130", "021531"));
        let odd = FileName::read("IN20021130_021531_00_a_b.txt_00.txt").unwrap();
        assert_eq!(odd.sender, "a_b.txt");
        for other in [
            "OUTA_+1_1.txt",
            "IN20021130_021531_00_+4_00.bin",
            "IN.txt",
            ".txt",
            "IN20021130_021531_00.txt",
        ] {
            assert_eq!(FileName::read(other), None, "{other}");
        }
    }

    #[test]
    fn parts_of_one_message_are_put_together_in_order_and_the_newest_message_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        put(
            folder,
            "IN20261121_104500_00_+1_01.txt",
            &utf16("1234 5678"),
        );
        put(
            folder,
            "IN20261121_104500_00_+1_00.txt",
            &utf16("KILL ALL "),
        );
        put(folder, "IN20261121_104501_00_+2_00.txt", b"status");
        put(folder, "IN20261121_104502_00_+3_00.bin", b"\x01\x02");
        put(folder, "notes.txt", b"KILL");
        let found = look(folder).unwrap();
        let texts: Vec<(&str, &str)> = found
            .messages
            .iter()
            .map(|m| (m.sender.as_str(), m.text.as_str()))
            .collect();
        assert_eq!(texts, [("+2", "status"), ("+1", "KILL ALL 1234 5678")]);
        assert_eq!(found.problem, None);
    }

    #[test]
    fn the_id_is_of_name_and_content_so_that_a_name_used_again_is_another_message() {
        let folder = tempfile::tempdir().unwrap();
        let name = "IN20261121_104500_00_+1_00.txt";
        let id = |text: &str| {
            put(folder.path(), name, &utf16(text));
            look(folder.path()).unwrap().messages[0].id.clone()
        };
        assert_eq!(id("one"), id("one"));
        assert_ne!(id("one"), id("two"));
    }

    #[test]
    fn what_cannot_be_read_is_said_and_hides_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let detail = b"; Saved\n[SMSBackup000]\nText00 = 004B\n";
        put(folder.path(), "IN20261121_104500_00_+1_00.txt", detail);
        put(folder.path(), "IN20261121_104400_00_+1_00.txt", b"KILL");
        std::fs::create_dir(folder.path().join("IN20261121_104600_00_+1_00.txt")).unwrap();
        let found = look(folder.path()).unwrap();
        assert_eq!(found.messages.len(), 1);
        let problem = found.problem.unwrap();
        assert!(
            problem.contains("unicode") && !problem.contains("+1"),
            "{problem}"
        );
        assert!(look(Path::new("/nonexistent")).is_err());
    }

    #[test]
    fn any_bytes_are_some_text() {
        for content in [
            &b""[..],
            b"\xfe",
            b"\xfe\xff\xd8",
            b"\xff\xfeA\0",
            b"\x80\x81",
        ] {
            decoded(content).unwrap();
        }
        assert_eq!(decoded(b"\xff\xfeA\0").unwrap(), "A");
    }
}

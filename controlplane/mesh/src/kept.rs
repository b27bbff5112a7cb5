//! The policy that was in force before a cut, kept on disk until a person puts it back.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Longest text read back, in bytes.
const MAX: u64 = 1024 * 1024;

/// One file, readable by its owner.
#[derive(Clone, Debug)]
pub struct KeptPolicy {
    file: PathBuf,
}

impl KeptPolicy {
    /// Nothing is read or written yet.
    #[must_use]
    pub const fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// What is kept; `None` when nothing is.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> io::Result<Option<String>> {
        let file = match fs::File::open(&self.file) {
            Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut text = String::new();
        file.take(MAX).read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Whether something is kept that can be read; the disk is waited for on another thread.
    pub(crate) async fn is_there(&self) -> bool {
        let kept = self.clone();
        let read = tokio::task::spawn_blocking(move || kept.read()).await;
        matches!(read, Ok(Ok(Some(_))))
    }

    /// [`KeptPolicy::keep`] on another thread.
    pub(crate) async fn keep_apart(&self, text: &str) -> io::Result<()> {
        let (kept, text) = (self.clone(), text.to_owned());
        tokio::task::spawn_blocking(move || kept.keep(&text))
            .await
            .map_err(io::Error::other)?
    }

    /// Keeps a text, unless one is kept already: the first is what was there before the house cut anything.
    ///
    /// # Errors
    /// The file cannot be written; then nothing is kept.
    pub fn keep(&self, text: &str) -> io::Result<()> {
        if self.read()?.is_some() {
            return Ok(());
        }
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.file.with_extension("new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.file)
    }

    /// Forgets it, once a person has had it put back.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(&self.file) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(why),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_policy_is_kept_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptPolicy::at(folder.path().join("mesh/policy.hujson"));
        assert_eq!(kept.read().unwrap(), None);
        kept.keep("before").unwrap();
        kept.keep("of the cut").unwrap();
        assert_eq!(kept.read().unwrap().as_deref(), Some("before"));
        kept.forget().unwrap();
        kept.forget().unwrap();
        assert_eq!(kept.read().unwrap(), None);
    }
}

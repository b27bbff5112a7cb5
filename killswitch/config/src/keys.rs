//! Public keys of kill switches, each in a file of 64 hexadecimal digits.

use crate::reading::Reading;
use crate::secret_file;
use data_encoding::HEXLOWER;
use kill_wire::VerifyingKey;

/// Reads one; a problem names the file.
pub(crate) fn read(key: &str, path: &str, reading: &mut Reading<'_>) -> Option<VerifyingKey> {
    let path = reading.folder.join(path);
    // Nobody need hide it: a warning about who may read it would be noise.
    let content = secret_file::read(key, &path, &mut Vec::new());
    let content = reading.problems.take(key, content)?;
    let raw = HEXLOWER.decode(content.expose().as_bytes()).ok();
    let raw = raw.and_then(|raw| <[u8; 32]>::try_from(raw).ok());
    let made = raw.and_then(|raw| VerifyingKey::from_bytes(&raw).ok());
    let shown = path.display();
    let made = made.ok_or_else(|| {
        format!("`{shown}` does not hold the public key of a kill switch: 64 hexadecimal digits, as in agent/order.pub")
    });
    reading.problems.take(key, made)
}

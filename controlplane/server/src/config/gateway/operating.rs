//! Who follows along: `[gateway.access_log]`.

use gateway::{AccessLogWish, Operating};
use kill_config::Section;
use std::path::Path;

/// A file of this size is followed by a fresh one, unless the file says otherwise: 100 MB.
const MAX_BYTES: u64 = 100_000_000;
/// So many older files stay, unless the file says otherwise.
const KEEP: u64 = 5;

/// Reads it; `None` when a problem was noted.
pub(super) fn operating(section: &mut Section<'_>, folder: &Path) -> Option<Operating> {
    let access_log = match section.section("access_log") {
        Some(section) => Some(access_log(section, folder)?),
        None => None,
    };
    Some(Operating { access_log })
}

fn access_log(mut section: Section<'_>, folder: &Path) -> Option<AccessLogWish> {
    let path = section.need("path", "the path of a file, or `-` for standard output");
    let max_bytes = section.number("max_bytes", 4096..=1_000_000_000_000);
    let keep = section.number("keep", 0..=1000).unwrap_or(KEEP);
    let path = match path.as_deref() {
        None => None,
        Some("-") => Some(None),
        Some(path) => {
            let path = folder.join(path);
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            if parent.is_some_and(|parent| !parent.is_dir()) {
                section.note("path", "its folder does not exist; make it first");
                None
            } else {
                Some(Some(path))
            }
        }
    };
    section.finish();
    Some(AccessLogWish {
        path: path?,
        max_bytes: max_bytes.unwrap_or(MAX_BYTES),
        keep: u32::try_from(keep).ok()?,
    })
}

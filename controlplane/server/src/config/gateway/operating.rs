//! Who follows along: `[gateway.access_log]` and `[gateway.otel]`.

use gateway::{LinesFile, Operating, OtelHeaders, OtelWish};
use kill_config::Section;
use net_model::BaseUrl;
use std::path::Path;

/// A file of this size is followed by a fresh one, unless the file says otherwise: 100 MB.
const MAX_BYTES: u64 = 100_000_000;
/// So many older files stay, unless the file says otherwise.
const KEEP: u64 = 5;

/// `service.name`, unless the file says otherwise.
const SERVICE: &str = "portcullis-gateway";
/// Longest `service.name` in bytes.
const MAX_SERVICE: usize = 128;

/// Reads it; `None` when a problem was noted.
pub(super) fn operating(section: &mut Section<'_>, folder: &Path) -> Option<Operating> {
    let access_log = match section.section("access_log") {
        Some(section) => Some(access_log(section, folder)?),
        None => None,
    };
    let otel = match section.section("otel") {
        Some(section) => Some(otel(section, folder)?),
        None => None,
    };
    Some(Operating { access_log, otel })
}

fn access_log(mut section: Section<'_>, folder: &Path) -> Option<LinesFile> {
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
    Some(LinesFile {
        path: path?,
        max_bytes: max_bytes.unwrap_or(MAX_BYTES),
        keep: u32::try_from(keep).ok()?,
    })
}

fn otel(mut section: Section<'_>, folder: &Path) -> Option<OtelWish> {
    let wish = "the base of an OTLP receiver, such as `http://127.0.0.1:4318`";
    let endpoint = section.need_parsed::<BaseUrl>("endpoint", wish);
    let name = section.text("service_name", "a name, such as `portcullis-gateway`");
    let name = name.unwrap_or_else(|| SERVICE.to_owned());
    let file = section.text(
        "headers_file",
        "the path of a file with `name: value` lines",
    );
    let headers = match file {
        None => Some(OtelHeaders::default()),
        Some(file) => match headers(&folder.join(file)) {
            Ok(headers) => Some(headers),
            Err(why) => {
                section.note("headers_file", &why);
                None
            }
        },
    };
    if name.is_empty() || name.len() > MAX_SERVICE || name.chars().any(char::is_control) {
        section.note("service_name", "a name has 1 to 128 characters");
        return None;
    }
    section.finish();
    Some(OtelWish {
        endpoint: endpoint?,
        headers: headers?,
        service_name: name,
    })
}

fn headers(path: &Path) -> Result<OtelHeaders, String> {
    let text = kill_config::text(path).map_err(|why| format!("{}: {why}", path.display()))?;
    OtelHeaders::parse(&text).map_err(|why| format!("{}: {why}", path.display()))
}

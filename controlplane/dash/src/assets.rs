//! Style sheet, icon and scripts, inside the binary. Their address holds a hash of their content, so a browser may
//! keep them for ever and never mixes two versions.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The address of an asset.
pub(crate) fn address(name: &str) -> String {
    let hash = Assets::get(name).map(|file| hash(&file));
    format!("/assets/{}/{name}", hash.unwrap_or_default())
}

fn hash(file: &EmbeddedFile) -> String {
    let mut hash = HEXLOWER.encode(&file.metadata.sha256_hash());
    hash.truncate(16);
    hash
}

pub(crate) async fn serve(Path((wanted, name)): Path<(String, String)>) -> Response {
    let Some(file) = Assets::get(&name) else {
        return (StatusCode::NOT_FOUND, "There is no such asset.\n").into_response();
    };
    // A page of another version asks under another hash: it gets what there is, unkept.
    let keep = if wanted == hash(&file) {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)];
    (headers, file.data.into_owned()).into_response()
}

/// The text of an asset.
pub(crate) fn text(name: &str) -> String {
    let file = Assets::get(name);
    file.map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

/// Addresses of everything a page needs.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) style: String,
    pub(crate) icon: String,
    pub(crate) htmx: String,
    pub(crate) theme: String,
    pub(crate) script: String,
}

pub(crate) fn links() -> Links {
    Links {
        style: address("portcullis.css"),
        icon: address("portcullis.svg"),
        htmx: address("htmx.min.js"),
        theme: address("theme.js"),
        script: address("portcullis.js"),
    }
}

//! `[[killswitch.vantages]]`: from where a cut is proven. Our own gateway lists its ways itself; of another's gateway the
//! ways are named here, each with a request that costs nothing and comes through while nothing is cut.

use crate::listen::ADDRESS;
use crate::problem::Problem;
use crate::reading::{MAX_ENTRIES, Reading};
use crate::secret::Secret;
use crate::secret_file;
use crate::walk::Section;
use kill_wire::{Class, Name, ProbePoint, RouteKind};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// Longest path of a probe, in bytes.
const MOST_PATH: usize = 512;
/// Longest name of a header field, in bytes.
const MOST_HEADER: usize = 64;

/// A gateway to probe.
#[derive(Debug)]
pub struct VantageWish {
    /// Its data listener.
    pub gateway: SocketAddr,
    /// Our own gateway's probe key; none at another's, and when the kill switch does not read.
    pub key: Option<Secret>,
    /// The ways through another's gateway; none at our own.
    pub points: Vec<PointWish>,
}

/// One way through a gateway that is not ours.
#[derive(Debug)]
pub struct PointWish {
    /// The way.
    pub point: ProbePoint,
    /// How it is tried.
    pub method: SafeMethod,
    /// What is asked for, from the root.
    pub path: String,
    /// Name of the header field that carries the key.
    pub header: String,
    /// The whole value of that field; none where none is wanted, and when the kill switch does not read.
    pub key: Option<Secret>,
}

/// How a probe asks: never in a way that changes or buys anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafeMethod {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
}

const METHODS: [(&str, SafeMethod); 3] = [
    ("GET", SafeMethod::Get),
    ("HEAD", SafeMethod::Head),
    ("OPTIONS", SafeMethod::Options),
];
const KINDS: [(&str, RouteKind); 3] = [
    ("llm", RouteKind::Llm),
    ("agent", RouteKind::Agent),
    ("tool", RouteKind::Tool),
];
const CLASSES: [(&str, Class); 2] = [("local", Class::Local), ("cloud", Class::Cloud)];

/// Reads one.
pub(crate) fn vantage(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<VantageWish> {
    const EXPECTED: &str = "`portcullis` (a gateway of ours, the default) or `http` (any other)";
    let gateway = section.need_parsed::<SocketAddr>("gateway", ADDRESS);
    let kind = section.text("kind", EXPECTED);
    let read = match kind.as_deref().unwrap_or("portcullis") {
        "portcullis" => own(&mut section, reading).map(|key| (key, Vec::new())),
        "http" => points(&mut section, reading).map(|points| (None, points)),
        _ => {
            section.note("kind", &format!("expected {EXPECTED}"));
            return None;
        }
    };
    section.finish();
    let (key, points) = read?;
    Some(VantageWish {
        gateway: gateway?,
        key,
        points,
    })
}

/// The probe key of a gateway of ours.
fn own(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Option<Secret>> {
    let file = section.need(
        "probe_key_file",
        "the path of a file with that gateway's probe key",
    )?;
    secret(section, "probe_key_file", &file, reading)
}

fn points(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Vec<PointWish>> {
    let entries = section.sections("points");
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        let text = format!(
            "{} entries; expected 1 to {MAX_ENTRIES}: each way through this gateway, as [[killswitch.vantages.points]]",
            entries.len()
        );
        section.note("points", &text);
        return None;
    }
    let mut ways = BTreeSet::new();
    let read: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let key = entry.key("route");
            let point = point(entry, reading)?;
            if !ways.insert(point.point.clone()) {
                let text = "this route, consumer and target are there already";
                reading.problems.note(Problem::new(key, text.to_owned()));
            }
            Some(point)
        })
        .collect();
    read.into_iter().collect()
}

fn point(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<PointWish> {
    const NAME: &str = "a name, as commands and routes have it";
    let route = section.need_parsed::<Name>("route", NAME);
    let consumer = section.need_parsed::<Name>("consumer", NAME);
    let target = section.need_parsed::<Name>("target", NAME);
    let class = one_of(&mut section, "class", &CLASSES, None);
    let kind = one_of(&mut section, "kind", &KINDS, Some(RouteKind::Llm));
    let method = one_of(&mut section, "method", &METHODS, Some(SafeMethod::Get));
    let path = path(&mut section);
    let header = header(&mut section);
    let key = key(&mut section, header.as_deref(), reading);
    section.finish();
    Some(PointWish {
        point: ProbePoint {
            kind: kind?,
            consumer: consumer?,
            route: route?,
            target: target?,
            class: class?,
        },
        method: method?,
        path: path?,
        header: header?,
        key: key?,
    })
}

/// A word out of a list; the default where it may be left out.
fn one_of<T: Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    words: &[(&str, T)],
    default: Option<T>,
) -> Option<T> {
    let expected = words.iter().map(|(word, _)| format!("`{word}`"));
    let expected = format!("one of {}", expected.collect::<Vec<_>>().join(", "));
    let text = match default {
        Some(default) if !section.has(key) => return Some(default),
        Some(_) => section.text(key, &expected)?,
        None => section.need(key, &expected)?,
    };
    let found = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(&text));
    if found.is_none() {
        let short: String = text.chars().take(40).collect();
        section.note(key, &format!("`{short}` is not {expected}"));
    }
    found.map(|(_, value)| *value)
}

fn path(section: &mut Section<'_>) -> Option<String> {
    const EXPECTED: &str = "a path that costs nothing, such as `/v1/models`";
    let path = section.need("path", EXPECTED)?;
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if path.starts_with('/') && path.len() <= MOST_PATH && plain {
        return Some(path);
    }
    section.note("path", &format!("expected {EXPECTED}"));
    None
}

fn header(section: &mut Section<'_>) -> Option<String> {
    const EXPECTED: &str = "the name of a header field, such as `x-api-key`";
    if !section.has("header") {
        return Some("authorization".to_owned());
    }
    let name = section.text("header", EXPECTED)?.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=MOST_HEADER).contains(&name.len()) && name.bytes().all(plain) {
        return Some(name);
    }
    section.note("header", &format!("expected {EXPECTED}"));
    None
}

/// What goes into the header field: in `authorization` behind `Bearer`, elsewhere by itself.
fn key(
    section: &mut Section<'_>,
    header: Option<&str>,
    reading: &mut Reading<'_>,
) -> Option<Option<Secret>> {
    let Some(file) = section.text("key_file", "the path of a file with the consumer's key") else {
        return Some(None);
    };
    let Some(key) = secret(section, "key_file", &file, reading)? else {
        return Some(None);
    };
    if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        section.note("key_file", "it holds characters other than visible ASCII");
        return None;
    }
    if header != Some("authorization") {
        return Some(Some(key));
    }
    Some(Secret::new(&format!("Bearer {}", key.expose())))
}

/// A secret by its file; `Some(None)` when the kill switch does not read.
fn secret(
    section: &Section<'_>,
    key: &'static str,
    file: &str,
    reading: &mut Reading<'_>,
) -> Option<Option<Secret>> {
    if !reading.reader.channels {
        return Some(None);
    }
    let key = section.key(key);
    let read = secret_file::read(&key, &reading.folder.join(file), reading.warnings);
    reading.problems.take(&key, read).map(Some)
}

#[cfg(test)]
mod tests;

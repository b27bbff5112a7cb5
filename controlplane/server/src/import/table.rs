//! What was found, as people read it.

use super::found::{Found, FoundRoute, FoundTarget, printable};
use crate::out::{Out, Paint};
use kill_wire::{Class, Name};
use std::io;

/// Prints all of it.
pub(super) fn show(out: &mut Out, found: &Found) -> io::Result<()> {
    let counted = format!(
        "{}: {} targets, {} routes, {} consumers; {} left behind",
        printable(&found.source),
        found.targets.len(),
        found.routes.len(),
        found.consumers.len(),
        found.left.len()
    );
    out.line(out.paint(Paint::Bold, &counted))?;
    let head = format!("{:<24} {:<6} {:<18} address", "target", "class", "kind");
    part(out, &head, found.targets.iter().flat_map(target))?;
    let head = format!(
        "{:<24} {:<32} targets, first choice first",
        "route", "models"
    );
    part(out, &head, found.routes.iter().map(route))?;
    let head = format!("{:<24} {:<32} routes", "consumer", "key");
    let consumers = found.consumers.iter().map(|it| {
        let key = it.key_file.as_deref();
        let key = key.unwrap_or("the same key, by its SHA-256");
        format!("{:<24} {key:<32} {}", it.name.as_str(), it.routes.len())
    });
    part(out, &head, consumers)?;
    let secrets = found.secrets.iter();
    let secrets = secrets.map(|it| format!("{:<34} {}", it.file, it.from));
    part(
        out,
        "file to make, and where its content stands now",
        secrets,
    )?;
    let left = found.left.iter();
    let left = left.map(|it| format!("{:<44} {}", it.what, it.why));
    part(out, "not carried over, and why", left)?;
    out.gap()
}

/// A heading and its lines; nothing where there are none.
fn part(out: &mut Out, head: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    for (at, line) in lines.enumerate() {
        if at == 0 {
            out.gap()?;
            out.line(out.paint(Paint::Bold, head))?;
        }
        out.line(line)?;
    }
    Ok(())
}

fn target(it: &FoundTarget) -> Vec<String> {
    let class = match it.class {
        Class::Local => "local",
        Class::Cloud => "cloud",
    };
    let kind = it.kind.as_str();
    let mut lines = vec![format!(
        "{:<24} {class:<6} {kind:<18} {}",
        it.name.as_str(),
        it.base_url
    )];
    let models = it.models.iter();
    lines.extend(models.map(|pair| format!("{:<24} {}", "", printable(pair))));
    lines
}

fn route(it: &FoundRoute) -> String {
    let models = printable(&it.models.join(", "));
    let targets: Vec<&str> = it.targets.iter().map(Name::as_str).collect();
    format!(
        "{:<24} {models:<32} {}",
        it.name.as_str(),
        targets.join(", ")
    )
}

//! The text of the file that nginx includes: whom a request is by and what it is about, and where it is looked up whether
//! that is open.
//!
//! The file says nothing of what is cut. That stands in other files, which nginx looks for at each request, so that a cut
//! needs no reload: a reload reads the whole configuration anew, looks up names, and is refused for a mistake anywhere.
//! **Invariant:** only a file that is there opens anything. What nginx does not know, cannot read or finds too old is closed.

use crate::{Closing, Wanted, refusal};
use kill_wire::{INCIDENT_HEADER, Incident, RouteKind};
use net_model::{KeyHash, Secret};
use std::collections::BTreeSet;
use std::path::Path;

/// Request header that asks how the gate stands for this very request; it goes no further. The answer has it too.
pub(super) const LOOK: &str = "x-portcullis-look";
/// What a request is called that names no route, or no consumer.
pub(super) const UNKNOWN: &str = "-";
const HEAD: &str = "\
# Written by Portcullis, and replaced when routes or consumers change.
# Include it first in each server block: it says nothing of what is cut, it looks that up.
";
/// Length of an id.
const ID: usize = 32;
/// Stands for the file's own id while that is not known.
const OWN: &str = "@ID@";
/// Stands for the incident while the words of a refusal are taken over.
const ANY: u32 = u32::MAX;

/// A file and how it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The first half of its SHA-256.
    pub(super) id: String,
    pub(super) text: String,
}

/// The file for these routes and consumers; `folder` is where it stands.
pub(super) fn compile(wanted: &Wanted, folder: &Path) -> Text {
    let folder = folder.display();
    let mut body = String::from("open_file_cache off;\n");
    body += &routes(wanted);
    body += &consumers(wanted);
    body += &format!(
        r#"set $portcullis_gate "";
if (-f "{folder}/now/all") {{ set $portcullis_gate open; }}
if (-f "{folder}/now/route/$portcullis_route") {{ set $portcullis_gate route; }}
if (-f "{folder}/now/who/$portcullis_who") {{ set $portcullis_gate "$portcullis_gate+who"; }}
if ($portcullis_gate = "route+who") {{ set $portcullis_gate open; }}
if ($portcullis_gate != open) {{ set $portcullis_gate shut; }}
set $portcullis_beat "";
if ($msec ~ "^([0-9]+)[0-9]\.") {{ set $portcullis_beat $1; }}
if (!-f "{folder}/lease/$portcullis_beat") {{ set $portcullis_gate lapsed; }}
set $portcullis_look "";
"#
    );
    let look = LOOK.replace('-', "_");
    body += &format!(
        r#"if ($http_{look} != "") {{ set $portcullis_look "{OWN} $portcullis_gate $portcullis_beat"; }}
if ($portcullis_gate != open) {{ rewrite ^ /.portcullis/refused last; }}
if ($portcullis_look != "") {{ rewrite ^ /.portcullis/open last; }}
"#
    );
    body += &locations(&folder.to_string());
    let hash = KeyHash::of(body.as_bytes()).to_hex();
    let id: String = hash.chars().take(ID).collect();
    let text = format!("{HEAD}{}", body.replace(OWN, &id));
    Text { id, text }
}

/// A request is about the route that its path begins with, and about the first to models where it begins as OpenAI's clients
/// have it; about the only one there is, whatever its path.
fn routes(wanted: &Wanted) -> String {
    let routes = wanted.table.routes();
    let only = match routes {
        [only] => only.name.as_str(),
        _ => UNKNOWN,
    };
    let mut text = format!("set $portcullis_route {only};\n");
    if let [_, _, ..] = routes {
        let first = routes.iter().find(|route| route.kind == RouteKind::Llm);
        for route in routes {
            let name = route.name.as_str();
            let path = name.replace('.', r"\.");
            let path = match first {
                Some(first) if first.name == route.name => format!("(?:v1|{path})"),
                _ => path,
            };
            text +=
                &format!("if ($uri ~ \"^/{path}(?:/|$)\") {{ set $portcullis_route {name}; }}\n");
        }
    }
    text
}

/// A request is by the consumer whose key it brings, as its clients send it.
fn consumers(wanted: &Wanted) -> String {
    let mut text = format!("set $portcullis_who {UNKNOWN};\n");
    for (name, key) in wanted.keys.iter().filter(|(_, key)| comparable(key)) {
        let key = key.expose();
        text += &format!(
            "if ($http_x_api_key = \"{key}\") {{ set $portcullis_who {name}; }}\n\
             if ($http_authorization = \"Bearer {key}\") {{ set $portcullis_who {name}; }}\n",
            name = name.as_str()
        );
    }
    text
}

/// Whether nginx can hold a header against it: in its file `$` begins a variable, and nothing takes that from it.
fn comparable(key: &Secret) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/=-:".contains(&byte);
    key.expose().bytes().all(plain)
}

/// Consumers that nginx cannot tell from somebody it does not know.
pub(super) fn untold(wanted: &Wanted) -> Vec<String> {
    let names = wanted.table.consumers().iter().map(|one| &one.name);
    let told = |name| wanted.keys.get(name).is_some_and(comparable);
    names
        .filter(|name| !told(name))
        .map(ToString::to_string)
        .collect()
}

/// What the file tells apart: `route chat`, `consumer claw`.
pub(super) fn told(text: &str) -> BTreeSet<String> {
    let after = |word: &'static str, mark: &'static str| {
        text.lines().filter_map(move |line| {
            let (_, name) = line.split_once(mark)?;
            let name = name.split(';').next()?;
            (name != UNKNOWN).then(|| format!("{word} {name}"))
        })
    };
    after("route", "set $portcullis_route ")
        .chain(after("consumer", "set $portcullis_who "))
        .collect()
}

/// The id that a file of ours says of itself; none in one that is not ours.
pub(super) fn id_of(text: &str) -> Option<&str> {
    let mut said = text.split("set $portcullis_look \"").skip(1);
    said.find_map(|rest| rest.split(' ').next().filter(|id| id.len() == ID))
}

/// Both answers. The state that is in force stands in the name of the folder that `now` leads to.
fn locations(folder: &str) -> String {
    let named = |incident: Option<Incident>| {
        refusal(&Closing {
            all: Some(incident),
            ..Closing::default()
        })
    };
    let cut = named(Incident::try_from(ANY).ok());
    let paused = named(None);
    let mut fields = String::new();
    for (name, value) in &cut.headers {
        fields += &match *name {
            "content-type" => format!("    default_type {value};\n"),
            INCIDENT_HEADER => format!("    add_header {name} $portcullis_cut always;\n"),
            _ => format!("    add_header {name} {} always;\n", quoted(value)),
        };
    }
    let of_cut = quoted(&cut.body.replace(&ANY.to_string(), "$portcullis_cut"));
    let of_pause = quoted(&paused.body);
    let status = cut.status;
    let look = format!(
        "    internal;\n    access_log off;\n    root \"{folder}/now\";\n    \
         if ($portcullis_look != \"\") {{ set $portcullis_look \"$portcullis_look $realpath_root\"; }}\n    \
         add_header {LOOK} $portcullis_look always;\n"
    );
    format!(
        r#"location = /.portcullis/refused {{
{look}{fields}    set $portcullis_cut "";
    if ($realpath_root ~ "/[0-9]+-([1-9][0-9]*)-[0-9a-f]+$") {{ set $portcullis_cut $1; }}
    if ($portcullis_cut = "") {{ return {status} {of_pause}; }}
    return {status} {of_cut};
}}
location = /.portcullis/open {{
{look}    default_type text/plain;
    return 200 "open\n";
}}
"#
    )
}

/// In single quotes, as nginx reads them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests;

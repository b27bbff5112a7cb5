//! The section `[agent]`: whom this host obeys, and what it does when nobody speaks.

use crate::keys;
use crate::listen::{listen, loopback};
use crate::reading::{Reading, addresses};
use crate::walk::Section;
use kill_wire::{Scope, VerifyingKey};
use std::net::SocketAddr;
use toml::Table;

/// What the file wants of the node agent.
#[derive(Clone, Debug)]
pub struct AgentSection {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What is in force stays so when orders stop coming.
    pub holds: bool,
    /// Scopes that stay as they are in silence, also where the others close.
    pub hold: Vec<Scope>,
    /// Kill switches it obeys, beside the one of its own data folder.
    pub killswitch_keys: Vec<VerifyingKey>,
    /// What it may be asked to try past the gateway.
    pub direct: Vec<SocketAddr>,
}

/// Reads the section.
#[must_use]
pub fn read_agent(section: Option<Section<'_>>, reading: &mut Reading<'_>) -> AgentSection {
    let absent = || Section::root(Table::new(), reading.problems);
    let mut section = section.unwrap_or_else(absent);
    let listen = match section.has("listen") {
        true => listen(&mut section, 7413),
        false => loopback(7413),
    };
    let holds = holds(&mut section);
    let hold = scopes(&mut section);
    let files = section.texts(
        "killswitch_keys",
        "a list of files, each with the public key of a kill switch",
    );
    let mut killswitch_keys = Vec::new();
    for (at, file) in files.unwrap_or_default().iter().enumerate() {
        let key = format!("{}[{at}]", section.key("killswitch_keys"));
        killswitch_keys.extend(keys::read(&key, file, reading));
    }
    let direct = addresses(&mut section, "direct", reading.problems);
    section.finish();
    AgentSection {
        listen,
        holds,
        hold,
        killswitch_keys,
        direct,
    }
}

/// Whether the key `on_silence` says `hold`; what is not said, or is neither, cuts.
#[must_use]
pub fn holds(section: &mut Section<'_>) -> bool {
    match section.text("on_silence", "`cut` or `hold`").as_deref() {
        None | Some("cut") => false,
        Some("hold") => true,
        Some(other) => {
            section.note("on_silence", &format!("`{other}` is not `cut` or `hold`"));
            false
        }
    }
}

fn scopes(section: &mut Section<'_>) -> Vec<Scope> {
    const EXPECTED: &str = "a list of scopes, such as [\"local-model\"]";
    let words = section.texts("hold", EXPECTED).unwrap_or_default();
    let scopes: Option<Vec<Scope>> = words.iter().map(|word| word.parse().ok()).collect();
    if scopes.is_none() {
        section.note(
            "hold",
            &format!("one of these is no scope; expected {EXPECTED}"),
        );
    }
    scopes.unwrap_or_default()
}

//! A container engine, asked by its own program.

use super::{Reply, Request, Verb};
use crate::child::{self, Ran};
use host_core::posture::{reduced, reduced_info};
use net_model::report::Engine;
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::path::PathBuf;
use std::time::Duration;

/// How long the engine's program may take; stopping a container takes [`GRACE`] more.
const LIMIT: Duration = Duration::from_secs(3);
/// Seconds that a container has to end by itself.
const GRACE: &str = "2";
/// The engine's programs find their own helpers here.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Which engine, and what of it may be touched.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// Which it is.
    pub engine: Engine,
    /// Its program.
    pub program: PathBuf,
    /// Where it listens, when not at its usual place (`DOCKER_HOST`, `CONTAINER_HOST`).
    pub host: Option<String>,
    /// The containers that may be looked at, frozen, thawed and stopped.
    pub containers: Vec<String>,
}

impl EngineSettings {
    /// Whether every container is named as engines name them: nothing that a program could take for an option.
    #[must_use]
    pub fn names_hold(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        self.containers.iter().all(|name| {
            let first = name.chars().next();
            name.len() <= 128
                && first.is_some_and(|c| c.is_ascii_alphanumeric())
                && name.chars().all(plain)
        })
    }

    pub(super) fn answer(&self, request: &Request) -> Reply {
        let Some(name) = &request.container else {
            return match request.verb {
                Verb::Inspect => self.inspect(),
                Verb::Freeze | Verb::Thaw | Verb::Stop => refused("a container is to be named"),
            };
        };
        if !self.containers.contains(name) {
            return refused("this container is none of those the helper was started with");
        }
        let name = name.as_str();
        let (arguments, limit) = match request.verb {
            Verb::Inspect => return refused("containers are inspected together"),
            Verb::Freeze => (vec!["pause", name], LIMIT),
            Verb::Thaw => (vec!["unpause", name], LIMIT),
            Verb::Stop => (vec!["stop", "-t", GRACE, name], LIMIT * 2),
        };
        match self.run(&arguments, limit) {
            Some(Ran { well: true, .. }) => Reply::Done,
            Some(Ran { well: false, .. }) => refused("the engine refused"),
            None => refused("the engine did not answer in time"),
        }
    }

    fn inspect(&self) -> Reply {
        let info: &[&str] = match self.engine {
            Engine::Docker => &["info", "--format", "{{json .}}"],
            Engine::Podman => &["info", "--format", "json"],
        };
        let mut arguments = vec!["container", "inspect"];
        arguments.extend(self.containers.iter().map(String::as_str));
        // Where one container is absent the program fails and still tells of the others.
        let told = self.run(&arguments, LIMIT);
        let told = told.and_then(|ran| serde_json::from_slice::<Vec<Value>>(&ran.output).ok());
        let Some(told) = told else {
            return refused("the engine did not say what its containers are");
        };
        let containers: Vec<Value> = told.iter().map(reduced).collect();
        let info = self.run(info, LIMIT);
        let info = info.and_then(|ran| serde_json::from_slice::<Value>(&ran.output).ok());
        let info = info.as_ref().map(reduced_info);
        match (to_raw_value(&containers), to_raw_value(&info)) {
            (Ok(containers), Ok(info)) => Reply::Inspected {
                engine: self.engine,
                containers,
                info,
            },
            _ => refused("what the engine said cannot be passed on"),
        }
    }

    fn run(&self, arguments: &[&str], limit: Duration) -> Option<Ran> {
        let mut environment = vec![("PATH".to_owned(), PATH.to_owned())];
        let variable = match self.engine {
            Engine::Docker => "DOCKER_HOST",
            Engine::Podman => "CONTAINER_HOST",
        };
        environment.extend(self.host.clone().map(|host| (variable.to_owned(), host)));
        child::run(&self.program, arguments, &environment, limit)
    }
}

pub(super) fn refused(why: &str) -> Reply {
    Reply::Refused(why.to_owned())
}

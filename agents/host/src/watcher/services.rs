//! Ollama, gateways and containers.

use super::{few, silent, unread};
use crate::ask::get;
use crate::patient::Patient;
use crate::runtime_helper::Helper;
use crate::settings::Settings;
use host_core::services::{
    Answer, OLLAMA_LOADED, OLLAMA_MODELS, OLLAMA_VERSION, asked_of, gateway, ollama,
};
use net_model::report::{Container, Facts, Few, GatewayFact, Ollama, Unknown};
use std::time::Duration;

/// How long one answer may take.
const LIMIT: Duration = Duration::from_millis(1500);

/// What is asked of services, with what was heard last of those that are asked seldom.
#[derive(Debug)]
pub(super) struct Services {
    settings: Settings,
    ollama: Patient<(Ollama, usize)>,
    ollama_last: Last<Option<Ollama>>,
    gateways: Vec<Patient<GatewayFact>>,
    containers: Vec<Patient<Option<Vec<Container>>>>,
    containers_last: Last<Vec<Container>>,
}

/// What was heard last, and what was wrong with it.
#[derive(Debug, Default)]
struct Last<T> {
    heard: T,
    wrong: Vec<Unknown>,
}

impl Services {
    pub(super) fn new(settings: Settings) -> Self {
        let gateways = settings.gateways.iter().map(|_| Patient::default());
        let helpers = settings.runtime_helpers.iter().map(|_| Patient::default());
        Self {
            ollama: Patient::default(),
            ollama_last: Last::default(),
            gateways: gateways.collect(),
            containers: helpers.collect(),
            containers_last: Last::default(),
            settings,
        }
    }

    pub(super) fn ask(&mut self, seldom: bool) {
        for (watched, asked) in self.settings.gateways.iter().zip(&mut self.gateways) {
            let watched = watched.clone();
            asked.ask(move || {
                let (live, ready) = asked_of(watched.kind);
                let live_said = get(watched.address, live, LIMIT);
                // Who does not answer the first question is not asked a second one.
                let ready_said = match (&live_said, live == ready) {
                    (Answer::Body { .. }, false) => get(watched.address, ready, LIMIT),
                    (said, _) => said.clone(),
                };
                gateway(&watched.name, watched.kind, &live_said, &ready_said)
            });
        }
        if !seldom {
            return;
        }
        if let Some(address) = self.settings.ollama {
            self.ollama.ask(move || {
                let version = get(address, OLLAMA_VERSION, LIMIT);
                let heard = matches!(version, Answer::Body { .. });
                let then = |path| {
                    let silent = Answer::Silent;
                    if heard {
                        get(address, path, LIMIT)
                    } else {
                        silent
                    }
                };
                ollama(&version, &then(OLLAMA_MODELS), &then(OLLAMA_LOADED))
            });
            self.ollama_last.wrong = vec![silent("ollama")];
        }
        for (socket, asked) in self
            .settings
            .runtime_helpers
            .iter()
            .zip(&mut self.containers)
        {
            let helper = Helper::at(socket.clone());
            asked.ask(move || helper.containers().ok());
        }
        self.containers_last = Last::default();
        let sockets = self.settings.runtime_helpers.iter();
        self.containers_last.wrong = sockets
            .map(|socket| silent(&format!("containers {}", socket.display())))
            .collect();
    }

    pub(super) fn answers(&mut self, facts: &mut Facts, unknown: &mut Vec<Unknown>, until: u64) {
        let mut heard = Vec::new();
        for (watched, asked) in self.settings.gateways.iter().zip(&mut self.gateways) {
            match asked.answer(until) {
                Some(fact) => heard.push(fact),
                None => heard.push(gateway(
                    &watched.name,
                    watched.kind,
                    &Answer::Silent,
                    &Answer::Silent,
                )),
            }
        }
        facts.gateways = Few::first_of(heard).0;
        self.hear_ollama(until);
        self.hear_containers(until);
        facts.ollama = self.ollama_last.heard.clone();
        unknown.extend(self.ollama_last.wrong.iter().cloned());
        let all = self.containers_last.heard.clone();
        facts.containers = few("containers", all, unknown);
        unknown.extend(self.containers_last.wrong.iter().cloned());
    }

    /// An answer may also come with a later report than the one that asked.
    fn hear_ollama(&mut self, until: u64) {
        if self.ollama_last.wrong.is_empty() {
            return;
        }
        let Some((heard, more)) = self.ollama.answer(until) else {
            self.ollama_last.heard = None;
            return;
        };
        self.ollama_last.wrong.clear();
        if more > 0 {
            let all = vec![(); more + net_model::report::MAX_FEW];
            few("ollama.models", all, &mut self.ollama_last.wrong);
        }
        self.ollama_last.heard = Some(heard);
    }

    fn hear_containers(&mut self, until: u64) {
        for (socket, asked) in self
            .settings
            .runtime_helpers
            .iter()
            .zip(&mut self.containers)
        {
            let name = format!("containers {}", socket.display());
            let Some(answer) = asked.answer(until) else {
                continue;
            };
            self.containers_last
                .wrong
                .retain(|wrong| *wrong != silent(&name));
            match answer {
                Some(containers) => self.containers_last.heard.extend(containers),
                None => self.containers_last.wrong.push(unread(&name)),
            }
        }
    }
}

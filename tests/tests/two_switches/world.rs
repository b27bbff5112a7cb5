//! Two kill switches, two agents, and a network that loses, repeats and reorders what they say.

use crate::people::{people, restore_code};
use agent_core::{AgentCore, Saved, Silence};
use kill_core::{Core, Memory, Opening};
use kill_wire::{
    Challenge, LatchId, Order, PeerState, Scope, SigningKey, Step, Timestamp, VerifyingKey,
};
use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) const SCOPES: [&str; 3] = ["ALL", "LLM", "chat"];
pub(crate) const TWO: usize = 2;

/// What may happen next.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Kill {
        switch: usize,
        scope: usize,
    },
    Restore {
        switch: usize,
        scope: usize,
    },
    /// A kill switch tells both agents and the other kill switch how things are.
    Send {
        switch: usize,
    },
    /// One message arrives; it may arrive again, and its answer may be lost.
    Deliver {
        which: usize,
        again: bool,
        answered: bool,
    },
    Lose {
        which: usize,
    },
    /// What another kill switch restored is on the disk.
    Written {
        switch: usize,
    },
    Wait {
        secs: u64,
    },
    RestartSwitch {
        switch: usize,
    },
    RestartAgent {
        agent: usize,
        doubtful: bool,
    },
}

/// Number of a cut, in the order in which they happened.
type Cut = usize;

struct Switch {
    core: Core,
    key: SigningKey,
    /// What the newest answer of each agent asked it to repeat.
    challenges: [Option<Challenge>; TWO],
    /// Releases that wait for the disk.
    pending: Vec<LatchId>,
    /// Cuts that this one was asked for or heard of.
    knows: BTreeSet<Cut>,
}

struct Agent {
    core: AgentCore,
    disk: Saved,
    /// Cuts that some order it heard was signed after.
    heard: BTreeSet<Cut>,
}

#[derive(Clone)]
struct Message {
    from: usize,
    to_agent: Option<usize>,
    bytes: Vec<u8>,
    /// What its sender knew.
    knew: BTreeSet<Cut>,
}

pub(crate) struct World {
    switches: Vec<Switch>,
    agents: Vec<Agent>,
    network: Vec<Message>,
    cuts: Vec<Scope>,
    /// Cuts that a restore has seen.
    seen: BTreeSet<Cut>,
    wall: Timestamp,
    up: u64,
    chance: u64,
}

pub(crate) fn scope(at: usize) -> Scope {
    SCOPES[at % SCOPES.len()].parse().unwrap()
}

fn keys() -> [SigningKey; TWO] {
    [[7; 32], [8; 32]].map(|seed| SigningKey::from_bytes(&seed))
}

fn started(memory: Memory, at: usize) -> Core {
    let mut core = Core::new(memory, people());
    core.set_peers(u8::try_from(at).ok(), &["other".to_owned()]);
    core
}

fn agent(saved: Saved, doubtful: bool) -> AgentCore {
    let keys: Vec<VerifyingKey> = keys().iter().map(SigningKey::verifying_key).collect();
    AgentCore::new(Some(saved), doubtful, &keys, Silence::default())
}

impl World {
    pub(crate) fn new() -> Self {
        let switch = |(at, key)| Switch {
            core: started(Memory::fresh(), at),
            key,
            challenges: [None; TWO],
            pending: Vec::new(),
            knows: BTreeSet::new(),
        };
        let agent = |_| Agent {
            core: agent(Saved::default(), false),
            disk: Saved::default(),
            heard: BTreeSet::new(),
        };
        Self {
            switches: keys().into_iter().enumerate().map(switch).collect(),
            agents: (0..TWO).map(agent).collect(),
            network: Vec::new(),
            cuts: Vec::new(),
            seen: BTreeSet::new(),
            wall: Timestamp::from_millis(1_795_248_120_000),
            up: 0,
            chance: 0,
        }
    }

    pub(crate) fn act(&mut self, event: &Event) {
        match *event {
            Event::Kill { switch, scope: at } => {
                let switch = &mut self.switches[switch % TWO];
                switch.core.lever_cut(scope(at), "a", "b", self.wall);
                switch.knows.insert(self.cuts.len());
                self.cuts.push(scope(at));
            }
            Event::Restore { switch, scope: at } => self.restore(switch % TWO, &scope(at)),
            Event::Send { switch } => self.send(switch % TWO),
            Event::Deliver {
                which,
                again,
                answered,
            } => {
                if !self.network.is_empty() {
                    let at = which % self.network.len();
                    let message = if again {
                        self.network[at].clone()
                    } else {
                        self.network.remove(at)
                    };
                    self.deliver(&message, answered);
                }
            }
            Event::Lose { which } => {
                if !self.network.is_empty() {
                    self.network.remove(which % self.network.len());
                }
            }
            Event::Written { switch } => {
                let switch = &mut self.switches[switch % TWO];
                let pending = std::mem::take(&mut switch.pending);
                switch.core.commit_releases(&pending);
            }
            Event::Wait { secs } => {
                self.up += secs;
                self.wall = self.wall.plus_millis(secs * 1000);
                for agent in &mut self.agents {
                    agent.core.on_tick(Duration::from_secs(self.up));
                }
            }
            Event::RestartSwitch { switch: at } => {
                let switch = &mut self.switches[at % TWO];
                let memory = switch.core.memory().to_json();
                switch.core = started(Memory::parse(memory.as_bytes()).unwrap(), at % TWO);
                switch.pending.clear();
                switch.challenges = [None; TWO];
            }
            Event::RestartAgent {
                agent: at,
                doubtful,
            } => {
                let known = &mut self.agents[at % TWO];
                known.core = agent(known.disk.clone(), doubtful);
            }
        }
    }

    /// With a code from after every cut. Its step comes from a clock that agents do not have.
    fn restore(&mut self, at: usize, scope: &Scope) {
        self.wall = self.wall.plus_millis(61_000);
        let code = restore_code("anna", self.wall.step());
        let switch = &mut self.switches[at];
        let opening = switch.core.lever_restore(scope, &code, "a", self.wall);
        let Ok(Opening::Now(restore)) = opening else {
            return;
        };
        if switch.core.commit(restore.seal, self.wall).overtaken {
            return;
        }
        let knows = switch.knows.iter().copied();
        self.seen
            .extend(knows.filter(|cut| self.cuts[*cut] == *scope));
    }

    fn send(&mut self, from: usize) {
        let switch = &mut self.switches[from];
        let answers = switch.challenges.iter().flatten().copied().collect();
        let order = switch.core.next_order(self.wall, [0; 16], answers);
        let bytes = order.seal(&switch.key);
        let told = switch.core.next_order(self.wall, [0; 16], Vec::new());
        let told = String::from_utf8(told.seal(&switch.key)).unwrap();
        let state = switch.core.peer_state(told, self.wall).seal(&switch.key);
        let knew = switch.knows.clone();
        let message = |to_agent, bytes| Message {
            from,
            to_agent,
            bytes,
            knew: knew.clone(),
        };
        for agent in 0..TWO {
            self.network.push(message(Some(agent), bytes.clone()));
        }
        self.network.push(message(None, state));
    }

    fn deliver(&mut self, message: &Message, answered: bool) {
        match message.to_agent {
            Some(agent) => {
                self.order(agent, &message.bytes);
                self.agents[agent].heard.extend(&message.knew);
                self.chance += 1;
                let up = Duration::from_secs(self.up);
                let challenge = self.agents[agent].core.challenge(self.chance, up);
                if answered {
                    self.switches[message.from].challenges[agent] = Some(challenge);
                }
            }
            None => {
                let to = &mut self.switches[1 - message.from];
                let key = keys()[message.from].verifying_key();
                let (state, order) = PeerState::open(&message.bytes, &key).unwrap();
                let heard = to.core.on_peer("other", &state, &order, self.wall);
                if heard.stale.is_none() {
                    to.knows.extend(&message.knew);
                }
                to.pending.extend(heard.released);
            }
        }
    }

    fn order(&mut self, agent: usize, bytes: &[u8]) {
        let agent = &mut self.agents[agent];
        let Ok(verdict) = agent.core.on_order(bytes, Duration::from_secs(self.up)) else {
            return;
        };
        if verdict.step.is_some_and(|step| step.save) {
            agent.disk = agent.core.saved();
        }
        if let Some(release) = verdict.release {
            agent.disk = agent.core.recording(&release).unwrap();
            agent.core.on_recorded(release).unwrap();
        }
    }

    fn closed(&self, agent: usize, scope: &Scope) -> bool {
        let overlay = self.agents[agent].core.overlay();
        let latches = &overlay.latches;
        !overlay.paused.is_empty() || latches.of(scope).or(latches.of(&Scope::All)).is_some()
    }

    /// Every scope that stands open at an agent that heard of a newest cut of it which no restore has seen.
    pub(crate) fn wrongly_open(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, agent) in self.agents.iter().enumerate() {
            for scope in SCOPES.map(|scope| scope.parse::<Scope>().unwrap()) {
                let of = |cut: &&Cut| self.cuts[**cut] == scope;
                let newest = agent.heard.iter().filter(of).max();
                if let Some(cut) = newest.filter(|cut| !self.seen.contains(cut))
                    && !self.closed(at, &scope)
                {
                    wrong.push(format!("agent {at}: {scope} is open after cut {cut}"));
                }
            }
        }
        wrong
    }

    /// Whether an agent is open altogether although cuts of everything were heard there: the test tests something.
    pub(crate) fn opened_again(&self) -> bool {
        (0..TWO).any(|at| {
            let all = |cut: &Cut| self.cuts[*cut] == Scope::All;
            self.agents[at].heard.iter().any(all) && !self.closed(at, &Scope::All)
        })
    }

    /// Everybody speaks with everybody until nothing is new.
    pub(crate) fn heal(&mut self) {
        self.network.clear();
        for _ in 0..4 {
            for switch in 0..TWO {
                self.send(switch);
                while let Some(message) = self.network.pop() {
                    self.deliver(&message, true);
                }
                for switch in 0..TWO {
                    self.act(&Event::Written { switch });
                }
            }
        }
    }

    /// Restores whatever is cut, at one kill switch.
    pub(crate) fn restore_all(&mut self, at: usize) {
        for scope in SCOPES.map(|scope| scope.parse().unwrap()) {
            self.restore(at, &scope);
        }
    }

    pub(crate) fn all_open(&self) -> bool {
        let at = |agent| !self.closed(agent, &Scope::All) && !self.closed(agent, &scope(2));
        let agents = (0..TWO).all(|agent| at(agent) && !self.closed(agent, &scope(1)));
        agents
            && self
                .switches
                .iter()
                .all(|switch| switch.core.memory().latches().is_empty())
    }

    pub(crate) const fn step(&self) -> Step {
        self.wall.step()
    }

    pub(crate) fn order_of(&mut self, at: usize) -> Order {
        self.switches[at]
            .core
            .next_order(self.wall, [0; 16], Vec::new())
    }
}

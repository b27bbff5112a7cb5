//! What each part is started with: the configuration, and the keys of this data folder.

use super::plan::Plan;
use super::ports;
use crate::config::Fallback;
use crate::house;
use crate::paths::Part;
use crate::private;
use gateways::Driver;
use kill_config::{BadConfig, KillSwitchSection};
use killswitchd::Beside;
use net_model::KeyHash;
use node_agent::{Driven, OnSilence, Silence};
use std::net::SocketAddr;

/// For the kill switch; takes its section out of the plan, but for what a reload is compared with.
pub(super) fn kill_switch(
    plan: &mut Plan,
    listening: &[(Part, SocketAddr)],
) -> anyhow::Result<killswitchd::Settings> {
    let beside = Beside {
        agent: ports::address(&plan.config, listening, Part::Agent),
        gateway: ports::address(&plan.config, listening, Part::Gateway),
        probe_key: plan.home.probe_key(),
    };
    let mut section = plan.config.killswitch.take();
    section
        .scopes
        .extend(kill_config::zone_names(&plan.config.raw));
    killswitchd::Settings::configured(section, plan.home.part(Part::Killswitch), &beside)
}

/// For the courier; none when it does not run here, or no channel has work for it.
pub(super) fn courier(plan: &Plan, section: &KillSwitchSection) -> Option<kill_courier::Settings> {
    let own = || killswitchd::courier_socket(&plan.home.part(Part::Killswitch));
    let socket = section.sockets.courier.clone().unwrap_or_else(own);
    let wishes = section.channels.iter().map(|wish| &wish.courier);
    kill_courier::Settings::configured(wishes, socket).filter(|_| plan.courier)
}

/// For the node agent.
pub(super) fn agent(plan: &Plan) -> anyhow::Result<node_agent::Settings> {
    Ok(node_agent::Settings {
        node: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .chars()
            .take(64)
            .collect(),
        keys: house::order_keys(&plan.home, &plan.config.agent)?,
        state_dir: plan.home.part(Part::Agent),
        gateways: vec![Driver::embedded(plan.home.control_socket())],
        on_silence: Silence {
            all: if plan.config.agent.holds {
                OnSilence::Hold
            } else {
                OnSilence::Cut
            },
            hold: plan.config.agent.hold.clone(),
        },
        direct: plan.config.agent.direct.clone(),
        fence: None,
    })
}

/// Gateways of this host that are not ours.
pub(super) fn driven(plan: &Plan) -> Vec<Driven> {
    let wanted = plan.config.wanted.as_ref();
    let drivers = plan.config.drivers.iter();
    drivers.map(|wish| Driven::wished(wish, wanted)).collect()
}

/// For the gateway.
pub(super) fn gateway(plan: &Plan, fallback: &Fallback) -> anyhow::Result<gateway::Settings> {
    let table = plan
        .config
        .gateway
        .table(fallback)
        .map_err(|problems| BadConfig {
            file: plan.file.clone(),
            problems,
        })?;
    Ok(gateway::Settings {
        table,
        rules: plan.config.gateway.rules().clone(),
        control_socket: plan.home.control_socket(),
        spool_dir: plan.home.spool(),
        probe_key: private::secret(&plan.home.probe_key())?.hash(),
        front: plan.config.gateway.front().clone(),
    })
}

/// What is kept of the built-in consumer's key; of nothing, where its file is not this host's.
pub(super) fn consumer_key(plan: &Plan) -> anyhow::Result<KeyHash> {
    if plan.config.gateway.has_consumers() || !plan.parts.contains(&Part::Gateway) {
        return Ok(KeyHash::of(b""));
    }
    Ok(private::secret(&plan.home.agent_key())?.hash())
}

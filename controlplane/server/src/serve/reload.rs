//! SIGHUP: the configuration is read again. A cut lies over the routes, so no reload can touch it.

use super::site::{STOP, Site};
use super::{ports, settings};
use crate::config::{self, Config};
use crate::paths::Part;
use crate::price_list;
use kill_courier::Courier;

/// Takes over routes, consumers, targets and channels; keeps everything as it was if anything is wrong.
pub(super) fn reload(site: &mut Site) {
    let config = match config::read(site.plan.file.as_deref()) {
        Ok(config) => config,
        Err(bad) => {
            tracing::error!("The configuration was not taken; what was in force stays. {bad}");
            return;
        }
    };
    if let Err(why) = take(site, config) {
        tracing::error!("The configuration was not taken whole: {why:#}");
    }
}

fn take(site: &mut Site, mut config: Config) -> anyhow::Result<()> {
    for warning in &config.warnings {
        tracing::warn!(key = warning.key, "{}", warning.text);
    }
    for part in &site.plan.parts {
        if ports::configured(&config, *part) != ports::configured(&site.plan.config, *part) {
            tracing::warn!(
                part = part.name(),
                "A new listen address counts from the next start."
            );
        }
    }
    if config.killswitch.agents != site.plan.config.killswitch.agents {
        tracing::warn!("New agents of the kill switch count from the next start.");
    }
    let table =
        config
            .gateway
            .table(&site.fallback)
            .map_err(|problems| kill_config::BadConfig {
                file: site.plan.file.clone(),
                problems,
            })?;
    let section = config.killswitch.take();
    let prices = price_list::read(&site.plan.home)?;
    let errands = settings::courier(&site.plan, &section);
    let state_dir = site.plan.home.part(Part::Killswitch);
    let channels = killswitchd::channels(&state_dir, section.channels);
    if let Some(gateway) = &site.gateway {
        gateway.set_prices(prices);
        gateway.reload(table, config.gateway.rules().clone());
        gateway.reload_front(config.gateway.front().clone());
    }
    if let Some(kill_switch) = &site.kill_switch {
        kill_switch.set_channels(channels?);
    }
    // What the old one had not finished, the new one takes over: messages at their providers, replies at the kill switch.
    if let Some(courier) = site.courier.take() {
        courier.stop(STOP);
    }
    site.courier = errands.map(Courier::start).transpose()?;
    site.plan.config = config;
    tracing::info!("The configuration was read again.");
    Ok(())
}

//! The configuration is read again, whoever asks: SIGHUP, a changed file, the API. A cut lies over the routes, so no
//! reload can touch it.

use super::site::{STOP, Site};
use super::{controlplane, settings};
use crate::clock;
use crate::config::{self, Config, mistakes};
use crate::paths::Part;
use crate::price_list;
use kill_config::BadConfig;
use kill_courier::Courier;
use net_model::{Mistake, ReloadReport, RouteTable};

/// Takes over routes, consumers, targets, rules and channels; keeps everything as it was if anything is wrong. `by`
/// is what asked for it.
pub(super) fn reload(site: &mut Site, by: &str) -> ReloadReport {
    let mut report = report(by);
    match read(site) {
        Ok((config, table)) => {
            look(site, &config, &mut report);
            match take(site, config, table) {
                Ok(()) => report.good = true,
                Err(why) => {
                    tracing::error!(by, "The configuration was not taken whole: {why:#}");
                    report.mistakes.push(Mistake {
                        problem: format!("{why:#}"),
                        ..Mistake::default()
                    });
                }
            }
        }
        Err(bad) => {
            tracing::error!(
                by,
                "The configuration was not taken; what was in force stays. {bad}"
            );
            report.mistakes = mistakes::mistakes(&bad, &site.plan.home.consumers());
        }
    }
    tell(site, &report);
    report
}

/// The same without taking anything over.
pub(super) fn check(site: &Site, by: &str) -> ReloadReport {
    let mut report = report(by);
    match read(site) {
        Ok((config, _)) => {
            look(site, &config, &mut report);
            report.good = true;
        }
        Err(bad) => report.mistakes = mistakes::mistakes(&bad, &site.plan.home.consumers()),
    }
    report
}

fn report(by: &str) -> ReloadReport {
    ReloadReport {
        at: clock::now(),
        by: by.to_owned(),
        ..ReloadReport::default()
    }
}

/// Everything that can be wrong with the file is found here, before anything is touched.
fn read(site: &Site) -> Result<(Config, RouteTable), BadConfig> {
    let file = site.plan.file.as_deref();
    let config = config::read_whole(file, &site.plan.home)?;
    if site.plan.parts.contains(&Part::Killswitch) {
        config::guess_bound(&config, &site.plan.home)?;
    }
    let table = config.gateway.table(&site.fallback);
    let table = table.map_err(|problems| BadConfig {
        file: file.map(ToOwned::to_owned),
        problems,
    })?;
    Ok((config, table))
}

fn look(site: &Site, config: &Config, report: &mut ReloadReport) {
    let kept = site.plan.home.consumers();
    report.warnings = mistakes::listed(site.plan.file.as_deref(), &kept, &config.warnings);
    report.needs_restart = config::needs_restart(&site.started_with, &config.raw);
}

/// Says how it went, in the log, in figures and to whoever looks at the gateway.
fn tell(site: &Site, report: &ReloadReport) {
    for warning in &report.warnings {
        tracing::warn!(key = warning.field, "{}", warning.problem);
    }
    for field in &report.needs_restart {
        tracing::warn!(
            field,
            "This needs a restart: it counts from the next start."
        );
    }
    if let Some(gateway) = &site.gateway {
        gateway.tell_of_reload(report);
    }
    if report.good {
        tracing::info!(by = report.by, "The configuration was read again.");
    }
}

fn take(site: &mut Site, mut config: Config, table: RouteTable) -> anyhow::Result<()> {
    let section = config.killswitch.take();
    let prices = price_list::read(&site.plan.home)?;
    let errands = settings::courier(&site.plan, &section);
    let state_dir = site.plan.home.part(Part::Killswitch);
    let channels = match &site.kill_switch {
        Some(switch) => Some((switch, killswitchd::channels(&state_dir, section.channels)?)),
        None => None,
    };
    if let Some(gateway) = &site.gateway {
        gateway.set_prices(prices.clone());
        gateway.reload(table, config.gateway.rules().clone());
        gateway.reload_front(config.gateway.front().clone());
        gateway.operate(config.gateway.operating().clone());
    }
    if let (Some(agent), Some(wanted)) = (&site.agent, &config.wanted) {
        agent.driven().want(wanted);
    }
    if let Some(controlplane) = &site.controlplane {
        controlplane.set(controlplane::house(&config));
        controlplane.set_sources(&config.usage, &prices);
    }
    if let Some((switch, channels)) = channels {
        switch.set_channels(channels);
    }
    // What the old one had not finished, the new one takes over: messages at their providers, replies at the kill switch.
    if let Some(courier) = site.courier.take() {
        courier.stop(STOP);
    }
    site.courier = errands.map(Courier::start).transpose()?;
    site.plan.config = config;
    Ok(())
}

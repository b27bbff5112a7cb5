//! What a changed configuration changes only at the next start. Pure.

use std::collections::BTreeSet;
use toml::{Table, Value};

/// Fields that differ from what the process started with and are not taken over while it runs: everything but the
/// gateway's section, the channels of the kill switch, and whoever tells of usage.
pub(crate) fn needs_restart(started: &Table, now: &Table) -> Vec<String> {
    let mut fields = Vec::new();
    for section in [
        "agent",
        "controlplane",
        "gateway",
        "hosts",
        "jobs",
        "killswitch",
        "mesh",
    ] {
        let (before, after) = (keys(started, section), keys(now, section));
        let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in all {
            let taken_over = match section {
                "gateway" => key != "listen",
                "killswitch" => key == "channels",
                "controlplane" => key == "usage_sources",
                _ => false,
            };
            if !taken_over && before.get(key) != after.get(key) {
                fields.push(format!("{section}.{key}"));
            }
        }
    }
    fields
}

fn keys(root: &Table, section: &str) -> Table {
    root.get(section)
        .and_then(Value::as_table)
        .cloned()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_while_running_is_not_named() {
        let started = "[gateway]\nlisten = 'a'\n[killswitch]\nagents = []\n[agent]\nhold = []";
        let now = "[gateway]\nlisten = 'b'\ntime_zone = 'c'\n[killswitch]\nagents = ['d']\n[[killswitch.channels]]\nname = 'e'";
        let of = |text: &str| text.parse().unwrap();
        assert_eq!(
            needs_restart(&of(started), &of(now)),
            ["agent.hold", "gateway.listen", "killswitch.agents"]
        );
        assert!(needs_restart(&of(now), &of(now)).is_empty());
    }

    #[test]
    fn every_key_about_hosts_is_named_also_one_that_came_or_went() {
        let started = "[hosts]\nlisten = 'a'\nsite = 'home'\ncertificate_life = '72 h'";
        let now = "[hosts]\nlisten = 'b'\naddresses = ['c']\ncertificate_life = '72 h'";
        let of = |text: &str| text.parse().unwrap();
        assert_eq!(
            needs_restart(&of(started), &of(now)),
            ["hosts.addresses", "hosts.listen", "hosts.site"]
        );
        // The whole section left out is the default again.
        assert_eq!(needs_restart(&of(started), &of("")).len(), 3);
    }
}

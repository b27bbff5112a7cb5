//! The file `node-agent.toml`: read whole, every mistake reported at once. One file here for each section.

mod agent;
mod canary;
mod fence;
mod report;
mod uplink;

pub(super) use agent::AgentWish;
pub(super) use fence::Fenced;
use uplink::UplinkWish;

use gateway_config::{DriverWish, WantedWish};
use host_facts::CanaryPlan;
use kill_config::{BadConfig, Problem, Problems, Reader, Reading, Section, read_table};
use std::path::Path;

/// What the file wants.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) agent: AgentWish,
    /// What the gateways shall do that this host manages; none where it manages none.
    pub(super) wanted: Option<WantedWish>,
    /// None where this host has no fence.
    pub(super) fence: Option<Fenced>,
    pub(super) uplink: UplinkWish,
    /// What is looked at besides what every host has.
    pub(super) report: host_facts::Settings,
    /// None where nothing is tried.
    pub(super) canary: Option<CanaryPlan>,
    /// What works but should be looked at.
    pub(super) warnings: Vec<Problem>,
}

/// Reads the file; relative paths in it start at its folder.
pub(super) fn read(path: &Path) -> Result<Config, BadConfig> {
    let table = read_table(path)?;
    let problems = Problems::default();
    let mut warnings = Vec::new();
    let mut root = Section::root(table, &problems);
    let mut reading = Reading {
        reader: Reader {
            channels: false,
            courier: None,
        },
        folder: path.parent().unwrap_or_else(|| Path::new("")),
        problems: &problems,
        warnings: &mut warnings,
    };
    let agent = agent::read(root.section("agent"), &mut reading);
    let managed = agent.drivers.iter().any(DriverWish::is_managed);
    let wanted = gateway_config::read_wanted(root.section("gateway"), managed, &mut reading);
    let fence = fence::read(root.section("fence"), &agent, &reading);
    let uplink = uplink::read(root.section("uplink"), &problems);
    let report = report::read(root.section("report"));
    let canary = canary::read(root.section("canary"), &problems);
    root.finish();
    let problems = problems.into_sorted();
    if problems.is_empty() {
        Ok(Config {
            agent,
            wanted,
            fence,
            uplink,
            report,
            canary,
            warnings,
        })
    } else {
        Err(BadConfig {
            file: Some(path.to_owned()),
            problems,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems_of(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node-agent.toml");
        std::fs::write(&path, text).unwrap();
        let problems = read(&path).map_or_else(|bad| bad.problems, |_| Vec::new());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let found = problems_of(
            "[agnt]\n[agent]\nname = \"two words\"\nlisten = \"here\"\nkillswitch_keys = [\"absent.pub\"]\non_silence = \"sing\"\ncolour = 1\n",
        );
        for part in [
            "agnt: unknown key; did you mean `agent`?",
            "agent.name: ",
            "agent.listen: `here` is not a literal address",
            "agent.killswitch_keys[0]: ",
            "agent.on_silence: ",
            "agent.colour: unknown key",
        ] {
            assert!(
                found.iter().any(|problem| problem.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
    }

    #[test]
    fn an_agent_that_obeys_nobody_is_a_mistake() {
        let found = problems_of("[agent]\nname = \"gw1\"\n");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("agent.killswitch_keys: missing"));
    }

    #[test]
    fn a_gateway_that_is_managed_needs_something_to_do_and_consumers_whose_keys_are_known() {
        let of = |managed: bool, gateway: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("key"), "0123456789abcdef").unwrap();
            let key = folder.path().join("key");
            let key = key.display();
            problems_of(&format!(
                "[agent]\nname = \"gw\"\nkillswitch_keys = []\n[[agent.drivers]]\nkind = \"apisix\"\nadmin = \"127.0.0.1:9180\"\nadmin_key_file = \"{key}\"\ndata = [\"127.0.0.1:9080\"]\nmanage = {managed}\n{}",
                gateway.replace("KEY", &key.to_string())
            ))
        };
        let ways = "[gateway]\n[[gateway.targets]]\nname = \"ollama\"\nclass = \"local\"\nbase_url = \"http://10.0.20.5:11434/v1\"\n[[gateway.routes]]\nname = \"chat\"\ntargets = [\"ollama\"]\n[[gateway.consumers]]\nname = \"claw\"\nroutes = [\"chat\"]\n";
        let with_key = format!("{ways}key_file = \"KEY\"\n");
        assert_eq!(of(true, &with_key), Vec::<String>::new());
        assert_eq!(of(false, ""), Vec::<String>::new());
        let cases = [
            (
                true,
                String::new(),
                "gateway.targets: missing; a driver has `manage = true`",
            ),
            (
                true,
                format!("{ways}key_sha256 = \"{}\"\n", "0".repeat(64)),
                "gateway.consumers[0].key_sha256: a gateway that this host manages",
            ),
            (
                true,
                with_key.replace("[\"ollama\"]", "[\"olama\"]"),
                "gateway.routes[0].targets: `olama` does not exist; did you mean `ollama`?",
            ),
            (
                true,
                with_key.replace("[gateway]\n", "[gateway]\nlisten = \"127.0.0.1:1\"\n"),
                "gateway.listen: unknown key",
            ),
            (
                true,
                format!(
                    "{with_key}[[gateway.limits]]\nname = \"slow\"\nroute = \"caht\"\nopen = 1\n"
                ),
                "gateway.limits[0].route: `caht` does not exist; did you mean `chat`?",
            ),
            (
                false,
                with_key.clone(),
                "gateway.targets: no driver of this host has `manage = true`",
            ),
        ];
        for (managed, gateway, said) in cases {
            let found = of(managed, &gateway);
            assert!(
                found.iter().any(|it| it.starts_with(said)),
                "{said}: {found:#?}"
            );
        }
    }

    #[test]
    fn mistakes_of_a_fence_are_named_with_the_others() {
        let found = problems_of(
            "[agent]\nname = \"claw1\"\nlisten = \"198.18.30.2:7413\"\nkillswitch_keys = []\n[fence]\nnft = \"nft\"\ntable = \"a b\"\n[fence.host]\nkeep = [{ from = \"198.18.10.2\", to = \"198.18.10.2\", port = 1 }]\non_silence = \"sing\"\n[[fence.zones]]\nname = \"red\"\ninterfaces = [\"vlan 30\"]\nnets = [\"198.18.30.0/24\"]\n",
        );
        for part in [
            "fence.nft: ",
            "fence.table: ",
            "fence.host.keep[0].port: ",
            "fence.host.keep: no flow keeps the way of orders open",
            "fence.host.on_silence: ",
            "fence.zones[0].interfaces: ",
        ] {
            assert!(
                found.iter().any(|problem| problem.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
    }

    #[test]
    fn mistakes_of_a_canary_are_named() {
        let of = |canary: &str| {
            let agent = "[agent]\nname = \"claw1\"\nkillswitch_keys = []\n[canary]\n";
            problems_of(&format!("{agent}{canary}"))
        };
        let found = of(
            "must = [\"tcp://192.0.2.12:7412\", \"tcp://nas:445\"]\nmust_not = [\"tcp://127.0.0.1:445\", \"http://192.0.2.7\"]\nevery = \"1 s\"\nmustnot = []\n",
        );
        for part in [
            "canary.must[1]: ",
            "canary.must_not[0]: `tcp://127.0.0.1:445` leads to this host itself",
            "canary.must_not[1]: ",
            "canary.every: ",
            "canary.mustnot: unknown key; did you mean `must_not`?",
        ] {
            assert!(
                found.iter().any(|problem| problem.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
        assert_eq!(found.len(), 5, "{found:#?}");
        let both = "must = [\"tcp://192.0.2.7:445\"]\nmust_not = [\"tcp://192.0.2.7:445\"]\n";
        assert_eq!(
            of(both),
            ["canary.must_not: `tcp://192.0.2.7:445` is there twice"]
        );
        assert_eq!(of("every = \"60 s\"\n"), Vec::<String>::new());
    }

    #[test]
    fn a_cut_of_everything_closes_a_zone_whatever_else_the_file_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node-agent.toml");
        let text = "[agent]\nname = \"edge\"\nkillswitch_keys = []\n[fence]\n[[fence.zones]]\nname = \"red\"\ninterfaces = [\"vlan30\"]\nnets = [\"198.18.30.7/24\", \"fd00:30::/64\"]\ncloses_on = [\"claw\"]\non_silence = \"hold\"\n";
        std::fs::write(&path, text).unwrap();
        let fenced = read(&path).unwrap().fence.unwrap();
        let closes: Vec<String> = fenced.wish.closes_on[0]
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(closes, ["claw", "ALL", "red"]);
        assert_eq!(fenced.holds.len(), 1);
        assert_eq!(
            fenced.wish.plan.ways[0].nets[0].to_string(),
            "198.18.30.0/24"
        );
    }
}

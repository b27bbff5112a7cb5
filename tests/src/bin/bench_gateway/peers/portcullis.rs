//! Our own gateway as a process of its own, with keys, metering, a budget and a limit on; kill switch and node agent
//! stand beside it, because it is closed without them.

use super::{Started, write};
use crate::asked::Asked;
use anyhow::ensure;
use site_tests::bench::{
    clock::{mark, ms},
    running::{Running, await_answer, command, free_ports},
};
use std::{net::SocketAddr, path::Path, process::Stdio};

const KEY: &str = "pck_benchmark_benchmark_benchmark_benchmark";

pub(super) fn start(
    asked: &Asked,
    folder: &Path,
    at: SocketAddr,
    upstream: SocketAddr,
) -> anyhow::Result<Started> {
    let [kill_switch, agent] = free_ports()?;
    let key_file = write(folder, "agent.key", KEY)?;
    let config = write(
        folder,
        "portcullis.toml",
        &format!(
            "[killswitch]\nlisten = \"{kill_switch}\"\nagents = [\"{agent}\"]\n\
             [agent]\nlisten = \"{agent}\"\n\
             [gateway]\nlisten = \"{at}\"\n\
             [[gateway.targets]]\nname = \"lab\"\nclass = \"local\"\nbase_url = \"http://{upstream}/v1\"\n\
             [[gateway.routes]]\nname = \"chat\"\nmodels = [\"*\"]\ntargets = [\"lab\"]\n\
             [[gateway.consumers]]\nname = \"agent\"\nkey_file = \"{}\"\nroutes = [\"chat\"]\n\
             [[gateway.budgets]]\nname = \"day\"\nconsumer = \"agent\"\nwindow = \"day\"\ntokens = 1000000000\nmoney = \"1000\"\n\
             [[gateway.limits]]\nname = \"pace\"\nconsumer = \"agent\"\nrequests_per_minute = 100000000\nopen = 100000\n",
            key_file.display()
        ),
    )?;
    let portcullis = |words: &[&str]| {
        let mut command = command(&asked.bin.join("portcullis"));
        command
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--config")
            .arg(&config)
            .args(words)
            .stdout(Stdio::null());
        command
    };
    let made = portcullis(&["init"]).status()?;
    ensure!(made.success(), "portcullis init: {made}");
    let began = mark();
    let program = Running::start(&mut portcullis(&["serve", "gateway"]))?;
    await_answer(at, "/healthz")?;
    let start_ms = ms(began, mark());
    let beside = Running::start(&mut portcullis(&["serve", "killswitch", "agent"]))?;
    await_answer(kill_switch, "/healthz")?;
    await_answer(agent, "/healthz")?;
    Ok(Started {
        key: KEY.to_owned(),
        start_ms,
        program,
        beside: vec![beside],
    })
}

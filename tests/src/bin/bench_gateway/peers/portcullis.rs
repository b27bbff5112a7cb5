//! Our own gateway as a process of its own, with keys, metering, a budget and a limit on; kill switch and node agent
//! stand beside it, because it is closed without them.

use super::{Place, Started};
use anyhow::ensure;
use site_tests::bench::{
    configured::{self, KEY},
    running::{Running, await_answer, command, free_ports},
};
use std::process::Stdio;

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Started> {
    let (folder, at, upstream) = (place.folder, place.at, place.upstream);
    let [kill_switch, agent] = free_ports()?;
    let config = configured::write(folder, [kill_switch, agent, at, upstream], "")?;
    let program = place.asked.bin()?.join("portcullis");
    let portcullis = |words: &[&str]| {
        let mut command = command(&program);
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
    let beside = Running::start(&mut portcullis(&["serve", "killswitch", "agent"]))?;
    await_answer(kill_switch, "/healthz")?;
    await_answer(agent, "/healthz")?;
    let mut started = Started::by(&mut portcullis(&["serve", "gateway"]), at, KEY)?;
    started.beside.push(beside);
    Ok(started)
}

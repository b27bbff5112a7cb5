//! Our gateway as benchmarks configure it: a key, metering, a budget of tokens and money and limits, all of them on.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The consumer's key: nothing outside this process's loopback ports ever takes it.
pub const KEY: &str = "pck_benchmark_benchmark_benchmark_benchmark";

/// Writes the configuration of a house into `folder`; no budget or limit in it is ever reached.
pub fn write(
    folder: &Path,
    [kill_switch, agent, gateway, upstream]: [SocketAddr; 4],
    more: &str,
) -> anyhow::Result<PathBuf> {
    let key_file = private(folder, "agent.key", KEY)?;
    let text = format!(
        "[killswitch]\nlisten = \"{kill_switch}\"\nagents = [\"{agent}\"]\n\
         [agent]\nlisten = \"{agent}\"\n\
         [gateway]\nlisten = \"{gateway}\"\n\
         [[gateway.targets]]\nname = \"lab\"\nclass = \"local\"\nbase_url = \"http://{upstream}/v1\"\n\
         [[gateway.routes]]\nname = \"chat\"\nkind = \"llm\"\nmodels = [\"*\"]\ntargets = [\"lab\"]\n\
         [[gateway.consumers]]\nname = \"agent\"\nkey_file = \"{}\"\nroutes = [\"chat\"]\n\
         [[gateway.budgets]]\nname = \"day\"\nconsumer = \"agent\"\nwindow = \"day\"\ntokens = 1000000000000\nmoney = \"1000\"\n\
         [[gateway.limits]]\nname = \"pace\"\nconsumer = \"agent\"\nrequests_per_minute = 100000000\nopen = 100000\n\
         {more}",
        key_file.display()
    );
    private(folder, "portcullis.toml", &text)
}

/// Writes a file that only its owner reads.
pub fn private(folder: &Path, name: &str, text: &str) -> anyhow::Result<PathBuf> {
    use anyhow::Context as _;
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(path)
}

//! What first start makes: keys of the house, of one person, one consumer, one channel.

use crate::codes::enrol;
use crate::paths::{Home, Part};
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use kill_core::{Digits, People};
use kill_inbound::standard_webhooks;
use kill_wire::SigningKey;
use std::path::Path;
use zeroize::Zeroizing;

/// The person whose keys are made at first start.
const OWNER: &str = "owner";

/// Builds the four folders below `home`.
pub(super) fn everything(home: &Home) -> anyhow::Result<()> {
    super::private_dir(home.root())?;
    for part in Part::ALL {
        super::private_dir(&home.part(part))?;
    }
    let order_key = SigningKey::from_bytes(&*random::<32>()?);
    kill_switch(home, &order_key).context("cannot make the kill switch's state")?;
    agent(home, &order_key).context("cannot make the agent's state")?;
    gateway(home).context("cannot make the gateway's state")?;
    super::private_dir(&home.sign_in())?;
    Ok(())
}

fn kill_switch(home: &Home, order_key: &SigningKey) -> anyhow::Result<()> {
    killswitchd::create_state(&home.part(Part::Killswitch), order_key)?;
    let owner = enrol::Fresh::make()?.person(OWNER, vec!["local".to_owned()], Digits::Eight)?;
    super::private_dir(&home.enrol())?;
    enrol::save_svgs(&home.enrol(), &owner)?;
    let mut people = People::default();
    people.add(owner)?;
    secret(&home.people(), &people.to_json())?;
    super::private_dir(&home.part(Part::Killswitch).join("channels"))?;
    let channel = Zeroizing::new(standard_webhooks::secret_from_random(*random::<32>()?));
    secret(&home.local_secret(), &channel)
}

fn agent(home: &Home, order_key: &SigningKey) -> anyhow::Result<()> {
    node_agent::create_state(&home.part(Part::Agent))?;
    let public = HEXLOWER.encode(order_key.verifying_key().as_bytes());
    secret(&home.order_pub(), &format!("{public}\n"))
}

fn gateway(home: &Home) -> anyhow::Result<()> {
    super::private_dir(&home.spool())?;
    super::private_dir(&home.part(Part::Gateway).join("keys"))?;
    for (path, prefix) in [(home.agent_key(), "pck_"), (home.probe_key(), "ppk_")] {
        let key = Zeroizing::new(format!("{prefix}{}", HEXLOWER.encode(&*random::<32>()?)));
        secret(&path, &format!("{}\n", *key))?;
    }
    Ok(())
}

fn secret(path: &Path, text: &str) -> anyhow::Result<()> {
    kill_files::write_atomic(path, text.as_bytes(), 0o600)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// `N` random bytes, wiped when dropped.
pub(crate) fn random<const N: usize>() -> anyhow::Result<Zeroizing<[u8; N]>> {
    let mut raw = Zeroizing::new([0u8; N]);
    getrandom::fill(raw.as_mut()).context("the system gave no random bytes")?;
    Ok(raw)
}

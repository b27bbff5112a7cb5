//! What first start makes: keys of the house, of one person, one consumer, one channel.

use crate::enrol;
use crate::paths::{Home, Part};
use crate::private;
use crate::random::random;
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use kill_core::People;
use kill_inbound::standard_webhooks;
use kill_wire::SigningKey;
use zeroize::Zeroizing;

/// The person whose keys are made at first start.
const OWNER: &str = "owner";

/// Builds the four folders below `home`.
pub(super) fn everything(home: &Home) -> anyhow::Result<()> {
    private::dir(home.root())?;
    for part in Part::ALL {
        private::dir(&home.part(part))?;
    }
    let order_key = SigningKey::from_bytes(&*random::<32>()?);
    kill_switch(home, &order_key).context("cannot make the kill switch's state")?;
    agent(home, &order_key).context("cannot make the agent's state")?;
    gateway(home).context("cannot make the gateway's state")?;
    private::dir(&home.sign_in())?;
    Ok(())
}

fn kill_switch(home: &Home, order_key: &SigningKey) -> anyhow::Result<()> {
    killswitchd::create_state(&home.part(Part::Killswitch), order_key)?;
    let owner = enrol::person(OWNER, vec!["local".to_owned()])?;
    private::dir(&home.enrol())?;
    enrol::save_svgs(&home.enrol(), &owner)?;
    let mut people = People::default();
    people.add(owner)?;
    private::write(&home.people(), &people.to_json())?;
    private::dir(&home.part(Part::Killswitch).join("channels"))?;
    let channel = Zeroizing::new(standard_webhooks::secret_from_random(*random::<32>()?));
    private::write(&home.local_secret(), &channel)
}

fn agent(home: &Home, order_key: &SigningKey) -> anyhow::Result<()> {
    node_agent::create_state(&home.part(Part::Agent))?;
    let public = HEXLOWER.encode(order_key.verifying_key().as_bytes());
    private::write(&home.order_pub(), &format!("{public}\n"))
}

fn gateway(home: &Home) -> anyhow::Result<()> {
    private::dir(&home.spool())?;
    private::dir(&home.part(Part::Gateway).join("keys"))?;
    for (path, prefix) in [(home.agent_key(), "pck_"), (home.probe_key(), "ppk_")] {
        let key = Zeroizing::new(format!("{prefix}{}", HEXLOWER.encode(&*random::<32>()?)));
        private::write(&path, &format!("{}\n", *key))?;
    }
    Ok(())
}

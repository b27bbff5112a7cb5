//! Tokens by which hosts join, made by the house's authority as on the command line.

use super::{Desk, failed, refused};
use crate::config::Config;
use crate::{clock, hosts as guests, house};
use dash::{NewHost, Ticket, Trouble, TroubleKind};
use hosts::{Guest, Invited};
use net_model::{HostName, Secret};
use tokio::runtime::Handle;

pub(super) fn invite(desk: &Desk, host: &NewHost) -> Result<Ticket, Trouble> {
    let config = desk.read()?;
    guests::known(&host.zone, &config.zones).map_err(|why| refused(why.to_string()))?;
    let taken = || {
        let name = &host.name;
        let text = format!("{name} is known already: portcullis hosts reinvite {name}");
        Trouble::new(TroubleKind::Changed, text)
    };
    give(desk, &config, host.clone(), false)?.ok_or_else(taken)
}

pub(super) fn reinvite(desk: &Desk, name: &HostName) -> Result<Ticket, Trouble> {
    let config = desk.read()?;
    let none = || Trouble::new(TroubleKind::Unknown, format!("there is no host {name}"));
    let known = runtime()?.block_on(desk.store.host(name));
    let known = known.map_err(|why| failed(&why.into()))?.ok_or_else(none)?;
    let host = NewHost {
        name: known.name,
        zone: known.zone,
        roles: known.roles,
        dial: known.dial,
        address: known.address,
    };
    give(desk, &config, host, true)?.ok_or_else(none)
}

/// None when a host is known that should not be, or the other way round.
fn give(
    desk: &Desk,
    config: &Config,
    host: NewHost,
    anew: bool,
) -> Result<Option<Ticket>, Trouble> {
    let guest = Guest {
        name: host.name.clone(),
        zone: host.zone.clone(),
        roles: host.roles.clone(),
        dial: host.dial,
        address: host.address,
    };
    let made = runtime()?.block_on(async {
        let house = house::open(&desk.home, config, &desk.store).await?;
        hosts::invite(&desk.store, &house, guest, anew, clock::now()).await
    });
    let Some(Invited { token, expires }) = made.map_err(|why| failed(&why))? else {
        return Ok(None);
    };
    let token = Secret::new(&token).map_err(|why| failed(&why.into()))?;
    Ok(Some(Ticket {
        host,
        expires,
        token,
    }))
}

/// The one that the database runs on; a desk is asked on its threads for what blocks.
fn runtime() -> Result<Handle, Trouble> {
    Handle::try_current().map_err(|why| failed(&why.into()))
}

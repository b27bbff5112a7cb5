//! Looks, before anything is cut, for what would keep a cut from working.

use super::conf::{Leak, leaks};
use super::{Found, LIMIT, Nginx, look, overlay, program, unguarded};
use crate::http::Lane;
use crate::{Finding, GatewayError};
use std::net::SocketAddr;

pub(super) async fn check(nginx: &Nginx) -> Result<Vec<Finding>, GatewayError> {
    let mut found = Vec::new();
    let there = nginx.at_shelf(|shelf| shelf.read()).await?;
    if there.is_none() {
        let overlay = nginx.settings.overlay.display();
        found.push(grave(format!(
            "{overlay} is not there: start the agent, which writes it, and include it in each server block"
        )));
    }
    found.extend(configuration(nginx).await);
    for at in &nginx.settings.data {
        found.extend(port(nginx, at, there.as_deref()).await);
    }
    let pid = nginx.settings.pid.clone();
    if let Err(why) = nginx.at_shelf(move |_| Ok(program::master(&pid))).await? {
        let text = format!("{why}: a cut reaches nginx, changed routes and consumers do not");
        found.push(slight(text));
    }
    let untold = overlay::untold(&nginx.known().wanted);
    if !untold.is_empty() {
        found.push(slight(format!(
            "nginx cannot tell who {} is, without a key of letters, digits and ._~+/=-: whatever cuts one consumer cuts these",
            untold.join(", ")
        )));
    }
    if nginx.settings.sever {
        let may = nginx.at_shelf(|_| Ok(fence::may_sever())).await?;
        found.extend(may.err().map(|why| {
            grave(format!(
                "open streams cannot be ended ({why}): the agent needs CAP_NET_ADMIN"
            ))
        }));
    } else {
        found.push(grave(
            "`sever = false`: open streams go on through a cut until they end".to_owned(),
        ));
    }
    Ok(found)
}

async fn configuration(nginx: &Nginx) -> Vec<Finding> {
    let settings = &nginx.settings;
    let said = match program::read(&settings.program, &settings.conf).await {
        Ok(said) if said.good => said,
        Ok(said) => {
            return vec![grave(format!(
                "nginx would not start with its configuration: {}",
                said.complaint
            ))];
        }
        Err(why) => return vec![grave(format!("{}: {why}", settings.program.display()))],
    };
    let overlay = settings.overlay.display();
    let leaks = leaks(&said.text, &settings.overlay).into_iter();
    let found = leaks.map(|leak| match leak {
        Leak::Unguarded(at) => {
            grave(format!("the server block at {at} does not say `include {overlay};`"))
        }
        Leak::IgnoresAbort(at) => grave(format!(
            "`proxy_ignore_client_abort on` at {at}: the server behind goes on when a cut has ended a stream"
        )),
    });
    found.collect()
}

async fn port(nginx: &Nginx, at: &SocketAddr, there: Option<&str>) -> Option<Finding> {
    let file = there.and_then(overlay::id_of);
    match look(&Lane::new(*at), "/", None, LIMIT).await {
        Ok(Found::Gate(gate)) if Some(gate.file.as_str()) != file => Some(slight(format!(
            "nginx serves at {at} by an older file: reload it"
        ))),
        Ok(Found::Gate(_)) => None,
        Ok(Found::Tls) if nginx.settings.data.len() == 1 => Some(grave(format!(
            "{at} speaks TLS: name a port of the same server without TLS, such as one on 127.0.0.1, where nginx can be asked"
        ))),
        Ok(Found::Tls) => None,
        Ok(Found::Nobody) => Some(grave(unguarded(*at).to_string())),
        Err(why) => Some(grave(format!("nginx at {at} {why}"))),
    }
}

const fn grave(text: String) -> Finding {
    Finding { grave: true, text }
}

const fn slight(text: String) -> Finding {
    Finding { grave: false, text }
}

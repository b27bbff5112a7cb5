//! Looks, before anything is cut, for what would keep a cut from working.

use super::admin::NotDone;
use super::logged::LOGGER;
use super::look::taken;
use super::models::{LIMITER, PROXY};
use super::names::ABORT;
use super::objects::beyond;
use super::{Apisix, Keeps};
use crate::http::{Ask, Failure, once};
use crate::{Finding, GatewayError};
use http::Method;
use serde_json::Value;
use std::time::Duration;

const EACH: Duration = Duration::from_secs(2);
/// The oldest version that was looked at.
const OLDEST: (u32, u32) = (3, 9);
/// Takes nothing away: no object is called so.
const NO_SUCH: &str = "routes/portcullis-.check";
/// What our routes use beside what refuses.
const USED: [&str; 6] = [
    "key-auth",
    "consumer-restriction",
    "proxy-rewrite",
    "proxy-buffering",
    "request-id",
    "prometheus",
];

impl Apisix {
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        match self.routes.admin.server(EACH).await {
            Ok(server) => found.extend(server.as_deref().and_then(too_old)),
            Err(why) => {
                found.push(grave(format!(
                    "admin API at {}: {why}",
                    self.settings.admin
                )));
                return found;
            }
        }
        match self.routes.rules(EACH).await {
            Ok((rules, _)) => found.extend(taken(&rules).map(grave)),
            Err(why) => found.push(grave(format!("global rules cannot be read: {why}"))),
        }
        match self.routes.count("stream_routes", EACH).await {
            Ok(0) | Err(_) => {}
            Ok(some) => found.push(grave(format!(
                "{some} stream routes (TCP, UDP): no rule refuses there; let the host's firewall cut these ports"
            ))),
        }
        if self.settings.keeps == Keeps::Etcd {
            found.extend(self.may_only_read().await);
            found.extend(self.plugins().await);
        }
        found.extend(self.ports().await);
        if self.settings.manage {
            let wanted = self.state().wanted().clone();
            let besides = &self.settings.besides;
            found.extend(beyond(&wanted, besides).into_iter().map(slight));
            if besides.usage.is_some() && !besides.ai_proxy {
                found.push(slight(
                    "`usage_to` without `ai_proxy = true`: APISIX counts no tokens, and its rows in the ledger have none".to_owned(),
                ));
            }
        }
        if !self.settings.sever {
            found.push(slight(
                "`sever = false`: streams that are open go on through a cut".to_owned(),
            ));
        }
        found
    }

    /// A key of the role `viewer` reads everything, and cuts nothing.
    async fn may_only_read(&self) -> Option<Finding> {
        match self.routes.admin.write(NO_SUCH, None, EACH).await {
            Err(NotDone::Refused(why @ GatewayError::Refused(_))) => {
                Some(grave(format!("nothing can be written: {why}")))
            }
            Err(NotDone::Refused(why) | NotDone::Unknown(why)) => Some(grave(format!(
                "writes are not answered, is etcd well? {why}"
            ))),
            Ok(()) => None,
        }
    }

    async fn plugins(&self) -> Vec<Finding> {
        let list = self.routes.admin.get("plugins/list", EACH).await;
        let Ok(Some(Value::Array(list))) = list else {
            return Vec::new();
        };
        let off = |name: &&str| !list.iter().any(|one| one.as_str() == Some(name));
        let mut found = Vec::new();
        if off(&ABORT) {
            found.push(grave(format!(
                "the plugin {ABORT} is switched off: a cut cannot be written; add it to `plugins` in its config.yaml"
            )));
        }
        if self.settings.manage {
            let besides = &self.settings.besides;
            let limits = besides.ai_proxy.then_some(LIMITER);
            let proxy = besides.ai_proxy.then_some(PROXY);
            let logger = besides.usage.is_some().then_some(LOGGER);
            let asked = [limits, proxy, logger].into_iter().flatten();
            let used = USED.into_iter().chain(asked).filter(off);
            found.extend(used.map(|name| {
                slight(format!(
                    "the plugin {name} is switched off: our routes need it"
                ))
            }));
        }
        found
    }

    async fn ports(&self) -> Vec<Finding> {
        let settings = &self.settings;
        let data = settings.data.iter().map(|at| ("data port", "/", *at));
        let control = settings
            .control
            .map(|at| ("control API", "/v1/healthcheck", at));
        let metrics = settings
            .metrics
            .map(|at| ("metrics", super::metrics::PATH, at));
        let mut found = Vec::new();
        for (what, path, at) in data.chain(control).chain(metrics) {
            let ask = Ask::new(Method::GET, path);
            if let Err(Failure::NotSent(why) | Failure::Unknown(why)) = once(at, &ask, EACH).await {
                found.push(slight(format!("{what} {at}: {why}")));
            }
        }
        found
    }
}

fn too_old(server: &str) -> Option<Finding> {
    let version = server.strip_prefix("APISIX/")?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let seen = (parts.next()??, parts.next()??);
    (seen < OLDEST).then(|| {
        let (major, minor) = OLDEST;
        slight(format!(
            "APISIX {version}: nothing older than {major}.{minor} was tried"
        ))
    })
}

const fn grave(text: String) -> Finding {
    Finding { grave: true, text }
}

const fn slight(text: String) -> Finding {
    Finding { grave: false, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_version_is_told() {
        assert!(too_old("APISIX/3.8.1").is_some());
        for fine in [
            "APISIX/3.9.0",
            "APISIX/3.18.0",
            "APISIX/4.0",
            "APISIX",
            "nginx",
        ] {
            assert!(too_old(fine).is_none(), "{fine}");
        }
    }
}

//! The coordination server: lists nodes, ends their keys, takes them away, sets routes and the policy.
//!
//! One interface over three forms: Headscale's own (`v1`), Headscale's newer one, and Tailscale's, whose paths the
//! newer one shares. What a form cannot do is said so, never passed over.

pub(crate) mod devices;
pub(crate) mod nodes;
mod policy;
mod web;

pub use policy::PolicyText;

use crate::read::{self, NotUnderstood};
use http::Method;
use net_model::{BaseUrl, MeshNode, Secret};
use serde_json::{Value, json};
use web::{Answer, Ask, Web};

/// Which form the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// Headscale, `/api/v1`.
    HeadscaleV1,
    /// Headscale from 0.30, `/api/v2`, which cannot end a node's key: that is asked for by `/api/v1`.
    HeadscaleV2,
    /// Tailscale's own service.
    Tailscale,
}

impl ControlKind {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::HeadscaleV1, Self::HeadscaleV2, Self::Tailscale];

    /// As written in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeadscaleV1 => "headscale-v1",
            Self::HeadscaleV2 => "headscale-v2",
            Self::Tailscale => "tailscale",
        }
    }
}

/// Where the server is and how to speak to it.
#[derive(Clone, Debug)]
pub struct ControlSettings {
    /// Its form.
    pub kind: ControlKind,
    /// Its address, without `/api`.
    pub url: BaseUrl,
    /// The API key, which is sent as a bearer token.
    pub key: Secret,
}

/// A coordination server.
#[derive(Clone, Debug)]
pub struct Control {
    kind: ControlKind,
    web: Web,
}

/// Why the server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No answer.
    #[error("the coordination server cannot be reached: {0}")]
    Unreachable(String),
    /// It knows no such node, key or path.
    #[error("the coordination server knows nothing like that")]
    Nothing,
    /// It does not let us.
    #[error("the coordination server refuses our key ({0})")]
    Denied(u16),
    /// It refused, in its own words.
    #[error("the coordination server refused ({status}): {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        why: String,
    },
    /// The policy is another one by now.
    #[error("the policy was changed by somebody else meanwhile")]
    Changed,
    /// This form of server cannot do it.
    #[error("{0} cannot do that")]
    Cannot(&'static str),
    /// The answer is not what was asked for.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
}

/// Nodes that were listed, and how many could not be read.
pub(crate) type Listed = (Vec<MeshNode>, u32);

impl Control {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(settings: ControlSettings) -> Result<Self, ControlError> {
        Ok(Self {
            kind: settings.kind,
            web: Web::new(settings.url, settings.key)?,
        })
    }

    /// The form it speaks.
    #[must_use]
    pub const fn kind(&self) -> ControlKind {
        self.kind
    }

    /// Every node, and how many could not be read.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn nodes(&self) -> Result<Listed, ControlError> {
        let v2 = "/api/v2/tailnet/-/devices?fields=all";
        match self.kind {
            ControlKind::HeadscaleV1 => Ok(nodes::read(&self.get("/api/v1/node").await?)?),
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => {
                Ok(devices::read(&self.get(v2).await?)?)
            }
        }
    }

    /// Ends a node's key now: it must sign in again.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn expire(&self, id: &str) -> Result<(), ControlError> {
        let id = checked(id)?;
        let path = match self.kind {
            ControlKind::HeadscaleV1 | ControlKind::HeadscaleV2 => {
                format!("/api/v1/node/{id}/expire")
            }
            ControlKind::Tailscale => format!("/api/v2/device/{id}/expire"),
        };
        self.send(Method::POST, &path, &json!({})).await
    }

    /// Takes a node away for good. Nothing does this by itself: what it was is lost.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn delete(&self, id: &str) -> Result<(), ControlError> {
        let id = checked(id)?;
        let path = match self.kind {
            ControlKind::HeadscaleV1 => format!("/api/v1/node/{id}"),
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => format!("/api/v2/device/{id}"),
        };
        let answer = self.web.call(Method::DELETE, &path, Ask::Nothing).await?;
        answer.done()
    }

    /// Routes nothing to a node any more.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn clear_routes(&self, id: &str) -> Result<(), ControlError> {
        let id = checked(id)?;
        let path = match self.kind {
            ControlKind::HeadscaleV1 => format!("/api/v1/node/{id}/approve_routes"),
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => {
                format!("/api/v2/device/{id}/routes")
            }
        };
        self.send(Method::POST, &path, &json!({ "routes": [] }))
            .await
    }

    /// Ends every key that lets a node join with one of these tags; how many there were.
    ///
    /// # Errors
    /// See [`ControlError`]. Keys that were ended before the error stay ended.
    pub async fn end_join_keys(&self, tags: &[String]) -> Result<u32, ControlError> {
        let mut ended = 0;
        match self.kind {
            ControlKind::HeadscaleV1 => {
                let keys = nodes::join_keys(&self.get("/api/v1/preauthkey").await?)?;
                for key in keys.iter().filter(|key| key.lets_in(tags)) {
                    let path = "/api/v1/preauthkey/expire";
                    self.send(Method::POST, path, &key.to_expire()).await?;
                    ended += 1;
                }
            }
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => {
                let all = "/api/v2/tailnet/-/keys";
                for id in devices::key_ids(&self.get(all).await?)? {
                    let path = format!("{all}/{id}");
                    if devices::lets_in(&self.get(&path).await?, tags)? {
                        let answer = self.web.call(Method::DELETE, &path, Ask::Nothing).await?;
                        answer.done()?;
                        ended += 1;
                    }
                }
            }
        }
        Ok(ended)
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, ControlError> {
        let answer = self.web.call(Method::GET, path, Ask::Nothing).await?;
        answer.body()
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<(), ControlError> {
        let answer: Answer = self.web.call(method, path, Ask::Json(body)).await?;
        answer.done()
    }
}

fn checked(id: &str) -> Result<&str, ControlError> {
    let wrong = || NotUnderstood(format!("`{}` is no id of a node", read::clean(id)));
    Ok(read::id(id).ok_or_else(wrong)?)
}

//! The policy of the mesh: read, checked, replaced as a whole. Its text is passed on as it is, comments included.

use super::web::Ask;
use super::{Control, ControlError, ControlKind};
use crate::read::{self, NotUnderstood};
use http::{HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest policy, in bytes.
const MAX_POLICY: usize = 1024 * 1024;

/// A policy as the server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// HuJSON.
    pub text: String,
    /// Which version of it this is, where the server says.
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct Held {
    policy: String,
}

impl Control {
    /// The policy in force.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub async fn policy(&self) -> Result<PolicyText, ControlError> {
        let path = self.policy_path();
        let answer = self.web.call(Method::GET, path, Ask::PolicyText).await?;
        let version = answer.headers.get(header::ETAG);
        let version = version.and_then(|it| HeaderValue::to_str(it).ok());
        let version = version.map(str::to_owned);
        let body = answer.body()?;
        let text = match self.kind() {
            ControlKind::HeadscaleV1 => read::json::<Held>(&body)?.policy,
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => String::from_utf8(body)
                .map_err(|_| NotUnderstood("the policy is no text".to_owned()))?,
        };
        Ok(PolicyText { text, version })
    }

    /// Whether the server would take this text; nothing changes.
    ///
    /// # Errors
    /// It would not, and says why; or it cannot be asked.
    pub async fn check_policy(&self, text: &str) -> Result<(), ControlError> {
        short(text)?;
        if self.kind() != ControlKind::Tailscale {
            let asked = json!({ "policy": text });
            return self
                .send(Method::POST, "/api/v1/policy/check", &asked)
                .await;
        }
        let path = "/api/v2/tailnet/-/acl/validate";
        let version = None;
        let ask = Ask::Policy { text, version };
        let answer = self.web.call(Method::POST, path, ask).await?.body()?;
        // This one answers 200 with what is wrong in the body.
        let said: Value = serde_json::from_slice(&answer).unwrap_or_default();
        match said.get("message").and_then(Value::as_str) {
            Some(why) if !why.is_empty() => Err(ControlError::Refused {
                status: 200,
                why: read::clean(why),
            }),
            _ => Ok(()),
        }
    }

    /// Replaces the policy; where the server counts versions, only if it is still the one of `version`.
    ///
    /// # Errors
    /// [`ControlError::Changed`] when it is another one by now; otherwise see [`ControlError`].
    pub async fn set_policy(&self, text: &str, version: Option<&str>) -> Result<(), ControlError> {
        short(text)?;
        let path = self.policy_path();
        if self.kind() == ControlKind::HeadscaleV1 {
            return self
                .send(Method::PUT, path, &json!({ "policy": text }))
                .await;
        }
        let ask = Ask::Policy { text, version };
        self.web.call(Method::POST, path, ask).await?.done()
    }

    const fn policy_path(&self) -> &'static str {
        match self.kind() {
            ControlKind::HeadscaleV1 => "/api/v1/policy",
            ControlKind::HeadscaleV2 | ControlKind::Tailscale => "/api/v2/tailnet/-/acl",
        }
    }
}

fn short(text: &str) -> Result<(), ControlError> {
    if text.len() <= MAX_POLICY {
        return Ok(());
    }
    let why = format!("a policy is at most {MAX_POLICY} bytes");
    Err(ControlError::Refused { status: 413, why })
}

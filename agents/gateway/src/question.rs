//! What a client asked, and how a target is asked the same.
//!
//! A long body is read, and written anew, beside the lane.

use crate::{beside::beside, deny::Denied, runaway::Runaways};
use bytes::Bytes;
use gateway_core::{
    dialect::{Asked, Dialed, Unreadable, at_target},
    runaway::Prompt,
    usage::prompt_bytes,
};
use http::{request::Parts, uri::PathAndQuery};
use net_model::{Api, Target};
use std::sync::Arc;

/// What a request's body says.
pub(crate) struct Read {
    pub(crate) asked: Asked<'static>,
    /// What is remembered of it to tell a runaway, where one is looked for.
    pub(crate) prompt: Option<Prompt>,
    /// Bytes of words for the model.
    pub(crate) prompt_bytes: u64,
}

impl Read {
    /// Reads the body of a request of `api`.
    pub(crate) async fn of(
        runaways: &Arc<Runaways>,
        api: Api,
        body: &Bytes,
    ) -> Result<Self, Denied> {
        let (length, runaways, body) = (body.len(), Arc::clone(runaways), body.clone());
        let read = move || {
            Ok::<_, Unreadable>(Self {
                asked: Asked::read(api, &body)?.into_owned(),
                prompt: runaways.prompt(&body),
                prompt_bytes: prompt_bytes(&body),
            })
        };
        Ok(beside(length, read).await??)
    }
}

/// What a client asked.
pub(crate) struct Question<'a> {
    pub(crate) api: Api,
    pub(crate) head: &'a Parts,
    pub(crate) body: &'a Bytes,
    pub(crate) asked: &'a Asked<'a>,
    pub(crate) model: &'a str,
    /// Of a session: where the query names the model.
    pub(crate) dialed: Option<&'a Dialed>,
}

impl Question<'_> {
    /// Path and query, with the name under which this target knows the model.
    pub(crate) fn path_for(&self, target: &Target) -> String {
        let uri = &self.head.uri;
        let asked = uri.path_and_query().map_or("", PathAndQuery::as_str);
        let prefix = target.base_url.prefix();
        let Some(dialed) = self.dialed else {
            return at_target(prefix, asked);
        };
        let query = dialed.renamed(uri.query().unwrap_or_default(), target.model(self.model));
        at_target(prefix, &format!("{}?{query}", uri.path()))
    }

    /// The body as it came, but for the name under which this target knows the model.
    pub(crate) async fn body_for(&self, target: &Target) -> Result<Bytes, Denied> {
        let known_as = target.model(self.model);
        if known_as == self.model {
            return Ok(self.body.clone());
        }
        let (asked, body, to) = (
            self.asked.clone().into_owned(),
            self.body.clone(),
            known_as.to_owned(),
        );
        beside(body.len(), move || asked.renamed(&body, &to).into()).await
    }
}

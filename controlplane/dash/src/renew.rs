//! A session begun at the provider goes on only as long as the provider renews it. A provider that does not answer ends
//! nobody's session; one that refuses does.

use crate::seal::Seal;
use crate::site::Site;
use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash, SignedInBy};
use oidc::{OidcError, Provider};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::{NewChange, ProviderPart, Session, StoreError};

/// Shortest and longest time between two questions, and what holds where the provider does not say.
const SOONEST: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_secs(3600);
const UNSAID: Duration = Duration::from_secs(300);
/// When the provider is asked again that did not answer.
const AGAIN_MS: u64 = 30_000;

/// The provider's tokens. No `Debug`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) refresh: Option<String>,
    pub(crate) id_token: String,
}

/// When the provider is asked next.
pub(crate) fn next(now: Timestamp, lasts: Option<Duration>) -> Timestamp {
    let lasts = lasts.unwrap_or(UNSAID).clamp(SOONEST, LATEST);
    now.plus_millis(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX))
}

impl Site {
    /// The session as the provider has it now; none when it is over. Only a browser's has anything to renew, by its cookie.
    pub(crate) async fn renewed(
        &self,
        cookie: Option<&str>,
        session: Session,
    ) -> Result<Option<Session>, StoreError> {
        let due = |session: &Session| session.renew_at.is_some_and(|at| at <= self.now());
        let (Some(provider), Some(cookie)) = (&self.app.oidc, cookie) else {
            return Ok(Some(session));
        };
        if !due(&session) {
            return Ok(Some(session));
        }
        // One at a time: what renews a session may count once.
        let _one = self.renewing.lock().await;
        let found = self
            .app
            .store
            .find_session(session.token, self.now())
            .await?;
        let Some(session) = found else {
            return Ok(None);
        };
        if due(&session) {
            return self.asked(provider, cookie, session).await;
        }
        Ok(Some(session))
    }

    /// What the provider says of a session that is due.
    async fn asked(
        &self,
        provider: &Provider,
        cookie: &str,
        session: Session,
    ) -> Result<Option<Session>, StoreError> {
        let now = self.now();
        let store = &self.app.store;
        let part = store.provider_part(session.token).await?;
        let seal = Seal::of_session(cookie);
        let tokens = part
            .as_ref()
            .and_then(|part| seal.open::<Tokens>(&part.sealed));
        let (Some(part), Some(tokens)) = (part, tokens) else {
            return self.over(session, "what renews it cannot be read").await;
        };
        let refresh = tokens.refresh.clone().unwrap_or_default();
        let (role, part) = match provider.refresh(refresh, &part.subject).await {
            Ok((person, refresh)) => {
                let lasts = person.as_ref().and_then(|person| person.lasts);
                let role = person
                    .as_ref()
                    .map_or(Some(session.role), |person| person.role);
                if let Some(person) = &person {
                    let said = person.role.map(|role| (person.who.as_str(), role));
                    self.vouched(&part.subject, said).await;
                }
                let Some(role) = role else {
                    return self.over(session, "no group has a role any more").await;
                };
                let sid = person.as_ref().and_then(|person| person.sid.clone());
                let tokens = Tokens {
                    refresh: refresh.or(tokens.refresh),
                    id_token: person.map_or(tokens.id_token, |person| person.id_token),
                };
                let Some(sealed) = seal.close(&tokens) else {
                    return self.over(session, "there are no random bytes").await;
                };
                let renew_at = Some(next(now, lasts));
                let sid = sid.or(part.sid);
                (
                    role,
                    ProviderPart {
                        sealed,
                        renew_at,
                        sid,
                        ..part
                    },
                )
            }
            Err(why @ OidcError::Unreachable(_)) => {
                tracing::warn!(%why, "A session cannot be renewed now; it goes on.");
                let renew_at = Some(now.plus_millis(AGAIN_MS));
                (session.role, ProviderPart { renew_at, ..part })
            }
            Err(why @ (OidcError::Refused(_) | OidcError::Untrue(_))) => {
                tracing::info!(%why, who = session.who, "A session is over.");
                return self.over(session, "the provider renews it no more").await;
            }
        };
        self.goes_on(session, role, &part).await
    }

    async fn goes_on(
        &self,
        session: Session,
        role: DashRole,
        part: &ProviderPart,
    ) -> Result<Option<Session>, StoreError> {
        let there = self
            .app
            .store
            .renew_session(session.token, role, part)
            .await?;
        let renew_at = part.renew_at;
        Ok(there.then_some(Session {
            role,
            renew_at,
            ..session
        }))
    }

    async fn over(&self, session: Session, why: &str) -> Result<Option<Session>, StoreError> {
        self.memory.end(session.token);
        self.app.store.delete_session(session.token).await?;
        let change = NewChange {
            at: self.now(),
            by: "the sign-in provider".to_owned(),
            how: SignedInBy::Oidc,
            from: None,
            what: "sign_in.ended".to_owned(),
            subject: session.who,
            detail: why.to_owned(),
        };
        // It is over already; that it cannot be written down brings nobody back.
        self.record_of(change).await.ok();
        Ok(None)
    }

    /// Where a browser that signs out here signs out at the provider too. Asked before its session is gone.
    pub(crate) async fn way_out(&self, token: &str) -> Option<String> {
        let provider = self.app.oidc.as_ref()?;
        let kept = KeyHash::of(token.as_bytes());
        let part = self.app.store.provider_part(kept).await.ok()??;
        let tokens: Tokens = Seal::of_session(token).open(&part.sealed)?;
        provider.leave(&tokens.id_token).await
    }
}

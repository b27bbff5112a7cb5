//! What the configuration says of the provider.

use net_model::{DashRole, Secret};
use openidconnect::{IssuerUrl, PostLogoutRedirectUrl, RedirectUrl};
use rustls_pki_types::CertificateDer;
use std::collections::BTreeMap;

/// What the configuration says of the provider.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The provider's name of itself, byte for byte as its discovery document has it.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there; none for a public client.
    pub secret: Option<Secret>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that holds the groups; dots lead into objects.
    pub groups_claim: String,
    /// What each group may.
    pub roles: BTreeMap<String, DashRole>,
    /// The dashboard's own address as browsers know it, without a slash at the end.
    pub base: String,
    /// Certificate authorities trusted besides this host's.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// An address that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an address: {1}")]
pub struct BadSettings(pub(crate) &'static str, pub(crate) String);

/// The addresses of the settings, read.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) issuer: IssuerUrl,
    pub(crate) back: RedirectUrl,
    pub(crate) left: PostLogoutRedirectUrl,
}

impl Settings {
    /// Where the provider sends browsers back to.
    #[must_use]
    pub fn redirect(&self) -> String {
        format!("{}/sign-in/oidc/back", self.base)
    }

    pub(crate) fn addresses(&self) -> Result<Addresses, BadSettings> {
        let issuer = IssuerUrl::new(self.issuer.clone());
        let issuer = issuer.map_err(|why| BadSettings("issuer", why.to_string()))?;
        let bad = |why: openidconnect::url::ParseError| BadSettings("url", why.to_string());
        let back = RedirectUrl::new(self.redirect()).map_err(bad)?;
        let left = PostLogoutRedirectUrl::new(format!("{}/sign-in", self.base)).map_err(bad)?;
        Ok(Addresses { issuer, back, left })
    }
}

//! The provider: where to send a browser, and what its answers are worth.

use crate::claims::{Extra, name};
use crate::logout::{ALGORITHMS, LoggedOut, NotALogout, Wanted, verified};
use crate::outcome::{Begun, OidcError, SignedIn, refused, said};
use crate::settings::{Addresses, BadSettings, Settings};
use crate::web::{Unreachable, Web};
use kill_wire::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret,
    CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken,
    IdTokenClaims, IdTokenFields, LogoutRequest, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, ProviderMetadataWithLogout, RefreshToken, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So long what the provider says of itself counts.
const FRESH: Duration = Duration::from_secs(3600);
/// So often at most it is asked again because a signature fits none of its keys.
const AGAIN: Duration = Duration::from_secs(30);
/// Most logout tokens remembered, so that none counts twice.
const LOGOUTS: usize = 1024;

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Answer = StandardTokenResponse<Fields, CoreTokenType>;
type Token =
    IdToken<Extra, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Ready = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

#[derive(Debug)]
struct Known {
    metadata: ProviderMetadataWithLogout,
    read: Instant,
}

/// A provider; clones share what is known of it.
#[derive(Clone, Debug)]
pub struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    addresses: Addresses,
    web: Web,
    known: tokio::sync::Mutex<Option<Arc<Known>>>,
    logouts: Mutex<BTreeMap<String, Timestamp>>,
}

impl Provider {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// An address that is none, or a certificate authority that cannot be used.
    pub fn new(settings: Settings) -> Result<Self, BadSettings> {
        let addresses = settings.addresses()?;
        let web = Web::new(&settings.authorities);
        let web = web.map_err(|why| BadSettings("ca_file", why.0))?;
        Ok(Self(Arc::new(Inner {
            settings,
            addresses,
            web,
            known: tokio::sync::Mutex::new(None),
            logouts: Mutex::default(),
        })))
    }

    /// The provider's name of itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.settings.issuer
    }

    /// What the provider says of itself, at most so old; older where it does not answer.
    async fn known(&self, oldest: Duration) -> Result<Arc<Known>, Unreachable> {
        let mut kept = self.0.known.lock().await;
        if let Some(known) = kept.as_ref().filter(|known| known.read.elapsed() < oldest) {
            return Ok(Arc::clone(known));
        }
        let issuer = self.0.addresses.issuer.clone();
        let asked = ProviderMetadataWithLogout::discover_async(issuer, &self.0.web.caller()).await;
        match (asked, kept.as_ref()) {
            (Ok(metadata), _) => {
                let read = Instant::now();
                let known = Arc::new(Known { metadata, read });
                *kept = Some(Arc::clone(&known));
                Ok(known)
            }
            (Err(_), Some(old)) => Ok(Arc::clone(old)),
            (Err(why), None) => Err(Unreachable(said(&why))),
        }
    }

    fn client(&self, known: &Known) -> Ready {
        let settings = &self.0.settings;
        let secret = settings.secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let id = ClientId::new(settings.client_id.clone());
        let client = Client::from_provider_metadata(known.metadata.clone(), id, secret);
        let ways = known.metadata.token_endpoint_auth_methods_supported();
        let only_body = ways.is_some_and(|ways| {
            !ways.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && ways.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let way = if only_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        };
        client
            .set_redirect_uri(self.0.addresses.back.clone())
            .set_auth_type(way)
    }

    /// Where to send a browser.
    ///
    /// # Errors
    /// The provider cannot be asked where that is.
    pub async fn begin(&self) -> Result<Begun, OidcError> {
        let known = self.known(FRESH).await?;
        let client = self.client(&known);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.0.settings.scopes.iter().cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            url: url.into(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        })
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// The provider takes no code like that, or its ID token does not hold.
    pub async fn finish(
        &self,
        code: String,
        verifier: String,
        nonce: String,
    ) -> Result<SignedIn, OidcError> {
        let known = self.known(FRESH).await?;
        let client = self.client(&known);
        let asked = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|why| OidcError::Untrue(why.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let answer = asked.request_async(&self.0.web.caller()).await;
        let answer = answer.map_err(refused)?;
        let token = answer.id_token();
        let token = token.ok_or_else(|| OidcError::Untrue("there is no ID token".to_owned()))?;
        let claims = self.claims(&known, token, Some(Nonce::new(nonce))).await?;
        Ok(self.signed_in(&claims, token.to_string(), &answer))
    }

    /// Who it still is. None where the provider renews the session but says nothing new of the person.
    ///
    /// # Errors
    /// The provider renews it no more, its ID token does not hold, or it is somebody else.
    pub async fn refresh(
        &self,
        refresh: String,
        subject: &str,
    ) -> Result<(Option<SignedIn>, Option<String>), OidcError> {
        let known = self.known(FRESH).await?;
        let client = self.client(&known);
        let refresh = RefreshToken::new(refresh);
        let asked = client
            .exchange_refresh_token(&refresh)
            .map_err(|why| OidcError::Untrue(why.to_string()))?;
        let answer = asked.request_async(&self.0.web.caller()).await;
        let answer = answer.map_err(refused)?;
        let next = answer.refresh_token().map(|next| next.secret().clone());
        let Some(token) = answer.id_token() else {
            return Ok((None, next));
        };
        let claims = self.claims(&known, token, None).await?;
        if claims.subject().as_str() != subject {
            return Err(OidcError::Untrue("it names somebody else".to_owned()));
        }
        let person = self.signed_in(&claims, token.to_string(), &answer);
        Ok((Some(person), next))
    }

    /// The claims of a token whose signature, issuer, audience, times and nonce hold.
    async fn claims(
        &self,
        known: &Known,
        token: &Token,
        nonce: Option<Nonce>,
    ) -> Result<IdTokenClaims<Extra, CoreGenderClaim>, OidcError> {
        let first = self.checked(known, token, nonce.as_ref());
        // The provider may have new keys.
        let checked = match first {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let newer = self.known(AGAIN).await?;
                self.checked(&newer, token, nonce.as_ref())
            }
            first @ (Ok(_) | Err(_)) => first,
        };
        checked.map_err(|why| OidcError::Untrue(said(&why)))
    }

    fn checked(
        &self,
        known: &Known,
        token: &Token,
        nonce: Option<&Nonce>,
    ) -> Result<IdTokenClaims<Extra, CoreGenderClaim>, ClaimsVerificationError> {
        let client = self.client(known);
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = match nonce {
            Some(nonce) => token.claims(&verifier, nonce),
            // A renewed token need not carry the nonce again (OpenID Connect Core, section 12.2).
            None => token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
        };
        claims.cloned()
    }

    fn signed_in(
        &self,
        claims: &IdTokenClaims<Extra, CoreGenderClaim>,
        id_token: String,
        answer: &Answer,
    ) -> SignedIn {
        let subject = claims.subject().as_str();
        let extra = claims.additional_claims();
        let login = claims.preferred_username().map(|name| name.as_str());
        let login = login.or_else(|| claims.email().map(|mail| mail.as_str()));
        let settings = &self.0.settings;
        SignedIn {
            subject: subject.to_owned(),
            sid: extra.sid(),
            who: name(login.unwrap_or(subject)),
            role: extra.role(&settings.groups_claim, &settings.roles),
            refresh: answer.refresh_token().map(|next| next.secret().clone()),
            id_token,
            lasts: answer.expires_in(),
        }
    }

    /// Where a browser ends its session at the provider; none where the provider has no such place.
    pub async fn leave(&self, id_token: &str) -> Option<String> {
        let known = self.known(FRESH).await.ok()?;
        let at = known.metadata.additional_metadata();
        let at = at.end_session_endpoint.clone()?;
        let mut request = LogoutRequest::from(at)
            .set_client_id(ClientId::new(self.0.settings.client_id.clone()))
            .set_post_logout_redirect_uri(self.0.addresses.left.clone());
        if let Ok(token) = id_token.parse::<Token>() {
            request = request.set_id_token_hint(&token);
        }
        Some(request.http_get_url().into())
    }

    /// Whose sessions the provider ends by this token. Each token counts once.
    ///
    /// # Errors
    /// The token ends nothing.
    pub async fn logged_out(&self, token: &str, now: Timestamp) -> Result<LoggedOut, NotALogout> {
        let first = self.logout(token, now, FRESH).await;
        let out = match first {
            Err(NotALogout::Signature) => self.logout(token, now, AGAIN).await?,
            first @ (Ok(_) | Err(_)) => first?,
        };
        let mut seen = self
            .0
            .logouts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Older ones are refused for their age.
        seen.retain(|_, at| now.since(*at) < 600_000);
        if seen.len() >= LOGOUTS || seen.insert(out.id.clone(), now).is_some() {
            return Err(NotALogout::Replayed);
        }
        Ok(out)
    }

    async fn logout(
        &self,
        token: &str,
        now: Timestamp,
        oldest: Duration,
    ) -> Result<LoggedOut, NotALogout> {
        let known = self
            .known(oldest)
            .await
            .map_err(|_| NotALogout::Signature)?;
        let wanted = Wanted {
            issuer: &self.0.settings.issuer,
            client: &self.0.settings.client_id,
            keys: known.metadata.jwks().keys(),
            now: i64::try_from(now.millis() / 1000).unwrap_or(i64::MAX),
        };
        verified(token, wanted)
    }
}

//! The two ceremonies of WebAuthn Level 3: registration (section 7.1) and authentication (section 7.2). The library checks;
//! here it is said what is asked for and what is let through.

use crate::asked::{Asked, PATIENCE_MS};
use crate::party::Party;
use crate::trouble::PasskeyTrouble;
use data_encoding::BASE64URL_NOPAD;
use kill_wire::Timestamp;
use net_model::KeyHash;
use std::num::NonZeroU32;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::PublicKeyCredentialDescriptor;
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions,
    USER_HANDLE_MAX_LEN, UserHandle64, Username,
};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication64, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

/// How long a browser lets a person take.
const PATIENCE: NonZeroU32 = match NonZeroU32::new(PATIENCE_MS) {
    Some(patience) => patience,
    None => NonZeroU32::MIN,
};

/// What a passkey that has no name of its own is called where somebody chooses among several.
const NAMELESS: &str = "portcullis";

type PublicKey = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// Who is to hold a passkey.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// What his other passkeys know him by; none before the first.
    pub handle: Option<&'a str>,
    /// His login; may be empty.
    pub login: &'a str,
    /// What a phone shows of him.
    pub shown: &'a str,
}

/// What is to be kept of a new passkey. None of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// What it knows its person by.
    pub handle: String,
    /// Its public key, and what never changes.
    pub key: String,
    /// Its counter, and what else changes as it is used.
    pub state: String,
}

/// What was kept of a passkey.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// What it knows its person by.
    pub handle: &'a str,
    /// Its public key.
    pub key: &'a str,
    /// Its counter.
    pub state: &'a str,
}

/// Somebody says to hold a passkey. Its challenge is spent, and nothing of it proven.
#[derive(Debug)]
pub struct Claim {
    answer: DiscoverableAuthentication64,
    asked: DiscoverableAuthenticationServerState,
}

impl Claim {
    /// Which one.
    #[must_use]
    pub fn id(&self) -> String {
        BASE64URL_NOPAD.encode(self.answer.raw_id().as_ref())
    }
}

/// A passkey on its way, for one session alone.
#[derive(Debug)]
struct Making {
    session: KeyHash,
    asked: RegistrationServerState<USER_HANDLE_MAX_LEN>,
}

/// Asks for passkeys under one address.
#[derive(Debug)]
pub struct Passkeys {
    party: Party,
    making: Asked<Making>,
    entering: Asked<DiscoverableAuthenticationServerState>,
}

impl Passkeys {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(party: Party) -> Self {
        Self {
            party,
            making: Asked::default(),
            entering: Asked::default(),
        }
    }

    /// The address they count under.
    #[must_use]
    pub const fn party(&self) -> &Party {
        &self.party
    }

    /// What a browser is asked to make for `session`, as JSON. It makes none where it holds one of `there`.
    ///
    /// # Errors
    /// Too many are at it, or the holder cannot be named.
    pub fn ask_to_make(
        &self,
        holder: &Holder<'_>,
        there: &[String],
        session: KeyHash,
        now: Timestamp,
    ) -> Result<String, PasskeyTrouble> {
        let unaskable = |why: String| PasskeyTrouble::Unaskable(why);
        let id = holder
            .handle
            .map_or_else(|| Ok(UserHandle64::new()), handle)?;
        // Not every login is one by RFC 8265; what is shown says whose it is in any case.
        let name = Username::try_from(holder.login).or_else(|_| Username::try_from(NAMELESS));
        let user = PublicKeyCredentialUserEntity {
            name: name.map_err(|why| unaskable(why.to_string()))?,
            id: &id,
            display_name: Nickname::try_from(holder.shown).ok(),
        };
        let there = there.iter().filter_map(|id| descriptor(id)).collect();
        let mut wanted = PublicKeyCredentialCreationOptions::passkey(&self.party.id, user, there);
        wanted.timeout = PATIENCE;
        // Each sign-in asks for user verification and checks it; a key that cannot promise it for good does as well.
        wanted.extensions.cred_protect = CredProtect::None;
        let challenge = wanted.challenge.as_data();
        let begun = wanted.start_ceremony();
        let (asked, told) = begun.map_err(|why| unaskable(why.to_string()))?;
        let text = serde_json::to_string(&told).map_err(|why| unaskable(why.to_string()))?;
        let kept = self.making.keep(challenge, Making { session, asked }, now);
        kept.then_some(text).ok_or(PasskeyTrouble::Busy)
    }

    /// What the browser of `session` has made.
    ///
    /// # Errors
    /// It was not asked of this session, or does not hold.
    pub fn made(
        &self,
        answer: &[u8],
        session: KeyHash,
        now: Timestamp,
    ) -> Result<Made, PasskeyTrouble> {
        let unreadable = |_| PasskeyTrouble::Unreadable;
        let answer = Registration::from_json_relaxed(answer).map_err(unreadable)?;
        let challenge = answer.challenge_relaxed().map_err(unreadable)?;
        let making = self.making.take(challenge.0, now);
        let making = making.filter(|making| making.session == session);
        let making = making.ok_or(PasskeyTrouble::NotBegun)?;
        let origins = [self.party.origin.clone()];
        let rules = RegistrationVerificationOptions::<String, String> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let found = making.asked.verify(&self.party.id, &answer, &rules);
        let found = found.map_err(|why| PasskeyTrouble::Untrue(why.to_string()))?;
        let Ok(key) = found.static_state().encode();
        let Ok(state) = found.dynamic_state().encode();
        Ok(Made {
            id: BASE64URL_NOPAD.encode(found.id().as_ref()),
            handle: BASE64URL_NOPAD.encode(found.user_id().as_ref()),
            key: BASE64URL_NOPAD.encode(&key),
            state: BASE64URL_NOPAD.encode(&state),
        })
    }

    /// What a browser is asked to prove, as JSON: that somebody holds any passkey of this address.
    ///
    /// # Errors
    /// Too many are at it.
    pub fn ask_to_prove(&self, now: Timestamp) -> Result<String, PasskeyTrouble> {
        let unaskable = |why: String| PasskeyTrouble::Unaskable(why);
        let mut wanted = DiscoverableCredentialRequestOptions::passkey(&self.party.id);
        wanted.0.timeout = PATIENCE;
        let challenge = wanted.0.challenge.as_data();
        let begun = wanted.start_ceremony();
        let (asked, told) = begun.map_err(|why| unaskable(why.to_string()))?;
        let text = serde_json::to_string(&told).map_err(|why| unaskable(why.to_string()))?;
        let kept = self.entering.keep(challenge, asked, now);
        kept.then_some(text).ok_or(PasskeyTrouble::Busy)
    }

    /// What a browser answers. Its challenge is spent by this, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be read, or was not asked.
    pub fn claimed(&self, answer: &[u8], now: Timestamp) -> Result<Claim, PasskeyTrouble> {
        let unreadable = |_| PasskeyTrouble::Unreadable;
        let answer = DiscoverableAuthentication64::from_json_relaxed(answer).map_err(unreadable)?;
        let challenge = answer.challenge_relaxed().map_err(unreadable)?;
        let asked = self.entering.take(challenge.0, now);
        let asked = asked.ok_or(PasskeyTrouble::NotBegun)?;
        Ok(Claim { answer, asked })
    }

    /// Whether whoever claims it holds the passkey of which `kept` was kept. Returns what its state is now; who keeps it must
    /// replace the one before, and only that one, so that of two uses at once one counts.
    ///
    /// # Errors
    /// It does not hold.
    pub fn proven(&self, claim: Claim, kept: &Kept<'_>) -> Result<String, PasskeyTrouble> {
        let Claim { answer, asked } = claim;
        let user = handle(kept.handle)?;
        let key = BASE64URL_NOPAD.decode(kept.key.as_bytes()).ok();
        let key = key.and_then(|key| StaticState::<PublicKey>::decode(&key).ok());
        let state = BASE64URL_NOPAD.decode(kept.state.as_bytes()).ok();
        let state = state.and_then(|state| DynamicState::decode(state.try_into().ok()?).ok());
        let (key, state) = key.zip(state).ok_or(PasskeyTrouble::Kept)?;
        let held = AuthenticatedCredential::new(answer.raw_id(), &user, key, state);
        let mut held = held.map_err(|_| PasskeyTrouble::Kept)?;
        let origins = [self.party.origin.clone()];
        let rules = AuthenticationVerificationOptions::<String, String> {
            allowed_origins: &origins,
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        let verified = asked.verify(&self.party.id, &answer, &mut held, &rules);
        verified.map_err(|why| PasskeyTrouble::Untrue(why.to_string()))?;
        let Ok(state) = held.dynamic_state().encode();
        Ok(BASE64URL_NOPAD.encode(&state))
    }
}

fn handle(text: &str) -> Result<UserHandle64, PasskeyTrouble> {
    let raw = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let raw: Option<[u8; USER_HANDLE_MAX_LEN]> = raw.and_then(|raw| raw.try_into().ok());
    let Ok(handle) = UserHandle64::decode(raw.ok_or(PasskeyTrouble::Kept)?);
    Ok(handle)
}

fn descriptor(id: &str) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    let raw = BASE64URL_NOPAD.decode(id.as_bytes()).ok()?;
    Some(PublicKeyCredentialDescriptor {
        id: CredentialId::<Vec<u8>>::decode(raw).ok()?,
        // None: the browser looks everywhere.
        transports: AuthTransports::decode(0).ok()?,
    })
}

//! What Twilio's channel needs of the configuration.

use super::Twilio;
use super::otherwise::{Algorithm, SharedKey};
use crate::address;
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use kill_core::Trust;
use zeroize::Zeroizing;

impl Twilio {
    pub(crate) const KIND: &str = "twilio";
    pub(crate) const TRUST: Trust = Trust::B;
    pub(crate) const REPLIES: Replies = Replies::InResponse;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[
        optional(
            "shared_key",
            "the id of the shared key whose secret is in secret_file, such as webhooks_sharedkey_0123",
        ),
        optional(
            "next_shared_key",
            "the id of the shared key whose secret is in next_secret_file",
        ),
        optional(
            "algorithm",
            "how shared keys sign: HMAC_SHA256 (the default) or HMAC_SHA1",
        ),
        optional(
            "accept_classic",
            "`yes` or `no` (the default): whether the account's token counts beside a shared key",
        ),
        Setting {
            name: "auth_token_file",
            expect: "the file with the account's auth token, for accept_classic beside a shared key",
            required: false,
            file: true,
        },
    ];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let secrets = options.take_secrets()?;
        let (tokens, shared) = signers(&mut options, secrets)?;
        let secrets = tokens.iter().chain(shared.iter().map(|key| &key.secret));
        for secret in secrets {
            if secret.len() < 16 || !secret.bytes().all(|b| b.is_ascii_graphic()) {
                return Err("expected an auth token of at least 16 visible characters".to_owned());
            }
        }
        let url = options
            .public_url
            .ok_or("expected public_url, the address Twilio calls")?;
        let (urls, query) = address::forms(&url).ok_or_else(|| {
            format!("`{url}` is no public_url; expected something like https://kill.example.net/v1/inbound/twilio")
        })?;
        Ok(Self {
            urls,
            query,
            tokens,
            shared,
        })
    }
}

type Secrets = Vec<Zeroizing<String>>;

/// The account's tokens and the shared keys that count.
fn signers(options: &mut Options, secrets: Secrets) -> Result<(Secrets, Vec<SharedKey>), String> {
    let mut take = |name: &str| options.settings.remove(name);
    let ids = [take("shared_key"), take("next_shared_key")];
    let algorithm = take("algorithm");
    let accept = take("accept_classic");
    let token = take("auth_token_file").map(|token| Zeroizing::new(token.trim().to_owned()));
    let [Some(first), second] = ids else {
        let others = [&ids[1], &algorithm, &accept].into_iter().flatten().count();
        return if others > 0 || token.is_some() {
            Err("expected shared_key, or none of next_shared_key, algorithm, accept_classic, auth_token_file".to_owned())
        } else {
            Ok((secrets, Vec::new()))
        };
    };
    let algorithm = algorithm.as_deref().unwrap_or("HMAC_SHA256");
    let algorithm = Algorithm::named(algorithm)
        .ok_or_else(|| format!("`{algorithm}` is no algorithm: HMAC_SHA256 or HMAC_SHA1"))?;
    let ids: Vec<String> = [Some(first), second].into_iter().flatten().collect();
    if ids.len() != secrets.len() {
        return Err("expected shared_key with secret_file, and next_shared_key with next_secret_file or neither".to_owned());
    }
    let shared = ids.into_iter().zip(secrets).map(|(id, secret)| SharedKey {
        id,
        algorithm,
        secret,
    });
    let shared = shared.collect();
    match (accept.as_deref(), token) {
        (Some("yes"), Some(token)) => Ok((vec![token], shared)),
        (None | Some("no"), None) => Ok((Vec::new(), shared)),
        (Some("yes"), None) => Err("accept_classic = \"yes\" needs auth_token_file".to_owned()),
        (None | Some("no"), Some(_)) => {
            Err("auth_token_file counts only with accept_classic = \"yes\"".to_owned())
        }
        (Some(other), _) => Err(format!("accept_classic: `{other}` is neither yes nor no")),
    }
}

const fn optional(name: &'static str, expect: &'static str) -> Setting {
    Setting {
        name,
        expect,
        required: false,
        file: false,
    }
}

//! What Plivo's channel needs of the configuration.

use super::Plivo;
use crate::incoming::Replies;
use crate::options::{Options, Setting};
use crate::{address, unguessable};
use kill_core::Trust;
use zeroize::Zeroizing;

impl Plivo {
    pub(crate) const KIND: &str = "plivo";
    pub(crate) const TRUST: Trust = Trust::C;
    pub(crate) const REPLIES: Replies = Replies::InResponse;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[
        setting(
            "accept_v2",
            "`yes` or `no` (the default): whether signatures that leave the text unsigned count; `yes` needs url_secret_file",
            false,
        ),
        setting(
            "url_secret_file",
            "the file with SECRET of the address at Plivo, public_url?k=SECRET",
            true,
        ),
        setting(
            "next_url_secret_file",
            "the file with the secret that replaces the one in url_secret_file",
            true,
        ),
        setting(
            "number",
            "your number at Plivo in digits, such as 15550100123: replies go out from it",
            false,
        ),
    ];

    pub(crate) fn new(mut options: Options) -> Result<Self, String> {
        let tokens = options.take_visible_secrets("the auth token of the Plivo account")?;
        let url_secrets = url_secrets(&mut options)?;
        let accept_v2 = match options.setting("accept_v2") {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => return Err(format!("accept_v2: `{other}` is neither yes nor no")),
        };
        if accept_v2 && url_secrets.is_empty() {
            return Err(format!(
                "accept_v2 = \"yes\" needs url_secret_file: these signatures do not cover the text, so that a secret must stand in \
                 the address; put {} into a file and give Plivo public_url?k=SECRET",
                unguessable::EXPECT
            ));
        }
        let number = options.setting("number").map(digits).transpose()?;
        let url = options
            .public_url
            .ok_or("expected public_url, the address Plivo calls")?;
        let (_, query) = address::forms(&url)
            .ok_or("public_url is no address; expected something like https://kill.example.net/v1/inbound/plivo")?;
        if query.is_some() && !url_secrets.is_empty() {
            return Err(
                "expected public_url without a query: url_secret_file says what stands there"
                    .to_owned(),
            );
        }
        let base = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        Ok(Self {
            base,
            query,
            url_secrets,
            accept_v2,
            number,
            tokens,
        })
    }
}

fn url_secrets(options: &mut Options) -> Result<Vec<Zeroizing<String>>, String> {
    let mut found = Vec::new();
    for name in ["url_secret_file", "next_url_secret_file"] {
        let Some(secret) = options.settings.remove(name).map(Zeroizing::new) else {
            continue;
        };
        if !unguessable::good(secret.trim()) {
            return Err(format!("{name}: expected {}", unguessable::EXPECT));
        }
        found.push(Zeroizing::new(secret.trim().to_owned()));
    }
    Ok(found)
}

/// A number as Plivo writes it: digits, without the plus sign people put before it.
pub(super) fn digits(number: &str) -> Result<String, String> {
    let digits = number.strip_prefix('+').unwrap_or(number);
    if (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(digits.to_owned())
    } else {
        Err("expected as number 3 to 15 digits, such as 15550100123".to_owned())
    }
}

const fn setting(name: &'static str, expect: &'static str, file: bool) -> Setting {
    Setting {
        name,
        expect,
        required: false,
        file,
    }
}

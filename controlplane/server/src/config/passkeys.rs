//! `[controlplane.passkeys]`: the address passkeys count under. Without the section it is the provider's `base_url`, if it
//! fits.

use super::oidc::answered;
use ::passkeys::{Party, Settings};
use kill_config::{Problem, Section};

const DAY: u64 = 24 * 3600;

/// How long a passkey counts after the provider last said who its person is, in seconds.
const VOUCHED: u64 = 7 * DAY;

const EXPECTED: &str =
    "the dashboard's address as browsers know it, such as `https://portcullis.house.example`";

/// Reads it. What was not asked for and does not fit is off without a word.
pub(super) fn read(
    section: &mut Section<'_>,
    oidc: Option<&::oidc::Settings>,
    hosts: &[String],
    warnings: &mut Vec<Problem>,
) -> Option<Settings> {
    let settings = |party, vouched: u64| Settings {
        party,
        vouched_ms: vouched.saturating_mul(1000),
    };
    let from_provider = || Party::of(&oidc?.base).ok();
    let Some(mut section) = section.section("passkeys") else {
        return from_provider().map(|party| settings(party, VOUCHED));
    };
    let key = "base_url";
    let party = if section.has(key) || oidc.is_none() {
        section.need(key, EXPECTED).and_then(|text| {
            let party = Party::of(&text).map_err(|why| section.note(key, &why.to_string()));
            party.ok()
        })
    } else {
        let party = from_provider();
        if party.is_none() {
            let text = "missing; the provider's base_url does not do: browsers make passkeys for https and a name alone";
            section.note(key, text);
        }
        party
    };
    let vouched = section.span("provider_within", DAY..=90 * DAY);
    if let Some(party) = &party
        && !answered(party.host(), hosts)
    {
        let text = format!(
            "the dashboard does not answer to `{}`; add it to `hosts`",
            party.host()
        );
        warnings.push(Problem::new(section.key(key), text));
    }
    section.finish();
    party.map(|party| settings(party, vouched.unwrap_or(VOUCHED)))
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use std::path::Path;

    const OIDC: &str =
        "[controlplane.oidc]\nissuer = 'https://id.house.example'\nclient_id = 'portcullis'\n";

    fn read(text: &str) -> Result<super::super::Config, Vec<String>> {
        let problems = |all: Vec<super::Problem>| all.iter().map(ToString::to_string).collect();
        checked(text.parse().unwrap(), Path::new("/nonexistent")).map_err(problems)
    }

    fn origin(text: &str) -> Option<String> {
        let passkeys = read(text).unwrap().passkeys?;
        Some(passkeys.party.origin().to_owned())
    }

    #[test]
    fn they_are_on_where_an_address_fits_and_off_without_a_word_elsewhere() {
        assert_eq!(origin(""), None);
        let own = "[controlplane.passkeys]\nbase_url = 'http://localhost:7410'\n";
        assert_eq!(origin(own).as_deref(), Some("http://localhost:7410"));
        let of = |base: &str| {
            format!("{OIDC}base_url = '{base}'\n[controlplane.oidc.roles]\nadmin = ['a']\n")
        };
        let https = of("https://portcullis.lan/");
        assert_eq!(origin(&https).as_deref(), Some("https://portcullis.lan"));
        assert_eq!(origin(&of("http://127.0.0.1:7410")), None);
        let both = format!("{https}[controlplane.passkeys]\nprovider_within = '30 d'\n");
        let passkeys = read(&both).unwrap().passkeys.unwrap();
        assert_eq!(passkeys.vouched_ms, 30 * 24 * 3600 * 1000);
        let bare = format!("{}[controlplane.passkeys]\n", of("http://127.0.0.1:7410"));
        let found = read(&bare).unwrap_err();
        assert!(
            found[0].contains("the provider's base_url does not do"),
            "{found:?}"
        );
    }

    #[test]
    fn what_no_browser_would_use_is_a_mistake_that_says_so() {
        for (base, what) in [
            ("https://192.0.2.1", "is an IP address"),
            ("https://[fd00::1]:7410", "is an IP address"),
            ("http://portcullis.lan", "is plain HTTP"),
            ("portcullis.lan", "is not an address"),
            ("https://portcullis.lan/here", "is not an address"),
        ] {
            let found =
                read(&format!("[controlplane.passkeys]\nbase_url = '{base}'\n")).unwrap_err();
            let named = |line: &String| {
                line.starts_with("controlplane.passkeys.base_url: ") && line.contains(what)
            };
            assert!(found.iter().any(named), "{base}: {found:?}");
        }
        let found = read("[controlplane.passkeys]\n").unwrap_err();
        assert!(found[0].contains("missing; expected"), "{found:?}");
        let warned =
            read("[controlplane.passkeys]\nbase_url = 'https://portcullis.lan'\n").unwrap();
        let warned: Vec<String> = warned.warnings.iter().map(ToString::to_string).collect();
        assert!(
            warned.iter().any(|line| line.contains("add it to `hosts`")),
            "{warned:?}"
        );
    }
}

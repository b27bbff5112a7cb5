#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
//! What Twilio, Plivo, 46elks and SNS make of their settings, and how Plivo and 46elks are answered.

use kill_inbound::{Channel, Options};
use serde_json::Value;
use std::collections::BTreeMap;

const TOKEN: &str = "hush-hush-hush-hush";
const SECRET: &str = "0123456789abcdef";
const URL: &str = "https://kill.example.net/in";

fn channel(
    kind: &str,
    secret: &str,
    url: &str,
    settings: &[(&str, &str)],
) -> Result<Channel, String> {
    let settings = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let options = Options {
        public_url: Some(url.to_owned()),
        secrets: vec![secret.to_owned()],
        settings: settings.collect(),
    };
    Channel::new("sms", kind, options)
}

/// What would let a weaker signature in, or is half there, is a mistake, and its text says what to do and holds no secret.
fn refused(kind: &str, url: &str, settings: &[(&str, &str)], says: &str) {
    let secret = if kind == "46elks" { "hush" } else { TOKEN };
    let error = channel(kind, secret, url, settings).unwrap_err();
    assert!(error.contains(says), "{kind}: {error}");
    assert!(
        !error.contains("hush") && !error.contains(SECRET),
        "{error}"
    );
}

#[test]
fn plivo_without_a_secret_in_the_address_takes_no_unsigned_text() {
    refused("plivo", URL, &[("accept_v2", "yes")], "url_secret_file");
    refused("plivo", URL, &[("accept_v2", "true")], "neither yes nor no");
    refused("plivo", URL, &[("url_secret_file", "short")], "16 to 128");
    refused(
        "plivo",
        URL,
        &[("url_secret_file", "aaaaaaaaaaaaaaaaaaaaaaaa")],
        "16 to 128",
    );
    let twice = "https://kill.example.net/in?a=b";
    refused(
        "plivo",
        twice,
        &[("url_secret_file", SECRET)],
        "without a query",
    );
    refused("plivo", URL, &[("number", "+1 555")], "3 to 15 digits");
    assert!(
        channel(
            "plivo",
            TOKEN,
            URL,
            &[("accept_v2", "yes"), ("url_secret_file", SECRET)]
        )
        .is_ok()
    );
}

#[test]
fn twilio_takes_whole_descriptions_of_shared_keys_only() {
    let key = ("shared_key", "k");
    refused("twilio", URL, &[("algorithm", "HMAC_SHA256")], "shared_key");
    refused("twilio", URL, &[key, ("algorithm", "MD5")], "HMAC_SHA256");
    refused(
        "twilio",
        URL,
        &[key, ("next_shared_key", "l")],
        "next_secret_file",
    );
    refused(
        "twilio",
        URL,
        &[key, ("accept_classic", "yes")],
        "auth_token_file",
    );
    refused(
        "twilio",
        URL,
        &[key, ("auth_token_file", SECRET)],
        "accept_classic",
    );
    refused(
        "twilio",
        URL,
        &[key, ("accept_classic", "maybe")],
        "neither yes nor no",
    );
}

#[test]
fn elks46_wants_a_secret_nobody_guesses() {
    refused("46elks", URL, &[], "16 to 128");
    assert!(channel("46elks", SECRET, URL, &[("user", "a:b")]).is_err());
    assert!(channel("46elks", SECRET, URL, &[("user", "portcullis")]).is_ok());
}

/// Plivo must be told both numbers; whoever can name a sender must not be able to name more than a number.
#[test]
fn plivo_is_told_from_whom_and_to_whom() {
    let sms = channel("plivo", TOKEN, URL, &[("number", "+15550100123")]).unwrap();
    assert_eq!(
        sms.answer(Some("CUT <ALL> & done"), Some("4915112345678"))
            .body,
        r#"<Response><Message src="15550100123" dst="4915112345678">CUT &lt;ALL&gt; &amp; done</Message></Response>"#
    );
    let nothing = "<Response></Response>";
    for to in [None, Some(""), Some("1\" type=\"x"), Some("SENDER")] {
        assert_eq!(sms.answer(Some("CUT"), to).body, nothing);
    }
    assert_eq!(sms.answer(None, Some("4915112345678")).body, nothing);
    let unnumbered = channel("plivo", TOKEN, URL, &[]).unwrap();
    assert_eq!(
        unnumbered.answer(Some("CUT"), Some("4915112345678")).body,
        nothing
    );
}

#[test]
fn elks46_gets_the_bare_text() {
    let elks = channel("46elks", SECRET, URL, &[]).unwrap();
    assert_eq!(elks.answer(Some("CUT & done"), None).body, "CUT & done");
    assert_eq!(elks.answer(None, None).body, "");
}

/// The settings of the vectors of SNS: a topic, a certificate with its authority, a root.
fn sns() -> BTreeMap<String, String> {
    let file: Value = serde_json::from_str(include_str!("../vectors/sns.json")).unwrap();
    serde_json::from_value(file["settings"].clone()).unwrap()
}

fn sns_with(name: &str, value: &str) -> Result<Channel, String> {
    let mut settings = sns();
    settings.insert(name.to_owned(), value.to_owned());
    let options = Options {
        settings,
        ..Options::default()
    };
    Channel::new("sms", "sns", options)
}

#[test]
fn a_certificate_that_is_not_of_sns_or_leads_nowhere_is_named_at_start() {
    let good = sns();
    let (chain, root) = (&good["certificate_file"], &good["roots_file"]);
    let end = "-----END CERTIFICATE-----\n";
    let (leaf, authority) = chain.split_once(end).unwrap();
    let leaf = format!("{leaf}{end}");
    assert!(sns_with("topic_arn", &good["topic_arn"]).is_ok());
    for (name, value, says) in [
        ("topic_arn", "texts", "topic_arn"),
        (
            "topic_arn",
            "arn:aws:sns:evil.example/:123456789012:texts",
            "topic_arn",
        ),
        ("certificate_file", "", "certificate_file"),
        (
            "certificate_file",
            "KILL",
            "certificate_file: expected a certificate",
        ),
        (
            "certificate_file",
            leaf.as_str(),
            "certificate_file: no way from it",
        ),
        (
            "certificate_file",
            authority,
            "certificate_file: its first certificate is not one of SNS",
        ),
        ("certificate_file", &chain.repeat(5), "at most 8"),
        (
            "certificate_file",
            &chain.replace("MII", "AAA"),
            "cannot be read",
        ),
        (
            "next_certificate_file",
            root,
            "next_certificate_file: its first certificate is not one of SNS",
        ),
        ("roots_file", "", "roots_file"),
        ("roots_file", "KILL", "roots_file: expected certificates"),
        (
            "roots_file",
            leaf.as_str(),
            "certificate_file: no way from it",
        ),
    ] {
        let error = sns_with(name, value).unwrap_err();
        assert!(error.contains(says), "{name}: {error}");
    }
}

/// A key that lost its line ends on the way, named where a certificate belongs.
#[test]
fn a_file_that_is_no_pem_is_named_and_nothing_of_it_is_said() {
    let key = "-----BEGIN PRIVATE KEY-----hush-hush-hush";
    for name in ["certificate_file", "roots_file"] {
        let error = sns_with(name, key).unwrap_err();
        assert_eq!(error, format!("{name}: it is no PEM"));
    }
}

//! Configuration and answers of the channels, and our own signing.

use kill_inbound::{
    Channel, Incoming, Options, RawRequest, Refusal, Replies, Trust, standard_webhooks,
};
use kill_wire::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_248_127_000);

fn options(secrets: &[&str], url: Option<&str>) -> Options {
    Options {
        public_url: url.map(str::to_owned),
        secrets: secrets.iter().map(|s| (*s).to_owned()).collect(),
        ..Options::default()
    }
}

#[test]
fn what_we_sign_we_accept() {
    let secret = standard_webhooks::secret_from_random([7; 32]);
    let channel = Channel::new("local", "standard-webhooks", options(&[&secret], None)).unwrap();
    let body = standard_webhooks::body("KILL \"12345678\"", Some("local"));
    let signature = standard_webhooks::sign(&secret, "m1", NOW, body.as_bytes()).unwrap();
    let at = NOW.secs().to_string();
    let headers: [(&str, &[u8]); 3] = [
        (standard_webhooks::ID, b"m1"),
        (standard_webhooks::TIMESTAMP, at.as_bytes()),
        (standard_webhooks::SIGNATURE, signature.as_bytes()),
    ];
    let request = RawRequest {
        method: "POST",
        headers: &headers,
        query: None,
        body: body.as_bytes(),
    };
    let Ok(Incoming::Text(text)) = channel.verify(&request, NOW) else {
        panic!("not a text");
    };
    assert_eq!(text.text, "KILL \"12345678\"");
    assert_eq!(
        (channel.name(), channel.kind(), channel.trust()),
        ("local", "standard-webhooks", Trust::A)
    );
}

#[test]
fn configuration_mistakes_are_named_without_the_secret() {
    let good = standard_webhooks::secret_from_random([7; 32]);
    let url = Some("https://kill.example.net/in");
    for (name, kind, options, says) in [
        (
            "local",
            "standard-webhooks",
            options(&[], None),
            "1 or 2 secrets",
        ),
        (
            "local",
            "standard-webhooks",
            options(&[&good, &good, &good], None),
            "1 or 2 secrets",
        ),
        (
            "local",
            "standard-webhooks",
            options(&["hush-hush"], None),
            "whsec_",
        ),
        (
            "local",
            "standard-webhooks",
            options(&["whsec_aHVzaC1odXNo"], None),
            "24 to 64",
        ),
        ("sms", "twilio", options(&["hush-hush"], url), "auth token"),
        (
            "sms",
            "twilio",
            options(&["hush-hush-hush-hush"], None),
            "public_url",
        ),
        (
            "sms",
            "twilio",
            options(&["hush-hush-hush-hush"], Some("kill.example.net")),
            "public_url",
        ),
        (
            "sms",
            "twillio",
            options(&["hush-hush-hush-hush"], url),
            "twilio, ",
        ),
        (
            "a/b",
            "twilio",
            options(&["hush-hush-hush-hush"], url),
            "name",
        ),
    ] {
        let error = Channel::new(name, kind, options).unwrap_err();
        assert!(error.contains(says) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn answers_carry_the_reply_or_nothing() {
    let secret = standard_webhooks::secret_from_random([7; 32]);
    let local = Channel::new("local", "standard-webhooks", options(&[&secret], None)).unwrap();
    assert_eq!(
        local.answer(Some("CUT \"x\""), None).body,
        r#"{"reply":"CUT \"x\""}"#
    );
    assert_eq!(local.answer(None, None).body, r#"{"reply":null}"#);
    let url = Some("https://kill.example.net/in");
    let sms = Channel::new("sms", "twilio", options(&["hush-hush-hush-hush\n"], url)).unwrap();
    let answer = sms.answer(Some("CUT & done"), None);
    assert_eq!(
        answer.body,
        "<Response><Message>CUT &amp; done</Message></Response>"
    );
    assert_eq!((answer.status, sms.trust()), (200, Trust::B));
    assert_eq!(format!("{sms:?}"), "Channel(sms, twilio)");
}

#[test]
fn what_is_fetched_carries_the_trust_of_its_channel_and_refuses_calls() {
    let sent = Timestamp::from_millis(NOW.millis() - 60_000);
    for (kind, trust, stamped) in [
        ("telegram", Trust::A, false),
        ("ntfy", Trust::C, false),
        ("mqtt", Trust::C, false),
        ("gammu", Trust::A, true),
        ("modem-manager", Trust::A, true),
    ] {
        assert!(Channel::is_pulled(kind));
        let channel = Channel::new("far", kind, options(&[], None)).unwrap();
        let text = channel
            .text("7", Some("+15550100"), "KILL", Some(sent))
            .unwrap();
        assert_eq!(
            (text.channel.as_str(), text.id.as_str(), text.trust),
            ("far", "7", trust)
        );
        assert_eq!(text.sent, stamped.then_some(sent), "{kind}");
        assert_eq!(channel.text("7", None, "KILL", None).unwrap().sent, None);
        let call = RawRequest {
            method: "POST",
            headers: &[],
            query: None,
            body: b"{}",
        };
        assert_eq!(channel.verify(&call, NOW), Err(Refusal::Pulled), "{kind}");
    }
    let secret = standard_webhooks::secret_from_random([7; 32]);
    let local = Channel::new("local", "standard-webhooks", options(&[&secret], None)).unwrap();
    assert!(!local.pulled() && local.text("7", None, "KILL", None).is_none());
}

#[test]
fn mistakes_in_the_settings_of_a_kind_are_named() {
    let url = Some("https://kill.example.net/in");
    let long = "hush-hush-hush-hush";
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for (kind, secret, url, set, says) in [
        ("telnyx", "hush", None, None, "public key"),
        ("telnyx", "aHVzaA==", None, None, "public key"),
        // The neutral point: anybody can sign for it.
        ("telnyx", weak, None, None, "public key"),
        ("sinch", "hush", None, None, "16 visible"),
        (
            "sinch",
            "hush hush hush hush hush",
            None,
            None,
            "16 visible",
        ),
        ("vonage-messages", "hush", None, None, "signature secret"),
        ("vonage-sms", long, None, None, "`sha256` or `sha512`"),
        ("vonage-sms", long, None, Some("md5"), "not accepted"),
        ("vonage-sms", long, None, Some("md5hash"), "not accepted"),
        ("vonage-sms", long, None, Some("sha1"), "not accepted"),
        (
            "vonage-sms",
            long,
            None,
            Some("none"),
            "`sha256` or `sha512`",
        ),
        (
            "vonage-sms",
            "hush",
            None,
            Some("sha256"),
            "signature secret",
        ),
        ("messagebird", long, None, None, "public_url"),
        (
            "messagebird",
            long,
            Some("kill.example.net"),
            None,
            "public_url",
        ),
        ("messagebird", long, url, Some("none"), "`HS256`"),
        ("messagebird", long, url, Some("RS256"), "`HS256`"),
        ("messagebird", "hush", url, None, "signing key"),
    ] {
        let mut options = options(&[secret], url);
        let set = set.map(|value: &str| ("algorithm".to_owned(), value.to_owned()));
        options.settings.extend(set);
        let error = Channel::new("sms", kind, options).unwrap_err();
        assert!(
            error.contains(says) && !error.contains("hush"),
            "{kind}: {error}"
        );
    }
}

#[test]
fn providers_whose_replies_go_another_way_are_answered_nothing() {
    for (kind, secret, set) in [
        (
            "telnyx",
            "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
            None,
        ),
        ("sinch", "hush-hush-hush-hush", None),
        ("vonage-messages", "hush-hush-hush-hush", None),
        ("vonage-sms", "hush-hush-hush-hush", Some("sha512")),
        ("messagebird", "hush-hush-hush-hush", Some("HS512\n")),
    ] {
        let mut options = options(&[secret], Some("https://kill.example.net/in"));
        let set = set.map(|value: &str| ("algorithm".to_owned(), value.to_owned()));
        options.settings.extend(set);
        let channel = Channel::new("sms", kind, options).unwrap();
        assert_eq!(
            (channel.replies(), channel.trust()),
            (Replies::ByCourier, Trust::A)
        );
        let answer = channel.answer(Some("CUT ALL"), None);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{kind}");
    }
}

#[test]
fn every_setting_of_every_kind_says_what_it_expects() {
    for kind in Channel::KINDS {
        for setting in Channel::settings(kind) {
            assert!(setting.expect.len() > 10, "{kind}: {}", setting.name);
            assert_eq!(setting.file, setting.name.ends_with("_file"), "{kind}");
        }
    }
    assert!(Channel::settings("nothing").is_empty());
}

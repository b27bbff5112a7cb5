//! Configuration and answers of the channels, and our own signing.

use kill_inbound::{Channel, Incoming, Options, RawRequest, Trust, standard_webhooks};
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
            "twilio, standard-webhooks",
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
        local.answer(Some("CUT \"x\"")).body,
        r#"{"reply":"CUT \"x\""}"#
    );
    assert_eq!(local.answer(None).body, r#"{"reply":null}"#);
    let url = Some("https://kill.example.net/in");
    let sms = Channel::new("sms", "twilio", options(&["hush-hush-hush-hush\n"], url)).unwrap();
    let answer = sms.answer(Some("CUT & done"));
    assert_eq!(
        answer.body,
        "<Response><Message>CUT &amp; done</Message></Response>"
    );
    assert_eq!((answer.status, sms.trust()), (200, Trust::B));
    assert_eq!(format!("{sms:?}"), "Channel(sms, twilio)");
}

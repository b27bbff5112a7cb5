//! Each way to reply: the request as the vendor's reference describes it.

use crate::provider::{Asked, Given, Provider};
use crate::switch::{Running, Switch, channel};
use kill_courier::check;
use serde_json::{Value, json};

const TEXT: &str = "CUT ALL 14:02:07Z 0.18s. By AK #7F3A & more";
const FROM: &str = "+15550001111";
const TO: &str = "+4712345678";

/// Sends one reply by a channel with these settings; `URL` in a value is the provider's address. Gives the request.
fn sent(kind: &str, secret: &str, values: &[(&str, &str)], answer: &Value) -> Asked {
    let folder = tempfile::tempdir().unwrap();
    let answer = answer.clone();
    let provider = Provider::serve(move |_, _| Given::json(&answer));
    let filled: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, value.replace("URL", &provider.url)))
        .collect();
    let filled: Vec<_> = filled.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let switch = Switch::listen(folder.path());
    let _courier = Running::start(folder.path(), kind, secret, &filled);
    switch.reply(1_795_259_466_000, TO, TEXT);
    assert_eq!(switch.end(1_795_259_466_000), None);
    let asked = provider.asked();
    assert_eq!(asked.len(), 1);
    asked[0].clone()
}

fn line(asked: &Asked) -> (String, String) {
    let place = format!("{} {}", asked.method, asked.path);
    (place, asked.header("authorization").to_owned())
}

fn fields(asked: &Asked) -> Vec<(String, String)> {
    let kind = asked.header("content-type");
    assert_eq!(kind, "application/x-www-form-urlencoded");
    let mut fields: Vec<_> = form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    fields.sort();
    fields
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    pairs.collect()
}

fn basic(pair: &str) -> String {
    format!("Basic {pair}")
}

#[test]
fn telnyx() {
    let values = [
        ("reply_key_file", "KEY123\n"),
        ("reply_from", FROM),
        ("reply_url", "URL/"),
    ];
    let asked = sent("telnyx", "", &values, &json!({ "data": {} }));
    assert_eq!(
        line(&asked),
        ("POST /v2/messages".into(), "Bearer KEY123".into())
    );
    assert_eq!(
        asked.json(),
        json!({ "to": TO, "from": FROM, "text": TEXT })
    );
}

#[test]
fn vonage_sms() {
    let values = [
        ("reply_key", "key1"),
        ("reply_secret_file", "sec1"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let answer = json!({ "message-count": "1", "messages": [{ "status": "0" }] });
    let asked = sent("vonage-sms", "", &values, &answer);
    assert_eq!(
        line(&asked),
        ("POST /sms/json".into(), basic("a2V5MTpzZWMx"))
    );
    let expected = [
        ("from", "15550001111"),
        ("text", TEXT),
        ("to", "4712345678"),
    ];
    assert_eq!(fields(&asked), pairs(&expected));
}

#[test]
fn vonage_messages() {
    let values = [
        ("reply_key", "key1"),
        ("reply_secret_file", "sec1"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent(
        "vonage-messages",
        "",
        &values,
        &json!({ "message_uuid": "1" }),
    );
    assert_eq!(
        line(&asked),
        ("POST /v1/messages".into(), basic("a2V5MTpzZWMx"))
    );
    assert_eq!(
        asked.json(),
        json!({ "to": "4712345678", "from": "15550001111", "text": TEXT, "channel": "sms", "message_type": "text" })
    );
}

#[test]
fn sinch() {
    let values = [
        ("reply_plan", "plan1"),
        ("reply_token_file", "tok1"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("sinch", "", &values, &json!({ "id": "1" }));
    assert_eq!(
        line(&asked),
        ("POST /xms/v1/plan1/batches".into(), "Bearer tok1".into())
    );
    assert_eq!(
        asked.json(),
        json!({ "from": FROM, "to": [TO], "body": TEXT, "type": "mt_text" })
    );
}

#[test]
fn messagebird() {
    let values = [
        ("reply_key_file", "KEY1"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("messagebird", "", &values, &json!({ "id": "1" }));
    assert_eq!(
        line(&asked),
        ("POST /messages".into(), "AccessKey KEY1".into())
    );
    assert_eq!(
        asked.json(),
        json!({ "originator": "15550001111", "body": TEXT, "recipients": "4712345678" })
    );
}

#[test]
fn aws() {
    let values = [
        ("aws_region", "eu-west-1"),
        ("aws_access_key", "AKID"),
        ("aws_secret_key_file", "SECRET"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("sns", "", &values, &json!({ "MessageId": "1" }));
    assert_eq!(line(&asked).0, "POST /");
    assert_eq!(
        asked.header("x-amz-target"),
        "PinpointSMSVoiceV2.SendTextMessage"
    );
    assert!(
        asked
            .header("authorization")
            .contains("/eu-west-1/sms-voice/aws4_request")
    );
    assert_eq!(
        asked.json(),
        json!({ "DestinationPhoneNumber": TO, "OriginationIdentity": FROM, "MessageBody": TEXT, "MessageType": "TRANSACTIONAL" })
    );
}

#[test]
fn sms_gate() {
    let values = [
        ("reply_url", "URL/3rdparty/v1/messages"),
        ("reply_user", "user"),
        ("reply_password_file", "pass"),
    ];
    let asked = sent("sms-gate", "", &values, &json!({ "id": "1" }));
    assert_eq!(
        line(&asked),
        ("POST /3rdparty/v1/messages".into(), basic("dXNlcjpwYXNz"))
    );
    let body = asked.json();
    assert_eq!(body["phoneNumbers"], json!([TO]));
    assert_eq!(body["textMessage"], json!({ "text": TEXT }));
    assert_eq!(body["id"], "portcullis-1795259466000");
}

#[test]
fn twilio_plivo_and_46elks() {
    let account = format!("AC{}", "0".repeat(32));
    let account = account.as_str();
    let values = [
        ("reply_account", account),
        ("reply_token_file", "tok"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("twilio", "", &values, &json!({ "sid": "1" }));
    assert_eq!(
        line(&asked).0,
        format!("POST /2010-04-01/Accounts/{account}/Messages.json")
    );
    let expected = pairs(&[("Body", TEXT), ("From", FROM), ("To", TO)]);
    assert_eq!(fields(&asked), expected);

    let values = [
        ("reply_account", "MA1"),
        ("reply_token_file", "tok"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("plivo", "", &values, &json!({ "message_uuid": ["1"] }));
    assert_eq!(
        line(&asked),
        (
            "POST /v1/Account/MA1/Message/".into(),
            basic("TUExOnRvaw==")
        )
    );
    assert_eq!(
        asked.json(),
        json!({ "src": "15550001111", "dst": "4712345678", "text": TEXT })
    );

    let values = [
        ("reply_user", "user"),
        ("reply_password_file", "pass"),
        ("reply_from", FROM),
        ("reply_url", "URL"),
    ];
    let asked = sent("46elks", "", &values, &json!({ "status": "created" }));
    assert_eq!(line(&asked), ("POST /a1/sms".into(), basic("dXNlcjpwYXNz")));
    let expected = pairs(&[("from", FROM), ("message", TEXT), ("to", TO)]);
    assert_eq!(fields(&asked), expected);
}

#[test]
fn standard_webhooks_are_signed_with_the_channels_own_secret() {
    let secret = kill_inbound::standard_webhooks::secret_from_random([7; 32]);
    let asked = sent(
        "standard-webhooks",
        &secret,
        &[("reply_url", "URL/hook")],
        &json!({}),
    );
    assert_eq!(line(&asked).0, "POST /hook");
    assert_eq!(asked.json(), json!({ "to": TO, "text": TEXT }));
    assert_eq!(asked.header("webhook-id"), "reply-1795259466000");
    let at: u64 = asked.header("webhook-timestamp").parse().unwrap();
    let signed = kill_inbound::standard_webhooks::sign(
        &secret,
        "reply-1795259466000",
        kill_wire::Timestamp::from_millis(at * 1000),
        asked.body.as_bytes(),
    );
    assert_eq!(asked.header("webhook-signature"), signed.unwrap());
}

#[test]
fn ntfy_publishes_to_the_topic_for_replies() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::serve(|asked, _| match asked.method.as_str() {
        "GET" => Given::Silence,
        _ => Given::status(200),
    });
    let values = [
        ("server", provider.url.as_str()),
        ("topic", "in"),
        ("reply_topic", "out"),
    ];
    let switch = Switch::listen(folder.path());
    let _courier = Running::start(folder.path(), "ntfy", "tk_1", &values);
    switch.reply(5, "phone", TEXT);
    assert_eq!(switch.end(5), None);
    let asked = provider.wait(|asked| asked.method == "POST");
    assert_eq!(line(&asked), ("POST /".into(), "Bearer tk_1".into()));
    assert_eq!(asked.json()["topic"], "out");
    assert_eq!(asked.json()["message"], TEXT);
}

#[test]
fn telegram_answers_the_chat() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::serve(|asked, _| match asked.path.as_str() {
        "/bot1:abc/getUpdates" => Given::Silence,
        _ => Given::json(&json!({ "ok": true })),
    });
    let switch = Switch::listen(folder.path());
    let values = [("api_url", provider.url.as_str())];
    let _courier = Running::start(folder.path(), "telegram", "1:abc", &values);
    switch.reply(5, "-1001234", TEXT);
    assert_eq!(switch.end(5), None);
    let asked = provider.wait(|asked| asked.path == "/bot1:abc/sendMessage");
    assert_eq!(asked.json(), json!({ "chat_id": -1_001_234, "text": TEXT }));
}

#[test]
fn settings_that_cannot_work_are_named() {
    let wrong =
        |kind, secret, values: &[(&str, &str)]| check(&channel(kind, secret, values)).unwrap_err();
    let half = wrong("telnyx", "", &[("reply_from", FROM)]);
    assert_eq!(
        half,
        "`reply_key_file` is missing or empty; to reply it takes reply_key_file, reply_from"
    );
    let url = [
        ("reply_key_file", "K"),
        ("reply_from", FROM),
        ("reply_url", "ftp://x"),
    ];
    assert!(wrong("telnyx", "", &url).contains("`reply_url` is no address"));
    let user = [
        ("reply_key_file", "K"),
        ("reply_from", FROM),
        ("reply_url", "https://a:b@x"),
    ];
    assert!(wrong("telnyx", "", &user).contains("`reply_url` is no address"));
    assert!(wrong("telegram", "", &[]).contains("`secret_file`"));
    assert!(wrong("telegram", "no token", &[]).contains("token of a bot"));
    assert!(wrong("telegram", "1:a", &[("chats", "@me")]).contains("`chats`"));
    assert!(wrong("ntfy", "", &[]).contains("`topic`"));
    assert!(wrong("ntfy", "", &[("topic", "a/b")]).contains("`topic` is no topic"));
    assert!(wrong("ntfy", "", &[("topic", "a"), ("reply_topic", "a")]).contains("come back"));
    assert!(wrong("sns", "", &[("queue_url", "https://q/1/k")]).contains("`aws_region`"));
    assert!(check(&channel("sns", "", &[])).is_ok() && check(&channel("twilio", "", &[])).is_ok());
}

//! `ReceiveMessage` and `DeleteMessage` of SQS's JSON protocol, as its reference describes them: a message that is not
//! deleted is given again.

use crate::provider::{Asked, Given, Provider};
use crate::switch::{Running, Switch};
use kill_wire::FromCourier;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "wJalrXUtnFEMI-SECRET";

fn queue(messages: Vec<Value>) -> impl Fn(&Asked, usize) -> Given + Send + Sync + 'static {
    let messages = Arc::new(Mutex::new(messages));
    move |asked, _| {
        let mut messages = messages.lock().unwrap();
        match asked.header("x-amz-target") {
            "AmazonSQS.ReceiveMessage" if messages.is_empty() => {
                drop(messages);
                std::thread::sleep(Duration::from_millis(20));
                Given::json(&json!({}))
            }
            "AmazonSQS.ReceiveMessage" => Given::json(&json!({ "Messages": *messages })),
            "AmazonSQS.DeleteMessage" => {
                let receipt = asked.json()["ReceiptHandle"].clone();
                messages.retain(|message| message["ReceiptHandle"] != receipt);
                Given::json(&json!({}))
            }
            other => panic!("{other}"),
        }
    }
}

fn start(folder: &std::path::Path, url: &str) -> Running {
    let queue = format!("{url}/123456789012/kill");
    let values = [
        ("queue_url", queue.as_str()),
        ("aws_region", "eu-west-1"),
        ("aws_access_key", "AKID"),
        ("aws_secret_key_file", SECRET),
    ];
    Running::start(folder, "sns", "", &values)
}

fn bodies(heard: &[FromCourier]) -> Vec<(String, String)> {
    let found = heard.iter().filter_map(|message| match message {
        FromCourier::Webhook { id, body, .. } => Some((id.clone(), body.clone())),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_message_is_deleted_only_when_it_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let body = r#"{"Type":"Notification","Message":"{}"}"#;
    let message = json!({ "MessageId": "m-1", "ReceiptHandle": "r/1==", "Body": body });
    let provider = Provider::serve(queue(vec![message]));
    let switch = Switch::listen(folder.path());
    switch.deaf(true);
    let courier = start(folder.path(), &provider.url);
    let expected = ("m-1".to_owned(), body.to_owned());
    let first = switch.wait(|heard| bodies(heard).first().cloned());
    assert_eq!(first, expected);
    drop(courier);
    let deletes = |asked: &Asked| asked.header("x-amz-target") == "AmazonSQS.DeleteMessage";
    assert!(!provider.asked().iter().any(deletes));

    switch.deaf(false);
    let _courier = start(folder.path(), &provider.url);
    let deleted = provider.wait(deletes);
    let url = format!("{}/123456789012/kill", provider.url);
    assert_eq!(
        deleted.json(),
        json!({ "QueueUrl": url, "ReceiptHandle": "r/1==" })
    );
    assert_eq!(
        (deleted.method.as_str(), deleted.path.as_str()),
        ("POST", "/")
    );
    let asked = provider.asked()[0].clone();
    assert_eq!(asked.header("content-type"), "application/x-amz-json-1.0");
    let signed = asked.header("authorization");
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKID/") && signed.contains("/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="), "{signed}");
    assert_eq!(asked.json()["WaitTimeSeconds"], 20);
    assert!(
        switch
            .wait(|heard| Some(bodies(heard)))
            .iter()
            .all(|found| *found == expected)
    );
}

#[test]
fn refusals_and_garbage_are_told_without_the_key_and_a_message_too_long_leaves_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let long = json!({ "MessageId": "m-2", "ReceiptHandle": "r2", "Body": "x".repeat(200_000) });
    let good = json!({ "MessageId": "m-3", "ReceiptHandle": "r3", "Body": "{}" });
    let usual = queue(vec![long, good]);
    let provider = Provider::serve(move |asked, before| match before {
        0 => Given::Answer(
            400,
            Vec::new(),
            json!({ "__type": "com.amazonaws.sqs#ThrottlingException", "message": SECRET })
                .to_string(),
        ),
        1 => Given::Answer(200, Vec::new(), "{".to_owned()),
        2 => Given::status(503),
        _ => usual(asked, before),
    });
    let switch = Switch::listen(folder.path());
    let _courier = start(folder.path(), &provider.url);
    switch.problem("ThrottlingException (400)");
    switch.problem("not understood");
    switch.problem("in trouble (503)");
    provider.wait(|asked| asked.body.contains("r2") && asked.body.contains("Receipt"));
    let found = switch.wait(|heard| Some(bodies(heard)).filter(|found| !found.is_empty()));
    assert_eq!(found[0].0, "m-3");
    switch.problem("");
    assert!(!switch.told().contains("SECRET"));
}

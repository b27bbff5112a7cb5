//! Hosts, alerts and jobs, on pages and as JSON.

use crate::house::{House, text};
use inventory::Sender;
use kill_wire::Timestamp;
use net_model::Dial;
use store::Invitation;

/// Invites, joins and reports; the report names its agent with markup.
pub(crate) async fn host(house: &House, name: &str, zone: &str) {
    host_that_says(house, name, zone, &report(house.now())).await;
}

async fn host_that_says(house: &House, name: &str, zone: &str, report: &str) {
    let now = house.now();
    let invitation = Invitation {
        name: name.parse().unwrap(),
        zone: zone.parse().unwrap(),
        roles: [net_model::HostRole::RedZone].into(),
        dial: Dial::Out,
        address: None,
        token: net_model::KeyHash::of(name.as_bytes()),
        expires: now.plus_millis(60_000),
    };
    assert!(
        house
            .store
            .invite_host(&invitation, false, now)
            .await
            .unwrap()
    );
    house.join(&invitation, now).await;
    says(house, name, zone, report).await;
}

async fn says(house: &House, name: &str, zone: &str, report: &str) {
    let now = house.now();
    let from = Sender {
        host: name.parse().unwrap(),
        zone: zone.parse().unwrap(),
        address: "198.18.30.2".parse().unwrap(),
        dial: Dial::Out,
        certificate_ends: Some(now.plus_millis(86_400_000)),
    };
    assert!(matches!(
        house.inventory.take(&from, report.as_bytes(), now),
        inventory::Taken::Kept { .. }
    ));
    house.inventory.write().await.unwrap();
}

fn report(now: Timestamp) -> String {
    let at = now.millis();
    format!(
        r#"{{"v":1,"seq":1,"boot":"00000000000000aa","up_ms":1000,"at_ms":{at},"facts":{{
        "cpu":{{"cores":4,"busy_ppm":420000,"waiting_ppm":0,"load_1m_milli":10,"load_5m_milli":10}},
        "disks":[{{"mount":"<b>/data</b>","filesystem":"ext4","read_only":false,"size":{{"total_bytes":100,"free_bytes":1,"files_total":0,"files_free":0}}}}],
        "nets":[{{"name":"eth0","up":true,"addresses":["198.18.30.9/24"],"rx_bytes":1,"tx_bytes":1,"rx_errors":0,"tx_errors":0,"rx_dropped":0,"tx_dropped":0}}],
        "agent":{{"version":"<script>alert(1)</script>","rss_bytes":1,"cpu_ppm":1,"waiting":0}}}}}}"#
    )
    .replace('\n', "")
}

#[tokio::test]
async fn hosts_stand_by_zone_with_what_they_say_and_what_was_seen() {
    let house = House::new().await;
    let session = house.session().await;
    host(&house, "claw1", "red").await;
    host(&house, "gpu1", "inference").await;

    let page = text(house.get("/hosts?zone=red", &session).await).await;
    assert!(
        page.contains("claw1") && page.contains("42 %") && !page.contains(">gpu1<"),
        "{page}"
    );
    let one = text(house.get("/hosts/claw1", &session).await).await;
    assert!(
        one.contains("198.18.30.9") && one.contains("198.18.30.2"),
        "both sides are shown"
    );
    assert!(one.contains("<strong class=\"alarm\">no</strong>"), "{one}");
    assert!(
        !one.contains("<script>alert") && !one.contains("<b>/data"),
        "{one}"
    );

    let listed = text(house.get("/api/v1/hosts", &session).await).await;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["items"][1]["name"], "claw1");
    assert_eq!(listed["items"][1]["claimed"]["gauges"]["cpu_ppm"], 420_000);
    assert_eq!(listed["items"][1]["observed"]["address"], "198.18.30.2");
    let shown = text(house.get("/api/v1/hosts/claw1", &session).await).await;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["compared"][0]["agrees"], false);
    assert_eq!(house.get("/hosts/nobody", &session).await.status(), 404);
    assert_eq!(
        house.get("/api/v1/hosts/%2e%2e", &session).await.status(),
        404
    );
}

/// A host that drives an APISIX, whose local target is gone, and has a LiteLLM beside it.
fn driving(now: Timestamp) -> String {
    let at = now.millis();
    format!(
        r#"{{"v":1,"seq":1,"boot":"00000000000000aa","up_ms":1000,"at_ms":{at},"facts":{{
        "gateways":[{{"name":"proxy","kind":"litellm","live":"up","ready":"down","took_ms":12}}],
        "driven":[{{"name":"edge","kind":"apisix","follows":true,"managed":true,"drifted":0,"targets":[
            {{"name":"ollama","class":"local","state":"open","since":{at},"why":"<b>no answer</b>","probed":false,"checked":true}},
            {{"name":"sky","class":"cloud","state":"closed","probed":true}},
            {{"name":"models","class":"cloud","state":"closed"}}]}}]}}}}"#
    )
    .replace('\n', "")
}

#[tokio::test]
async fn targets_of_other_gateways_stand_on_the_page_of_targets_on_their_host_s_and_in_json() {
    let house = House::new().await;
    let session = house.session().await;
    let none = text(house.get("/targets", &session).await).await;
    assert!(none.contains("No host says that it drives"), "{none}");
    host(&house, "claw1", "red").await;
    host_that_says(&house, "gw1", "inference", &driving(house.now())).await;

    let page = text(house.get("/targets", &session).await).await;
    for words in [
        "left alone: &#60;b&#62;no answer&#60;/b&#62; since ",
        "unwell from the host, well from the gateway",
        "edge <a href=\"/hosts/gw1\">gw1</a>",
        "<span class=\"dot bad\"></span>ollama",
        "<span class=\"dot good\"></span>sky",
        "not probed",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page: {page}");
    }
    assert!(!page.contains("claw1") && !page.contains("<b>no"), "{page}");

    let page = text(house.get("/hosts/gw1", &session).await).await;
    for words in [
        "edge: target ollama (local) left alone: ",
        "edge: target sky (cloud) serves; well<",
        "proxy: runs and is not ready (12 ms)",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page: {page}");
    }

    let state = text(house.get("/api/v1/state", &session).await).await;
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let edge = &state["elsewhere"][0];
    assert_eq!(
        (&edge["host"], &edge["gateway"]),
        (&"gw1".into(), &"edge".into())
    );
    assert_eq!(edge["targets"][0]["checked"], true);
    assert_eq!(state["problems"], serde_json::json!([]));
    let shown = text(house.get("/api/v1/hosts/gw1", &session).await).await;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let driven = &shown["facts"]["driven"][0];
    assert_eq!(driven["targets"][1]["probed"], true);
}

/// A host that drives an nginx, of which it tells no target.
fn driving_nginx(seq: u32, now: Timestamp, driven: &str) -> String {
    let at = now.millis();
    format!(
        r#"{{"v":1,"seq":{seq},"boot":"00000000000000aa","up_ms":{seq}0000,"at_ms":{at},"facts":{{{driven}}}}}"#
    )
}

#[tokio::test]
async fn the_map_shows_every_gateway_that_a_host_drives_and_whether_it_follows() {
    const NGINX: &str = r#""driven":[{"name":"<i>door</i>","kind":"nginx","follows":false,"managed":false,"drifted":0}]"#;
    let house = House::new().await;
    let session = house.session().await;
    host(&house, "claw1", "red").await;
    host_that_says(&house, "gw1", "inference", &driving(house.now())).await;
    let nginx = driving_nginx(1, house.now(), NGINX);
    host_that_says(&house, "gw2", "red", &nginx).await;

    let page = text(house.get("/", &session).await).await;
    for words in [
        ">edge</text>",
        ">apisix on gw1</text>",
        ">follows</text>",
        ">&#60;i&#62;door&#60;/i&#62;</text>",
        ">does not follow</text>",
        "Gateway edge (apisix) on gw1, zone inference: follows, leads to ollama (local, left alone), sky (cloud), models (cloud).",
        "(nginx) on gw2, zone red: does not follow, where it leads is not told.",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page: {page}");
    }
    let state = text(house.get("/api/v1/state", &session).await).await;
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let door = &state["elsewhere"][1];
    assert_eq!(
        (&door["host"], &door["zone"]),
        (&"gw2".into(), &"red".into())
    );
    assert_eq!(
        (&door["follows"], &door["managed"]),
        (&false.into(), &false.into())
    );
    assert!(door.get("address").is_none(), "{door}");

    // Its host drives it no more.
    house.pass(10_000);
    says(&house, "gw2", "red", &driving_nginx(2, house.now(), "")).await;
    let page = text(house.get("/", &session).await).await;
    assert!(
        page.contains(">edge</text>") && !page.contains("door"),
        "{page}"
    );
    house.pass(61_000);
    let page = text(house.get("/", &session).await).await;
    assert!(page.contains(">not heard from</text>"), "{page}");
}

#[tokio::test]
async fn what_a_silent_host_said_of_its_targets_is_said_to_be_old() {
    let house = House::new().await;
    let session = house.session().await;
    host_that_says(&house, "gw1", "inference", &driving(house.now())).await;
    house.pass(61_000);
    let page = text(house.get("/targets", &session).await).await;
    assert!(page.contains("not since <time"), "{page}");
    assert!(
        page.contains("<span class=\"dot warn\"></span>sky"),
        "{page}"
    );
}

#[tokio::test]
async fn alerts_and_jobs_are_shown() {
    let house = House::new().await;
    let session = house.session().await;
    host(&house, "claw1", "red").await;
    house.inventory.look(&[], false, house.now());
    house
        .inventory
        .look(&[], false, house.now().plus_millis(61_000));
    house.inventory.keep_alerts().await.unwrap();
    let page = text(house.get("/alerts", &session).await).await;
    assert!(
        page.contains("99 % full") && !page.contains("<b>/data"),
        "{page}"
    );
    let alerts = text(house.get("/api/v1/alerts?host=claw1", &session).await).await;
    let alerts: serde_json::Value = serde_json::from_str(&alerts).unwrap();
    assert_eq!(alerts["items"][0]["rule"], "disk");
    assert_eq!(house.get("/jobs", &session).await.status(), 200);
    let jobs = text(house.get("/api/v1/jobs", &session).await).await;
    assert_eq!(jobs, r#"{"items":[],"next":null}"#);
}

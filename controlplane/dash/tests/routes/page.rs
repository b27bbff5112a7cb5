//! What the page says.

use crate::house::{House, exchange, incident, latches, snapshot, text};
use axum::http::{StatusCode, header};
use kill_wire::{
    ChannelState, CheckInState, Class, DrillState, GuessBound, PeerHealth, Scope, Timestamp,
};
use net_model::{
    BreakerState, BudgetUnit, BudgetView, FallbackView, Remark, RemarkKind, TargetView, Window,
};

#[tokio::test]
async fn the_page_says_what_is_cut_and_that_it_is_a_demo() {
    let mut seen = snapshot();
    seen.killswitch.as_mut().unwrap().latches = latches(&["LLM"]);
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    for words in [
        "Cut: LLM",
        "cut #1",
        "since <time datetime=\"2026-11-18T",
        "by the cut of LLM #1",
        "Demo model.",
        "35,200",
        "25% of the exchanges counted by ourselves",
        "smollm2",
        "1 of 1 routes blocked, 2 of 2 probes refused",
        "still cut",
        "all 2 answer as they should",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
}

#[tokio::test]
async fn the_page_says_which_target_is_left_alone_and_why() {
    let mut seen = snapshot();
    let gateway = seen.gateway.as_mut().unwrap();
    gateway.targets = vec![TargetView {
        name: "ollama".parse().unwrap(),
        class: Class::Local,
        state: BreakerState::Open,
        since: Timestamp::from_millis(0),
        why: Some("slow first token".to_owned()),
        failures: 5,
        open: 3,
        health: None,
    }];
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    let words = "left alone: slow first token <span class=\"soft\">since";
    assert!(page.contains(words), "{page}");
    assert!(page.contains("5 failures") && page.contains("not probed"));
}

#[tokio::test]
async fn the_page_says_how_budgets_stand_and_when_they_free() {
    let mut seen = snapshot();
    let budget = |name: &str, unit, spent, limit| BudgetView {
        name: name.parse().unwrap(),
        unit,
        window: Window::Day,
        spent,
        limit,
        until: Timestamp::from_millis(1_795_046_400_000),
    };
    seen.gateway.as_mut().unwrap().budgets = vec![
        budget("claw-day", BudgetUnit::Money, 2_530_000, 2_500_000),
        budget("rag-day", BudgetUnit::Tokens, 81_000, 100_000),
        budget("all-day", BudgetUnit::Tokens, 5, 100_000),
    ];
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    for words in [
        "2.53 <span class=\"soft\">of 2.50 USD</span>",
        "81,000 <span class=\"soft\">of 100,000 tokens</span>",
        "aria-label=\"100 % spent\"",
        "<rect class=\"spent\" width=\"81\"",
        "data-label=\"State\">gone<",
        "data-label=\"State\">nearly gone<",
        "data-label=\"State\">in order<",
        "<time datetime=\"2026-11-19T",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page: {page}");
    }
}

#[tokio::test]
async fn the_page_says_what_the_gateway_noticed_and_who_answered_for_whom() {
    let mut seen = snapshot();
    let at = Timestamp::from_millis(1_795_000_000_000);
    seen.remarks = vec![Remark {
        at,
        consumer: Some("claw".parse().unwrap()),
        kind: RemarkKind::Throttle,
        text: "8 identical prompts in 6 s <b>".to_owned(),
    }];
    seen.fallbacks = vec![FallbackView {
        from: "ollama".parse().unwrap(),
        to: "sky".parse().unwrap(),
        times: 12,
        last: at,
    }];
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    for words in [
        "slowed down",
        "8 identical prompts in 6 s &#60;b&#62;",
        "sky answered for ollama",
        "12 times in the last hour",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page: {page}");
    }
}

#[tokio::test]
async fn the_page_says_whether_a_text_would_get_through_and_somebody_is_there() {
    let mut seen = snapshot();
    let state = seen.killswitch.as_mut().unwrap();
    let now = state.now;
    state.channels.push(ChannelState {
        name: "sms".to_owned(),
        kind: "plivo".to_owned(),
        trust: "C".to_owned(),
        heard: None,
        drilled: Some(now),
        problem: Some("signatures are refused since an hour".to_owned()),
    });
    state.peers = vec![PeerHealth {
        name: "attic".to_owned(),
        heard: Some(now),
        problem: None,
    }];
    state.check_in = Some(CheckInState {
        last: None,
        by: Some("ada".to_owned()),
        due: Timestamp::from_millis(now.millis() - 1),
        warned: 1,
        cuts: Some(Scope::Agents),
    });
    state.drill = Some(DrillState {
        at: now,
        by: "schedule".to_owned(),
        channels: (1, 2),
        agents: (1, 1),
        probes: (2, 2),
        failed: vec!["channel sms".to_owned()],
    });
    state.guesses = Some(GuessBound {
        kill: 0.0008,
        restore: 7.3e-5,
    });
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    for words in [
        "signatures are refused since an hour",
        "not signed whole: it may cut, not restore",
        "attic agrees",
        "<span class=\"dot bad\"></span>due by",
        "last by ada; a missed one cuts AGENTS",
        "by schedule: channels 1 of 2, agents 1 of 1, probes 2 of 2",
        "did not hold: channel sms",
        "at most 0.08 % a year for a KILL, 7.3e-5 for a RESTORE",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said_instead_of_guessed() {
    let mut seen = snapshot();
    seen.killswitch = Err("no kill switch listens".to_owned());
    seen.gateway = Err("the socket is gone".to_owned());
    let house = House::showing(seen).await;
    let session = house.session().await;
    let page = text(house.get("/", &session).await).await;
    for words in [
        "The kill switch cannot be read.</strong> no kill switch listens",
        "The gateway cannot be read.</strong> the socket is gone",
        "What is cut cannot be told from here",
    ] {
        assert!(page.contains(words), "`{words}` is not on the page");
    }
    assert!(!page.contains(">open</span>"), "no scope is called open");
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    const EVIL: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&";
    let mut seen = snapshot();
    let state = seen.killswitch.as_mut().unwrap();
    state.warnings = vec![EVIL.to_owned()];
    state.channels[0] = ChannelState {
        name: EVIL.to_owned(),
        kind: EVIL.to_owned(),
        trust: EVIL.to_owned(),
        problem: Some(EVIL.to_owned()),
        ..ChannelState::default()
    };
    state.peers = vec![PeerHealth {
        name: EVIL.to_owned(),
        heard: None,
        problem: Some(EVIL.to_owned()),
    }];
    state.check_in = Some(CheckInState {
        by: Some(EVIL.to_owned()),
        ..CheckInState::default()
    });
    state.drill = Some(DrillState {
        by: EVIL.to_owned(),
        failed: vec![EVIL.to_owned()],
        ..DrillState::default()
    });
    state.names.push(EVIL.to_owned());
    state.agents[0].problem = Some(EVIL.to_owned());
    state.agents[0].address = EVIL.to_owned();
    let gateway = seen.gateway.as_mut().unwrap();
    gateway.exchanges = vec![exchange(EVIL)];
    gateway.names.push(EVIL.to_owned());
    let mut record = incident();
    record.why = EVIL.to_owned();
    record.by = EVIL.to_owned();
    record.proof.as_mut().unwrap().still_open = vec![EVIL.to_owned()];
    seen.incidents = vec![record];
    let house = House::showing(seen).await;
    let session = house.session().await;

    let fill = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let path = format!("/?cut={fill}&restore={fill}");
    let page = text(house.get(&path, &session).await).await;
    let link = text(house.get(&format!("/sign-in?token={fill}"), "").await).await;

    for drawn in [&page, &link] {
        assert!(!drawn.contains("<script>alert"), "{drawn}");
        assert!(!drawn.contains("<img src=x"), "{drawn}");
        assert!(
            drawn.contains("&#60;script&#62;alert"),
            "escaped, not dropped"
        );
    }
    let escaped = page.matches("&#60;script&#62;").count();
    assert!(escaped >= 16, "all of them are shown: {escaped}");
}

#[tokio::test]
async fn assets_are_kept_by_their_content() {
    let house = House::new().await;
    let page = text(house.get("/sign-in", "").await).await;
    let start = page.find("/assets/").unwrap();
    let address = page[start..].split('"').next().unwrap();
    let answer = house.get(address, "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let keep = answer.headers()[header::CACHE_CONTROL].to_str().unwrap();
    assert!(keep.contains("immutable"), "{keep}");

    let old = house.get("/assets/0000/portcullis.css", "").await;
    assert_eq!(old.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(
        old.headers()[header::CONTENT_TYPE],
        "text/css; charset=utf-8"
    );
    for name in ["nothing.css", "..%2f..%2fCargo.toml", "%2fetc%2fpasswd"] {
        let answer = house.get(&format!("/assets/0/{name}"), "").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{name}");
    }
}

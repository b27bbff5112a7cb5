//! The two forms, against a kill switch double.

use crate::house::{House, latches, proof, request, text};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use kill_wire::{
    CheckInState, CutReport, DrillState, ErrorCode, Incident, LeverError, LeverReply, LeverRequest,
    Outcome, Scope, Timestamp,
};

fn report(outcome: Outcome) -> LeverReply {
    LeverReply::Cut(CutReport {
        scope: Scope::Llm,
        incident: Incident::FIRST,
        outcome,
        at: Timestamp::default(),
        severed_ms: 12,
        proven_ms: 240,
        streams: 3,
        proof: proof(),
        recorded: true,
        repeated: false,
        by: "dashboard".to_owned(),
        text: "CUT LLM #1 at 14:02:07Z".to_owned(),
    })
}

async fn htmx(
    house: &House,
    path: &str,
    session: &str,
    form: &'static str,
) -> (StatusCode, String) {
    let request = request(Method::POST, path, session)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header("hx-request", "true");
    let answer = house.send(request.body(Body::from(form)).unwrap()).await;
    (answer.status(), text(answer).await)
}

#[tokio::test]
async fn a_confirmed_cut_reaches_the_kill_switch_and_shows_its_proof() {
    let house = House::new().await;
    let session = house.session().await;
    house.answer_with(report(Outcome::Cut));

    let form = "scope=LLM&confirm=+llm+&why=it%20loops%0A%1b%5B2J";
    let (status, part) = htmx(&house, "/cut", &session, form).await;

    assert_eq!(status, StatusCode::OK);
    for words in [
        "Cut and proven: LLM, incident #1",
        "CUT LLM #1 at 14:02:07Z",
        "3 streams ended",
        "2 of 2 probes refused",
    ] {
        assert!(part.contains(words), "{words} is not in {part}");
    }
    assert!(!part.contains("<html"), "a part, not a page");
    let wanted = LeverRequest::Cut {
        scope: Scope::Llm,
        by: "dashboard".to_owned(),
        why: "it loops[2J".to_owned(),
    };
    assert_eq!(house.was_asked(), [wanted]);
}

#[tokio::test]
async fn a_cut_without_its_confirmation_asks_nothing() {
    let house = House::new().await;
    let session = house.session().await;
    for form in [
        "scope=ALL&confirm=LLM",
        "scope=ALL&confirm=",
        "scope=no+such+scope&confirm=no+such+scope",
    ] {
        let (status, part) = htmx(&house, "/cut", &session, form).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(part.contains("Nothing was cut"), "{part}");
    }
    assert!(house.was_asked().is_empty());
}

#[tokio::test]
async fn what_is_not_proven_is_not_called_proven() {
    let house = House::new().await;
    let session = house.session().await;
    for (outcome, words) in [
        (Outcome::Partial, "Cut partial: LLM"),
        (Outcome::Unproven, "Cut, not proven: LLM"),
    ] {
        house.answer_with(report(outcome));
        let (_, part) = htmx(&house, "/cut", &session, "scope=LLM&confirm=LLM").await;
        assert!(
            part.contains(words) && !part.contains("notice good"),
            "{part}"
        );
    }
}

#[tokio::test]
async fn a_kill_switch_that_hangs_up_is_said_plainly() {
    let house = House::new().await;
    let session = house.session().await;
    let (status, part) = htmx(&house, "/cut", &session, "scope=LLM&confirm=LLM").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(part.contains("No answer from the kill switch"), "{part}");
}

#[tokio::test]
async fn a_restore_needs_the_kill_switch_to_accept_the_code() {
    let house = House::new().await;
    let session = house.session().await;
    house.answer_with(LeverReply::Refused(LeverError {
        code: ErrorCode::BadCode,
        message: "The code was not accepted.".to_owned(),
    }));
    let form = "scope=LLM&code=98765432";
    let (status, part) = htmx(&house, "/restore", &session, form).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(part.contains("Nothing was restored"), "{part}");
    assert!(!part.contains("98765432"), "the code is never shown");

    house.answer_with(LeverReply::Restored {
        scope: Scope::Llm,
        incident: Incident::FIRST,
        remaining: latches(&["chat"]),
        text: "RESTORED LLM".to_owned(),
    });
    let (status, part) = htmx(&house, "/restore", &session, form).await;
    assert_eq!(status, StatusCode::OK);
    assert!(part.contains("Still cut: #1 chat."), "{part}");
    let wanted = LeverRequest::Restore {
        scope: Scope::Llm,
        code: "98765432".to_owned(),
        by: "dashboard".to_owned(),
    };
    assert_eq!(house.was_asked(), [wanted.clone(), wanted]);
}

#[tokio::test]
async fn a_restore_that_waits_for_a_second_person_is_not_called_restored() {
    let house = House::new().await;
    let session = house.session().await;
    house.answer_with(LeverReply::Held {
        text: "RESTORE held: 1 of 2 people.".to_owned(),
    });
    let form = "scope=LLM&code=98765432";
    let (status, part) = htmx(&house, "/restore", &session, form).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    for words in [
        "Held: a second person must agree",
        "1 of 2 people",
        "Nothing is open yet",
        "notice warn",
    ] {
        assert!(part.contains(words), "{words} is not in {part}");
    }
    assert!(!part.contains("Restored"), "{part}");
}

#[tokio::test]
async fn a_drill_and_a_check_in_ask_just_that() {
    let house = House::new().await;
    let session = house.session().await;
    house.answer_with(LeverReply::Drilled {
        drill: DrillState {
            by: "dashboard".to_owned(),
            channels: (1, 2),
            failed: vec!["channel <sms>".to_owned()],
            ..DrillState::default()
        },
    });
    let (status, part) = htmx(&house, "/drill", &session, "").await;
    assert_eq!(status, StatusCode::OK);
    for words in [
        "The drill did not hold",
        "Nothing was cut",
        "channel &#60;sms&#62;",
    ] {
        assert!(part.contains(words), "{words} is not in {part}");
    }
    house.answer_with(LeverReply::CheckedIn {
        check_in: Some(CheckInState {
            due: Timestamp::from_millis(1_795_000_000_000),
            ..CheckInState::default()
        }),
    });
    let (status, part) = htmx(&house, "/check-in", &session, "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(part.contains("due by 2026-11-18"), "{part}");
    let by = || "dashboard".to_owned();
    let asked = [
        LeverRequest::Drill { by: by() },
        LeverRequest::CheckIn { by: by() },
    ];
    assert_eq!(house.was_asked(), asked);
    assert_eq!(
        htmx(&house, "/drill", "", "").await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(house.was_asked().len(), 2);
}

#[tokio::test]
async fn without_scripts_a_form_answers_with_the_whole_page() {
    let house = House::new().await;
    let session = house.session().await;
    house.answer_with(report(Outcome::Cut));
    let answer = house.post("/cut", &session, "scope=LLM&confirm=LLM").await;
    let page = text(answer).await;
    assert!(page.contains("<html") && page.contains("Cut and proven: LLM"));
    let page = text(house.get("/?restore=LLM", &session).await).await;
    assert!(page.contains("value=\"LLM\">"), "the form is filled in");
}

//! Reading the configuration again over the API.

use crate::house::{House, text};
use axum::http::{StatusCode, header};
use net_model::{Mistake, ReloadReport};

fn report(good: bool) -> ReloadReport {
    let mistake = Mistake {
        file: Some("/etc/portcullis.toml".to_owned()),
        line: Some(7),
        field: "gateway.targets[0].class".to_owned(),
        problem: "missing".to_owned(),
        fix: Some("expected `local` or `cloud`".to_owned()),
    };
    ReloadReport {
        by: "API".to_owned(),
        good,
        mistakes: if good { vec![] } else { vec![mistake] },
        ..ReloadReport::default()
    }
}

#[tokio::test]
async fn mistakes_come_as_problem_details_with_file_line_field_and_fix() {
    let mut house = House::new().await;
    let session = house.session().await;
    for (path, only_check) in [("reload", false), ("check", true)] {
        let asks = &mut house.config;
        let answering = async {
            let ask = asks.recv().await.unwrap();
            assert_eq!((ask.only_check, ask.by), (only_check, "API"));
            ask.reply.send(report(false)).unwrap();
        };
        let router = house.router.clone();
        let request = crate::house::request(
            axum::http::Method::POST,
            &format!("/api/v1/config/{path}"),
            &session,
        );
        let request = request.body(axum::body::Body::empty()).unwrap();
        let (answer, ()) = tokio::join!(tower::ServiceExt::oneshot(router, request), answering);
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        assert_eq!(kind, "application/problem+json");
        let body: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
        assert_eq!(body["status"], 422);
        assert_eq!(body["mistakes"][0]["line"], 7);
        assert_eq!(body["mistakes"][0]["field"], "gateway.targets[0].class");
        assert_eq!(body["mistakes"][0]["fix"], "expected `local` or `cloud`");
    }
}

#[tokio::test]
async fn nobody_without_a_session_has_it_read() {
    let mut house = House::new().await;
    for path in ["/api/v1/config/reload", "/api/v1/config/check"] {
        let answer = house.post(path, "portcullis_session=guessed", "").await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    }
    assert!(house.config.try_recv().is_err(), "it was asked for");
}

#[tokio::test]
async fn a_house_that_does_not_listen_says_so() {
    let mut house = House::new().await;
    let session = house.session().await;
    house.config.close();
    let answer = house.post("/api/v1/config/reload", &session, "").await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

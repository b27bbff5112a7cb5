//! One link, one browser, fifteen minutes.

use crate::house::{House, cookie, request, text};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};

#[tokio::test]
async fn looking_at_a_link_does_not_spend_it() {
    let house = House::new().await;
    let file = house.issue("t0ken");
    for _ in 0..3 {
        let page = text(house.get("/sign-in?token=t0ken", "").await).await;
        assert!(page.contains("value=\"t0ken\"") && page.contains("<button"));
    }
    assert!(file.exists());
    let answer = house.post("/sign-in", "", "token=t0ken").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(!file.exists());
}

#[tokio::test]
async fn of_two_browsers_with_one_link_one_gets_in() {
    let house = House::new().await;
    for round in 0..20 {
        let token = format!("token-{round}");
        house.issue(&token);
        let form = format!("token={token}");
        let (one, two) = tokio::join!(
            house.post("/sign-in", "", &form),
            house.post("/sign-in", "", &form)
        );
        let mut seen = [one.status(), two.status()];
        seen.sort();
        assert_eq!(seen, [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN]);
    }
}

#[tokio::test]
async fn the_cookie_is_opaque_and_bound() {
    let house = House::new().await;
    house.issue("t0ken");
    let plain = house.post("/sign-in", "", "token=t0ken").await;
    let set = plain.headers()[header::SET_COOKIE].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"));
    assert!(!set.contains("t0ken"));
    assert_eq!(cookie(&plain).len(), "portcullis_session=".len() + 43);

    house.issue("t1ken");
    let behind_tls = request(Method::POST, "/sign-in", "")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-forwarded-proto", "https")
        .body(Body::from("token=t1ken"));
    let answer = house.send(behind_tls.unwrap()).await;
    let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(set.contains("Secure"), "{set}");
    assert!(set.starts_with("__Host-portcullis_session="), "{set}");
    assert!(!set.contains("Domain"), "{set}");
    let page = house.get("/", &cookie(&answer)).await;
    assert_eq!(page.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_is_not_taken_over() {
    let house = House::new().await;
    house.issue("t0ken");
    let planted = "portcullis_session=chosen-by-somebody-else-chosen-by-somebody";
    let answer = house.post("/sign-in", planted, "token=t0ken").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_ne!(cookie(&answer), planted);
    let page = house.get("/api/v1/state", planted).await;
    assert_eq!(page.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_link_is_refused_after_fifteen_minutes() {
    let house = House::new().await;
    let file = house.issue("t0ken");
    house.pass(15 * 60 * 1000 + 1000);
    let answer = house.post("/sign-in", "", "token=t0ken").await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let page = text(answer).await;
    assert!(page.contains("older than 15 minutes"), "{page}");
    assert!(page.contains("portcullis sign-in"));
    assert!(!file.exists(), "and cannot be tried again");
}

#[tokio::test]
async fn what_is_no_link_lets_nobody_in() {
    let house = House::new().await;
    let used = house.issue("t0ken");
    let name = used.file_name().unwrap().to_str().unwrap().to_owned();
    let long = "x".repeat(5000);
    for token in ["", "wrong", "../sign-in", "%2e%2e%2fdb", &name, &long] {
        let answer = house.post("/sign-in", "", &format!("token={token}")).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{token}");
        assert!(!answer.headers().contains_key(header::SET_COOKIE));
    }
    assert!(used.exists());
    let huge = format!("token={}", "x".repeat(20_000));
    let answer = house.post("/sign-in", "", &huge).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours() {
    let house = House::new().await;
    let session = house.session().await;
    house.pass(12 * 60 * 60 * 1000 - 1000);
    assert_eq!(house.get("/", &session).await.status(), StatusCode::OK);
    house.pass(2000);
    let answer = house.get("/", &session).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
}

//! Reports, renewals, revocation, names.

use crate::house::{HOUR, House, control_goes_ahead, control_now, free, report, until};

#[tokio::test]
async fn what_waits_is_brought_in_order_once_and_leaves_the_shelf() {
    let house = House::start().await;
    house.joined("claw1").await;
    let shelf = house.run("claw1", free());
    for _ in 0..5 {
        report(&shelf);
    }
    until("five reports", || async { house.taken("claw1").len() >= 5 }).await;
    until("an empty shelf", || async {
        shelf.lock().unwrap().waiting() == 0
    })
    .await;
    report(&shelf);
    until("the sixth", || async { house.taken("claw1").len() >= 6 }).await;
    assert_eq!(house.taken("claw1"), [1, 2, 3, 4, 5, 6]);
    house.end().await;
}

#[tokio::test]
async fn half_way_through_a_certificate_is_renewed_and_the_old_one_counts_no_more() {
    let house = House::with_life(4 * HOUR).await;
    house.joined("claw1").await;
    let old = std::fs::read(house.state("claw1").join("identity.json")).unwrap();
    let shelf = house.run("claw1", free());
    let certificate = || async {
        let host = house.store.host(&"claw1".parse().unwrap()).await;
        host.unwrap().unwrap().certificate.unwrap().sha256.to_hex()
    };
    let first = certificate().await;
    control_goes_ahead(2 * HOUR + 1000);
    report(&shelf);
    until("a new certificate", || async {
        certificate().await != first
    })
    .await;
    report(&shelf);
    until("a report by it", || async {
        house.taken("claw1").len() >= 2
    })
    .await;
    // Somebody kept a copy of the old key and certificate.
    std::fs::create_dir_all(house.state("copy")).unwrap();
    std::fs::write(house.state("copy").join("identity.json"), old).unwrap();
    let copied = house.run("copy", free());
    report(&copied);
    report(&shelf);
    until("a third report", || async {
        house.taken("claw1").len() >= 3
    })
    .await;
    assert_eq!(copied.lock().unwrap().waiting(), 1);
    assert_eq!(house.taken("claw1"), [1, 2, 3]);
    house.end().await;
}

#[tokio::test]
async fn a_revoked_host_is_out_from_its_next_question_on_also_over_an_open_connection() {
    let house = House::start().await;
    house.joined("claw1").await;
    house.joined("gw1").await;
    let (claw, gateway) = (house.run("claw1", free()), house.run("gw1", free()));
    report(&claw);
    until("a report", || async { house.taken("claw1") == [1] }).await;
    let name = "claw1".parse().unwrap();
    assert!(house.store.revoke_host(&name, control_now()).await.unwrap());
    report(&claw);
    report(&gateway);
    until("the other's", || async { house.taken("gw1") == [1] }).await;
    assert_eq!(house.taken("claw1"), [1]);
    assert_eq!(claw.lock().unwrap().waiting(), 1, "kept on the host");
    let token = house.invite("claw1", None, true).await.unwrap();
    house.join(&token, "claw1").await.unwrap();
    until("what had waited", || async {
        house.taken("claw1") == [1, 2]
    })
    .await;
    house.end().await;
}

#[tokio::test]
async fn a_renamed_host_goes_on_under_its_new_name_and_gets_a_certificate_that_bears_it() {
    let house = House::start().await;
    house.joined("gpu1").await;
    let shelf = house.run("gpu1", free());
    report(&shelf);
    until("a report", || async { house.taken("gpu1") == [1] }).await;
    let (old, new) = ("gpu1".parse().unwrap(), "attic".parse().unwrap());
    assert!(house.store.rename_host(&old, &new).await.unwrap());
    report(&shelf);
    until("one under the new name", || async {
        house.taken("attic") == [2]
    })
    .await;
    until("its certificate", || async {
        let state = uplink::State::at(&house.state("gpu1"), crate::house::host_now);
        state.read().unwrap().name.host == new
    })
    .await;
    report(&shelf);
    until("one by it", || async { house.taken("attic").len() == 2 }).await;
    house.end().await;
}

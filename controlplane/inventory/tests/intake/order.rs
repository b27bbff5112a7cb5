//! What is taken, what is refused, and what outlives a restart.

use crate::house::{House, at, name, report, report_of, sender};
use inventory::Taken;
use net_model::HistoryStep;

#[tokio::test]
async fn what_was_answered_is_on_disk_and_goes_on_after_a_restart() {
    let mut house = House::new().await;
    let lines: Vec<String> = (1..=60).map(|n| report(n, 1, n * 10)).collect();
    assert_eq!(house.send("claw1", &lines, 600).await.unwrap().through, 60);
    house.restart(601).await;
    assert_eq!(house.inventory.through(&name("claw1")), 60);
    // The answer was lost: the same batch comes again, and one more.
    let mut again = lines.clone();
    again.push(report(61, 1, 610));
    let answer = house.send("claw1", &again, 610).await.unwrap();
    assert_eq!((answer.through, answer.refused.len()), (61, 0));
    let step = HistoryStep::Report;
    let points = house
        .store
        .host_history(&name("claw1"), step, at(0), 100)
        .await
        .unwrap();
    assert_eq!(points.len(), 61, "nothing doubled, nothing lost");
    assert_eq!(house.firing(611).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_report_under_a_used_number_and_a_second_machine_are_alerts() {
    let house = House::new().await;
    house
        .send("claw1", &[report(1, 1, 10), report(2, 1, 20)], 20)
        .await
        .unwrap();
    let answer = house
        .send("claw1", &[report_of(2, 1, 20, 7)], 21)
        .await
        .unwrap();
    assert_eq!(answer.refused.len(), 1);
    house.send("claw1", &[report(3, 2, 30)], 30).await.unwrap();
    let answer = house.send("claw1", &[report(4, 1, 40)], 40).await.unwrap();
    assert_eq!((answer.through, answer.refused.len()), (4, 1));
    let mut firing = house.firing(41).await;
    firing.sort();
    assert_eq!(firing, ["clone", "sequence"]);
    assert_eq!(house.inventory.through(&name("claw1")), 3);
    // An hour in which it does not happen again.
    assert_eq!(house.firing(41 + 3600).await, Vec::<String>::new());
}

#[tokio::test]
async fn every_report_is_in_every_mean_exactly_once_also_when_it_comes_late() {
    let house = House::new().await;
    let lines = |from: u64, to: u64| -> Vec<String> {
        (from..to)
            .map(|n| report_of(n, 1, n * 10, 100_000 * u32::try_from(n % 6).unwrap()))
            .collect()
    };
    house.send("gpu1", &lines(6, 9), 90).await.unwrap();
    assert_eq!(house.store.fold_reports().await.unwrap(), 3);
    // The second half of the minute was in the buffer for a while.
    house.send("gpu1", &lines(9, 12), 300).await.unwrap();
    assert_eq!(house.store.fold_reports().await.unwrap(), 3);
    assert_eq!(house.store.fold_reports().await.unwrap(), 0);
    for step in HistoryStep::MEANS {
        let means = house
            .store
            .host_history(&name("gpu1"), step, at(0), 10)
            .await
            .unwrap();
        let reports: u64 = means.iter().map(|mean| mean.reports).sum();
        assert_eq!(reports, 6, "{step:?}");
    }
    let minute = HistoryStep::Minute;
    let mean = house
        .store
        .host_history(&name("gpu1"), minute, at(0), 10)
        .await
        .unwrap()[0];
    assert_eq!(mean.at, at(60));
    assert_eq!(mean.gauges.cpu_ppm, Some(250_000));
    assert_eq!(mean.cpu_most_ppm, Some(500_000));
}

#[tokio::test]
async fn history_is_kept_as_long_as_is_said_and_nothing_goes_before_it_is_added_up() {
    let house = House::new().await;
    house.send("gpu1", &[report(1, 1, 10)], 10).await.unwrap();
    let day = at(24 * 3600);
    assert_eq!(house.store.purge_history(day).await.unwrap(), 0);
    house.store.fold_reports().await.unwrap();
    assert_eq!(house.store.purge_history(day).await.unwrap(), 1);
    let left = |step| {
        let store = house.store.clone();
        async move {
            store
                .host_history(&name("gpu1"), step, at(0), 10)
                .await
                .unwrap()
                .len()
        }
    };
    assert_eq!(left(HistoryStep::Report).await, 0);
    assert_eq!(left(HistoryStep::Minute).await, 1);
    house.store.purge_history(at(3 * 24 * 3600)).await.unwrap();
    assert_eq!(
        (
            left(HistoryStep::Minute).await,
            left(HistoryStep::Hour).await
        ),
        (0, 1)
    );
}

#[tokio::test]
async fn a_host_that_was_renamed_or_forgotten_begins_as_it_should() {
    let house = House::new().await;
    house.send("claw1", &[report(5, 1, 10)], 10).await.unwrap();
    house.inventory.forget(&name("claw1"), at(11));
    house.store.forget_reports(&name("claw1")).await.unwrap();
    assert_eq!(house.inventory.through(&name("claw1")), 0);
    assert_eq!(
        house
            .send("claw1", &[report(1, 9, 20)], 20)
            .await
            .unwrap()
            .through,
        1
    );
}

#[tokio::test]
async fn who_sends_more_than_its_pace_is_told_to_come_later_and_nobody_else_is() {
    let house = House::new().await;
    let line = b"no report";
    while !matches!(
        house.inventory.take(&sender("liar"), line, at(0)),
        Taken::Later
    ) {}
    assert!(house.send("liar", &[report(1, 1, 10)], 0).await.is_err());
    assert!(house.send("claw1", &[report(1, 1, 10)], 0).await.is_ok());
}

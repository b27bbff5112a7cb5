//! Ten thousand hostile reports from one red host: none is accepted about another, and nobody else waits for it.

use crate::house::{House, START, at, name, report, sender};
use inventory::Taken;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

const HOSTILE: u64 = 10_000;
const OTHERS: u64 = 20;

/// One of many ways to lie.
fn hostile(n: u64) -> Vec<u8> {
    let head = |seq: u64| {
        format!(
            r#"{{"v":1,"seq":{seq},"boot":"00000000000000ff","up_ms":{},"at_ms":{START}"#,
            n * 10_000
        )
    };
    let text = match n % 12 {
        // Speaks for another host.
        0 => format!(r#"{},"host":"claw1","facts":{{}}}}"#, head(n + 1)),
        1 => format!(r#"{},"facts":{{"host":"claw1"}}}}"#, head(n + 1)),
        2 => format!(r#"{},"facts":{{}},"facts":{{}}}}"#, head(n + 1)),
        // Longer than a report may be.
        3 => format!(
            r#"{},"facts":{{"unknown":[{{"what":"{}","why":""}}]}}}}"#,
            head(n + 1),
            "x".repeat(20_000)
        ),
        // Deeper than anybody reads.
        4 => format!("{}{}", "[".repeat(8_000), "]".repeat(8_000)),
        // Replays and steps back.
        5 => format!(r#"{},"facts":{{}}}}"#, head(1)),
        6 => format!(r#"{},"facts":{{}}}}"#, head(u64::MAX)),
        // Control characters, and letters that turn a line around.
        7 => format!(
            r#"{},"facts":{{"agent":{{"version":"\u001b[2J\u202e","rss_bytes":1,"cpu_ppm":1,"waiting":0}}}}}}"#,
            head(n + 1)
        ),
        // Not text at all.
        8 => return vec![0xff, 0xfe, 0x00, b'{'],
        // A list without end.
        9 => {
            let entry = r#"{"what":"a","why":"b"}"#;
            format!(
                r#"{},"facts":{{"unknown":[{}]}}}}"#,
                head(n + 1),
                [entry; 65].join(",")
            )
        }
        // Numbers that are none.
        10 => format!(
            r#"{},"facts":{{"cpu":{{"cores":-1,"busy_ppm":1e99,"waiting_ppm":0,"load_1m_milli":0,"load_5m_milli":0}}}}}}"#,
            head(n + 1)
        ),
        // True to form, with markup in it: accepted, about itself, and escaped wherever it is shown.
        _ => format!(
            r#"{},"facts":{{"unknown":[{{"what":"<script>alert(1)</script>","why":"' or 1=1 --"}}]}}}}"#,
            head(n + 1)
        ),
    };
    text.into_bytes()
}

/// How long heartbeats of the others take, each until it is on disk, the slowest last.
async fn beats(house: &House, round: u64) -> Vec<Duration> {
    let mut all = JoinSet::new();
    let mut took = Vec::new();
    for beat in 0..30 {
        for host in 0..OTHERS {
            let inventory = house.inventory.clone();
            let seq = round * 100 + beat + 1;
            let line = report(seq, 1, seq * 10);
            all.spawn(async move {
                let begun = Instant::now();
                let from = sender(&format!("host{host}"));
                let answer = inventory
                    .reports(&from, line.as_bytes(), at(seq * 10))
                    .await;
                assert_eq!(answer.unwrap().through, seq);
                begun.elapsed()
            });
        }
        while let Some(beat) = all.join_next().await {
            took.push(beat.unwrap());
        }
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hostile_reports_say_nothing_of_anybody_else_and_delay_nobody() {
    let house = House::new().await;
    let calm = beats(&house, 0).await;
    let others = |points: usize| (points, OTHERS);
    let (inventory, mut liar) = (house.inventory.clone(), JoinSet::new());
    liar.spawn(async move {
        let (mut kept, mut later) = (0, 0);
        for n in 0..HOSTILE {
            match inventory.take(&sender("liar"), &hostile(n), at(600)) {
                Taken::Kept { .. } => kept += 1,
                Taken::Later => later += 1,
                Taken::Known { .. } | Taken::Refused(_) => {}
            }
            tokio::task::yield_now().await;
        }
        (kept, later)
    });
    let flooded = beats(&house, 1).await;
    let (kept, later) = liar.join_next().await.unwrap().unwrap();
    // Only what is true to form, and about itself; the rest of what was too much has to come later.
    assert!(kept <= HOSTILE / 12 + 1, "{kept}");
    assert!(later > 0);

    let marks = house.store.report_marks().await.unwrap();
    let of_others = marks.iter().filter(|mark| mark.host != name("liar"));
    let good = of_others.filter(|mark| mark.seq == 130 && mark.refused == 0 && mark.lost == 70);
    assert_eq!(others(good.count()), others(20), "{marks:?}");
    let mut firing = house.firing(601).await;
    firing.sort();
    firing.dedup();
    assert!(
        firing
            .iter()
            .all(|rule| ["refused", "sequence"].contains(&rule.as_str())),
        "{firing:?}"
    );
    let p99 = |took: &[Duration]| took[took.len() * 99 / 100];
    println!(
        "heartbeat p99 calm {:?}, under the flood {:?}",
        p99(&calm),
        p99(&flooded)
    );
}

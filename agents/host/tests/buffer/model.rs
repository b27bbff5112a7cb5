//! Any order of calls and restarts, beside a list in memory.

use crate::{follows, line, reports, size};
use host_facts::Buffer;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Call {
    Push { padding: usize },
    PushMany(u16),
    Through { back: u64 },
    Ask { most: usize },
    Restart,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        6 => (0_usize..96).prop_map(|padding| Call::Push { padding }),
        1 => (60_u16..300).prop_map(Call::PushMany),
        2 => (0_u64..90).prop_map(|back| Call::Through { back }),
        2 => (0_usize..9000).prop_map(|most| Call::Ask { most }),
        1 => Just(Call::Restart),
    ];
    proptest::collection::vec(call, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_called_nothing_is_lost_or_doubled(calls in calls()) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reports");
        let mut buffer = Buffer::open(&path, 1 << 20).unwrap();
        let (mut pushed, mut done) = (0_u64, 0_u64);
        for call in calls {
            match call {
                Call::Push { padding } => {
                    pushed += 1;
                    buffer.push(line(pushed, padding).as_bytes()).unwrap();
                }
                Call::PushMany(count) => for _ in 0..count {
                    pushed += 1;
                    buffer.push(line(pushed, 9).as_bytes()).unwrap();
                },
                Call::Through { back } => {
                    buffer.through(pushed.saturating_sub(back)).unwrap();
                    done = done.max(pushed.saturating_sub(back));
                }
                Call::Ask { most } => {
                    let part = buffer.after(done, most).unwrap();
                    let part = crate::parsed(&part);
                    prop_assert_eq!(part.is_empty(), done == pushed);
                    for (at, report) in part.iter().enumerate() {
                        prop_assert_eq!(report.seq, done + 1 + at as u64);
                    }
                }
                Call::Restart => {
                    drop(buffer);
                    buffer = Buffer::open(&path, 1 << 20).unwrap();
                }
            }
            prop_assert_eq!(buffer.next_seq(), pushed + 1);
            prop_assert_eq!(buffer.waiting(), pushed - done);
            prop_assert!(size(&path) <= 1 << 20);
        }
        let there = reports(&buffer, done);
        prop_assert_eq!(follows(&there, done, pushed + 1) as u64, pushed - done);
        // The texts are as they were pushed: nothing of the order above made room necessary.
        prop_assert!(there.iter().all(|report| report.gap == 0));
    }
}

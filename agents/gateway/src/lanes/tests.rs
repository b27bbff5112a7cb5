//! Lanes by themselves, and under a gateway.

mod serving;

use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Holds the thread of a lane up until the returned end is dropped.
pub(super) fn hold_up(lane: &Lane, tasks: &TaskTracker) -> Sender<()> {
    let (release, held) = channel::<()>();
    let (began, begins) = channel();
    tasks.spawn_on(
        async move {
            began.send(()).unwrap();
            let _released = held.recv();
        },
        lane.handle(),
    );
    begins.recv_timeout(LIMIT).unwrap();
    release
}

/// Hands over work that tells its lane and goes on until the returned end is dropped.
fn hand(lanes: &Lanes, tasks: &TaskTracker, told: &Sender<usize>) -> oneshot::Sender<()> {
    let (release, held) = oneshot::channel();
    let told = told.clone();
    lanes.hand(tasks, async move {
        told.send(here()).unwrap();
        let _released = held.await;
    });
    release
}

/// Blocks this thread: in a test with one thread, no other lane is offered anything meanwhile.
fn told(from: &Receiver<usize>, count: usize) -> Vec<usize> {
    let mut told: Vec<usize> = (0..count)
        .map(|_| from.recv_timeout(LIMIT).unwrap())
        .collect();
    told.sort_unstable();
    told
}

async fn until(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap();
}

#[tokio::test]
async fn connections_spread_over_all_lanes() {
    let (lanes, tasks) = (Lanes::of(3, 1).unwrap(), TaskTracker::new());
    let (say, hear) = channel();
    let open: Vec<_> = (0..9).map(|_| hand(&lanes, &tasks, &say)).collect();
    assert_eq!(told(&hear, 9), [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    drop(open);
    until(|| {
        lanes
            .lanes
            .iter()
            .all(|it| it.load.load(Ordering::Relaxed) == 0)
    })
    .await;
    lanes.stop();
}

#[tokio::test]
async fn a_lane_is_filled_before_the_next_gets_any() {
    let (lanes, tasks) = (Lanes::of(2, 3).unwrap(), TaskTracker::new());
    let (say, hear) = channel();
    let mut open: Vec<_> = (0..3).map(|_| hand(&lanes, &tasks, &say)).collect();
    assert_eq!(told(&hear, 3), [1; 3]);
    open.extend((0..3).map(|_| hand(&lanes, &tasks, &say)));
    assert_eq!(told(&hear, 3), [2; 3]);
    open.extend((0..6).map(|_| hand(&lanes, &tasks, &say)));
    assert_eq!(told(&hear, 6), [1, 1, 1, 2, 2, 2]);
    // What leaves makes room where it was.
    open.drain(3..6);
    until(|| lanes.lanes[1].load.load(Ordering::Relaxed) == 3).await;
    open.extend((0..3).map(|_| hand(&lanes, &tasks, &say)));
    assert_eq!(told(&hear, 3), [2; 3]);
    drop(open);
    lanes.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lane_that_is_held_up_does_not_begin_another_does() {
    let (lanes, tasks) = (Lanes::of(2, 1).unwrap(), TaskTracker::new());
    let release = hold_up(&lanes.lanes[0], &tasks);
    let (say, hear) = channel();
    let open: Vec<_> = (0..6).map(|_| hand(&lanes, &tasks, &say)).collect();
    assert_eq!(told(&hear, 6), [2; 6]);
    drop((release, open));
    // The lane that was late finds nothing left to do.
    tasks.close();
    timeout(LIMIT, tasks.wait()).await.unwrap();
    assert!(hear.try_recv().is_err());
    lanes.stop();
}

#[tokio::test]
async fn a_panic_ends_its_own_connection_and_no_lane() {
    let (lanes, tasks) = (Lanes::of(2, 1).unwrap(), TaskTracker::new());
    for _ in 0..4 {
        lanes.hand(&tasks, async { panic!("a mistake of ours") });
    }
    tasks.close();
    timeout(LIMIT, tasks.wait()).await.unwrap();
    tasks.reopen();
    let (say, hear) = channel();
    let open: Vec<_> = (0..4).map(|_| hand(&lanes, &tasks, &say)).collect();
    assert_eq!(told(&hear, 4), [1, 1, 2, 2]);
    drop(open);
    lanes.stop();
}

#[tokio::test]
async fn a_lane_whose_thread_ended_gets_nothing_and_without_any_all_is_dropped() {
    let stop = CancellationToken::new();
    let (end, ending) = oneshot::channel::<()>();
    let over = async {
        ending.await.unwrap();
        panic!("a mistake of ours");
    };
    let broken = Lane::until("broken", 1, stop, over).unwrap();
    let good = Lane::start("good", 2).unwrap();
    let lanes = Lanes {
        lanes: vec![Arc::new(broken), Arc::new(good)],
        fill: 1,
    };
    let tasks = TaskTracker::new();
    let (say, hear) = channel();
    let mut open = vec![hand(&lanes, &tasks, &say), hand(&lanes, &tasks, &say)];
    assert_eq!(told(&hear, 2), [1, 2]);
    end.send(()).unwrap();
    // What ran there is dropped with it.
    until(|| open.iter().any(oneshot::Sender::is_closed)).await;
    open.extend((0..4).map(|_| hand(&lanes, &tasks, &say)));
    assert_eq!(told(&hear, 4), [2; 4]);
    lanes.lanes[1].stop();
    let last = hand(&lanes, &tasks, &say);
    assert!(last.is_closed());
}

//! Loops of every kind, set upon a house with a history: found soon, and before they cost much.

use crate::{
    house::{Book, Call, DAY, Event, NAMES, What},
    replay::{DAYS, Replay, days, seeds, usual_day},
    talk::Talk,
};
use gateway_core::runaway::Outcome;
use net_model::TripKind;
use std::collections::HashMap;

const SECOND: u64 = 1000;
/// How long a loop goes on when nobody stops it.
const LASTS: u64 = 40 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loop {
    /// The same prompt again and again.
    Identical,
    /// A call that gives the same again and again.
    Growing,
    /// Two calls in turns; clocks and counters in what they give.
    TwoSteps,
    /// A request that fails and is sent again.
    Errors,
    /// A request that is refused as wrong, each time a little different.
    Refused,
    /// More and more at once.
    Storm,
    /// Different prompts, many more than ever.
    Spike,
}

const LOOPS: [(Loop, TripKind); 7] = [
    (Loop::Identical, TripKind::Repeats),
    (Loop::Growing, TripKind::Repeats),
    (Loop::TwoSteps, TripKind::Repeats),
    (Loop::Errors, TripKind::Errors),
    (Loop::Refused, TripKind::Errors),
    (Loop::Storm, TripKind::Storm),
    (Loop::Spike, TripKind::Spike),
];

impl Loop {
    /// Writes the loop down. `prompt` is what this consumer usually sends.
    fn write(self, book: &mut Book, onset: u64, consumer: usize, prompt: u64) {
        match self {
            Self::Storm => (0..LASTS / 50).for_each(|at| {
                let call = distinct(book, prompt / 2, 20 * SECOND..30 * SECOND);
                book.once(onset + at * 50, consumer, call, Outcome::Answered);
            }),
            Self::Spike => (0..LASTS / 20).for_each(|at| {
                let call = distinct(book, prompt, 200..600);
                book.once(onset + at * 20, consumer, call, Outcome::Answered);
            }),
            Self::Identical | Self::Growing | Self::TwoSteps | Self::Errors | Self::Refused => {
                self.one_after_the_other(book, onset, consumer, prompt)
            }
        }
    }

    fn one_after_the_other(self, book: &mut Book, onset: u64, consumer: usize, prompt: u64) {
        let mut talk = Talk::new("You are an agent. It is 10:31.", "Do it.");
        let (mut at, mut number) = (onset, 0);
        while at < onset + LASTS {
            let (takes, outcome) = match self {
                Self::Errors => (50..400, Outcome::Failed),
                Self::Refused => (20..200, Outcome::Refused),
                Self::TwoSteps => (400..900, Outcome::Answered),
                Self::Identical | Self::Growing | Self::Storm | Self::Spike => {
                    (700..1700, Outcome::Answered)
                }
            };
            let call = if self == Self::Refused {
                distinct(book, prompt, takes)
            } else {
                book.call(&talk.body(), prompt, 40, takes)
            };
            at = book.once(at, consumer, call, outcome) + book.pick(5..100);
            number += 1;
            match self {
                Self::Growing => talk.step("look", "{}", &format!("not found at 10:31:{number}")),
                Self::TwoSteps if number % 2 == 0 => talk.step("open", "{}", "no such file"),
                Self::TwoSteps => talk.step("list", "{}", &format!("{number} files")),
                Self::Identical | Self::Errors | Self::Refused | Self::Storm | Self::Spike => {}
            }
        }
    }
}

fn distinct(book: &mut Book, prompt: u64, takes: std::ops::Range<u64>) -> Call {
    let asked = book
        .pick(0..u64::MAX)
        .to_string()
        .replace(|c: char| c.is_ascii_digit(), "a");
    let asked = format!("{asked}{}", book.pick(0..u64::MAX));
    book.call(&Talk::new("s", &asked).body(), prompt, 60, takes)
}

/// How a loop was found.
struct Found {
    /// Seconds since its onset.
    after: f64,
    /// Tokens it had used by then.
    used: u64,
    kind: TripKind,
    figures: String,
}

/// Lets `looped` happen beside the `rest` of normal traffic.
fn set_upon(
    replay: &Replay,
    rest: &[Event],
    looped: &[Event],
    onset: u64,
    consumer: usize,
) -> Option<Found> {
    let mut replay = replay.clone();
    let mut events: Vec<(bool, &Event)> = rest.iter().map(|event| (false, event)).collect();
    events.extend(looped.iter().map(|event| (true, event)));
    events.sort_by_key(|(_, event)| event.at);
    let mut used = 0;
    let mut so_far = HashMap::new();
    for (is_loop, event) in events {
        if is_loop {
            let tokens = match event.what {
                What::Begins(begun) => begun.tokens,
                What::Passes(tokens) | What::Ends(_, tokens) => tokens,
            };
            let before = so_far.insert(event.exchange, tokens).unwrap_or(0);
            used = used + tokens - before;
        }
        if let Some(finding) = replay.next(event)
            && event.consumer == consumer
        {
            return Some(Found {
                after: (event.at - onset) as f64 / 1000.0,
                used,
                kind: finding.kind,
                figures: finding.figures,
            });
        }
    }
    None
}

/// The most tokens that normal traffic of this consumer begins with within ten seconds.
fn most_in_ten_seconds(events: &[Event], consumer: usize) -> u64 {
    let begun = events.iter().filter(|event| event.consumer == consumer);
    let begun: Vec<(u64, u64)> = begun
        .filter_map(|event| match event.what {
            What::Begins(begun) => Some((event.at, begun.tokens)),
            What::Passes(_) | What::Ends(..) => None,
        })
        .collect();
    let (mut from, mut sum, mut most) = (0, 0, 0);
    for (at, tokens) in &begun {
        sum += tokens;
        while begun[from].0 + 10 * SECOND <= *at {
            sum -= begun[from].1;
            from += 1;
        }
        most = most.max(sum);
    }
    most
}

/// One consumer of one house, with its history up to the onset of a loop.
struct Scene {
    consumer: usize,
    /// Tokens of the prompts it usually sends.
    prompt: u64,
    onset: u64,
    before: Replay,
    rest: Vec<Event>,
    usual_day: f64,
    /// What normal traffic comes to within ten seconds at most, in hundredths of a day.
    most: f64,
}

fn scenes(seed: u64) -> Vec<Scene> {
    let events = days(seed);
    let usual = usual_day(&events);
    let mut book = Book::new(seed + 1_000_000);
    // Desk, agent and index, at what they usually send.
    let scene = |(consumer, prompt)| {
        let onset = book.working_time((DAYS - 1) * DAY);
        let (before, rest) = events.split_at(events.partition_point(|event| event.at < onset));
        let mut replay = Replay::new(&[0; 5]);
        for event in before {
            replay.next(event);
        }
        let usual_day = usual[consumer] as f64;
        Scene {
            consumer,
            prompt,
            onset,
            before: replay,
            rest: rest[..rest.partition_point(|event| event.at < onset + LASTS)].to_vec(),
            usual_day,
            most: most_in_ten_seconds(&events, consumer) as f64 * 100.0 / usual_day,
        }
    };
    [(0, 1500), (1, 12_000), (2, 2500)]
        .into_iter()
        .map(scene)
        .collect()
}

/// The longest that a loop of one kind went on, and the dearest.
#[derive(Default)]
struct Worst {
    after: f64,
    share: f64,
    dearest: String,
}

#[test]
fn a_loop_of_every_kind_is_found_within_ten_seconds_and_before_it_costs_much() {
    let mut wrong = Vec::new();
    let mut all: Vec<Worst> = LOOPS.iter().map(|_| Worst::default()).collect();
    for (seed, scene) in
        seeds().flat_map(|seed| scenes(seed).into_iter().map(move |scene| (seed, scene)))
    {
        for ((kind, expected), worst) in LOOPS.into_iter().zip(&mut all) {
            let mut loops = Book::new(seed);
            loops.exchanges_from(1 << 40);
            kind.write(&mut loops, scene.onset, scene.consumer, scene.prompt);
            let found = set_upon(
                &scene.before,
                &scene.rest,
                &loops.events,
                scene.onset,
                scene.consumer,
            );
            let name = NAMES[scene.consumer];
            let Some(found) = found else {
                wrong.push(format!("seed {seed} {name}: {kind:?} was not found"));
                continue;
            };
            let share = found.used as f64 * 100.0 / scene.usual_day;
            let text = format!(
                "seed {seed} {kind:?} of {name}: {:.1} s, {} tokens, {share:.2} % of a day: {:?}: {}",
                found.after, found.used, found.kind, found.figures
            );
            // Many at once are a storm, a spike, or both; whichever is seen first. What differs from normal only by
            // being more cannot be told before it is more.
            let by_rate = [TripKind::Storm, TripKind::Spike].contains(&expected);
            let bound = if by_rate {
                f64::max(2.0, 2.5 * scene.most)
            } else {
                2.0
            };
            let by_rate = [TripKind::Storm, TripKind::Spike].contains(&found.kind);
            let fits = found.kind == expected || (by_rate && expected != TripKind::Repeats);
            if found.after > 10.0 || share > bound || !fits {
                wrong.push(text.clone());
            }
            worst.after = worst.after.max(found.after);
            if share > worst.share {
                (worst.share, worst.dearest) = (share, text);
            }
        }
    }
    for ((kind, _), worst) in LOOPS.iter().zip(all) {
        println!(
            "{kind:?}: at most {:.1} s and {:.2} % of a day. Dearest: {}",
            worst.after, worst.share, worst.dearest
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

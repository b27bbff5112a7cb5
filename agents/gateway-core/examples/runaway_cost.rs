//! Prints what watching costs: `cargo run --release -p gateway-core --example runaway_cost`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it measures and prints"
)]

use gateway_core::runaway::{Begun, DayBudget, Outcome, Prompt, Watch};
use net_model::RunawayRules;
use std::{
    hash::RandomState,
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: u32 = 200_000;

fn main() {
    let secret = RandomState::new();
    for steps in [0, 10, 100, 400] {
        let body = conversation(steps);
        let rounds = ROUNDS / (steps + 10);
        let begun = Instant::now();
        for _ in 0..rounds {
            black_box(Prompt::read(black_box(body.as_bytes()), &secret));
        }
        let each = begun.elapsed() / rounds;
        println!(
            "fingerprint of {} bytes in {steps} steps: {each:?}",
            body.len()
        );
    }
    let prompts: Vec<Prompt> = (0..40)
        .map(|number| Prompt::read(format!(r#"{{"prompt":"{number}"}}"#).as_bytes(), &secret))
        .collect();
    let mut watch = Watch::new(RunawayRules::default(), DayBudget::default());
    let begun = Instant::now();
    for (round, prompt) in (0..ROUNDS).zip(prompts.into_iter().cycle()) {
        let now = Duration::from_millis(u64::from(round) * 40);
        let request = Begun {
            prompt,
            tokens: 900,
            generates: true,
        };
        let (mut opened, found) = watch.begin(&request, now);
        black_box(found);
        black_box(watch.passed(&mut opened, 950, now));
        black_box(watch.ended(opened, Outcome::Answered, (1000, None), now));
    }
    println!(
        "one exchange, begun, looked at once and ended: {:?}",
        begun.elapsed() / ROUNDS
    );
}

fn conversation(steps: u32) -> String {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(12);
    let step = |at: u32| {
        format!(
            r#",{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_{at}","type":"function","function":{{"name":"read","arguments":"{{\"page\":{at}}}"}}}}]}},{{"role":"tool","tool_call_id":"call_{at}","content":"{text} {at}"}}"#
        )
    };
    let steps: String = (0..steps).map(step).collect();
    format!(
        r#"{{"model":"m","messages":[{{"role":"system","content":"{text}"}},{{"role":"user","content":"{text}"}}{steps}],"stream":true}}"#
    )
}

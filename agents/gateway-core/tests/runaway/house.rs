//! Normal days of a house, bursty as they are: people at a desk, an agent with tools, an index that is filled at
//! night, a reader of log lines, a monitor; short outages, after which clients try again as their libraries do.

use crate::talk::{Talk, embedding};
use fastrand::Rng;
use gateway_core::runaway::{Begun, Outcome, Prompt};
use std::{hash::RandomState, ops::Range};

/// Consumers by their place.
pub(crate) const NAMES: [&str; 5] = ["desk", "claw", "rag", "lines", "monitor"];
const DESK: usize = 0;
const CLAW: usize = 1;
const RAG: usize = 2;
const LINES: usize = 3;
const MONITOR: usize = 4;

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

/// What happens to an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Begins(Begun),
    /// So many tokens so far.
    Passes(u64),
    Ends(Outcome, u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// Milliseconds.
    pub(crate) at: u64,
    pub(crate) consumer: usize,
    pub(crate) exchange: u64,
    pub(crate) what: What,
}

/// One request as its client plans it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) begun: Begun,
    /// Tokens of the answer.
    pub(crate) answer: u64,
    /// Milliseconds.
    pub(crate) takes: u64,
}

/// Writes down what happens.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) rng: Rng,
    pub(crate) events: Vec<Event>,
    secret: RandomState,
    outages: Vec<Range<u64>>,
    exchanges: u64,
}

impl Book {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            events: Vec::new(),
            secret: RandomState::new(),
            outages: Vec::new(),
            exchanges: 0,
        }
    }

    /// Numbers exchanges from here on.
    pub(crate) fn exchanges_from(&mut self, first: u64) {
        self.exchanges = first;
    }

    /// Between these, any as likely.
    pub(crate) fn pick(&mut self, range: Range<u64>) -> u64 {
        self.rng.u64(range)
    }

    fn chance(&mut self, of: f64) -> bool {
        self.rng.f64() < of
    }

    fn word(&mut self) -> String {
        (0..8).map(|_| self.rng.lowercase()).collect()
    }

    pub(crate) fn call(
        &mut self,
        body: &serde_json::Value,
        prompt: u64,
        answer: u64,
        takes: Range<u64>,
    ) -> Call {
        let begun = Begun {
            prompt: Prompt::read(body.to_string().as_bytes(), &self.secret),
            tokens: prompt,
            generates: answer > 0,
        };
        let takes = self.pick(takes);
        Call {
            begun,
            answer,
            takes,
        }
    }

    /// One try at `at`; when it ended, and how.
    pub(crate) fn once(&mut self, at: u64, consumer: usize, call: Call, outcome: Outcome) -> u64 {
        self.exchanges += 1;
        let exchange = self.exchanges;
        let mut write = |at, what| {
            self.events.push(Event {
                at,
                consumer,
                exchange,
                what,
            });
        };
        write(at, What::Begins(call.begun));
        let (prompt, end) = (call.begun.tokens, at + call.takes);
        if outcome != Outcome::Answered {
            write(end, What::Ends(outcome, 0));
            return end;
        }
        let steps = call.takes / SECOND;
        for step in 1..steps {
            write(
                at + step * SECOND,
                What::Passes(prompt + call.answer * step / steps),
            );
        }
        write(end, What::Ends(outcome, prompt + call.answer));
        end
    }

    /// As a client library asks: at most three tries with growing pauses. When it ended, and whether well.
    fn ask(&mut self, mut at: u64, consumer: usize, call: Call) -> (u64, bool) {
        for pause in [400..500, 800..1000, 0..1] {
            if !self.outages.iter().any(|outage| outage.contains(&at)) {
                return (self.once(at, consumer, call, Outcome::Answered), true);
            }
            let failing = Call {
                takes: self.pick(20..80),
                ..call
            };
            at = self.once(at, consumer, failing, Outcome::Failed) + self.pick(pause);
        }
        (at, false)
    }

    /// As an agent asks that does not give up: the whole again, twice, after longer pauses.
    fn insist(&mut self, mut at: u64, consumer: usize, call: Call) -> (u64, bool) {
        for wait in [2 * SECOND, 4 * SECOND, 0] {
            let (end, well) = self.ask(at, consumer, call);
            if well {
                return (end, true);
            }
            at = end + wait;
        }
        (at, false)
    }

    pub(crate) fn day(&mut self, day: u64) {
        let midnight = day * DAY;
        for _ in 0..2 {
            let from = midnight + self.pick(0..DAY);
            let until = from + self.pick(20 * SECOND..120 * SECOND);
            self.outages.push(from..until);
        }
        let night = midnight + 2 * HOUR + self.pick(0..HOUR);
        self.outages.push(night..night + 45 * SECOND);
        for _ in 0..3 {
            self.person(midnight);
        }
        self.agent(midnight);
        self.questions(midnight);
        self.indexing(midnight + 2 * HOUR);
        self.log_lines(midnight);
        self.pings(midnight);
    }

    /// Some time of the day at which people work; now and then in the evening.
    pub(crate) fn working_time(&mut self, midnight: u64) -> u64 {
        let hours = if self.chance(0.85) {
            8 * HOUR..18 * HOUR
        } else {
            18 * HOUR..23 * HOUR
        };
        midnight + self.pick(hours)
    }

    fn person(&mut self, midnight: u64) {
        for _ in 0..self.pick(8..20) {
            let mut at = self.working_time(midnight);
            let mut talk = Talk::new("You help.", &self.word());
            // A long document now and then.
            let mut prompt = if self.chance(0.04) {
                self.pick(20_000..120_000)
            } else {
                self.pick(200..2500)
            };
            for turn in 0..self.pick(1..12) {
                let answer = self.pick(80..800);
                let call = self.call(&talk.body(), prompt, answer, 2 * SECOND..15 * SECOND);
                let mut end = self.ask(at, DESK, call).0;
                if self.chance(0.1) {
                    // Not content: again, and again.
                    for _ in 0..self.pick(1..4) {
                        let again = end + self.pick(1500..6000);
                        end = self.ask(again, DESK, call).0;
                    }
                }
                if self.chance(0.02) {
                    for _ in 0..5 {
                        self.ask(end, DESK, call);
                    }
                }
                if turn == 0 {
                    let title = Talk::new("Give it a title.", &self.word());
                    let call = self.call(&title.body(), 300, 12, 500..1500);
                    self.ask(end, DESK, call);
                }
                let (said, next) = (self.word(), self.word());
                talk.turn(&said, &next);
                prompt += answer + 60;
                at = end + self.pick(12 * SECOND..180 * SECOND);
            }
        }
    }

    fn agent(&mut self, midnight: u64) {
        for beat in 0..48 {
            let talk = Talk::new(
                "You are an agent. It is 10:31.",
                "Heartbeat: anything to do?",
            );
            let call = self.call(&talk.body(), 6000, 5, 800..2000);
            self.insist(midnight + beat * 30 * MINUTE, CLAW, call);
        }
        for _ in 0..self.pick(25..45) {
            let at = if self.chance(0.8) {
                self.working_time(midnight)
            } else {
                midnight + self.pick(0..DAY - HOUR)
            };
            // Now and then it sends helpers of its own.
            for _ in 0..if self.chance(0.15) {
                self.pick(2..5)
            } else {
                1
            } {
                self.task(at);
            }
        }
    }

    fn task(&mut self, mut at: u64) {
        let mut talk = Talk::new("You are an agent. It is 10:31.", &self.word());
        let mut prompt = self.pick(5000..9000);
        let kind = self.pick(0..10);
        let mut same = 0;
        let mut call = (self.word(), self.word());
        for item in 0..self.pick(5..50) {
            let takes = if kind == 2 { 700..1500 } else { 1000..6000 };
            let answer = self.pick(40..400);
            let ask = self.call(&talk.body(), prompt, answer, takes);
            let (end, well) = self.insist(at, CLAW, ask);
            if !well {
                return;
            }
            at = end + self.pick(200..2500);
            match kind {
                // Waits for something, asking now and then.
                0 if item < 18 => {
                    talk.step("check_status", "{}", "pending");
                    at += self.pick(10 * SECOND..30 * SECOND);
                }
                // Reads on and on with the same call.
                1 => talk.step("scroll_down", "{}", &self.word()),
                // Many alike.
                2 => talk.step("process_item", &format!("{{\"item\":{item}}}"), "ok"),
                // Now and then stumbles over the same thing, at most three times.
                _ => {
                    if same == 0 {
                        call = (self.word(), self.word());
                        same = if self.chance(0.07) {
                            self.pick(1..3)
                        } else {
                            0
                        };
                        talk.step(&call.0, "{}", &call.1);
                    } else {
                        same -= 1;
                        talk.step(&call.0, "{}", &call.1);
                    }
                }
            }
            prompt += answer + self.pick(50..1200);
        }
    }

    fn questions(&mut self, midnight: u64) {
        for _ in 0..150 {
            let at = self.working_time(midnight);
            let talk = Talk::new("Answer from these pages.", &self.word());
            let (prompt, answer) = (self.pick(1500..6000), self.pick(50..500));
            let call = self.call(&talk.body(), prompt, answer, 2 * SECOND..8 * SECOND);
            self.ask(at, RAG, call);
        }
    }

    fn indexing(&mut self, from: u64) {
        for _ in 0..4 {
            let mut at = from + self.pick(0..5 * SECOND);
            let mut text = self.word();
            for _ in 0..1500 {
                if !self.chance(0.1) {
                    text = self.word();
                }
                let call = self.call(&embedding(&text), 1500, 0, 250..1000);
                at = self.ask(at, RAG, call).0 + 5;
            }
            for _ in 0..250 {
                let talk = Talk::new("Sum this up.", &self.word());
                let prompt = self.pick(1500..4000);
                let call = self.call(&talk.body(), prompt, 150, 3 * SECOND..8 * SECOND);
                at = self.ask(at, RAG, call).0 + 5;
            }
        }
    }

    fn log_lines(&mut self, midnight: u64) {
        for _ in 0..5 {
            let from = midnight + self.pick(0..DAY - HOUR);
            for _ in 0..2 {
                let mut at = from;
                for _ in 0..250 {
                    let line = match self.rng.f64() {
                        share if share < 0.3 => "connection closed".to_owned(),
                        share if share < 0.45 => "session opened".to_owned(),
                        _ => self.word(),
                    };
                    let talk = Talk::new("Which kind of line is this?", &line);
                    let call = self.call(&talk.body(), 180, 3, 400..900);
                    at = self.ask(at, LINES, call).0 + 2;
                }
            }
        }
    }

    fn pings(&mut self, midnight: u64) {
        let talk = Talk::new("Say yes.", "Are you there?");
        for at in 0..DAY / (15 * SECOND) {
            let call = self.call(&talk.body(), 30, 1, 300..900);
            let at = midnight + at * 15 * SECOND + self.pick(0..SECOND);
            self.ask(at, MONITOR, call);
        }
    }
}

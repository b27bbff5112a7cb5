//! One amount of one budget: what was spent of it in this window, and what is held for answers under way.

use super::{refusal::Why, window::Calendar};
use kill_wire::{Name, Timestamp};
use net_model::{AtEnd, Budget, BudgetUnit as Unit, Selector, Window};

/// Most turns of a window that are followed one by one after a long rest.
const TURNS: u32 = 10_000;
/// All leases together hold about this part of what is left: answers that fall silent must not lock a budget up.
const PART: u64 = 64;
/// Answers that are counted with before they come.
const MORE_USERS: u64 = 16;
/// A lease has at most so many tokens: what a crash can make of one answer.
const MOST_TOKENS: u64 = 512;
/// Or so many micro-dollars.
const MOST_MONEY: u64 = 5_000;

/// One exchange's part in a counter.
#[derive(Clone, Debug)]
pub(super) struct Share {
    /// Which counter.
    pub(super) id: u32,
    pub(super) unit: Unit,
    /// Counted as spent for this exchange.
    pub(super) counted: u64,
    /// Held beyond that.
    pub(super) held: u64,
    /// Of what was counted, what fell into the window that ends at `window`: only that can be given back.
    in_window: u64,
    window: Timestamp,
}

/// One amount of one budget.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    pub(super) name: Name,
    pub(super) of: Selector,
    pub(super) window: Window,
    pub(super) unit: Unit,
    pub(super) limit: u64,
    pub(super) at_end: AtEnd,
    pub(super) spent: u64,
    pub(super) held: u64,
    /// When this window was entered, and when it turns.
    since: Timestamp,
    pub(super) until: Timestamp,
    /// That it is gone was said in this window.
    pub(super) said: bool,
    /// Exchanges that have a share.
    pub(super) users: u32,
    /// No rule asks for it any more; it goes with its last share.
    pub(super) retired: bool,
}

impl Counter {
    /// Both amounts of a budget, or the one it has.
    pub(super) fn of(budget: &Budget, calendar: &Calendar, now: Timestamp) -> Vec<Self> {
        let tokens = budget.tokens.map(|limit| (Unit::Tokens, limit));
        let money = budget.money.map(|limit| (Unit::Money, limit.0));
        let amounts = tokens.into_iter().chain(money);
        let counter = |(unit, limit)| Self {
            name: budget.name.clone(),
            of: budget.of.clone(),
            window: budget.window,
            unit,
            limit,
            at_end: budget.at_end.clone(),
            spent: 0,
            held: 0,
            since: now,
            until: calendar.end(budget.window, now),
            said: false,
            users: 0,
            retired: false,
        };
        amounts.map(counter).collect()
    }

    /// Whether it counts the same as another: its figures then go on.
    pub(super) fn counts_as(&self, other: &Self) -> bool {
        self.name == other.name
            && self.unit == other.unit
            && self.window == other.window
            && self.of == other.of
    }

    /// Takes over what may change without counting anew.
    pub(super) fn take_over(&mut self, other: Self) {
        self.limit = other.limit;
        self.at_end = other.at_end;
        self.retired = false;
        self.said &= self.spent >= self.limit;
    }

    /// Whether anything is refused when it is gone.
    pub(super) const fn binds(&self) -> bool {
        !self.retired && !matches!(self.at_end, AtEnd::Soft)
    }

    /// What is neither spent nor held.
    pub(super) const fn left(&self) -> u64 {
        self.limit
            .saturating_sub(self.spent.saturating_add(self.held))
    }

    /// Enters the window that `now` lies in. What was spent beyond the limit is carried into it.
    pub(super) fn turn(&mut self, calendar: &Calendar, now: Timestamp) {
        if now >= self.until {
            let mut turns = 0;
            while now >= self.until && (turns == 0 || (self.spent > 0 && turns < TURNS)) {
                // What is only said is not paid back.
                let paid = if self.binds() { self.limit } else { self.spent };
                self.spent = self.spent.saturating_sub(paid);
                self.until = calendar.end(self.window, self.until);
                turns += 1;
            }
            self.said = false;
        } else if now >= self.since {
            return;
        }
        // A clock that was set back gives no window anew: the figures stay.
        self.until = calendar.end(self.window, now);
        self.since = now;
    }

    /// Another calendar: windows turn by that from here on.
    pub(super) fn recalendar(&mut self, calendar: &Calendar, now: Timestamp) {
        self.turn(calendar, now);
        self.until = calendar.end(self.window, now);
    }

    /// Why `sure` and at least one more cannot be had, if so.
    pub(super) fn refuses(&self, sure: u64) -> Option<Why> {
        let need = sure.max(1);
        (self.binds() && self.left() < need).then(|| self.why(need))
    }

    /// How it stands, for one who needs so much.
    pub(super) fn why(&self, need: u64) -> Why {
        Why::Budget {
            unit: self.unit,
            window: self.window,
            limit: self.limit,
            spent: self.spent,
            held: self.held,
            need,
        }
    }

    /// Lets an exchange in: holds `sure`, and of `more` what is left.
    pub(super) fn admit(&mut self, id: u32, sure: u64, more: Option<u64>) -> Share {
        self.users = self.users.saturating_add(1);
        let free = self.left().saturating_sub(sure);
        let held = if self.binds() {
            sure.saturating_add(more.unwrap_or_else(|| self.lease()).min(free))
        } else {
            0
        };
        self.held = self.held.saturating_add(held);
        Share {
            id,
            unit: self.unit,
            counted: 0,
            held,
            in_window: 0,
            window: self.until,
        }
    }

    /// Counts what an exchange has come to; `false` when it must stop here.
    pub(super) fn draw(&mut self, share: &mut Share, so_far: u64) -> bool {
        self.count(share, so_far);
        if !self.binds() || share.held > 0 {
            return true;
        }
        let lease = self.lease().min(self.left());
        self.held = self.held.saturating_add(lease);
        share.held = lease;
        lease > 0
    }

    /// Counts the last of an exchange and gives back what was held for it.
    pub(super) fn settle(&mut self, mut share: Share, last: u64) {
        self.count(&mut share, last);
        if share.window == self.until {
            let back = share.counted.saturating_sub(last).min(share.in_window);
            self.spent = self.spent.saturating_sub(back);
        }
        self.held = self.held.saturating_sub(share.held);
        self.users = self.users.saturating_sub(1);
    }

    fn count(&mut self, share: &mut Share, so_far: u64) {
        if share.window != self.until {
            share.window = self.until;
            share.in_window = 0;
        }
        let more = so_far.saturating_sub(share.counted);
        share.counted = share.counted.saturating_add(more);
        share.in_window = share.in_window.saturating_add(more);
        self.spent = self.spent.saturating_add(more);
        let used = more.min(share.held);
        share.held -= used;
        self.held = self.held.saturating_sub(used);
    }

    /// How far an exchange may go before it must ask again.
    pub(super) fn covers(&self, share: &Share) -> u64 {
        let ahead = if self.binds() {
            share.held
        } else {
            self.lease()
        };
        share.counted.saturating_add(ahead)
    }

    fn lease(&self) -> u64 {
        let most = match self.unit {
            Unit::Tokens => MOST_TOKENS,
            Unit::Money => MOST_MONEY,
        };
        if self.binds() {
            let users = u64::from(self.users).saturating_add(MORE_USERS);
            (self.left() / (PART * users)).clamp(1, most)
        } else {
            most
        }
    }

    /// Whether it is gone and nobody was told in this window; then it counts as told. When an answer had to be cut off
    /// (`cut_off`), what others still hold no longer matters, unless it is much.
    pub(super) fn newly_gone(&mut self, cut_off: bool) -> bool {
        let gone =
            self.spent >= self.limit || (cut_off && self.spent >= self.limit - self.limit / 20);
        let news = !self.retired && !self.said && gone;
        self.said |= news;
        news
    }

    /// When there will be `need` again, by the clock alone; `None` when no window ever has as much.
    pub(super) fn frees(&self, need: u64, calendar: &Calendar) -> Option<Timestamp> {
        if need > self.limit {
            return None;
        }
        let mut over = self.spent;
        let mut at = self.until;
        for _ in 0..TURNS {
            over = over.saturating_sub(self.limit);
            if over.saturating_add(need) <= self.limit {
                return Some(at);
            }
            at = calendar.end(self.window, at);
        }
        None
    }
}

//! All budgets and limits of one gateway, and the permits given out under them.

use super::{
    Amount, Answer, Cost, Exchange, Gone, Need, Now,
    counter::Counter,
    gate::Gate,
    index::Index,
    kept::Kept,
    permit::{Permit, narrower},
    refusal::{Frees, Refusal},
    window::{Calendar, UnknownZone},
};
use kill_wire::{Name, Timestamp};
use net_model::{BudgetUnit as Unit, Rules, Window};
use std::collections::BTreeMap;

/// How one amount of one budget stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The budget.
    pub budget: Name,
    /// Which of its amounts.
    pub unit: Unit,
    /// Its window.
    pub window: Window,
    /// When that turns.
    pub until: Timestamp,
    /// Spent in it.
    pub spent: u64,
    /// Held for answers under way.
    pub held: u64,
    /// Of so much.
    pub limit: u64,
}

impl Standing {
    fn of(counter: &Counter) -> Self {
        Self {
            budget: counter.name.clone(),
            unit: counter.unit,
            window: counter.window,
            until: counter.until,
            spent: counter.spent,
            held: counter.held,
            limit: counter.limit,
        }
    }
}

/// All budgets and limits.
#[derive(Debug)]
pub struct Engine {
    calendar: Calendar,
    counters: BTreeMap<u32, Counter>,
    gates: BTreeMap<u32, Gate>,
    budgets: Index,
    limits: Index,
    next: u32,
    gone: Vec<Gone>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            calendar: Calendar::utc(),
            counters: BTreeMap::new(),
            gates: BTreeMap::new(),
            budgets: Index::default(),
            limits: Index::default(),
            next: 0,
            gone: Vec::new(),
        }
    }
}

impl Engine {
    /// Holds to these rules from now on; each consumer comes with its role. A budget that still counts the same goes
    /// on with its figures. An unknown time zone changes nothing.
    pub fn load(
        &mut self,
        rules: &Rules,
        consumers: &[(&Name, Option<&Name>)],
        now: Now,
    ) -> Result<(), UnknownZone> {
        self.calendar = Calendar::of(rules.time_zone.as_deref())?;
        self.load_budgets(rules, now);
        self.load_limits(rules, now);
        let of = |(id, counter): (&u32, &Counter)| (!counter.retired).then_some(*id);
        let counters: Vec<u32> = self.counters.iter().filter_map(of).collect();
        let counters = counters
            .iter()
            .filter_map(|id| Some((*id, &self.counters.get(id)?.of)));
        self.budgets = Index::new(counters, consumers);
        let gates = self.gates.iter().filter(|(_, gate)| !gate.retired);
        self.limits = Index::new(gates.map(|(id, gate)| (*id, &gate.of)), consumers);
        Ok(())
    }

    fn load_budgets(&mut self, rules: &Rules, now: Now) {
        for counter in self.counters.values_mut() {
            counter.retired = true;
            counter.recalendar(&self.calendar, now.wall);
        }
        let budgets = rules.budgets.iter();
        for wanted in budgets.flat_map(|it| Counter::of(it, &self.calendar, now.wall)) {
            let mut before = self.counters.values_mut();
            match before.find(|counter| counter.counts_as(&wanted)) {
                Some(counter) => counter.take_over(wanted),
                None => {
                    self.counters.insert(self.next, wanted);
                    self.next = self.next.saturating_add(1);
                }
            }
        }
        self.counters
            .retain(|_, counter| !counter.retired || counter.users > 0);
    }

    fn load_limits(&mut self, rules: &Rules, now: Now) {
        for gate in self.gates.values_mut() {
            gate.retired = true;
        }
        for limit in &rules.limits {
            let mut before = self.gates.values_mut();
            match before.find(|gate| gate.name == limit.name && gate.of == limit.of) {
                Some(gate) => gate.take_over(limit, now.since_start),
                None => {
                    let gate = Gate::of(limit, now.since_start);
                    self.gates.insert(self.next, gate);
                    self.next = self.next.saturating_add(1);
                }
            }
        }
        self.gates.retain(|_, gate| !gate.retired || gate.open > 0);
    }

    /// Lets an exchange in under every rule that is about it, or none: then the rule whose wait is longest says why.
    pub fn reserve(
        &mut self,
        exchange: &Exchange<'_>,
        need: &Need,
        now: Now,
    ) -> Result<Permit, Refusal> {
        let gates: Vec<u32> = self.limits.of(exchange).collect();
        let counters: Vec<u32> = self.budgets.of(exchange).collect();
        let mut refusal: Option<Refusal> = None;
        let mut refuse = |other: Refusal| {
            refusal = Some(match refusal.take() {
                Some(before) => before.later(other, now.wall),
                None => other,
            });
        };
        for id in &gates {
            let gate = self.gates.get_mut(id);
            gate.and_then(|gate| gate.refuses(need.prompt.tokens, now.since_start))
                .into_iter()
                .for_each(&mut refuse);
        }
        for id in &counters {
            if let Some(counter) = self.counters.get_mut(id) {
                counter.turn(&self.calendar, now.wall);
                refused(counter, need, &self.calendar)
                    .into_iter()
                    .for_each(&mut refuse);
            }
        }
        match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(self.admit(&gates, &counters, need)),
        }
    }

    fn admit(&mut self, gates: &[u32], counters: &[u32], need: &Need) -> Permit {
        let mut permit = Permit {
            shares: Vec::with_capacity(counters.len()),
            places: Vec::with_capacity(gates.len()),
            covered: Amount::default(),
            so_far: Amount::default(),
            rates: (None, None),
        };
        for id in gates {
            if let Some(gate) = self.gates.get_mut(id) {
                permit.places.push(gate.admit(*id, need.prompt.tokens));
                let (requests, tokens) = gate.rates();
                permit.rates.0 = narrower(permit.rates.0, requests);
                permit.rates.1 = narrower(permit.rates.1, tokens);
            }
        }
        for id in counters {
            if let Some(counter) = self.counters.get_mut(id)
                && (counter.unit == Unit::Tokens || need.cost != Cost::Free)
            {
                let (sure, more) = held_for(need, counter.unit);
                permit.shares.push(counter.admit(*id, sure, more));
            }
        }
        // The first piece of an answer shows that the prompt was read: that is counted at once.
        if permit.shares.is_empty() {
            self.cover(&mut permit);
        }
        permit
    }

    /// Counts what an exchange has come to, and takes more for it. Refused: it must stop here.
    pub fn draw(&mut self, permit: &mut Permit, so_far: Amount, now: Now) -> Result<(), Refusal> {
        permit.so_far = so_far;
        let mut refusal: Option<Refusal> = None;
        for place in &mut permit.places {
            if let Some(gate) = self.gates.get_mut(&place.id) {
                gate.draw(place, so_far.tokens);
            }
        }
        for share in &mut permit.shares {
            let Some(counter) = self.counters.get_mut(&share.id) else {
                continue;
            };
            counter.turn(&self.calendar, now.wall);
            let goes_on = counter.draw(share, so_far.of(share.unit));
            tell(&mut self.gone, counter, !goes_on);
            if !goes_on {
                let other = refusal_of(counter, 1, &self.calendar);
                refusal = Some(match refusal {
                    Some(before) => before.later(other, now.wall),
                    None => other,
                });
            }
        }
        self.cover(permit);
        refusal.map_or(Ok(()), Err)
    }

    /// Counts the last of an exchange and gives back what it did not use.
    pub fn settle(&mut self, permit: Permit, last: Amount, now: Now) {
        self.end(permit, last, now, true);
    }

    /// The same, and how the budgets that counted it stand then.
    pub fn settle_and_tell(&mut self, permit: Permit, last: Amount, now: Now) -> Vec<Standing> {
        let ids: Vec<u32> = permit.shares.iter().map(|share| share.id).collect();
        self.settle(permit, last, now);
        let counters = ids.iter().filter_map(|id| self.counters.get(id));
        counters.map(Standing::of).collect()
    }

    /// Gives everything back: the exchange was not served by what the permit was for.
    pub fn cancel(&mut self, permit: Permit, now: Now) {
        self.end(permit, Amount::default(), now, false);
    }

    fn end(&mut self, permit: Permit, last: Amount, now: Now, served: bool) {
        for place in permit.places {
            if let Some(gate) = self.gates.get_mut(&place.id) {
                let id = place.id;
                gate.settle(place, last.tokens, served);
                if gate.retired && gate.open == 0 {
                    self.gates.remove(&id);
                }
            }
        }
        for share in permit.shares {
            if let Some(counter) = self.counters.get_mut(&share.id) {
                let (id, last) = (share.id, last.of(share.unit));
                counter.turn(&self.calendar, now.wall);
                counter.settle(share, last);
                tell(&mut self.gone, counter, false);
                if counter.retired && counter.users == 0 {
                    self.counters.remove(&id);
                }
            }
        }
    }

    fn cover(&self, permit: &mut Permit) {
        let mut covered = Amount {
            tokens: u64::MAX,
            money: net_model::MicroDollars(u64::MAX),
        };
        for place in &permit.places {
            if let Some(gate) = self.gates.get(&place.id) {
                covered.tokens = covered.tokens.min(gate.covers(place));
            }
        }
        for share in &permit.shares {
            let Some(counter) = self.counters.get(&share.id) else {
                continue;
            };
            let covers = counter.covers(share);
            match share.unit {
                Unit::Tokens => covered.tokens = covered.tokens.min(covers),
                Unit::Money => covered.money.0 = covered.money.0.min(covers),
            }
        }
        permit.covered = covered;
    }

    /// Budgets that are gone and were not told of; they are told of once in each window.
    pub fn gone(&mut self) -> Vec<Gone> {
        std::mem::take(&mut self.gone)
    }

    /// A person has looked and opened again: the budget counts from nothing.
    pub fn grant(&mut self, budget: &Name) {
        for counter in self.counters.values_mut().filter(|it| it.name == *budget) {
            counter.spent = 0;
            counter.said = false;
        }
    }

    /// How every budget stands.
    pub fn standings(&mut self, now: Now) -> Vec<Standing> {
        let live = self.counters.values_mut().filter(|it| !it.retired);
        live.map(|counter| {
            counter.turn(&self.calendar, now.wall);
            Standing::of(counter)
        })
        .collect()
    }

    /// What is to be kept over a restart.
    #[must_use]
    pub fn keep(&self) -> Vec<Kept> {
        let live = self.counters.values().filter(|it| !it.retired);
        live.map(Kept::of).collect()
    }

    /// Goes on where an earlier run stopped. Call it once, after the rules were loaded.
    pub fn recover(&mut self, kept: &[Kept], now: Now) {
        for counter in self.counters.values_mut() {
            if let Some(kept) = kept.iter().find(|kept| kept.is_of(counter)) {
                kept.recover(counter, &self.calendar, now.wall);
            }
        }
    }

    /// What an earlier run counted is lost: whatever refuses at its end is gone until its window turns.
    pub fn forget(&mut self) {
        for counter in self.counters.values_mut().filter(|it| it.binds()) {
            counter.spent = counter.spent.max(counter.limit);
            counter.said = true;
        }
    }
}

/// What is certain to be spent, and what is held beyond that: a lease where nothing is said.
fn held_for(need: &Need, unit: Unit) -> (u64, Option<u64>) {
    match need.answer {
        Answer::Flows => (need.prompt.of(unit), None),
        Answer::Whole(most) => (need.prompt.plus(most).of(unit), Some(0)),
        Answer::WholeUsually(usual) => (need.prompt.of(unit), Some(usual.of(unit))),
    }
}

fn refused(counter: &Counter, need: &Need, calendar: &Calendar) -> Option<Refusal> {
    if counter.unit == Unit::Money && need.cost == Cost::Free {
        return None;
    }
    let (sure, _) = held_for(need, counter.unit);
    let whole = matches!(need.answer, Answer::Whole(_));
    let least = if whole { sure } else { sure.saturating_add(1) };
    counter
        .refuses(least)
        .map(|_| refusal_of(counter, least, calendar))
}

fn refusal_of(counter: &Counter, need: u64, calendar: &Calendar) -> Refusal {
    let fits_when_they_end = counter.spent.saturating_add(need) <= counter.limit;
    let frees = match counter.frees(need, calendar) {
        _ if fits_when_they_end => Frees::WithOthers,
        Some(at) => Frees::At(at),
        None => Frees::Never,
    };
    Refusal {
        name: counter.name.clone(),
        why: counter.why(need),
        frees,
    }
}

fn tell(gone: &mut Vec<Gone>, counter: &mut Counter, cut_off: bool) {
    if counter.newly_gone(cut_off) {
        gone.push(Gone {
            budget: counter.name.clone(),
            consumer: counter.of.consumer.clone(),
            unit: counter.unit,
            window: counter.window,
            spent: counter.spent,
            limit: counter.limit,
            until: counter.until,
            at_end: counter.at_end.clone(),
        });
    }
}

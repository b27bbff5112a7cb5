//! The right of one exchange to be under way at one target: drawn down as it flows, settled whatever ends it.

use super::Governor;
use crate::deny::Denied;
use gateway_core::{
    dialect::Asked,
    limits::{self, Amount, Answer, Cost, Exchange, Need, Rate, Refusal, Standing},
};
use kill_wire::{Class, Name};
use net_model::{Api, Consumer, MicroDollars, Tokens};
use prices::Price;
use std::sync::{Arc, atomic::Ordering};

/// What an answer that comes as a whole is expected to have at most, where the client does not say.
const USUAL_ANSWER: u64 = 1024;

/// What is asked of one target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// Who asks.
    pub(crate) consumer: &'a Consumer,
    /// By which route.
    pub(crate) route: &'a Name,
    /// Of which class the target is.
    pub(crate) class: Class,
    /// The model, as the client calls it.
    pub(crate) model: &'a str,
    /// In which API.
    pub(crate) api: Api,
    /// What the request says.
    pub(crate) asked: &'a Asked<'a>,
    /// Tokens of the prompt, as far as can be said before.
    pub(crate) prompt: u64,
    /// What it costs; `None` when that is unknown.
    pub(crate) price: Option<Price>,
}

impl Wanted<'_> {
    fn cost(&self) -> Cost {
        match self.price {
            None => Cost::Unknown,
            Some(price) if price == Price::FREE => Cost::Free,
            Some(_) => Cost::Known,
        }
    }

    fn amount(&self, prompt: u64, completion: u64) -> Amount {
        let tokens = Tokens {
            prompt,
            completion,
            ..Tokens::default()
        };
        amount(&tokens, self.price.as_ref())
    }

    fn need(&self) -> Need {
        let answers = u64::from(self.asked.n.max(1));
        let answer = |tokens: u64| self.amount(0, tokens.saturating_mul(answers));
        let answer = match (self.api, self.asked.stream, self.asked.max_tokens) {
            (Api::Embeddings | Api::OllamaEmbed, ..) => Answer::Whole(Amount::default()),
            (_, true, _) => Answer::Flows,
            (_, false, Some(most)) => Answer::Whole(answer(most)),
            (_, false, None) => Answer::WholeUsually(answer(USUAL_ANSWER)),
        };
        Need {
            prompt: self.amount(self.prompt, 0),
            answer,
            cost: self.cost(),
        }
    }
}

/// The right to be under way. Dropped, it is settled with the last that was drawn.
#[derive(Debug)]
pub(crate) struct Permit {
    governor: Arc<Governor>,
    /// None: no rule is about this exchange.
    inner: Option<limits::Permit>,
}

impl Governor {
    /// Lets an exchange in under every rule that is about it.
    pub(crate) fn admit(self: &Arc<Self>, wanted: &Wanted<'_>) -> Result<Permit, Denied> {
        let mut permit = Permit {
            governor: Arc::clone(self),
            inner: None,
        };
        if self.ruled.load(Ordering::Acquire) {
            let exchange = Exchange {
                consumer: &wanted.consumer.name,
                role: wanted.consumer.role.as_ref(),
                route: wanted.route,
                model: wanted.model,
                class: wanted.class,
            };
            let now = self.now();
            let reserved = self.engine().reserve(&exchange, &wanted.need(), now);
            let inner = reserved.map_err(|refusal| self.denied(&refusal))?;
            permit.inner = inner.is_bound().then_some(inner);
        }
        Ok(permit)
    }

    fn denied(&self, refusal: &Refusal) -> Denied {
        Denied::limited(refusal, self.now().wall)
    }
}

impl Permit {
    /// Takes note of what the exchange has come to, at this price. Refused: it must be cut off here.
    pub(crate) fn draw(&mut self, so_far: &Tokens, price: Option<&Price>) -> Result<(), Denied> {
        let Some(inner) = &mut self.inner else {
            return Ok(());
        };
        let so_far = amount(so_far, price);
        if inner.goes_on(so_far) {
            return Ok(());
        }
        let now = self.governor.now();
        let (drawn, gone) = {
            let mut engine = self.governor.engine();
            (engine.draw(inner, so_far, now), engine.gone())
        };
        self.governor.tell(gone);
        drawn.map_err(|refusal| self.governor.denied(&refusal))
    }

    /// Counts the last of the exchange, and what it has cost; how the budgets that counted it stand then, where somebody
    /// `tells` of it.
    pub(crate) fn settle(
        mut self,
        last: &Tokens,
        cost: Option<MicroDollars>,
        tells: bool,
    ) -> Vec<Standing> {
        let last = Amount {
            tokens: last.total(),
            money: cost.unwrap_or(MicroDollars::ZERO),
        };
        self.end(Some(last), tells)
    }

    /// Gives everything back: another target is asked in this one's place.
    pub(crate) fn cancel(mut self) {
        if let Some(inner) = self.inner.take() {
            let now = self.governor.now();
            self.governor.engine().cancel(inner, now);
        }
    }

    /// Whether any rule is about the exchange.
    pub(crate) const fn is_bound(&self) -> bool {
        self.inner.is_some()
    }

    /// Requests and tokens a minute of the narrowest limits, as clients are told.
    pub(crate) fn rates(&self) -> (Option<Rate>, Option<Rate>) {
        let inner = self.inner.as_ref();
        inner.map_or((None, None), limits::Permit::rates)
    }

    fn end(&mut self, last: Option<Amount>, tells: bool) -> Vec<Standing> {
        let Some(inner) = self.inner.take() else {
            return Vec::new();
        };
        let last = last.unwrap_or_else(|| inner.so_far());
        let now = self.governor.now();
        let (standings, gone) = {
            let mut engine = self.governor.engine();
            let standings = if tells {
                engine.settle_and_tell(inner, last, now)
            } else {
                engine.settle(inner, last, now);
                Vec::new()
            };
            (standings, engine.gone())
        };
        self.governor.tell(gone);
        standings
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.end(None, false);
    }
}

fn amount(tokens: &Tokens, price: Option<&Price>) -> Amount {
    Amount {
        tokens: tokens.total(),
        money: price.map_or(MicroDollars::ZERO, |price| price.cost(tokens)),
    }
}

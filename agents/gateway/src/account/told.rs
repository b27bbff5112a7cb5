//! What decides on the way of an exchange, for who asks why later.

use super::Account;
use crate::{admission::Near, deny::Denied, search::Why, targets::Watched, telling::Telling};
use gateway_core::choice::Failure;
use kill_wire::Timestamp;
use net_model::{
    Alias, Consumer, Ended, MANY_TOKENS, MUCH, MicroDollars, Story, Target, Tokens, UsageRecord,
};

impl Account {
    /// What decided on its way is told here.
    pub(crate) fn telling(&mut self) -> &mut Telling {
        &mut self.telling
    }

    /// A target is not asked.
    pub(crate) fn passed_over(
        &mut self,
        target: (&Target, &Watched),
        consumer: &Consumer,
        why: &Why,
    ) {
        let after = self.begun.elapsed();
        self.telling.passed_over(after, target, consumer, why);
    }

    /// No route of its consumer takes the model.
    pub(crate) fn no_route(&mut self, consumer: &Consumer, near: &Near<'_>) {
        let after = self.begun.elapsed();
        self.telling.no_route(after, consumer, near);
    }

    /// The target asked last did not serve.
    pub(crate) fn failed(&mut self, target: &Target, failure: Failure, status: Option<u16>) {
        let times = (self.asked_after, self.begun.elapsed());
        self.telling.failed(times, target, failure, status);
    }

    /// What is held for a target that was asked before goes back: it must not stand in the way of the one that takes its place.
    pub(crate) fn give_back(&mut self) {
        if let Some(before) = self.permit.take() {
            before.cancel();
        }
    }

    /// What its client calls it.
    pub(crate) fn asked_as(&self) -> Option<&Alias> {
        self.telling.asked_as()
    }

    /// The client is refused.
    pub(crate) fn refused(&mut self, why: &Denied) {
        self.refused = Some(why.clone());
    }

    /// Counts the last of it; where there is something to tell, with the budgets as they stand then.
    pub(super) fn settle_permit(
        &mut self,
        tokens: &Tokens,
        ended: Ended,
        cost: Option<MicroDollars>,
    ) {
        let Some(permit) = self.permit.take() else {
            return;
        };
        let dear = tokens.total() >= MANY_TOKENS || cost.is_some_and(|it| it >= MUCH);
        let tells = dear || ended != Ended::Complete || self.telling.has_something();
        let standings = permit.settle(tokens, cost, tells);
        self.telling.counted(&standings);
    }

    /// What is told of it, where there is more to say than the record does.
    pub(super) fn story(&mut self, record: &UsageRecord) -> Option<Story> {
        let telling = std::mem::take(&mut self.telling);
        let why = self.refused.as_ref().or_else(|| self.cord.why());
        telling.served(record, why.filter(|_| record.ended != Ended::Complete))
    }

    /// Nothing was asked of any target: there is only to say why.
    pub(super) fn tell_refusal(&mut self, now: Timestamp) {
        let why = self.refused.take().or_else(|| self.cord.why().cloned());
        let Some(why) = why.filter(|_| self.books.pace.admits(true, now)) else {
            return;
        };
        let telling = std::mem::take(&mut self.telling);
        let id = std::mem::take(&mut self.id);
        let model = std::mem::take(&mut self.model);
        self.books.tell(Story {
            consumer: self.consumer.take(),
            api: Some(self.api),
            model: (!model.is_empty()).then_some(model),
            ..telling.refused(id, now, self.begun.elapsed(), &why)
        });
    }
}

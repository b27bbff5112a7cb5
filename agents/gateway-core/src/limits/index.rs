//! Which rules count for an exchange: sorted out by consumer when the rules load, so that few are looked at for each.

use super::Exchange;
use kill_wire::Name;
use net_model::Selector;
use std::collections::BTreeMap;

/// Rules by the consumers they can be about.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_consumer: BTreeMap<Name, Vec<Rule>>,
    /// For a consumer that came after the rules.
    all: Vec<Rule>,
}

/// A rule, and what it asks of an exchange.
#[derive(Clone, Debug)]
struct Rule {
    id: u32,
    of: Selector,
}

impl Index {
    /// Sorts the rules out; each consumer comes with its role.
    pub(super) fn new<'a>(
        rules: impl Iterator<Item = (u32, &'a Selector)>,
        consumers: &[(&'a Name, Option<&'a Name>)],
    ) -> Self {
        let all: Vec<Rule> = rules.map(|(id, of)| Rule { id, of: of.clone() }).collect();
        let of_one = |(name, role): &(&Name, Option<&Name>)| {
            let may = |rule: &&Rule| is_of(&rule.of, name, *role);
            ((*name).clone(), all.iter().filter(may).cloned().collect())
        };
        let by_consumer = consumers.iter().map(of_one).collect();
        Self { by_consumer, all }
    }

    /// The rules that count for this exchange.
    pub(super) fn of<'a>(&'a self, exchange: &Exchange<'a>) -> impl Iterator<Item = u32> + 'a {
        let known = self.by_consumer.get(exchange.consumer);
        let exchange = *exchange;
        known
            .unwrap_or(&self.all)
            .iter()
            .filter(move |rule| counts(&rule.of, &exchange))
            .map(|rule| rule.id)
    }
}

fn is_of(of: &Selector, consumer: &Name, role: Option<&Name>) -> bool {
    of.consumer.as_ref().is_none_or(|name| name == consumer)
        && (of.role.is_none() || of.role.as_ref() == role)
}

fn counts(of: &Selector, exchange: &Exchange<'_>) -> bool {
    is_of(of, exchange.consumer, exchange.role)
        && of.route.as_ref().is_none_or(|name| name == exchange.route)
        && of.class.is_none_or(|class| class == exchange.class)
        && of
            .model
            .as_ref()
            .is_none_or(|model| model.matches(exchange.model))
}

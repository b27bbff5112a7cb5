//! Figures of budgets and trips.

use net_model::{BudgetView, Reaction, TripKind};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBudget {
    budget: String,
    unit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Gone {
    budget: String,
    at_end: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Runaway {
    consumer: String,
    kind: &'static str,
    reaction: &'static str,
}

/// All of them; labels hold only names out of the rules.
#[derive(Debug, Default)]
pub(super) struct RuleFigures {
    spent: Family<OfBudget, Gauge>,
    limits: Family<OfBudget, Gauge>,
    gone: Family<Gone, Counter>,
    trips: Family<OfKind, Counter>,
    runaways: Family<Runaway, Counter>,
}

impl RuleFigures {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_gateway_budget_spent",
            "Spent of a budget in its window, in tokens or micro-dollars",
            self.spent.clone(),
        );
        registry.register(
            "portcullis_gateway_budget_limit",
            "The whole of a budget",
            self.limits.clone(),
        );
        registry.register(
            "portcullis_gateway_budgets_gone",
            "Windows in which a budget was used up, by what followed",
            self.gone.clone(),
        );
        registry.register(
            "portcullis_gateway_trips",
            "Scopes the gateway closed by itself, by what they were about",
            self.trips.clone(),
        );
        registry.register(
            "portcullis_gateway_runaways",
            "Times a consumer looked like a runaway, by what showed it and what was done",
            self.runaways.clone(),
        );
    }

    /// How the budgets stand now; one that is no more is no longer told of.
    pub(super) fn stand(&self, budgets: &[BudgetView]) {
        self.spent.clear();
        self.limits.clear();
        for budget in budgets {
            let labels = OfBudget {
                budget: budget.name.to_string(),
                unit: budget.unit.as_str(),
            };
            let figure = |amount| i64::try_from(amount).unwrap_or(i64::MAX);
            self.spent.get_or_create(&labels).set(figure(budget.spent));
            self.limits.get_or_create(&labels).set(figure(budget.limit));
        }
    }

    pub(super) fn gone(&self, budget: &str, at_end: &'static str) {
        let labels = Gone {
            budget: budget.to_owned(),
            at_end,
        };
        self.gone.get_or_create(&labels).inc();
    }

    pub(super) fn runaway(&self, consumer: &str, kind: TripKind, reaction: Reaction) {
        let labels = Runaway {
            consumer: consumer.to_owned(),
            kind: kind.as_str(),
            reaction: reaction.as_str(),
        };
        self.runaways.get_or_create(&labels).inc();
    }

    pub(super) fn tripped(&self, kind: TripKind) {
        let kind = kind.as_str();
        self.trips.get_or_create(&OfKind { kind }).inc();
    }
}

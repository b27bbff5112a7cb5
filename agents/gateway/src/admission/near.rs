//! Why a model is none of a consumer's, for whoever may know which routes there are.

use super::Table;
use net_model::Consumer;

/// Most routes that are told of a consumer.
const MOST: usize = 8;

/// Which routes are near.
#[derive(Debug)]
pub(crate) struct Near<'a> {
    /// The consumer's, the first of them.
    pub(crate) own: Vec<&'a str>,
    /// One that takes the model, and is not for this consumer.
    pub(crate) other: Option<&'a str>,
}

impl Table {
    /// What is said of a model that no route of this consumer takes.
    pub(crate) fn near(&self, consumer: &Consumer, model: &str) -> Near<'_> {
        let routes = self.wanted.routes();
        let own = consumer.routes.iter().filter_map(|at| routes.get(*at));
        let mut takes = routes
            .iter()
            .filter(|route| route.models.iter().any(|it| it.matches(model)));
        Near {
            own: own.take(MOST).map(|it| it.name.as_str()).collect(),
            other: takes.next().map(|it| it.name.as_str()),
        }
    }
}

//! What the kill switch shows of itself to buttons and panels.

use kill_wire::{Incident, Scope};

/// What the kill switch last said is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Every scope a command may name.
    pub(crate) scopes: Vec<Scope>,
    /// What is cut, with its incident.
    pub(crate) cut: Vec<(Scope, Option<Incident>)>,
    /// What someone should look at.
    pub(crate) warnings: Vec<String>,
}

impl Shown {
    /// As the kill switch says it: the incidents stand in the order of what is cut.
    pub(crate) fn new(
        scopes: Vec<Scope>,
        cut: Vec<Scope>,
        incidents: &[Incident],
        warnings: Vec<String>,
    ) -> Self {
        let cut = cut.into_iter().enumerate();
        Self {
            scopes,
            cut: cut
                .map(|(at, scope)| (scope, incidents.get(at).copied()))
                .collect(),
            warnings,
        }
    }
}

//! Reads back what is in force, and says which overlay that is.

use super::Apisix;
use super::force::is;
use super::live::points;
use super::names::{ABORT, CUT};
use super::store::Rule;
use crate::GatewayError;
use crate::seen::observed;
use net_model::Observed;
use std::time::Duration;

const LIMIT: Duration = Duration::from_millis(400);
/// The state stands in the gateway, and is read back at each look: there is nothing a restart could hide.
const BOOT: &str = "apisix";

impl Apisix {
    pub(super) async fn look(&self) -> Result<Observed, GatewayError> {
        let now = self.state().expected();
        let stood = self.state().stood();
        let (rules, against) = tokio::join!(self.looks.rules(LIMIT), async {
            match &now {
                Some(now) => self.contradicts(now).await,
                None => None,
            }
        });
        let (rules, empty) = rules?;
        let ours = rules.iter().find(|rule| rule.id == CUT);
        let mut state = self.state();
        if let Some(stood) = &stood
            && state.stood().as_ref() == Some(stood)
            && ours.map(|rule| &rule.plugins) != stood.get("plugins")
        {
            state.disturbed();
        }
        let told = state.told();
        let in_force = now.is_some_and(|now| is(ours, &now)) && against.is_none();
        let told = told.filter(|_| in_force);
        let table = &state.wanted().table;
        let mut notices = state.notices.clone();
        notices.extend(against);
        notices.extend(taken(&rules));
        if empty && !table.routes().is_empty() {
            notices.push(
                "it came back without a configuration: its routes are written again".to_owned(),
            );
        }
        notices.extend(state.health.notice());
        notices.extend(self.streams.notice());
        Ok(Observed {
            targets: state.health.views(table),
            points: points(state.wanted()),
            notices,
            ..observed(BOOT, told, table)
        })
    }
}

/// A rule of somebody else in the place ours needs: a plugin may stand in one global rule alone.
pub(super) fn taken(rules: &[Rule]) -> Option<String> {
    let mut others = rules.iter().filter(|rule| rule.id != CUT);
    let other = others.find(|rule| rule.plugins.get(ABORT).is_some())?;
    Some(format!(
        "global rule `{}` has {ABORT}, which may stand in one global rule alone: a cut cannot be written; move it to its routes",
        other.id
    ))
}

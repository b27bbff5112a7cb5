//! The search for a target that serves: what was found on the way, and what the client is told when there is none.

use crate::{
    account::Account,
    deny::Denied,
    detour::Detour,
    targets::{NoSeat, Watched},
};
use gateway_core::choice::{Failure, Passed};
use http::StatusCode;
use net_model::{Api, Consumer, Target};
use std::time::Duration;

/// Why a target is not asked.
#[derive(Debug)]
pub(crate) enum Why {
    /// It does not speak the API.
    OtherApi,
    /// The consumer may not use it.
    Passed(Passed),
    /// It serves nobody more now.
    NoSeat(NoSeat),
    /// The way is cut, or a limit holds.
    Denied(Denied),
}

/// One search.
#[derive(Debug, Default)]
pub(crate) struct Search<'a> {
    /// Targets that were passed over.
    pub(crate) detour: Detour<'a>,
    /// How many of them the figures know.
    pub(crate) told: usize,
    /// Whether any target was asked.
    pub(crate) asked: bool,
    /// The first refusal that is the gateway's own.
    refusal: Option<Denied>,
    /// When a target may be able again.
    after: Option<Duration>,
}

impl<'a> Search<'a> {
    /// `target` was asked in vain.
    pub(crate) fn failed(
        &mut self,
        account: &mut Account,
        target: &'a Target,
        failure: Failure,
        status: Option<StatusCode>,
    ) {
        account.failed(target, failure, status.map(|status| status.as_u16()));
        self.detour.around(target, failure.as_str());
    }

    /// `target` is not asked.
    pub(crate) fn past(
        &mut self,
        account: &mut Account,
        (target, watched): (&'a Target, &Watched),
        consumer: &Consumer,
        why: Why,
    ) {
        account.passed_over((target, watched), consumer, &why);
        match why {
            Why::OtherApi => {}
            Why::Passed(passed) => self.detour.past(target, passed),
            Why::NoSeat(none) => {
                self.detour.past(target, none.why);
                let sooner = self.after.map_or(none.after, |after| after.min(none.after));
                self.after = Some(sooner);
            }
            Why::Denied(denied) => {
                self.detour.around(target, denied.code());
                self.refusal.get_or_insert(denied);
            }
        }
    }

    /// What the client is told when no target serves: that it is cut before anything else.
    pub(crate) fn denied(self, api: Api) -> Denied {
        if self.asked {
            return Denied::UpstreamFailed;
        }
        if let Some(refusal) = self.refusal {
            return refusal;
        }
        match (self.detour.len(), self.after) {
            (0, _) => Denied::NoSuchApi(api),
            (_, Some(after)) => Denied::NoTarget(self.detour.text(), after),
            (_, None) => Denied::NotAllowed(self.detour.text()),
        }
    }
}

//! Has the gateway of this machine ask a target once whether it is there.

use super::{failed, refused};
use crate::control;
use crate::paths::Home;
use dash::Trouble;
use kill_wire::Name;
use net_model::{ControlReply, ControlRequest, TargetTest};

pub(super) fn test(home: &Home, target: &Name) -> Result<TargetTest, Trouble> {
    let request = ControlRequest::Test {
        target: target.clone(),
    };
    match control::ask(home, &request) {
        Ok(ControlReply::Tested(test)) => Ok(test),
        Ok(ControlReply::Refused { message }) => Err(refused(message)),
        Ok(
            ControlReply::Applied { .. } | ControlReply::Observed(_) | ControlReply::Capture { .. },
        ) => Err(refused(
            "the gateway answered something that was not asked for",
        )),
        Err(why) => Err(failed(&why)),
    }
}

//! The local lever and what fails safe: cuts that need no code.

use crate::core::Core;
use crate::decision::Cut;
use crate::people::initials;
use crate::printable::printable;
use kill_wire::{Scope, Timestamp};

impl Core {
    /// Cuts by the local lever: whoever can open its socket may, without a code.
    pub fn lever_cut(&mut self, scope: Scope, by: &str, why: &str, now: Timestamp) -> Cut {
        let (latch, repeated) = self.latch(scope, now.step(), now);
        let by = printable(by, 24);
        Cut {
            latch,
            repeated,
            initials: initials(&by),
            by,
            via: "lever".to_owned(),
            why: printable(why, 200),
            late: false,
            restore_refused: false,
        }
    }

    /// Cuts everything, because what should be known is not.
    pub fn fail_safe(&mut self, why: &str, now: Timestamp) -> Cut {
        Cut {
            via: "fail-safe".to_owned(),
            ..self.lever_cut(Scope::All, "kill-switch", why, now)
        }
    }
}

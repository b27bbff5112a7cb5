//! Sends the present state again every ten seconds: agents take silence for a reason to close.

use crate::orders::deliver;
use crate::switch::Switch;
use std::sync::Arc;
use std::time::Duration;

/// Between two renewals of the lease, while all agents are well.
const RENEW: Duration = Duration::from_secs(10);
/// Between two tries while an agent does not confirm.
const RETRY: Duration = Duration::from_secs(1);

/// Renews the lease until shutdown.
pub(crate) async fn renew(switch: Arc<Switch>) {
    loop {
        switch.tick();
        let well = deliver(&switch).await.unconfirmed.is_empty();
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = again(&switch, well) => {}
        }
    }
}

/// A cut that some agent did not confirm is brought again soon, not at the next renewal.
async fn again(switch: &Switch, well: bool) {
    if well {
        tokio::select! {
            () = switch.hurry.notified() => {}
            () = tokio::time::sleep(RENEW) => return,
        }
    }
    tokio::time::sleep(RETRY).await;
}

//! Why a passkey is not made, or lets nobody in.

/// Why a passkey is not made, or lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyTrouble {
    /// It is not what a browser sends.
    #[error("what the browser sent cannot be read")]
    Unreadable,
    /// Its challenge is not ours, was used, is too old, or was another session's.
    #[error(
        "this was not begun here, was used already, or took longer than two minutes; begin again"
    )]
    NotBegun,
    /// Too many have begun and not ended.
    #[error("too many people are at it; try again in two minutes")]
    Busy,
    /// It does not hold: signature, address, counter or person.
    #[error("this passkey does not hold: {0}")]
    Untrue(String),
    /// What was kept of it is not ours.
    #[error("what was kept of this passkey cannot be read; remove it and add it again")]
    Kept,
    /// Nothing can be asked.
    #[error("no passkey can be asked for: {0}")]
    Unaskable(String),
}

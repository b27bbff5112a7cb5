//! JSON lines of the unix sockets: what is understood prints as something that is understood the same.
#![no_main]

use kill_wire::{FromCourier, LeverReply, LeverRequest, ToCourier};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};

fn round<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(data) else { return };
    let written = serde_json::to_vec(&read).unwrap();
    let again: T = serde_json::from_slice(&written).unwrap();
    assert_eq!(serde_json::to_vec(&again).unwrap(), written);
}

fuzz_target!(|data: &[u8]| {
    round::<LeverRequest>(data);
    round::<LeverReply>(data);
    round::<FromCourier>(data);
    round::<ToCourier>(data);
});

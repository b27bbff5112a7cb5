//! Bytes from the network are an order, a look or a peer's state only with the house's signature; what is signed and not in
//! the one form is refused.
#![no_main]

use data_encoding::HEXLOWER;
use ed25519_dalek::Signer as _;
use kill_wire::{Look, Order, OrderError, PeerState, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let key = SigningKey::from_bytes(&[7; 32]);
    let opened = Order::open(data, &key.verifying_key());
    assert!(opened.is_err(), "nobody signed this: {opened:?}");
    assert!(Look::open(data, &key.verifying_key()).is_none());
    assert!(PeerState::open(data, &key.verifying_key()).is_none());
    // Past the signature: the same bytes, signed as an order is.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let signature = HEXLOWER.encode(&key.sign(text.as_bytes()).to_bytes());
    let signed = format!("{text}sig {signature}\n").into_bytes();
    if let Some(look) = Look::open(&signed, &key.verifying_key()) {
        assert_eq!(look.seal(&key), signed, "one look, one byte form");
    }
    if let Some((state, _)) = PeerState::open(&signed, &key.verifying_key()) {
        assert_eq!(state.seal(&key), signed, "one state, one byte form");
    }
    match Order::open(&signed, &key.verifying_key()) {
        Ok(order) => assert_eq!(order.seal(&key), signed, "one order, one byte form"),
        Err(why) => assert!(matches!(why, OrderError::Form | OrderError::TooLong | OrderError::Signature)),
    }
});

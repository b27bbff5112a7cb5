//! A look reads back as it was sealed, and nothing else is one.

use kill_wire::{Look, MAX_LOOK_BYTES, SigningKey};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn look(addresses: usize) -> Look {
    Look {
        nonce: [3; 16],
        addresses: (0..addresses)
            .map(|n| format!("[2001:db8:1111:2222:3333:4444:5555:{n:x}]:65535"))
            .collect(),
    }
}

#[test]
fn an_opened_look_is_the_sealed_one_up_to_its_bound() {
    let most = look(Look::MAX);
    let sealed = most.seal(&key());
    assert!(sealed.len() <= MAX_LOOK_BYTES);
    assert_eq!(
        Look::open(&sealed, &key().verifying_key()),
        Some(most.clone())
    );
    assert_eq!(look(40).seal(&key()), sealed, "the rest is left out");
}

#[test]
fn a_changed_or_foreign_look_and_an_order_are_none() {
    let sealed = look(2).seal(&key());
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone();
        bytes[at] ^= 1;
        assert_eq!(
            Look::open(&bytes, &key().verifying_key()),
            None,
            "byte {at}"
        );
    }
    let theirs = SigningKey::from_bytes(&[8; 32]);
    assert_eq!(Look::open(&sealed, &theirs.verifying_key()), None);
    assert!(kill_wire::Order::open(&sealed, &key().verifying_key()).is_err());
    let text = String::from_utf8(look(0).seal(&key())).unwrap();
    assert!(text.starts_with("portcullis-look 1\nnonce 0303"));
}

proptest! {
    #[test]
    fn garbage_is_no_look_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert_eq!(Look::open(&bytes, &key().verifying_key()), None);
    }
}

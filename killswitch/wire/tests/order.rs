//! The byte form: what one end seals the other opens, and nothing else does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{
    Incident, Latch, LatchSet, MAX_ORDER_BYTES, Order, OrderError, Scope, SigningKey, Timestamp,
};
use proptest::prelude::*;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn order(latches: LatchSet) -> Order {
    let at = Timestamp::from_millis(1_763_712_345_678);
    Order {
        seq: 9,
        issued: at,
        expires: at.plus_millis(30_000),
        lease_until: at.plus_millis(60_000),
        nonce: [3; 16],
        latches,
    }
}

fn latch(n: u32, scope: &str) -> Latch {
    Latch {
        incident: n.try_into().unwrap(),
        scope: scope.parse().unwrap(),
        since: Timestamp::from_millis(1),
    }
}

fn two() -> LatchSet {
    vec![latch(1, "ALL"), latch(4, "rag-api")]
        .try_into()
        .unwrap()
}

#[test]
fn the_byte_form_is_fixed() {
    let sealed = String::from_utf8(order(two()).seal(&key())).unwrap();
    let (body, sig) = sealed.rsplit_once("sig ").unwrap();
    assert_eq!(
        body,
        "portcullis-order 1\nseq 9\nissued 1763712345678\nexpires 1763712375678\nlease 1763712405678\n\
         nonce 03030303030303030303030303030303\nlatch 1 ALL 1\nlatch 4 rag-api 1\n"
    );
    assert_eq!(sig.len(), 129);
}

#[test]
fn an_opened_order_is_the_sealed_one() {
    let made = order(two());
    assert_eq!(
        Order::open(&made.seal(&key()), &key().verifying_key()),
        Ok(made)
    );
}

#[test]
fn every_flipped_bit_is_refused() {
    let sealed = order(two()).seal(&key());
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut bytes = sealed.clone();
            bytes[at] ^= 1 << bit;
            assert!(
                Order::open(&bytes, &key().verifying_key()).is_err(),
                "byte {at} bit {bit}"
            );
        }
    }
}

#[test]
fn another_houses_order_is_refused() {
    let theirs = SigningKey::from_bytes(&[8; 32]);
    assert_eq!(
        Order::open(&order(two()).seal(&theirs), &key().verifying_key()),
        Err(OrderError::Signature)
    );
}

#[test]
fn a_full_set_fits_and_a_longer_text_does_not() {
    let mut set = LatchSet::default();
    for n in 1..=LatchSet::MAX {
        set.push(latch(
            u32::try_from(n).unwrap(),
            &format!("consumer-with-a-lon-n{n}"),
        ))
        .unwrap_or_else(|_| panic!("{n}"));
    }
    assert!(set.push(latch(900, "one-more")).is_err());
    let sealed = order(set).seal(&key());
    assert!(sealed.len() <= MAX_ORDER_BYTES, "{}", sealed.len());
    assert!(Order::open(&sealed, &key().verifying_key()).is_ok());
    assert_eq!(
        Order::open(&vec![b'a'; MAX_ORDER_BYTES + 1], &key().verifying_key()),
        Err(OrderError::TooLong)
    );
}

#[test]
fn a_set_keeps_one_latch_per_scope_and_incidents_in_order() {
    assert!(LatchSet::try_from(vec![latch(2, "ALL"), latch(1, "LLM")]).is_err());
    assert!(LatchSet::try_from(vec![latch(1, "ALL"), latch(2, "all")]).is_err());
    let mut set = two();
    assert_eq!(
        set.release(Incident::FIRST).map(|l| l.scope),
        Some(Scope::All)
    );
    assert_eq!(set.release(Incident::FIRST), None);
}

proptest! {
    #[test]
    fn garbage_never_opens_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Order::open(&bytes, &key().verifying_key()).is_err());
    }
}

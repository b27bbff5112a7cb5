//! The byte form: what one end seals the other opens, and nothing else does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{
    Challenge, Grant, Incident, Latch, LatchId, LatchSet, MAX_ORDER_BYTES, Order, OrderError,
    Scope, SigningKey, Timestamp,
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
        nonce: [3; 16],
        grant: Grant {
            lease_ms: 60_000,
            answers: vec![Challenge(0xab), Challenge(u64::MAX)],
            released: vec![latch(6, "LLM").id()],
        },
        latches,
        theirs: vec![latch(2, "ALL")],
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
        "portcullis-order 2\nseq 9\nissued 1763712345678\nnonce 03030303030303030303030303030303\n\
         lease 60000\nanswer 00000000000000ab\nanswer ffffffffffffffff\nreleased 6 1\n\
         latch 1 ALL 1\nlatch 4 rag-api 1\ntheir 2 ALL 1\n"
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
    let mut full = order(set);
    full.grant.answers = vec![Challenge(u64::MAX); Grant::MOST_ANSWERS];
    let most = LatchId {
        incident: u32::MAX.try_into().unwrap(),
        since: Timestamp::from_millis(1 << 50),
    };
    full.grant.released = vec![most; Grant::MOST_RELEASED];
    full.theirs = vec![latch(u32::MAX, "consumer-with-a-long-na1"); Order::MOST_THEIRS];
    let sealed = full.seal(&key());
    assert!(sealed.len() <= MAX_ORDER_BYTES, "{}", sealed.len());
    assert!(Order::open(&sealed, &key().verifying_key()).is_ok());
    full.theirs.push(latch(1, "ALL"));
    let more = Order::open(&full.seal(&key()), &key().verifying_key());
    assert_eq!(more, Err(OrderError::Form));
    full.theirs.clear();
    full.grant.released.push(most);
    let more = Order::open(&full.seal(&key()), &key().verifying_key());
    assert_eq!(more, Err(OrderError::Form));
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

#[test]
fn a_union_closes_what_any_of_its_sets_closes() {
    let joined = |latches: &[Latch]| LatchSet::union(latches);
    let (old, new) = (latch(1, "LLM"), latch(3, "LLM"));
    assert_eq!(
        joined(&[new.clone(), latch(2, "CLOUD"), old]).as_slice(),
        [latch(2, "CLOUD"), new]
    );
    let mut again = latch(2, "CLOUD");
    again.since = Timestamp::from_millis(9);
    assert_eq!(
        joined(&[again.clone(), latch(2, "CLOUD")]).as_slice(),
        [again]
    );
    // One number for two scopes: no set can say it, so everything is closed.
    assert_eq!(
        joined(&[latch(2, "CLOUD"), latch(2, "TOOLS")]).as_slice(),
        [latch(2, "ALL")]
    );
}

proptest! {
    #[test]
    fn garbage_never_opens_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Order::open(&bytes, &key().verifying_key()).is_err());
    }
}

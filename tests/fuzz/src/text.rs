//! Whatever a text says: it is read within bounds, and without a code it neither cuts nor restores.
#![no_main]

use kill_core::{Core, Decision, InboundText, Memory, People, Trust};
use kill_wire::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let said = String::from_utf8_lossy(data);
    let mut core = Core::new(Memory::fresh(), People::default());
    core.set_names(vec!["chat".parse().unwrap(), "rag-api".parse().unwrap()]);
    let text = InboundText::new("sms", "id", Some("+15550100"), &said, Trust::A);
    let decision = core.on_text(&text, Timestamp::from_millis(1_795_248_127_000));
    assert!(
        !matches!(decision, Decision::Cut(_) | Decision::Restore(_)),
        "nobody holds a code, and yet: {decision:?}"
    );
});

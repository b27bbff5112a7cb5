//! Files of the kill switch: what is read is within its bounds, and reads the same after it was written.
#![no_main]

use kill_core::{Memory, People};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(memory) = Memory::parse(data) {
        let written = memory.to_json();
        let again = Memory::parse(written.as_bytes()).unwrap();
        assert_eq!(again.to_json(), written);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    match People::parse(text) {
        Ok(people) => {
            let written = people.to_json();
            assert_eq!(People::parse(&written).unwrap().to_json(), written);
        }
        // The error names a place, never what stands there: it must not grow with the input.
        Err(why) => assert!(why.to_string().len() < 200),
    }
});

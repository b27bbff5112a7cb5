//! Certificates: when one holds is read here as the library that checks chains reads it, and none counts that the authority
//! did not sign. The first byte says what the rest is.
#![no_main]

#[path = "../../../killswitch/inbound/src/sns/instant.rs"]
mod instant;
#[path = "../../../killswitch/daemon/src/not_after.rs"]
mod not_after;
#[path = "../../../killswitch/inbound/src/sns/validity.rs"]
mod validity;

use data_encoding::BASE64;
use kill_inbound::{Channel, Options};
use kill_wire::Timestamp;
use libfuzzer_sys::fuzz_target;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage};

/// The settings of the vectors of SNS, with a chain and its root.
fn settings() -> &'static BTreeMap<String, String> {
    static SETTINGS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let file = include_str!("../../../killswitch/inbound/vectors/sns.json");
        let file: serde_json::Value = serde_json::from_str(file).unwrap();
        serde_json::from_value(file["settings"].clone()).unwrap()
    })
}

/// What the library says of a certificate at this second. Its time is the first thing it looks at, before any chain.
fn said(leaf: &EndEntityCert<'_>, at: u64) -> Option<Error> {
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &[], &[], at, KeyUsage::server_auth(), None, None).err()
}

fn der(der: &[u8]) {
    let begins = validity::begins(der);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(der));
    let ends = not_after::earliest(&pem).map(Timestamp::secs);
    let der = CertificateDer::from(der);
    let Ok(leaf) = EndEntityCert::try_from(&der) else { return };
    // After the end of all time it has expired, unless its time cannot be read at all.
    let Some(Error::CertExpired { not_after, .. }) = said(&leaf, u64::MAX) else { return };
    let begins = begins.expect("the library reads its time");
    let ends = ends.expect("the library reads its time");
    assert_eq!(not_after, UnixTime::since_unix_epoch(Duration::from_secs(ends)));
    assert!(!matches!(said(&leaf, begins), Some(Error::CertNotValidYet { .. })));
    if let Some(before) = begins.checked_sub(1) {
        assert!(matches!(said(&leaf, before), Some(Error::CertNotValidYet { .. })));
    }
}

/// A channel whose file of this name holds these bytes.
fn channel(name: &str, pem: &str) -> bool {
    let mut settings = settings().clone();
    settings.insert(name.to_owned(), pem.to_owned());
    let made = Channel::new("aws", "sns", Options { settings, ..Options::default() });
    if let Err(why) = &made {
        assert!(why.contains(name) || why.contains("roots_file"), "names no file: {why}");
        assert!(why.len() < 400 && !why.contains(char::is_control), "{why:?}");
    }
    made.is_ok()
}

fn instants(text: &str) {
    let Some(at) = instant::seconds(text) else { return };
    let again = Timestamp::from_millis(at * 1000).to_string();
    assert!(text[17..19] == *"60" || again[..19] == text[..19], "{text} is {again}");
}

fuzz_target!(|data: &[u8]| {
    let Some((what, data)) = data.split_first() else { return };
    if *what == b'd' {
        return der(data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    match what {
        b'e' => {
            let end = not_after::earliest(text);
            assert!(end.is_none_or(|end| end.secs() < 253_402_300_800 + 86_400 * 4), "{end:?}");
        }
        b'c' if channel("certificate_file", text) => {
            let first = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            assert_eq!(first(text), first(&settings()["certificate_file"]), "nobody signed this one");
        }
        b'r' => drop(channel("roots_file", text)),
        b't' => instants(text),
        _ => {}
    }
});

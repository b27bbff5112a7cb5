//! Who vouches for the agent's binary.

use data_encoding::HEXLOWER;
use ed25519_dalek::Signer as _;
use kill_wire::{SigningKey, VerifyingKey};
use net_model::BinarySeal;
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Signs binaries of the agent.
pub struct AgentKey(SigningKey);

impl AgentKey {
    /// From 32 bytes of chance.
    #[must_use]
    pub fn new(chance: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(chance))
    }

    /// From 64 hexadecimal digits.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let raw = Zeroizing::new(HEXLOWER.decode(text.trim().as_bytes()).ok()?);
        let raw: &[u8; 32] = raw.as_slice().try_into().ok()?;
        Some(Self::new(raw))
    }

    /// As it is kept, wiped when dropped.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXLOWER.encode(&*Zeroizing::new(self.0.to_bytes())))
    }

    /// What hosts check by.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        self.0.verifying_key()
    }

    /// Vouches for a file.
    #[must_use]
    pub fn seal(&self, target: &str, version: &str, file: &[u8]) -> BinarySeal {
        let mut seal = BinarySeal {
            target: target.to_owned(),
            version: version.to_owned(),
            sha256: HEXLOWER.encode(&Sha256::digest(file)),
            signature: String::new(),
        };
        seal.signature = HEXLOWER.encode(&self.0.sign(&seal.sealed()).to_bytes());
        seal
    }
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Signature;

    #[test]
    fn a_seal_is_over_target_version_and_file_and_the_key_reads_back() {
        let key = AgentKey::new(&[7; 32]);
        let seal = key.seal("x86_64-linux", "0.2.0", b"elf");
        let raw = HEXLOWER.decode(seal.signature.as_bytes()).unwrap();
        let signature = Signature::from_slice(&raw).unwrap();
        let holds = |seal: &BinarySeal| {
            let public = key.public();
            public.verify_strict(&seal.sealed(), &signature).is_ok()
        };
        assert!(holds(&seal));
        for (version, target) in [("0.3.0", "x86_64-linux"), ("0.2.0", "aarch64-linux")] {
            assert!(!holds(&key.seal(target, version, b"elf")));
        }
        assert!(!holds(&key.seal("x86_64-linux", "0.2.0", b"fle")));
        assert_eq!(
            AgentKey::read(&key.expose()).unwrap().public(),
            key.public()
        );
        assert!(!format!("{key:?}").contains("0707"));
    }
}

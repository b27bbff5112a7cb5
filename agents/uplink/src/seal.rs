//! Whether a binary of the agent may be run here.

use data_encoding::HEXLOWER;
use ed25519_dalek::Signature;
use kill_wire::VerifyingKey;
use net_model::BinarySeal;
use sha2::{Digest as _, Sha256};

/// A seal that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSeal {
    /// Not signed by this house for these words.
    #[error("the signature is not this house's")]
    Signature,
    /// Another file.
    #[error("the file is not the one that was signed")]
    File,
    /// For other machines.
    #[error("it is for {0}, not for this machine")]
    Target(String),
    /// Older than what is there: never put back by an update.
    #[error("version {0} is older than the one that is here")]
    Old(String),
}

/// Whether `file` may be run on a machine of `target` that has version `here`.
///
/// # Errors
/// The first reason against it.
pub fn check_seal(
    key: &VerifyingKey,
    seal: &BinarySeal,
    file: &[u8],
    target: &str,
    here: &str,
) -> Result<(), BadSeal> {
    let signature = HEXLOWER.decode(seal.signature.as_bytes()).ok();
    let signature = signature.and_then(|raw| Signature::from_slice(&raw).ok());
    let signature = signature.ok_or(BadSeal::Signature)?;
    key.verify_strict(&seal.sealed(), &signature)
        .map_err(|_| BadSeal::Signature)?;
    if seal.sha256 != HEXLOWER.encode(&Sha256::digest(file)) {
        return Err(BadSeal::File);
    }
    if seal.target != target {
        return Err(BadSeal::Target(seal.target.clone()));
    }
    let (there, here) = (
        BinarySeal::numbers(&seal.version),
        BinarySeal::numbers(here),
    );
    if there.is_none() || there < here {
        return Err(BadSeal::Old(seal.version.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Signer as _;
    use kill_wire::SigningKey;

    fn sealed(key: &SigningKey, version: &str, file: &[u8]) -> BinarySeal {
        let mut seal = BinarySeal {
            target: "x86_64-linux".to_owned(),
            version: version.to_owned(),
            sha256: HEXLOWER.encode(&Sha256::digest(file)),
            signature: String::new(),
        };
        seal.signature = HEXLOWER.encode(&key.sign(&seal.sealed()).to_bytes());
        seal
    }

    #[test]
    fn a_binary_is_taken_only_whole_signed_for_this_machine_and_not_older() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let seal = sealed(&key, "0.2.0", b"elf");
        let check = |seal: &BinarySeal, file: &[u8], target, here| {
            check_seal(&key.verifying_key(), seal, file, target, here)
        };
        assert_eq!(check(&seal, b"elf", "x86_64-linux", "0.1.9"), Ok(()));
        assert_eq!(check(&seal, b"elf", "x86_64-linux", "0.2.0"), Ok(()));
        let other = check(&seal, b"fle", "x86_64-linux", "0.1.0");
        assert_eq!(other, Err(BadSeal::File));
        let other = check(&seal, b"elf", "aarch64-linux", "0.1.0");
        assert_eq!(other, Err(BadSeal::Target("x86_64-linux".to_owned())));
        let old = check(&seal, b"elf", "x86_64-linux", "0.10.0");
        assert_eq!(old, Err(BadSeal::Old("0.2.0".to_owned())));
        let claimed = BinarySeal {
            version: "9.0.0".to_owned(),
            ..seal
        };
        let stranger = sealed(&SigningKey::from_bytes(&[8; 32]), "0.2.0", b"elf");
        for seal in [claimed, stranger] {
            let refused = check(&seal, b"elf", "x86_64-linux", "0.1.0");
            assert_eq!(refused, Err(BadSeal::Signature));
        }
    }
}

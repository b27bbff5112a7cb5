//! What holds a passkey: makes one as a browser asks, and proves it, or lies as the test wants.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

/// Somebody is there (0x01), and it was he (0x04).
const VERIFIED: u8 = 0x05;
/// A new credential comes along.
const WITH_CREDENTIAL: u8 = 0x40;

pub(crate) struct Device {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    /// What it knows its person by, once it holds a passkey.
    pub(crate) user: String,
    pub(crate) count: u32,
    pub(crate) origin: String,
    /// Another name than the one it was asked under.
    pub(crate) party: Option<String>,
    pub(crate) flags: u8,
}

impl Device {
    pub(crate) fn new(id: u8, origin: &str) -> Self {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let key = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(kind, key.as_ref(), &random).unwrap(),
            id: vec![id; 32],
            user: String::new(),
            count: 0,
            origin: origin.to_owned(),
            party: None,
            flags: VERIFIED,
        }
    }

    fn client_data(&self, kind: &str, wanted: &Value) -> Vec<u8> {
        let data = json!({ "type": kind, "challenge": wanted["challenge"], "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }

    fn head(&mut self, party: &Value, flags: u8) -> Vec<u8> {
        let party = self.party.as_deref().or(party.as_str()).unwrap();
        let mut head = digest(&SHA256, party.as_bytes()).as_ref().to_vec();
        head.push(flags);
        head.extend(self.count.to_be_bytes());
        head
    }

    /// Makes a passkey, as WebAuthn Level 3, section 6.5, has it.
    pub(crate) fn make(&mut self, wanted: &Value) -> Value {
        wanted["user"]["id"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.user);
        let client_data = self.client_data("webauthn.create", wanted);
        let mut data = self.head(&wanted["rp"]["id"], self.flags | WITH_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        // The public key as CBOR (RFC 9053, section 7.1): kind 2, algorithm -7, curve 1, x and y.
        let point = self.key.public_key().as_ref();
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let id = BASE64URL_NOPAD.encode(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key",
            "response": {
                "clientDataJSON": BASE64URL_NOPAD.encode(&client_data),
                "attestationObject": BASE64URL_NOPAD.encode(&object),
            },
        })
    }

    /// Proves that it holds its passkey. Its counter grows, as that of a security key does.
    pub(crate) fn prove(&mut self, wanted: &Value) -> Value {
        self.count += 1;
        let client_data = self.client_data("webauthn.get", wanted);
        let data = self.head(&wanted["rpId"], self.flags);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client_data).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = BASE64URL_NOPAD.encode(&self.id);
        json!({
            "id": id, "rawId": id, "type": "public-key",
            "response": {
                "clientDataJSON": BASE64URL_NOPAD.encode(&client_data),
                "authenticatorData": BASE64URL_NOPAD.encode(&data),
                "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
                "userHandle": self.user,
            },
        })
    }
}

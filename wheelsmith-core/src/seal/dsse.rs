//! Ed25519 keys in PEM, and signatures of payloads with their type (DSSE).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::Error;
use crate::name::Digest;

/// Bytes before the key in a public Ed25519 key (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Secret Ed25519 key.
pub struct SecretKey(Ed25519KeyPair);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(***)")
    }
}

impl SecretKey {
    /// Reads a key in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// Returns an error if it is another kind of key, or has a passphrase.
    pub fn from_pem(name: &str, pem: &str) -> Result<Self, Error> {
        let bad = |problem: &str| Error::Key { key: name.to_owned(), problem: problem.to_owned() };
        let der = body(pem, "PRIVATE KEY");
        let der = der.ok_or_else(|| bad("it is not a PEM file `PRIVATE KEY`"))?;
        // OpenSSL writes the first version of the format, without the public key.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der);
        Ok(Self(pair.map_err(|_| bad("it is not an Ed25519 key without a passphrase"))?))
    }

    pub(super) fn sign(&self, payload_type: &str, payload: &[u8]) -> (String, Vec<u8>) {
        let key_id = key_id(self.0.public_key().as_ref());
        (key_id, self.0.sign(&encoded(payload_type, payload)).as_ref().to_vec())
    }
}

/// Public Ed25519 key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads a key in PEM, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    /// Returns an error if it is another kind of key.
    pub fn from_pem(name: &str, pem: &str) -> Result<Self, Error> {
        let der = body(pem, "PUBLIC KEY");
        let key = der.as_ref().and_then(|der| der.strip_prefix(&SPKI)?.try_into().ok());
        key.map(Self).ok_or_else(|| Error::Key {
            key: name.to_owned(),
            problem: "it is not a PEM file with a public Ed25519 key".to_owned(),
        })
    }

    /// Returns the digest by which signatures name the key.
    pub(super) fn id(&self) -> String {
        key_id(&self.0)
    }

    pub(super) fn accepts(&self, payload_type: &str, payload: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(&encoded(payload_type, payload), signature).is_ok()
    }
}

fn key_id(key: &[u8]) -> String {
    Digest::of([&SPKI, key].concat()).to_string()
}

/// Returns the signed bytes of a payload: the lengths prevent that one payload can be read as
/// another type.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn body(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let text: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

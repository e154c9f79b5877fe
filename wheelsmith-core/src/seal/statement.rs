//! Statement about the files of a release: in-toto v1 with SLSA provenance v1, in a DSSE envelope.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::names::SUMS;
use super::{PublicKey, SecretKey, Sums};
use crate::name::Digest;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// Type of the build: a name, not the address of a page.
const BUILD_TYPE: &str = "urn:wheelsmith:release:v1";
const BUILDER: &str = "urn:wheelsmith:local";

/// A file or an input, with its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Resource {
    #[serde(default)]
    pub(super) name: String,
    pub(super) digest: DigestSet,
}

/// Digests of one file by several algorithms, of which SHA-256 is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct DigestSet {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Digest>,
}

impl Resource {
    fn new(name: &str, sha256: Digest) -> Self {
        Self { name: name.to_owned(), digest: DigestSet { sha256: Some(sha256) } }
    }
}

/// Statement: the files of a release, and the inputs that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    pub(super) subject: Vec<Resource>,
    predicate_type: String,
    #[serde(default)]
    predicate: Predicate,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Predicate {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BuildDefinition {
    build_type: String,
    external_parameters: Parameters,
    resolved_dependencies: Vec<Resource>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct RunDetails {
    builder: Builder,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Builder {
    id: String,
}

impl Statement {
    /// Creates the statement that the files of `sums` are `release`, made from `inputs`, such as lock
    /// files; `list` is the digest of the file `SHA256SUMS`.
    pub fn new(release: &str, list: Digest, sums: &Sums, inputs: &[(String, Digest)]) -> Self {
        let list = Resource::new(SUMS, list);
        let files = sums.iter().map(|(name, digest)| Resource::new(name, digest));
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: std::iter::once(list).chain(files).collect(),
            predicate_type: PROVENANCE.to_owned(),
            predicate: Predicate {
                build_definition: BuildDefinition {
                    build_type: BUILD_TYPE.to_owned(),
                    external_parameters: Parameters { release: Some(release.to_owned()) },
                    resolved_dependencies: inputs
                        .iter()
                        .map(|(name, digest)| Resource::new(name, *digest))
                        .collect(),
                },
                run_details: RunDetails { builder: Builder { id: BUILDER.to_owned() } },
            },
        }
    }

    /// Signs the statement.
    pub fn sign(&self, key: &SecretKey) -> Envelope {
        let payload = serde_json::to_vec(self).expect("texts and lists are JSON");
        let (keyid, signature) = key.sign(PAYLOAD_TYPE, &payload);
        Envelope {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Signature { keyid, sig: STANDARD.encode(signature) }],
        }
    }

    /// Returns the release that the statement names.
    pub fn release(&self) -> Option<&str> {
        self.predicate.build_definition.external_parameters.release.as_deref()
    }
}

/// DSSE envelope: a signed payload with its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

/// Reason why an envelope is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not in the format, as a clause.
    Form(String),
    /// Another key signed it.
    OtherKey,
    /// The signature does not fit the payload.
    Signature,
}

impl Envelope {
    /// Parses an envelope.
    ///
    /// # Errors
    /// Returns the reason if the text is not JSON of this form.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| error.to_string())
    }

    /// Returns the envelope as a line of JSON.
    pub fn render(&self) -> String {
        serde_json::to_string(self).expect("texts are JSON") + "\n"
    }

    /// Returns the statement without looking at the signatures.
    pub(super) fn unchecked(&self) -> Result<Statement, String> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(format!("its payload is not `{PAYLOAD_TYPE}`"));
        }
        let payload = STANDARD.decode(&self.payload).map_err(|error| error.to_string())?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
        if statement.kind != STATEMENT_TYPE {
            return Err(format!("it is not a statement `{STATEMENT_TYPE}`"));
        }
        Ok(statement)
    }

    /// Returns the statement if `key` signed it.
    pub(super) fn open(&self, key: &PublicKey) -> Result<Statement, Refusal> {
        let payload = STANDARD.decode(&self.payload).map_err(|e| Refusal::Form(e.to_string()))?;
        let is_good = |signature: &Signature| {
            let bytes = STANDARD.decode(&signature.sig);
            bytes.is_ok_and(|bytes| key.accepts(&self.payload_type, &payload, &bytes))
        };
        if !self.signatures.iter().any(is_good) {
            let names_key =
                self.signatures.iter().any(|s| s.keyid.is_empty() || s.keyid == key.id());
            return Err(if names_key { Refusal::Signature } else { Refusal::OtherKey });
        }
        self.unchecked().map_err(Refusal::Form)
    }
}

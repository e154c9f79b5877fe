//! Digests of a directory of files, signatures of the list, and a statement about it.
//!
//! `SHA256SUMS` names every file of a directory. The user's own program signs it: minisign, GPG or
//! SSH. A statement (in-toto, DSSE, Ed25519) names the same files and their inputs. `verify`
//! compares the files with the list, and the list with the keys that the user trusts.

mod dsse;
mod error;
mod names;
mod sign;
mod statement;
mod sums;
mod verify;

pub use dsse::{PublicKey, SecretKey};
pub use error::Error;
pub use names::SUMS;
pub use sign::{Signer, sign};
pub use statement::{Envelope, Statement};
pub use sums::Sums;
pub use verify::{Report, SCHEMA, SshSigner, Trust, Trusted, verify};

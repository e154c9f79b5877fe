//! Names of files, and names inside signatures.

/// File name of the list.
pub const SUMS: &str = "SHA256SUMS";

/// Endings of the files beside `SHA256SUMS` that sign it: minisign, GPG, SSH, statement.
pub(super) const MINISIGN: &str = ".minisig";
pub(super) const GPG: &str = ".asc";
pub(super) const SSH: &str = ".sig";
pub(super) const STATEMENT: &str = ".dsse.json";

/// Namespace of SSH signatures, so that a signature for another purpose is not accepted.
pub(super) const NAMESPACE: &str = "wheelsmith";
/// Notation of GPG signatures that contains the release.
pub(super) const NOTATION: &str = "release@wheelsmith";

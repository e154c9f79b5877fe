//! Reads archives: zip, tar and gzip, and directories with the same interface.

mod artifact;
pub(crate) mod blob;
pub(crate) mod codec;
pub(crate) mod content;
pub(crate) mod dir;
pub(crate) mod error;
mod expand;
pub(crate) mod gzip;
mod inflate;
mod limits;
pub(crate) mod members;
pub(crate) mod open;
pub(crate) mod pieces;
pub(crate) mod safe_path;
pub(crate) mod source;
pub(crate) mod tar;
pub(crate) mod zip;

pub use artifact::Artifact;
pub use blob::Blob;
pub use content::PackedContent;
pub use error::Error;
pub use expand::expand;
pub use limits::Limits;
pub use members::Member;
pub use open::Kind;

//! A static package index: pages for installers and people, made from files. Any web server can
//! serve it, and `file://` URLs work without one.
//!
//! [`State`] is one sorted file from which all pages follow. [`Site`] is a directory with that
//! file, the pages and the store of distributions. Every change is decided on the state first. It
//! is then published in an order in which no page ever names a missing file: files, state, pages,
//! lists of projects, and `latest` last. The clock is never read, and unchanged files are not
//! written.
//!
//! Specifications: simple repository API 1.4 (PEP 503, 592, 629, 658, 691, 700, 714, 740, 792).
//! Wheels are judged by the audit and the check, not here.

mod build;
mod cache;
mod dist_name;
mod distribution;
mod error;
mod escape;
mod html;
mod json;
mod layout;
mod page;
mod publish;
mod respond;
mod select;
mod site;
mod state;
mod state_file;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod url;
mod verify;
mod view;

pub use build::build;
pub use dist_name::DistName;
pub use distribution::Distribution;
pub use error::Error;
pub use publish::{Changes, SkipReason, Skipped};
pub use respond::Responder;
pub use select::Select;
pub use site::{Options, Site, UploadTime};
pub use state::{File, Project, Projects, State};
pub use status::Status;
pub use url::FilesUrl;
pub use verify::{Fault, FaultKind, verify};
pub use view::View;

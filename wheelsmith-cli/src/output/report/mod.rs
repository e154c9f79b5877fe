//! Other formats of a report of findings: for code hosts, test summaries and browsers.
//!
//! Each format is a pure function from the report to text. Names of files, libraries and symbols
//! are untrusted: every format writes them through [`escape`].

pub(super) mod escape;
pub(crate) mod github;
pub(crate) mod html;
pub(crate) mod junit;
pub(crate) mod sarif;
mod summary;
mod words;

pub(crate) use summary::Summary;

#[cfg(test)]
mod judges;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

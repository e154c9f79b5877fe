//! The other forms of a report of findings: for code hosts, for test summaries, for a browser.
//!
//! Each form is a pure function from the report to text. What comes out of a wheel (names of files,
//! of libraries, of symbols) is anybody's: every form writes it through [`escape`].

pub(super) mod escape;
pub(crate) mod github;
pub(crate) mod html;
pub(crate) mod junit;
pub(crate) mod sarif;
mod sheet;
mod words;

pub(crate) use sheet::Sheet;

#[cfg(test)]
mod judges;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

//! Version specifiers: `>=3.9,<4`.
//!
//! `pep440_rs` parses each specifier. This module also accepts two forms that installers and the
//! index accept and that crate refuses: empty items (`>=3.8,`), and `===` with a text that is not a
//! version.

use std::fmt;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifier};

/// List of version specifiers, all of which a version must meet (PEP 440).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specifiers(Vec<Specifier>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Specifier {
    Version(VersionSpecifier),
    /// Text after `===`, which is compared literally.
    Text(String),
}

impl Specifiers {
    /// Parses the list of a requirement, in which only the last item may be empty.
    ///
    /// # Errors
    /// Returns the reason as a clause.
    pub(super) fn of_requirement(text: &str) -> Result<Self, String> {
        let list = text.trim();
        let list = list.strip_suffix(',').filter(|rest| !rest.trim().is_empty()).unwrap_or(list);
        if !list.is_empty() && list.split(',').any(|item| item.trim().is_empty()) {
            return Err(format!("`{}` has a comma without a version", text.trim()));
        }
        list.parse()
    }

    /// True if the list is empty, so that every version meets it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if uv accepts the list too. After `===`, uv accepts versions only.
    pub(crate) fn is_read_by_uv(&self) -> bool {
        self.0.iter().all(|specifier| match specifier {
            Specifier::Version(_) => true,
            Specifier::Text(text) => text.parse::<Version>().is_ok(),
        })
    }

    /// True if `version` meets every specifier.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|specifier| match specifier {
            Specifier::Version(specifier) => specifier.contains(version),
            Specifier::Text(text) => version.to_string().eq_ignore_ascii_case(text),
        })
    }
}

impl FromStr for Specifiers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items.map(Specifier::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Specifier {
    fn parse(item: &str) -> Result<Self, String> {
        if let Some(text) = item.strip_prefix("===") {
            let text = text.trim();
            if text.is_empty() || text.contains([' ', '\t', ';', ')']) {
                return Err(format!("`{item}` needs one word after `===`"));
            }
            return Ok(Self::Text(text.to_owned()));
        }
        // The crate's errors draw arrows after their first line.
        let words = |error: String| error.lines().next().unwrap_or_default().to_owned();
        let specifier =
            item.parse::<VersionSpecifier>().map_err(|error| words(error.to_string()))?;
        Ok(Self::Version(specifier))
    }
}

impl fmt::Display for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, specifier) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            match specifier {
                Specifier::Version(specifier) => write!(f, "{specifier}")?,
                Specifier::Text(text) => write!(f, "==={text}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_the_index_reads_them() {
        let check = |text: &str, expected: Option<&str>, in_requirement: bool| {
            let parsed = text.parse::<Specifiers>().ok().map(|list| list.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
            assert_eq!(Specifiers::of_requirement(text).is_ok(), in_requirement, "{text}");
        };
        check("", Some(""), true);
        check(">= 3.9, <4", Some(">=3.9,<4"), true);
        check(">=3.8,", Some(">=3.8"), true);
        check(",>=3.8", Some(">=3.8"), false);
        check(">=3.8,,<4", Some(">=3.8,<4"), false);
        check(",", Some(""), false);
        check("===1.0-custom", Some("===1.0-custom"), true);
        check("=== anything+at_all", Some("===anything+at_all"), true);
        check("===", None, false);
        check("=== a b", None, false);
        check("3.9", None, false);
        check("~=1", None, false);
        check("==1.*,!=1.2.*", Some("==1.*,!=1.2.*"), true);
        check(">=1.*", None, false);
        let list: Specifiers = ">=3,===3.1".parse().unwrap();
        assert!(list.contains(&"3.1".parse().unwrap()));
        assert!(!list.contains(&"3.1.0".parse().unwrap()));
    }
}

//! Where wheels are published.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ParseError;

/// Where a file is to be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Index {
    /// The public index, with all of its rules.
    #[default]
    Pypi,
    /// One's own: what only the public index refuses is a warning.
    Private,
}

impl FromStr for Index {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "pypi" => Ok(Self::Pypi),
            "private" => Ok(Self::Private),
            _ => Err(ParseError::new(text, "`pypi` or `private`")),
        }
    }
}

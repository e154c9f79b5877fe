//! Kinds of package indexes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ParseError;

/// Index that a file is to be published on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Index {
    /// The public index, with all its rules.
    #[default]
    Pypi,
    /// A private index: rules of the public index alone give warnings.
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

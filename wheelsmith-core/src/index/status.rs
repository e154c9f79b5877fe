//! Status of a project (PEP 792).

use serde::{Deserialize, Serialize};

use crate::name::ParseError;

/// Status of a project (PEP 792).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Normal.
    #[default]
    Active,
    /// Accepts no new files.
    Archived,
    /// Offers no files and accepts none.
    Quarantined,
    /// Replaced by another project.
    Deprecated,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Archived, Self::Quarantined, Self::Deprecated];

    /// Returns the name in the specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Quarantined => "quarantined",
            Self::Deprecated => "deprecated",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_active(&self) -> bool {
        *self == Self::Active
    }

    pub(super) fn takes_files(self) -> bool {
        matches!(self, Self::Active | Self::Deprecated)
    }
}

impl std::str::FromStr for Status {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| {
            ParseError::new(text, "a status: `active`, `archived`, `quarantined` or `deprecated`")
        })
    }
}

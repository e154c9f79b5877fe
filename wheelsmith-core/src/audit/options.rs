//! Options of an audit.

use super::Allowances;
use crate::archive::Limits;

/// Options of an audit.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct AuditOptions {
    /// Tag that the files must qualify for, instead of those of the name. A tag without its
    /// processor (`manylinux_2_28`) gets that of the files.
    pub tag: Option<String>,
    /// Libraries that are allowed beyond the policy.
    pub allowances: Allowances,
    /// Whether native files inside other files and paths of the build machine are reported too.
    pub deep: bool,
    /// Limits on the amount of data that is read.
    pub limits: Limits,
}

impl AuditOptions {
    /// Requires `tag` instead of the tags of the name.
    #[must_use]
    pub fn with_tag(mut self, tag: Option<String>) -> Self {
        self.tag = tag;
        self
    }

    /// Allows libraries beyond the policy.
    #[must_use]
    pub fn with_allowances(mut self, allowances: Allowances) -> Self {
        self.allowances = allowances;
        self
    }

    /// Also searches inside other files.
    #[must_use]
    pub fn with_deep(mut self, deep: bool) -> Self {
        self.deep = deep;
        self
    }

    /// Changes the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

//! Names of the configuration's file and table.

/// File that the tools of a Python project share.
pub(super) const PYPROJECT: &str = "pyproject.toml";

/// Table of the configuration in a file.
pub(super) const ROOT: &str = "tool.wheelsmith";

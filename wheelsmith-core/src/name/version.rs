//! Versions of platforms.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, serde_by_text};

/// Version `major.minor` of a platform: glibc `2.17`, musl `1.2`, macOS `11.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformVersion {
    /// Number before the dot.
    pub major: u16,
    /// Number after the dot.
    pub minor: u16,
}

impl PlatformVersion {
    /// Creates the version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for PlatformVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for PlatformVersion {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let part = |s: &str| {
            let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            let canonical = s == "0" || !s.starts_with('0');
            (digits && canonical).then(|| s.parse::<u16>().ok()).flatten()
        };
        text.split_once('.')
            .and_then(|(major, minor)| Some(Self::new(part(major)?, part(minor)?)))
            .ok_or_else(|| ParseError::new(text, "a version such as `2.17`"))
    }
}

serde_by_text!(PlatformVersion);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let v = |s: &str| s.parse::<PlatformVersion>().unwrap();
        assert!(v("2.5") < v("2.17"));
        assert_eq!(v("2.17").to_string(), "2.17");
        for bad in ["", "2", "2.", ".17", "2.17.1", "2.x", "+2.17", "2.017", "2.99999"] {
            bad.parse::<PlatformVersion>().unwrap_err();
        }
    }
}

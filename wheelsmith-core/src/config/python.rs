//! Requests for Pythons.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::name::{ParseError, serde_by_text};

/// Request for a Python: `3.12`, `3.12.1`, `3.13t`, `pypy3.10`, or a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Version of an implementation.
    Version {
        /// `cpython`, `pypy`.
        implementation: String,
        /// Major, minor and optional patch version.
        version: Vec<u32>,
        /// True if it has no global interpreter lock.
        free_threaded: bool,
    },
    /// Path of a program.
    Path(PathBuf),
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { implementation, version, free_threaded } => {
                if implementation != "cpython" {
                    f.write_str(implementation)?;
                }
                let numbers: Vec<String> = version.iter().map(u32::to_string).collect();
                f.write_str(&numbers.join("."))?;
                f.write_str(if *free_threaded { "t" } else { "" })
            }
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

impl FromStr for Request {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains(['/', '\\']) {
            return Ok(Self::Path(text.into()));
        }
        let error = || ParseError::new(text, "a Python (such as `3.12`, `3.13t` or a path)");
        let split = text.find(|c: char| c.is_ascii_digit()).ok_or_else(error)?;
        let implementation = match &text[..split] {
            "" | "python" | "cpython" => "cpython",
            "pypy" => "pypy",
            _ => return Err(error()),
        };
        let rest = &text[split..];
        let numbers = rest.strip_suffix('t').unwrap_or(rest);
        let version: Result<Vec<u32>, _> = numbers.split('.').map(str::parse).collect();
        let version = version.map_err(|_| error())?;
        if !(1..=3).contains(&version.len()) || version[0] > 9 {
            return Err(error());
        }
        let free_threaded = rest.ends_with('t');
        Ok(Self::Version { implementation: implementation.to_owned(), version, free_threaded })
    }
}

serde_by_text!(Request);

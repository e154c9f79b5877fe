//! File names of wheels.

use std::fmt;
use std::str::FromStr;

use super::{ParseError, PlatformTag, PythonTag, serde_by_text};

/// `name-version[-build]-python-abi-platform.whl`.
///
/// Source: binary distribution format specification (PEP 427, PEP 491).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFilename {
    /// Project name, escaped: `tiny_pkg`.
    pub name: String,
    /// Version.
    pub version: String,
    /// Build tag, which begins with a digit.
    pub build: Option<String>,
    /// Python and ABI tags.
    pub python: PythonTag,
    /// Platform tags, sorted.
    pub platforms: Vec<PlatformTag>,
}

impl WheelFilename {
    /// Returns every single tag of the name, sorted, as in the `Tag` lines of `WHEEL`.
    pub fn expanded_tags(&self) -> Vec<String> {
        let mut tags = Vec::new();
        for python in &self.python.python {
            for abi in &self.python.abi {
                for platform in &self.platforms {
                    tags.push(format!("{python}-{abi}-{platform}"));
                }
            }
        }
        tags.sort();
        tags.dedup();
        tags
    }

    /// Returns `name-version`, the stem of `.dist-info` and `.data`.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl fmt::Display for WheelFilename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.name, self.version)?;
        if let Some(build) = &self.build {
            write!(f, "-{build}")?;
        }
        let platforms: Vec<String> = self.platforms.iter().map(PlatformTag::to_string).collect();
        write!(f, "-{}-{}.whl", self.python, platforms.join("."))
    }
}

impl FromStr for WheelFilename {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || {
            ParseError::new(
                text,
                "a wheel's file name (such as `demo-1.0-py3-none-manylinux_2_17_x86_64.whl`)",
            )
        };
        let parts: Vec<&str> = text.strip_suffix(".whl").ok_or_else(error)?.split('-').collect();
        let (name, version, build, rest) = match parts[..] {
            [name, version, python, abi, platform] => {
                (name, version, None, [python, abi, platform])
            }
            [name, version, build, python, abi, platform] => {
                (name, version, Some(build), [python, abi, platform])
            }
            _ => return Err(error()),
        };
        let word = |c: char| c.is_ascii_alphanumeric() || "_.+!".contains(c);
        let plain = |s: &str| !s.is_empty() && s.chars().all(word);
        let numbered = |b: &str| plain(b) && b.starts_with(|c: char| c.is_ascii_digit());
        if !plain(name) || !plain(version) || !build.is_none_or(numbered) {
            return Err(error());
        }
        let mut platforms = rest[2]
            .split('.')
            .map(|tag| tag.parse().map_err(|_| error()))
            .collect::<Result<Vec<PlatformTag>, _>>()?;
        platforms.sort_by_key(PlatformTag::to_string);
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build: build.map(str::to_owned),
            python: format!("{}-{}", rest[0], rest[1]).parse().map_err(|_| error())?,
            platforms,
        })
    }
}

serde_by_text!(WheelFilename);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_they_print() {
        for text in [
            "demo-1.0-py3-none-any.whl",
            "tiny_pkg-1.0+cu12-2x-cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        ] {
            assert_eq!(text.parse::<WheelFilename>().unwrap().to_string(), text);
        }
        for bad in [
            "demo-1.0-py3-none-any.zip",
            "demo-1.0-py3-none.whl",
            "demo-1.0-x-py3-none-any.whl",
            "demo-1.0--py3-none-any.whl",
            "a-b-c-1.0-py3-none-any.whl",
            "a/b-1.0-py3-none-any.whl",
        ] {
            bad.parse::<WheelFilename>().unwrap_err();
        }
    }

    #[test]
    fn sets_expand() {
        let name: WheelFilename =
            "a-1-py2.py3-none-manylinux_2_5_i686.manylinux1_i686.whl".parse().unwrap();
        assert_eq!(
            name.expanded_tags(),
            [
                "py2-none-manylinux1_i686",
                "py2-none-manylinux_2_5_i686",
                "py3-none-manylinux1_i686",
                "py3-none-manylinux_2_5_i686",
            ]
        );
    }
}

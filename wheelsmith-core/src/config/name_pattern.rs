//! Patterns of the names of packages: `{name}-{version}-{triple}.{ext}`.

use std::fmt;
use std::str::FromStr;

use super::diagnose::did_you_mean;
use crate::name::{Os, ParseError, Target, serde_by_text};

/// Placeholders of a pattern.
const PLACEHOLDERS: [&str; 8] =
    ["name", "version", "pep440", "triple", "os", "arch", "libc", "ext"];

/// Name of a file or directory with placeholders: `{name}-{version}-{triple}.{ext}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamePattern(String);

/// Values of the placeholders that do not follow from the target.
#[derive(Debug, Clone, Copy)]
pub struct NameValues<'a> {
    /// Name of the package.
    pub name: &'a str,
    /// Version in the form of SemVer.
    pub version: &'a str,
    /// Version in the form of PEP 440.
    pub pep440: &'a str,
    /// Extension without a dot, such as `tar.gz`.
    pub ext: &'a str,
}

impl NamePattern {
    /// Returns the name with every placeholder filled in.
    pub fn fill(&self, values: NameValues<'_>, target: Target) -> String {
        let mut name = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').unwrap_or((after, ""));
            name.push_str(before);
            name.push_str(&match placeholder {
                "name" => values.name.to_owned(),
                "version" => values.version.to_owned(),
                "pep440" => values.pep440.to_owned(),
                "ext" => values.ext.to_owned(),
                "os" => target.os().family().to_owned(),
                // The arch of a combined target is that of its first slice.
                "arch" if !target.slices().is_empty() => "universal2".to_owned(),
                "arch" => target.arch().to_string(),
                "libc" => match target.os() {
                    Os::Linux(libc) => libc.to_string(),
                    Os::MacOs | Os::Windows => String::new(),
                },
                _ => target.triple().to_owned(),
            });
            rest = after;
        }
        name + rest
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if the pattern contains `{placeholder}`.
    pub fn has(&self, placeholder: &str) -> bool {
        self.0.contains(&format!("{{{placeholder}}}"))
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NamePattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let expected = "a name with placeholders such as `{name}-{version}-{triple}.{ext}`";
        let error = || ParseError::new(text, expected);
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (placeholder, after) = after.split_once('}').ok_or_else(error)?;
            if !PLACEHOLDERS.contains(&placeholder) {
                let nearest = did_you_mean(placeholder, PLACEHOLDERS);
                let nearest = nearest.and_then(|help| Some(help.split('`').nth(1)?.to_owned()));
                let suggestion = nearest.map(|nearest| {
                    text.replacen(&format!("{{{placeholder}}}"), &format!("{{{nearest}}}"), 1)
                });
                return Err(ParseError { suggestion, ..error() });
            }
            plain.push_str(before);
            rest = after;
        }
        plain.push_str(rest);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if text.is_empty() || text.starts_with(['.', '-']) || !plain.chars().all(is_plain) {
            return Err(error());
        }
        Ok(Self(text.to_owned()))
    }
}

serde_by_text!(NamePattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_filled_by_target() {
        let values =
            NameValues { name: "box", version: "1.0.0-rc.1", pep440: "1.0rc1", ext: "zip" };
        let check = |pattern: &str, triple: &str, expected: &str| {
            let pattern: NamePattern = pattern.parse().unwrap();
            assert_eq!(pattern.fill(values, triple.parse().unwrap()), expected);
        };
        let gnu = "x86_64-unknown-linux-gnu.2.28";
        check(
            "{name}-{version}-{triple}.{ext}",
            gnu,
            "box-1.0.0-rc.1-x86_64-unknown-linux-gnu.zip",
        );
        check("{name}-latest-{os}-{arch}-{libc}", gnu, "box-latest-linux-x86_64-glibc");
        check("{name}{pep440}{arch}", "universal2-apple-darwin", "box1.0rc1universal2");
        check("b-{os}{libc}", "aarch64-pc-windows-gnu", "b-windows");
    }

    #[test]
    fn wrong_patterns_are_refused() {
        let check = |text: &str, suggestion: Option<&str>| {
            let error = text.parse::<NamePattern>().unwrap_err();
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
        };
        check("", None);
        check("{name", None);
        check("{nmae}.zip", Some("{name}.zip"));
        check("a/{name}", None);
        check("a\\b", None);
        check("../{name}", None);
        check(".{name}", None);
        check("-{name}", None);
        check("a b", None);
        check("a\n", None);
        check("{}", None);
    }
}

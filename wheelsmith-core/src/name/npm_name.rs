//! Names of npm packages.

use std::fmt;
use std::str::FromStr;

use super::ParseError;

/// Name of an npm package: lower case, at most 214 characters, with an optional scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NpmName(String);

impl NpmName {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the tarball, as `npm pack` writes it: `scope-demo-1.0.0.tgz`.
    pub fn tarball(&self, version: &str) -> String {
        let name = self.0.strip_prefix('@').unwrap_or(&self.0).replace('/', "-");
        format!("{name}-{version}.tgz")
    }
}

impl fmt::Display for NpmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NpmName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let is_word = |word: &str| {
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.~".contains(c);
            !word.is_empty() && !word.starts_with(['.', '_', '-']) && word.chars().all(is_plain)
        };
        let is_name = match text.strip_prefix('@') {
            Some(rest) => {
                rest.split_once('/').is_some_and(|(scope, name)| is_word(scope) && is_word(name))
            }
            None => is_word(text) && !["node_modules", "favicon.ico"].contains(&text),
        };
        if is_name && text.len() <= 214 {
            return Ok(Self(text.to_owned()));
        }
        let expected = "the name of an npm package (lower case, such as `@scope/demo`)";
        let lower = text.to_ascii_lowercase();
        let suggestion = (lower != text && lower.parse::<Self>().is_ok()).then_some(lower);
        Err(ParseError { suggestion, ..ParseError::new(text, expected) })
    }
}

super::serde_by_text!(NpmName);

/// Returns the word of npm and of `process.arch` for a processor.
#[cfg(any(feature = "build", feature = "check-packages"))]
pub(crate) const fn npm_cpu(arch: super::Arch) -> &'static str {
    use super::Arch;
    match arch {
        Arch::Aarch64 => "arm64",
        Arch::Armv7l => "arm",
        Arch::I686 => "ia32",
        Arch::Loongarch64 => "loong64",
        Arch::Ppc64 | Arch::Ppc64le => "ppc64",
        Arch::Riscv64 => "riscv64",
        Arch::S390x => "s390x",
        Arch::X86_64 => "x64",
    }
}

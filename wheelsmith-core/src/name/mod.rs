//! Names and versions as types: targets, platform tags, file names, digests, paths inside archives. A
//! value is valid by construction, and what it prints parses to the same value.

mod digest;
mod host;
mod index;
mod npm_name;
mod portable;
mod project_name;
mod python;
mod size;
mod tag;
mod target;
mod version;
mod wheel_filename;
mod wheel_path;

pub use digest::Digest;
pub use host::host_target;
pub use index::Index;
pub use npm_name::NpmName;
#[cfg(any(feature = "build", feature = "check-packages"))]
pub(crate) use npm_name::npm_cpu;
pub use portable::{NameProblem, portability_problem};
pub use project_name::ProjectName;
#[cfg_attr(
    not(all(feature = "audit", feature = "build")),
    allow(unused_imports, reason = "each feature uses its own part")
)]
pub(crate) use python::{FIRST_TO_TELL_MUSL, FIRST_WITH_ABI3T, linux_systems};
pub use python::{PythonAbi, PythonVersion};
pub use size::size_text;
pub use tag::{
    AndroidAbi, IosSdk, LegacyManylinux, MacArch, OtherTag, PlatformTag, PythonTag, WasmAbi,
    WindowsArch,
};
pub use target::{Arch, Floor, Libc, Os, TARGETS, Target, TargetRow};
pub use version::PlatformVersion;
pub use wheel_filename::WheelFilename;
pub use wheel_path::WheelPath;
#[cfg(any(feature = "wheel", feature = "check"))]
pub(crate) use wheel_path::clashes;
#[cfg(feature = "wheel")]
pub(crate) use wheel_path::folded;

/// File name of the manifest, which describes a runtime directory.
pub const RUNTIME_MANIFEST: &str = "runtime.json";

/// Error about a text that is not a value of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}{}", on_one_line(text), meant(suggestion.as_deref()))]
pub struct ParseError {
    /// Text as given.
    pub text: String,
    /// Expected form, as a noun phrase with an example.
    pub expected: &'static str,
    /// Nearest valid text.
    pub suggestion: Option<String>,
}

impl ParseError {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.to_owned(), expected, suggestion: None }
    }
}

/// Returns `text` with its line breaks, other control characters and changes of direction escaped,
/// because it may come from a file and reach a terminal.
fn on_one_line(text: &str) -> String {
    let is_direction = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_direction(c) {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// Serialises a type through its `Display` and reads it through its `FromStr`.
macro_rules! serde_by_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    };
}
pub(crate) use serde_by_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_on_one_line() {
        let text = ParseError::new("a\nb\u{1b}[31m\u{202e}ü 'x' C:\\d", "a name").to_string();
        assert_eq!(text, "`a\\nb\\u{1b}[31m\\u{202e}ü 'x' C:\\d` is not a name");
    }
}

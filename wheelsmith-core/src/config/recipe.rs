//! Components that have a build system of their own.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::output::Output;
use crate::name::WheelPath;

/// Component that is built by a build system of its own, and its outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all(deserialize = "kebab-case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recipe {
    /// Build system.
    #[serde(skip_deserializing)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub system: System,
    /// Directory of the source in which the build starts; its root if absent.
    pub dir: Option<WheelPath>,
    /// Additional arguments of the configure step.
    pub configure: Vec<String>,
    /// Targets to build, and additional arguments of that step.
    pub build: Vec<String>,
    /// Targets that install; `["install"]` if absent. With an empty list nothing is installed, and
    /// outputs come from `{build}/`.
    pub install: Vec<String>,
    /// Commands, in order; each a list of a program and its arguments.
    pub run: Vec<Run>,
    /// True if each entry of `run` is a line for `/bin/sh` instead.
    #[serde(skip_serializing)]
    pub shell: bool,
    /// Additional environment variables of every step.
    pub env: BTreeMap<String, String>,
    /// Additional arguments of the compilers.
    pub flags: Vec<String>,
    /// Additional arguments of the link line.
    pub link_flags: Vec<String>,
    /// System libraries that users of its static libraries must link to as well.
    pub libraries: Vec<String>,
    /// Installation prefix that the build is configured for; `/usr` if absent.
    pub prefix: String,
    /// Files that are taken from the installation.
    pub outputs: Vec<Output>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            system: System::default(),
            dir: None,
            configure: Vec::new(),
            build: Vec::new(),
            install: vec!["install".to_owned()],
            run: Vec::new(),
            shell: false,
            env: BTreeMap::new(),
            flags: Vec::new(),
            link_flags: Vec::new(),
            libraries: Vec::new(),
            prefix: "/usr".to_owned(),
            outputs: Vec::new(),
        }
    }
}

/// Build system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// cmake, with make or ninja.
    #[default]
    Cmake,
    /// A makefile.
    Make,
    /// A `configure` script and make.
    Autotools,
    /// meson and ninja.
    Meson,
    /// Commands.
    Command,
}

impl System {
    /// Returns the word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cmake => "cmake",
            Self::Make => "make",
            Self::Autotools => "autotools",
            Self::Meson => "meson",
            Self::Command => "command",
        }
    }
}

/// Command of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Run {
    /// Program and its arguments.
    Words(Vec<String>),
    /// Line for `/bin/sh -e -u -c`.
    Shell(String),
}

impl<'de> Deserialize<'de> for Run {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Run;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a program and its arguments, or a line with `shell = true`")
            }

            fn visit_str<E>(self, line: &str) -> Result<Run, E> {
                Ok(Run::Shell(line.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Run, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Run::Words)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Run {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Run".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }]
        })
    }
}

/// Placeholders in arguments and variables of a recipe: `{prefix}`.
pub const PLACEHOLDERS: [&str; 13] = [
    "ar", "build", "cc", "cxx", "gnu", "jobs", "needs", "prefix", "project", "ranlib", "source",
    "stage", "target",
];

/// Returns `text` with each placeholder replaced by its `value`. A word in braces without a value
/// is kept, and so is a word after `$`, which belongs to a shell or a makefile.
///
/// ```
/// use wheelsmith_core::config::fill;
/// let filled = fill("--prefix={prefix} ${prefix} {a,b}", |word| (word == "prefix").then(|| "/usr".into()));
/// assert_eq!(filled, "--prefix=/usr ${prefix} {a,b}");
/// ```
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let word = from[1..].split_once('}').map(|(word, _)| word);
        let known =
            word.filter(|_| !before.ends_with('$')).and_then(|word| Some((word, value(word)?)));
        if let Some((word, text)) = known {
            filled.push_str(&text);
            rest = &from[word.len() + 2..];
        } else {
            filled.push('{');
            rest = &from[1..];
        }
    }
    filled.push_str(rest);
    filled
}

/// Returns the first word in braces in `text` that looks like a placeholder but is unknown.
pub(super) fn unknown_placeholder(text: &str) -> Option<String> {
    let unknown = std::cell::RefCell::new(None);
    fill(text, |word| {
        let plain = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        if plain && !PLACEHOLDERS.contains(&word) {
            unknown.borrow_mut().get_or_insert_with(|| word.to_owned());
        }
        None
    });
    unknown.into_inner()
}

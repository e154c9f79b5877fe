//! Entry of `run`: a list of words, or a line for a shell.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// Entry of `run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RunEntry {
    /// Program and its arguments.
    Words(Vec<String>),
    /// Line for a shell.
    Line(String),
}

impl<'de> Deserialize<'de> for RunEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = RunEntry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a program and its arguments, or a line with `shell = true`")
            }

            fn visit_str<E>(self, line: &str) -> Result<RunEntry, E> {
                Ok(RunEntry::Line(line.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> Result<RunEntry, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(RunEntry::Words(words))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RunEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Run".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }]
        })
    }
}

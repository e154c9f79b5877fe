//! Kinds of components: the type that each is read into, and the keys of that type that it lacks.
//!
//! The list of known keys, and the kinds to which a misplaced key belongs, follow from the types.

use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::component::CExtensionTable;
use super::diagnose::{Locator, Problem, did_you_mean};
use super::source_table::SourceTable;
use super::{Bpf, C, CForm, Cargo, Component, Files, Go, Kind, Prebuilt, Recipe, System};

/// Kind of component.
struct KindRow {
    word: &'static str,
    #[cfg(feature = "schema")]
    description: &'static str,
    /// Keys of the type.
    keys: fn() -> &'static [&'static str],
    /// Keys of the type, and of all components, that components of this kind do not have.
    without: &'static [&'static str],
    read: for<'i> fn(Spanned<DeValue<'i>>) -> Result<Kind, toml::de::Error>,
    #[cfg(feature = "schema")]
    schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

macro_rules! kind {
    ($word:literal, $description:literal, $table:ty, $kind:expr, without $without:expr) => {
        KindRow {
            word: $word,
            #[cfg(feature = "schema")]
            description: $description,
            keys: keys::<$table>,
            without: &$without,
            read: |value| <$table>::deserialize(ValueDeserializer::from(value)).map($kind),
            #[cfg(feature = "schema")]
            schema: <$table as schemars::JsonSchema>::json_schema,
        }
    };
}

/// All kinds.
#[rustfmt::skip]
static KINDS: [KindRow; 15] = [
    kind!("c-library", "A shared library from C, and a static one of the same objects.",
        C, c(CForm::Library), without ["needs", "languages", "libc", "freestanding"]),
    kind!("c-shared", "A shared library from C.",
        C, c(CForm::Shared), without ["needs", "languages", "libc", "freestanding"]),
    kind!("c-static", "A static library from C.", C, c(CForm::Static),
        without ["needs", "languages", "soname", "version-script", "allow-undefined", "link-flags"]),
    kind!("c-executable", "A program from C.", C, c(CForm::Executable),
        without ["needs", "languages", "soname", "version-script", "allow-undefined"]),
    kind!("c-extension", "An extension module of Python from C.",
        CExtensionTable, CExtensionTable::into_kind, without ["needs", "languages"]),
    kind!("cargo", "Libraries and programs of a Rust package.",
        Cargo, Kind::Cargo, without ["needs"]),
    kind!("bpf", "BPF programs for the kernel of Linux.",
        Bpf, Kind::Bpf, without ["needs", "languages", "libc"]),
    kind!("go", "Program or library of a Go module.", Go, Kind::Go, without ["needs"]),
    kind!("prebuilt", "Binaries that were built elsewhere.",
        Prebuilt, Kind::Prebuilt, without ["link", "needs", "languages", "libc"]),
    kind!("files", "Files that need no building.",
        Files, Kind::Files, without ["link", "needs", "languages", "libc"]),
    kind!("cmake", "Built by cmake.",
        Recipe, recipe(System::Cmake), without ["run", "shell"]),
    kind!("make", "Built by a makefile.",
        Recipe, recipe(System::Make), without ["configure", "run", "shell"]),
    kind!("autotools", "Built by `configure` and make.",
        Recipe, recipe(System::Autotools), without ["run", "shell"]),
    kind!("meson", "Built by meson.",
        Recipe, recipe(System::Meson), without ["run", "shell"]),
    kind!("command", "Built by commands.",
        Recipe, recipe(System::Command), without ["configure", "build", "install"]),
];

fn c(form: CForm) -> impl Fn(C) -> Kind {
    move |c| Kind::C(C { form, ..c })
}

fn recipe(system: System) -> impl Fn(Recipe) -> Kind {
    move |recipe| Kind::Recipe(Recipe { system, ..recipe })
}

impl KindRow {
    /// Returns all keys of components of this kind.
    fn known(&self) -> impl Iterator<Item = &'static str> {
        let keys = [keys::<Head>(), keys::<Component>(), (self.keys)()];
        keys.into_iter().flatten().copied().filter(|key| !self.without.contains(key))
    }
}

/// Keys of every component that decide how the others are read, or are converted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Head {
    /// Kind of the component.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    kind: KindName,
    /// Origin of its source; the project directory if absent.
    source: Option<SourceTable>,
}

/// `kind`.
struct KindName(&'static KindRow);

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let row = KINDS.iter().find(|row| row.word == word);
        row.map(KindName).ok_or_else(|| {
            let known: Vec<String> = KINDS.iter().map(|row| format!("`{}`", row.word)).collect();
            let message = format!("unknown variant `{word}`, expected one of {}", known.join(", "));
            serde::de::Error::custom(message)
        })
    }
}

/// Returns the keys of a table type.
fn keys<T: DeserializeOwned>() -> &'static [&'static str] {
    /// Records the field names of a type during deserialization.
    struct Fields(&'static [&'static str]);
    impl<'de> Deserializer<'de> for &mut Fields {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("only the fields are read"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }
    let mut fields = Fields(&[]);
    drop(T::deserialize(&mut fields));
    fields.0
}

/// Reads the component at `key`, and its `source` as written. Adds mistakes to `problems`.
pub(super) fn read(
    value: Spanned<DeValue<'_>>,
    key: &str,
    locator: &Locator<'_>,
    problems: &mut Vec<Problem>,
) -> Option<(Component, Option<SourceTable>)> {
    let span = value.span();
    let (mut head, mut common, mut own) = (DeTable::new(), DeTable::new(), DeTable::new());
    match value.into_inner() {
        DeValue::Table(table) => {
            for (name, value) in table {
                let is_in = |keys: &[&str]| keys.contains(&&**name.get_ref());
                let part = match () {
                    () if is_in(keys::<Head>()) => &mut head,
                    () if is_in(keys::<Component>()) => &mut common,
                    () => &mut own,
                };
                part.insert(name, value);
            }
        }
        other => {
            let read = Head::deserialize(ValueDeserializer::from(Spanned::new(span, other)));
            problems.extend(read.err().map(|error| locator.problem(&error)));
            return None;
        }
    }
    let whole = |table| ValueDeserializer::from(Spanned::new(span.clone(), DeValue::Table(table)));
    let mut note = |error: toml::de::Error| problems.push(locator.problem(&error));
    let head = Head::deserialize(whole(head)).map_err(&mut note).ok()?;
    let row = head.kind.0;
    let foreign = |name: &str| !row.known().any(|known| known == name);
    for table in [&mut common, &mut own] {
        let names: Vec<String> = table.keys().map(|name| name.get_ref().to_string()).collect();
        for name in names.iter().filter(|name| foreign(name)) {
            table.remove(name.as_str());
            problems.push(unknown_key(&format!("{key}.{name}"), name, row, locator));
        }
    }
    let mut note = |error: toml::de::Error| problems.push(locator.problem(&error));
    let component = Component::deserialize(whole(common)).map_err(&mut note).ok()?;
    let own = Spanned::new(span.clone(), DeValue::Table(own));
    let kind = (row.read)(own).map_err(&mut note).ok()?;
    Some((Component { kind, ..component }, head.source))
}

/// Returns a problem for a key that components of the kind `row` do not have.
fn unknown_key(key: &str, name: &str, row: &KindRow, locator: &Locator<'_>) -> Problem {
    let has_key = |row: &&KindRow| row.known().any(|known| known == name);
    let owners: Vec<&str> = KINDS.iter().filter(has_key).map(|row| row.word).collect();
    if !owners.is_empty() {
        let message = format!("components of kind `{}` do not have this key", row.word);
        return locator.at(key, message, Some(format!("it belongs to: {}", owners.join(", "))));
    }
    let help = did_you_mean(name, row.known())
        .unwrap_or_else(|| format!("known names: {}", row.known().collect::<Vec<_>>().join(", ")));
    locator.at(key, format!("unknown key `{name}`"), Some(help))
}

/// `component`: [`read`] reads the list, with a type for each kind.
#[derive(Debug, Default)]
pub(super) struct Components;

impl<'de> Deserialize<'de> for Components {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<IgnoredAny>::deserialize(deserializer).map(|_| Self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Components {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Components".into()
    }

    /// Returns one alternative for each kind, with the keys of that kind alone.
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let head = Head::json_schema(generator).to_value();
        let common = Component::json_schema(generator).to_value();
        let kinds: Vec<serde_json::Value> = KINDS
            .iter()
            .map(|row| {
                let own = (row.schema)(generator).to_value();
                let mut properties = serde_json::Map::new();
                for part in [&common, &head, &own] {
                    properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
                }
                properties.retain(|key, _| row.known().any(|known| known == key));
                properties["kind"] = serde_json::json!({ "const": row.word });
                serde_json::json!({
                    "type": "object",
                    "description": row.description,
                    "properties": properties,
                    "required": ["name", "kind"],
                    "additionalProperties": false,
                })
            })
            .collect();
        schemars::json_schema!({ "type": "array", "items": { "oneOf": kinds } })
    }
}

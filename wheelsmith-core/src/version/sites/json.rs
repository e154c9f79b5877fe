//! Values of JSON files with their byte ranges.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

use super::range_of;

/// Object of a JSON file; its values are slices of the file's text.
pub(super) type Object<'t> = BTreeMap<String, &'t RawValue>;

/// Parses the object that `text` contains.
pub(super) fn parse(text: &str) -> Result<Object<'_>, String> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(body).map_err(|error| error.to_string())
}

/// Returns the object in a value; an empty one if it is none.
pub(super) fn object<'t>(value: Option<&&'t RawValue>) -> Object<'t> {
    value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

/// Returns the text of a string value.
pub(super) fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Returns the range in `file` of the content of a string value without escape sequences.
pub(super) fn content(file: &str, value: &RawValue) -> Option<Range<usize>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains('\\')).then(|| range_of(file, inner))
}

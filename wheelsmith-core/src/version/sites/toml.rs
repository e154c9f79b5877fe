//! Values of TOML files with their byte ranges.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML file.
#[derive(Debug)]
pub(in crate::version) struct TomlFile<'t> {
    pub(in crate::version) text: &'t str,
    pub(in crate::version) root: DeTable<'t>,
    /// Length of the byte order mark.
    start: usize,
}

impl<'t> TomlFile<'t> {
    /// Parses `text`; the error is the parser's message with its line.
    pub(in crate::version) fn parse(text: &'t str) -> Result<Self, String> {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let start = text.len() - body.len();
        let root = DeTable::parse(body).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = body[..at.min(body.len())].matches('\n').count() + 1;
            format!("line {line}: {}", error.message())
        })?;
        Ok(Self { text, root: root.into_inner(), start })
    }

    /// Returns the range of the content of a string value; `None` if it is no string, or one with
    /// escape sequences.
    pub(super) fn content(&self, value: &Spanned<DeValue<'_>>) -> Option<Range<usize>> {
        let DeValue::String(content) = value.get_ref() else { return None };
        let span = value.span();
        let (start, end) = (span.start + self.start, span.end + self.start);
        let literal = self.text.get(start..end)?;
        let at = literal.find(content.as_ref())?;
        let quotes = literal.len() - content.len();
        // The quotes on both sides have the same length.
        (2 * at == quotes).then(|| start + at..start + at + content.len())
    }

    /// Returns the value at a path of keys.
    pub(super) fn get(&self, path: &[&str]) -> Option<&Spanned<DeValue<'t>>> {
        let (last, tables) = path.split_last()?;
        let mut table = &self.root;
        for key in tables {
            table = as_table(table.get(*key)?)?;
        }
        table.get(*last)
    }

    /// Returns the table at a path of keys.
    pub(super) fn table(&self, path: &[&str]) -> Option<&DeTable<'t>> {
        as_table(self.get(path)?)
    }
}

/// Returns the table in a value.
pub(super) fn as_table<'v, 't>(value: &'v Spanned<DeValue<'t>>) -> Option<&'v DeTable<'t>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// Returns the string in a value.
pub(super) fn as_str<'v>(value: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
    value.get_ref().as_str()
}

/// Returns the strings in an array; none if it is no array.
pub(super) fn strings<'v, 't>(
    value: Option<&'v Spanned<DeValue<'t>>>,
) -> impl Iterator<Item = &'v Spanned<DeValue<'t>>> {
    let items = match value.map(Spanned::get_ref) {
        Some(DeValue::Array(items)) => Some(items.iter()),
        _ => None,
    };
    items.into_iter().flatten().filter(|item| as_str(item).is_some())
}

//! Edits of ELF files: in place where new names fit, else with one new segment at the end.
//!
//! Every address that code may refer to stays the same. Only tables that loaders find through
//! dynamic entries and program headers move: names, dynamic entries, symbols, hashes, versions,
//! notes. The new segment is aligned like the widest of the others, whatever the host's page size.
//! Editing an edited file replaces its new segment.
//!
//! Strip a file before editing it, never after: not every `strip` preserves what it does not know
//! (`strip` does).

mod change;
mod dynamic;
mod grow;
mod image;
mod part;
mod segment;
mod strings;
mod strip;
mod verify;
mod write;

use serde::Serialize;

use self::change::Change;
use self::dynamic::Dynamic;
use self::image::{Image, unsupported};
use self::part::PartContent;
use self::segment::NewSegment;
use self::write::Positions;
use super::{Edit, Error, Search, buffer};

pub use strip::strip;
pub use verify::verify;

/// Effect of an edit on a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Place of the new names.
    pub strategy: Strategy,
    /// Growth of the file in bytes; negative if it shrinks.
    pub growth_bytes: i64,
    /// Warnings for users of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Place of the new names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Strategy {
    /// The file is already as requested.
    Unchanged,
    /// In place of old ones.
    InPlace,
    /// In a new segment at the end.
    NewSegment {
        /// Sections that move there, in order.
        displaced: Vec<String>,
        /// Number of program headers that are removed because their segment is no longer needed,
        /// such as that of an earlier edit.
        dropped_orphans: usize,
    },
}

/// Plans `edit` without changing the file.
///
/// # Errors
/// Returns an error if the file cannot be parsed or does not allow the edit.
pub fn plan(bytes: &[u8], edit: &Edit) -> Result<Layout, Error> {
    let image = Image::read(bytes)?;
    Ok(match Prepared::new(&image, edit)? {
        Some(prepared) => prepared.layout(&image),
        None => unchanged(),
    })
}

/// Returns the file with `edit`; the same bytes if it changes nothing.
///
/// # Errors
/// Returns an error if the file cannot be parsed or does not allow the edit.
pub fn apply(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    let image = Image::read(bytes)?;
    let Some(prepared) = Prepared::new(&image, edit)? else { return Ok(buffer::copy(bytes)) };
    let new = prepared.write(&image)?;
    verify(bytes, &new, edit)?;
    Ok(new)
}

fn unchanged() -> Layout {
    Layout { strategy: Strategy::Unchanged, growth_bytes: 0, warnings: Vec::new() }
}

/// All decisions about an edit, made before the first byte is written.
struct Prepared {
    dynamic: Dynamic,
    change: Change,
    /// `None` if everything fits in place.
    new_segment: Option<(NewSegment, Positions)>,
}

impl Prepared {
    fn new(image: &Image<'_>, edit: &Edit) -> Result<Option<Self>, Error> {
        let Some(dynamic) = Dynamic::read(image)? else {
            let adds_search = !matches!(edit.search, Search::Keep | Search::Nowhere);
            if edit.id.is_some() || adds_search {
                return Err(unsupported("it is a static program"));
            }
            return Ok(None);
        };
        let Some(change) = change::change(image, &dynamic, edit)? else { return Ok(None) };
        let new_segment = if change.entries_grew || change.strings_grew {
            match segment::plan(image, &dynamic, &change)? {
                Some(new) => {
                    let positions = Positions::find(image, &dynamic, &change, &new)?;
                    Some((new, positions))
                }
                None => None,
            }
        } else {
            None
        };
        Ok(Some(Self { dynamic, change, new_segment }))
    }

    fn layout(&self, image: &Image<'_>) -> Layout {
        let Some((new, positions)) = &self.new_segment else {
            let strategy = Strategy::InPlace;
            return Layout { strategy, growth_bytes: 0, warnings: Vec::new() };
        };
        let mut displaced = Vec::new();
        for part in &new.parts {
            let fallback = match part.content {
                PartContent::Entries => ".dynamic",
                PartContent::Strings => ".dynstr",
                PartContent::Same => "",
            };
            let is_inside = |section: &&goblin::elf::SectionHeader| {
                let bytes = image::span(section);
                image::is_loaded(section)
                    && bytes.size > 0
                    && bytes.offset >= part.old.offset
                    && bytes.offset < part.old.end()
            };
            let before = displaced.len();
            displaced
                .extend(image.sections.iter().filter(is_inside).map(|s| image.section_name(s)));
            if displaced.len() == before {
                displaced.push(fallback.to_owned());
            }
        }
        let mut warnings = Vec::new();
        if new.moves_headers {
            warnings.push(
                "its program headers move to the end of the file: `strip` would break it"
                    .to_owned(),
            );
        }
        let size = |length: u64| i64::try_from(length).unwrap_or(i64::MAX);
        let growth_bytes = size(positions.length) - size(image.bytes.len() as u64);
        let dropped_orphans = new.dropped.len();
        let strategy = Strategy::NewSegment { displaced, dropped_orphans };
        Layout { strategy, growth_bytes, warnings }
    }

    fn write(&self, image: &Image<'_>) -> Result<Vec<u8>, Error> {
        match &self.new_segment {
            None => write::in_place(image, &self.dynamic, &self.change),
            Some((new, positions)) => {
                write::with_segment(image, &self.dynamic, &self.change, new, positions)
            }
        }
    }
}

#[cfg(test)]
mod tests;

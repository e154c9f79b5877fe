//! Other names in an ELF file: in place where they fit, else in one new segment at its end.
//!
//! The new file keeps every address that code may know. Only tables that nobody finds but through
//! the dynamic entries and the program headers move: names, entries, symbols, hashes, versions,
//! notes. The size of the host's pages has no part in it: the new segment is aligned as the
//! widest of the others. Editing an edited file replaces its new segment.
//!
//! A file is stripped before it is edited, never after: not every `strip` keeps what it does not
//! know ([`strip`] is one that does).

mod change;
mod dynamic;
mod grow;
mod image;
mod segment;
mod strings;
mod strip;
mod verify;
mod write;

use serde::Serialize;

use self::change::Change;
use self::dynamic::Dynamic;
use self::image::{Image, unsupported};
use self::segment::{NewSegment, PartContent};
use self::write::Positions;
use super::{Edit, Error, Search, buffer};

pub use strip::strip;
pub use verify::verify;

/// What an edit does to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layout {
    /// Where the new names go.
    pub strategy: Strategy,
    /// How much larger the file becomes, in bytes; negative for one that becomes smaller.
    pub growth_bytes: i64,
    /// What whoever uses the file should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Where the new names go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Strategy {
    /// The file is already as the edit asks.
    Unchanged,
    /// Where others were.
    InPlace,
    /// Into a new segment at the end.
    NewSegment {
        /// The sections that move there, in order.
        displaced: Vec<String>,
        /// How many program headers go because nothing needs their segment any more, such as one
        /// that an earlier edit made.
        dropped_orphans: usize,
    },
}

/// What `edit` would do to a file.
///
/// # Errors
/// A file that cannot be read, or an edit that it does not allow.
pub fn plan(bytes: &[u8], edit: &Edit) -> Result<Layout, Error> {
    let image = Image::read(bytes)?;
    Ok(match Prepared::new(&image, edit)? {
        Some(prepared) => prepared.layout(&image),
        None => unchanged(),
    })
}

/// The file with `edit`. The same file for an edit that changes nothing.
///
/// # Errors
/// A file that cannot be read, or an edit that it does not allow.
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

/// All decisions, before the first byte is written.
struct Prepared {
    dynamic: Dynamic,
    change: Change,
    /// Nothing when all fits where it is.
    new_segment: Option<(NewSegment, Positions)>,
}

impl Prepared {
    fn new(image: &Image<'_>, edit: &Edit) -> Result<Option<Self>, Error> {
        let Some(dynamic) = Dynamic::read(image)? else {
            let adds_search = !matches!(edit.search, Search::Keep | Search::Nowhere);
            if edit.id.is_some() || adds_search {
                return Err(unsupported("it loads no libraries and is not one"));
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

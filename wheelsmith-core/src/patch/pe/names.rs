//! Where a PE file names other libraries.

use super::image::{Image, LITTLE, directory};
use crate::binary::Error;

/// No real file loads more libraries.
const MOST_LIBRARIES: usize = 4096;
/// Set where a delayed import's fields are counted from the start of the image, as all do today.
const IS_RELATIVE: u32 = 1;
/// No system takes longer names, in bytes.
const LONGEST_FORWARDER: usize = 512;

/// An entry of the table of imports, or of delayed imports.
pub(super) struct Entry {
    /// Where its address of the name stands.
    pub(super) field: usize,
    /// Where its time stamp stands: not 0 once the imports were bound.
    pub(super) stamp: usize,
    pub(super) is_delayed: bool,
    /// Whether its addresses are relative, as all are but those of the delayed imports of old.
    pub(super) is_relative: bool,
    /// Whether it has a table of names beside the table that binding overwrites.
    pub(super) has_names: bool,
    pub(super) name: String,
}

/// The libraries that are loaded, in order: at once, then those loaded when first used.
pub(super) fn entries(image: &Image, bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    push_imports(image, bytes, &mut entries)?;
    push_delayed(image, bytes, &mut entries)?;
    Ok(entries)
}

/// The list ends with an entry of zeros; the directory's size counts for nothing.
fn push_imports(image: &Image, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<(), Error> {
    const WHAT: &str = "import table";
    let (address, size) = image.directory(directory::IMPORTS);
    if address == 0 || size == 0 {
        return Ok(());
    }
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Addresses of names, date, forwarders, library's name, addresses of addresses.
        let number = |index: usize| LITTLE.u32(bytes, at + 4 * index, WHAT);
        let (names, library, thunks) = (number(0)?, number(3)?, number(4)?);
        if library == 0 || thunks == 0 {
            return Ok(());
        }
        see_few(entries)?;
        entries.push(Entry {
            field: at + 12,
            stamp: at + 4,
            is_delayed: false,
            is_relative: true,
            has_names: names != 0,
            name: name(image, bytes, library)?,
        });
        at += 20;
    }
}

fn push_delayed(image: &Image, bytes: &[u8], entries: &mut Vec<Entry>) -> Result<(), Error> {
    const WHAT: &str = "delay import table";
    let (address, size) = image.directory(directory::DELAY_IMPORTS);
    if address == 0 || size == 0 {
        return Ok(());
    }
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Attributes, library's name, module, addresses, names, bound, unload, time stamp.
        let (attributes, library) =
            (LITTLE.u32(bytes, at, WHAT)?, LITTLE.u32(bytes, at + 4, WHAT)?);
        if library == 0 {
            return Ok(());
        }
        see_few(entries)?;
        let is_relative = attributes & IS_RELATIVE != 0;
        let base = if is_relative { 0 } else { image.base };
        let relative = u64::from(library).checked_sub(base);
        let relative = relative.and_then(|relative| u32::try_from(relative).ok());
        entries.push(Entry {
            field: at + 4,
            stamp: at + 28,
            is_delayed: true,
            is_relative,
            has_names: true,
            name: name(image, bytes, relative.ok_or(Error::Outside { what: WHAT })?)?,
        });
        at += 32;
    }
}

/// The libraries that exports are passed on to: `OTHER.function` stands for one in `OTHER.dll`.
pub(super) fn forwarded(image: &Image, bytes: &[u8]) -> Result<Vec<String>, Error> {
    const WHAT: &str = "export table";
    let (address, size) = image.directory(directory::EXPORTS);
    if address == 0 || size == 0 {
        return Ok(Vec::new());
    }
    let at = image.offset(address, WHAT)?;
    let (count, table) = (LITTLE.u32(bytes, at + 20, WHAT)?, LITTLE.u32(bytes, at + 28, WHAT)?);
    if count == 0 {
        return Ok(Vec::new());
    }
    let table = image.offset(table, WHAT)?;
    let mut libraries: Vec<String> = Vec::new();
    for i in 0..count as usize {
        let function = LITTLE.u32(bytes, table + 4 * i, WHAT)?;
        // A function that lies in the table itself is the name of another library's.
        if function < address || function - address >= size {
            continue;
        }
        let text = image.text(bytes, function, WHAT)?;
        let end = text.iter().take(LONGEST_FORWARDER).rposition(|&b| b == b'.');
        let library = String::from_utf8_lossy(&text[..end.unwrap_or(0)]).into_owned();
        if libraries.last() != Some(&library) {
            libraries.push(library);
        }
    }
    Ok(libraries)
}

fn name(image: &Image, bytes: &[u8], address: u32) -> Result<String, Error> {
    let name = image.text(bytes, address, "imported library")?;
    Ok(String::from_utf8_lossy(name).into_owned())
}

fn see_few(entries: &[Entry]) -> Result<(), Error> {
    if entries.len() < MOST_LIBRARIES {
        return Ok(());
    }
    Err(Error::TooMany { what: "imported libraries", count: entries.len() as u64 })
}

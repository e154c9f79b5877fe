//! Names of libraries in a PE file.

use super::image::{Image, LITTLE, directory};
use crate::binary::Error;

/// Limit of imported libraries; real files stay far below.
const MOST_LIBRARIES: usize = 4096;
/// Flag of delayed imports with relative addresses, as all have today.
const IS_RELATIVE: u32 = 1;
/// Longest name that any system accepts, in bytes.
const LONGEST_FORWARDER: usize = 512;

/// Entry of the import table or the delayed import table.
pub(super) struct Entry {
    /// Offset of the address of the name.
    pub(super) field: usize,
    /// Offset of the time stamp, which is not 0 in bound imports.
    pub(super) stamp: usize,
    pub(super) is_delayed: bool,
    /// True if its addresses are relative, as all are except in old delayed imports.
    pub(super) is_relative: bool,
    /// True if it has a table of names beside the one that binding overwrites.
    pub(super) has_names: bool,
    pub(super) name: String,
}

/// Returns the imported libraries in order, delayed ones last.
pub(super) fn entries(image: &Image, bytes: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    push_imports(image, bytes, &mut entries)?;
    push_delayed(image, bytes, &mut entries)?;
    Ok(entries)
}

/// Reads the import table. It ends with an entry of zeros; the size of the directory has no
/// meaning.
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
        check_count(entries)?;
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
        check_count(entries)?;
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

/// Returns the libraries that exports are forwarded to: `OTHER.function` refers to `OTHER.dll`.
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
        // An address within the export table is that of a forwarder's name.
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

fn check_count(entries: &[Entry]) -> Result<(), Error> {
    if entries.len() < MOST_LIBRARIES {
        return Ok(());
    }
    Err(Error::TooMany { what: "imported libraries", count: entries.len() as u64 })
}

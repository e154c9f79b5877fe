//! The libraries that an image loads, at once or when first used.

use serde::Serialize;

use super::directory;
use super::image::Image;
use crate::binary::Error;

/// A library that an image loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Import {
    /// Its file name as it is written; Windows does not tell capitals from small letters.
    pub library: String,
    /// Whether it is loaded when first used.
    pub is_delayed: bool,
    /// The symbols that are taken by name, in order.
    #[serde(skip)]
    pub symbols: Vec<String>,
    /// How many are taken by number.
    pub by_number: usize,
}

/// No real file loads more libraries.
const MOST_LIBRARIES: usize = 4096;
/// Set where a delay import's fields are counted from the start of the image, as all do today.
const IS_RELATIVE: u32 = 1;

pub(super) fn read(image: &Image<'_>) -> Result<Vec<Import>, Error> {
    // Tables may share their symbols: no real file has more than one for each of its words.
    let mut left = image.file.size() / 4;
    let mut imports = Vec::new();
    read_loaded(image, &mut left, &mut imports)?;
    read_delayed(image, &mut left, &mut imports)?;
    Ok(imports)
}

/// The list ends with an entry of zeros; the directory's size counts for nothing.
fn read_loaded(image: &Image<'_>, left: &mut u64, imports: &mut Vec<Import>) -> Result<(), Error> {
    const WHAT: &str = "import table";
    let (address, size) = image.directory(directory::IMPORTS);
    if address == 0 || size == 0 {
        return Ok(());
    }
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Addresses of names, date, forwarders, library's name, addresses of addresses. The first
        // is missing in what some old linkers wrote; then the last has the names as well.
        let [names, library, thunks] = [
            image.file.u32(at, WHAT)?,
            image.file.u32(at + 12, WHAT)?,
            image.file.u32(at + 16, WHAT)?,
        ];
        if library == 0 || thunks == 0 {
            return Ok(());
        }
        let table = if names == 0 { thunks } else { names };
        push(image, left, imports, library, table, false)?;
        at += 20;
    }
}

fn read_delayed(image: &Image<'_>, left: &mut u64, imports: &mut Vec<Import>) -> Result<(), Error> {
    const WHAT: &str = "delay import table";
    let (address, size) = image.directory(directory::DELAY_IMPORTS);
    if address == 0 || size == 0 {
        return Ok(());
    }
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Attributes, library's name, module, addresses, names, and three more.
        let attributes = image.file.u32(at, WHAT)?;
        let [library, names] = [image.file.u32(at + 4, WHAT)?, image.file.u32(at + 16, WHAT)?];
        if library == 0 {
            return Ok(());
        }
        // Visual C++ 6 wrote whole addresses.
        let base = if attributes & IS_RELATIVE == 0 { image.base } else { 0 };
        let relative = |address: u32| {
            let relative = u64::from(address).checked_sub(base);
            relative
                .and_then(|address| u32::try_from(address).ok())
                .ok_or(Error::Outside { what: WHAT })
        };
        push(image, left, imports, relative(library)?, relative(names)?, true)?;
        at += 32;
    }
}

fn push(
    image: &Image<'_>,
    left: &mut u64,
    imports: &mut Vec<Import>,
    library: u32,
    table: u32,
    is_delayed: bool,
) -> Result<(), Error> {
    const WHAT: &str = "imported symbols";
    if imports.len() == MOST_LIBRARIES {
        let count = imports.len() as u64;
        return Err(Error::TooMany { what: "imported libraries", count });
    }
    let library = image.name(library, "imported library")?;
    let mut import = Import { library, is_delayed, symbols: Vec::new(), by_number: 0 };
    let (width, by_number) = if image.is_64_bit { (8, 1 << 63) } else { (4, 1 << 31) };
    let mut at = image.offset(table, WHAT)?;
    loop {
        let thunk = image.file.word(at, image.is_64_bit, WHAT)?;
        if thunk == 0 {
            break;
        }
        let count = image.file.size();
        *left = left.checked_sub(1).ok_or(Error::TooMany { what: "bytes of imports", count })?;
        if thunk & by_number != 0 {
            import.by_number += 1;
        } else {
            // Two bytes of a hint, then the name.
            let place = u32::try_from(thunk).ok().and_then(|place| place.checked_add(2));
            let place = place.ok_or(Error::Outside { what: WHAT })?;
            import.symbols.push(image.name(place, "imported symbol")?);
        }
        at += width;
    }
    imports.push(import);
    Ok(())
}

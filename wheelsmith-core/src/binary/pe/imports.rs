//! Libraries that an image loads at startup or on first use.

use scroll::LE;
use serde::Serialize;

use super::directory;
use super::image::Image;
use crate::binary::Error;
use crate::binary::bytes::Bytes;

/// A library that an image loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Import {
    /// File name as written; Windows ignores its case.
    pub library: String,
    /// True if it is loaded on first use.
    pub is_delayed: bool,
    /// Symbols that are imported by name, in order.
    #[serde(skip)]
    pub symbols: Vec<String>,
    /// Number of symbols that are imported by ordinal.
    pub by_number: usize,
}

/// Maximum number of imported libraries. Real files have fewer.
const MOST_LIBRARIES: usize = 4096;
/// Flag of a delay import whose fields are relative to the start of the image, as in all current
/// files.
const IS_RELATIVE: u32 = 1;

/// Guessed size of the import table with its names, in bytes. Linkers place them next to each
/// other, so one read fetches most of them.
const GUESS: u64 = 65_536;
/// Number of bytes of a symbol list that are read at a time.
const STEP: u64 = 4096;

pub(super) fn read(image: &Image<'_>) -> Result<Vec<Import>, Error> {
    // Tables may share their symbols. Real files have at most one symbol for each word of the file.
    let mut left = image.file.size() / 4;
    let tables = loaded(image);
    let delayed = delayed(image);
    let mut imports = Ok(Vec::new());
    // Read all tables before the first error, so that the missing ranges of each are recorded at
    // once.
    for table in tables?.into_iter().chain(delayed?) {
        match (table.read(image, &mut left), &mut imports) {
            (Ok(import), Ok(imports)) => imports.push(import),
            (Err(error @ Error::TooMany { .. }), _) => return Err(error),
            (Err(error), Ok(_)) => imports = Err(error),
            (_, Err(_)) => {}
        }
    }
    imports
}

/// Imports from one library.
struct Table {
    library: u32,
    symbols: u32,
    is_delayed: bool,
}

fn push(tables: &mut Vec<Table>, table: Table) -> Result<(), Error> {
    if tables.len() == MOST_LIBRARIES {
        let count = tables.len() as u64;
        return Err(Error::TooMany { what: "imported libraries", count });
    }
    tables.push(table);
    Ok(())
}

/// Reads the import table. It ends with an entry of zeros; the size of the directory is ignored.
fn loaded(image: &Image<'_>) -> Result<Vec<Table>, Error> {
    const WHAT: &str = "import table";
    let mut tables = Vec::new();
    let (address, size) = image.directory(directory::IMPORTS);
    if address == 0 || size == 0 {
        return Ok(tables);
    }
    let mut at = image.offset(address, WHAT)?;
    image.file.want(at, GUESS);
    loop {
        // Addresses of names, date, forwarders, name of the library, address table. Some old
        // linkers omit the first; then the address table also contains the names.
        let [names, library, thunks] = [
            image.file.u32(at, WHAT)?,
            image.file.u32(at + 12, WHAT)?,
            image.file.u32(at + 16, WHAT)?,
        ];
        if library == 0 || thunks == 0 {
            return Ok(tables);
        }
        let symbols = if names == 0 { thunks } else { names };
        push(&mut tables, Table { library, symbols, is_delayed: false })?;
        at += 20;
    }
}

fn delayed(image: &Image<'_>) -> Result<Vec<Table>, Error> {
    const WHAT: &str = "delay import table";
    let mut tables = Vec::new();
    let (address, size) = image.directory(directory::DELAY_IMPORTS);
    if address == 0 || size == 0 {
        return Ok(tables);
    }
    let mut at = image.offset(address, WHAT)?;
    image.file.want(at, GUESS);
    loop {
        // Attributes, name of the library, module handle, address table, name table, and three more
        // fields.
        let attributes = image.file.u32(at, WHAT)?;
        let [library, names] = [image.file.u32(at + 4, WHAT)?, image.file.u32(at + 16, WHAT)?];
        if library == 0 {
            return Ok(tables);
        }
        // Visual C++ 6 wrote absolute addresses.
        let base = if attributes & IS_RELATIVE == 0 { image.base } else { 0 };
        let relative = |address: u32| {
            let relative = u64::from(address).checked_sub(base);
            relative
                .and_then(|address| u32::try_from(address).ok())
                .ok_or(Error::Outside { what: WHAT })
        };
        let (library, symbols) = (relative(library)?, relative(names)?);
        push(&mut tables, Table { library, symbols, is_delayed: true })?;
        at += 32;
    }
}

impl Table {
    fn read(self, image: &Image<'_>, left: &mut u64) -> Result<Import, Error> {
        let library = image.name(self.library, "imported library");
        let symbols = self.symbols(image, left);
        let (library, (names, by_number)) = (library?, symbols?);
        let symbols = image.names(names, "imported symbol")?;
        Ok(Import { library, is_delayed: self.is_delayed, symbols, by_number })
    }

    /// Returns the addresses of the symbol names, and the number of symbols without a name.
    fn symbols(&self, image: &Image<'_>, left: &mut u64) -> Result<(Vec<u32>, usize), Error> {
        const WHAT: &str = "imported symbols";
        let (width, by_number) = if image.is_64_bit { (8, 1 << 63) } else { (4, 1 << 31) };
        let (mut names, mut numbers) = (Vec::new(), 0);
        let mut at = image.offset(self.symbols, WHAT)?;
        loop {
            // The list has no stored length; it ends with a zero.
            let step = Bytes::new(image.file.up_to(at, STEP, WHAT)?, LE);
            if step.size() < width {
                return Err(Error::Outside { what: WHAT });
            }
            for i in 0..step.size() / width {
                let thunk = step.word(i * width, image.is_64_bit, WHAT)?;
                if thunk == 0 {
                    return Ok((names, numbers));
                }
                let count = image.file.size();
                let one_less = left.checked_sub(1);
                *left = one_less.ok_or(Error::TooMany { what: "bytes of imports", count })?;
                if thunk & by_number != 0 {
                    numbers += 1;
                } else {
                    // A hint of two bytes precedes the name.
                    let place = u32::try_from(thunk).ok().and_then(|place| place.checked_add(2));
                    names.push(place.ok_or(Error::Outside { what: WHAT })?);
                }
            }
            at += step.size() / width * width;
        }
    }
}

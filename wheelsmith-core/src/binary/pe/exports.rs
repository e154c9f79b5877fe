//! Exports of an image.

use super::directory;
use super::image::Image;
use crate::binary::Error;

#[derive(Default)]
pub(super) struct Exports {
    pub(super) library: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) forwarders: usize,
}

/// Guessed size of the export table with its names, in bytes. Linkers place them next to each
/// other, so one read fetches most of them.
const GUESS: u64 = 65_536;

pub(super) fn read(image: &Image<'_>) -> Result<Exports, Error> {
    const WHAT: &str = "export table";
    let (address, size) = image.directory(directory::EXPORTS);
    if address == 0 || size == 0 {
        return Ok(Exports::default());
    }
    let at = image.offset(address, WHAT)?;
    image.file.want(at, u64::from(size).min(GUESS));
    // Flags, date, version, name of the library, first ordinal, number of functions and of names,
    // then the addresses of functions, names and ordinals.
    let number = |index: u64| image.file.u32(at + 4 * index, WHAT);
    let library = match number(3)? {
        0 => Ok(None),
        name => image.name(name, WHAT).map(Some),
    };
    let functions = image.words(number(7)?, number(5)?, WHAT);
    let names = image.words(number(8)?, number(6)?, WHAT);
    let (library, functions, names) = (library?, functions?, names?);
    // A function address inside the table itself points to the name of a forwarded export.
    let is_forwarder = |function: &&u32| **function >= address && **function - address < size;
    let mut names = image.names(names, "exported symbol")?;
    names.sort_unstable();
    Ok(Exports { library, names, forwarders: functions.iter().filter(is_forwarder).count() })
}

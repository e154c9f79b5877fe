//! What an image offers to others.

use super::directory;
use super::image::Image;
use crate::binary::Error;

#[derive(Default)]
pub(super) struct Exports {
    pub(super) library: Option<String>,
    pub(super) names: Vec<String>,
    pub(super) forwarders: usize,
}

pub(super) fn read(image: &Image<'_>) -> Result<Exports, Error> {
    const WHAT: &str = "export table";
    let (address, size) = image.directory(directory::EXPORTS);
    if address == 0 || size == 0 {
        return Ok(Exports::default());
    }
    let at = image.offset(address, WHAT)?;
    // Flags, date, version, library's name, first number, how many functions and how many names,
    // then the addresses of functions, names and numbers.
    let number = |index: u64| image.file.u32(at + 4 * index, WHAT);
    let library = match number(3)? {
        0 => None,
        name => Some(image.name(name, WHAT)?),
    };
    let table = |count: u32, address: u32| -> Result<Vec<u32>, Error> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let at = image.offset(address, WHAT)?;
        // A table that lies in the file is no larger than it.
        image.file.slice(at, 4 * u64::from(count), WHAT)?;
        (0..u64::from(count)).map(|i| image.file.u32(at + 4 * i, WHAT)).collect()
    };
    let functions = table(number(5)?, number(7)?)?;
    // A function that lies in the table itself is the name of another library's.
    let is_forwarder = |function: &&u32| **function >= address && **function - address < size;
    let mut names = Vec::new();
    for name in table(number(6)?, number(8)?)? {
        names.push(image.name(name, "exported symbol")?);
    }
    names.sort_unstable();
    Ok(Exports { library, names, forwarders: functions.iter().filter(is_forwarder).count() })
}

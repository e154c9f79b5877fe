//! Needed and defined symbol versions (LSB Core, "Symbol Versioning").

use std::collections::{BTreeMap, BTreeSet};

use goblin::elf::dynamic;

use super::file::{Dynamic, File, Strings};
use crate::binary::Error;

/// Maximum number of versions. Real files have fewer.
const MOST_VERSIONS: u64 = 65_536;
/// VER_FLG_BASE: the definition that names the file itself.
const VER_FLG_BASE: u16 = 1;

/// Versions that a file needs.
#[derive(Default)]
pub(super) struct Needed {
    /// Versions by library: `libc.so.6` -> `GLIBC_2.17`.
    pub(super) by_library: BTreeMap<String, BTreeSet<String>>,
    /// Version and library, by number in DT_VERSYM.
    pub(super) by_number: BTreeMap<u16, (String, String)>,
}

/// Reads DT_VERNEED. The chain ends where the next offset is zero, as for the loader, whatever
/// DT_VERNEEDNUM is.
pub(super) fn needed(
    file: &File<'_>,
    dynamic: &Dynamic,
    strings: &Strings<'_>,
) -> Result<Needed, Error> {
    const WHAT: &str = "list of needed versions";
    let mut found = Needed::default();
    let Some(address) = dynamic.get(dynamic::DT_VERNEED) else { return Ok(found) };
    let mut left = Count::new("needed versions");
    let mut at = file.offset(address, WHAT)?;
    loop {
        left.take()?;
        // Elf_Verneed: version, count (16 bits each), file, first aux, next (32 bits each).
        let count = file.bytes.u16(at.saturating_add(2), WHAT)?;
        let library = strings.get(file.bytes.u32(at.saturating_add(4), WHAT)?.into(), WHAT)?;
        let mut aux = at.saturating_add(file.bytes.u32(at.saturating_add(8), WHAT)?.into());
        for _ in 0..count {
            left.take()?;
            // Elf_Vernaux: hash (32), flags, other (16 each), name, next (32 each).
            let number = file.bytes.u16(aux.saturating_add(6), WHAT)? & 0x7fff;
            let name = strings.get(file.bytes.u32(aux.saturating_add(8), WHAT)?.into(), WHAT)?;
            found.by_number.insert(number, (name.to_owned(), library.to_owned()));
            found.by_library.entry(library.to_owned()).or_default().insert(name.to_owned());
            match file.bytes.u32(aux.saturating_add(12), WHAT)? {
                0 => break,
                next => aux = aux.saturating_add(next.into()),
            }
        }
        match file.bytes.u32(at.saturating_add(12), WHAT)? {
            0 => return Ok(found),
            next => at = at.saturating_add(next.into()),
        }
    }
}

/// Reads DT_VERDEF, without the definition that names the file.
pub(super) fn defined(
    file: &File<'_>,
    dynamic: &Dynamic,
    strings: &Strings<'_>,
) -> Result<BTreeSet<String>, Error> {
    const WHAT: &str = "list of defined versions";
    let mut found = BTreeSet::new();
    let Some(address) = dynamic.get(dynamic::DT_VERDEF) else { return Ok(found) };
    let mut left = Count::new("defined versions");
    let mut at = file.offset(address, WHAT)?;
    loop {
        left.take()?;
        // Elf_Verdef: version, flags, index, count (16 each), hash, first aux, next (32 each).
        let flags = file.bytes.u16(at.saturating_add(2), WHAT)?;
        let aux = at.saturating_add(file.bytes.u32(at.saturating_add(12), WHAT)?.into());
        if flags & VER_FLG_BASE == 0 {
            // Elf_Verdaux: name, next (32 each). The first is the version, the others are its
            // parents.
            found.insert(strings.get(file.bytes.u32(aux, WHAT)?.into(), WHAT)?.to_owned());
        }
        match file.bytes.u32(at.saturating_add(16), WHAT)? {
            0 => return Ok(found),
            next => at = at.saturating_add(next.into()),
        }
    }
}

/// Number of entries that a chain may still have.
struct Count {
    left: u64,
    what: &'static str,
}

impl Count {
    fn new(what: &'static str) -> Self {
        Self { left: MOST_VERSIONS, what }
    }

    fn take(&mut self) -> Result<(), Error> {
        let error = Error::TooMany { what: self.what, count: MOST_VERSIONS };
        self.left = self.left.checked_sub(1).ok_or(error)?;
        Ok(())
    }
}

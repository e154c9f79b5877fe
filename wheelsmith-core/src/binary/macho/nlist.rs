//! Symbol table of each slice (`mach-o/nlist.h`): undefined and exported symbols.

use goblin::mach::load_command as lc;
use scroll::{BE, LE};

use super::{FAT_MAGIC_64, MachO, Slice, trie};
use crate::binary::bytes::{Bytes, LONGEST_STRING};
use crate::binary::{Content, Error};

/// Undefined and exported symbols of a slice, without the leading underscore of C names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SliceSymbols {
    /// Undefined symbols and their origin.
    pub undefined: Vec<(String, Origin)>,
    /// Exported symbols.
    pub exported: Vec<String>,
}

/// Libraries in which dyld searches for a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// All libraries that the process has loaded (`-undefined dynamic_lookup`, flat namespaces).
    Process,
    /// A library of Python.
    Python,
    /// Another library, which the linker recorded.
    OtherLibrary,
}

/// MH_TWOLEVEL: each undefined symbol names its library.
const TWO_LEVELS: u32 = 0x80;
const N_STAB: u8 = 0xe0;
const N_TYPE: u8 = 0x0e;
const N_EXT: u8 = 0x01;
/// Private external: hidden from other files.
const N_PEXT: u8 = 0x10;
const N_WEAK_REF: u16 = 0x40;
/// First ordinal that does not refer to a library of the list.
const FIRST_SPECIAL: u16 = 0xfd;
/// Maximum number of symbols. Real files have fewer.
const MOST_SYMBOLS: u32 = 1 << 22;
/// Maximum ratio of the total length of names to the size of their table. Many symbols may share
/// one name, but real files stay below this.
const MOST_NAMES_PER_BYTE: u64 = 4;
/// Maximum size of tables that are requested in advance, in bytes.
const MOST_WANTED: u64 = 64 << 20;
/// Size of the part of the names that is requested in advance, in bytes.
const WANTED_NAMES: u64 = 128 << 10;
const WHAT: &str = "symbol table";

/// Returns the symbols of each slice, in the order of the file. `content` is the file that was
/// parsed.
///
/// # Errors
/// Returns an error if a symbol table points outside the slice, or if the total length of its names
/// exceeds the limit for its size.
pub fn symbols(image: &MachO, content: Content<'_>) -> Result<Vec<SliceSymbols>, Error> {
    let file = Bytes::new(content, BE);
    let mut found = Vec::new();
    for (i, slice) in image.slices.iter().enumerate() {
        if !slice.kind.is_loaded() {
            continue;
        }
        let (start, size) = place(file, image, i as u64)?;
        let file = Bytes::new(content, if slice.is_little_endian { LE } else { BE });
        found.push(read(slice, file, start, size)?);
    }
    Ok(found)
}

/// Returns offset and size of a slice.
fn place(file: Bytes<'_>, image: &MachO, index: u64) -> Result<(u64, u64), Error> {
    const WHAT: &str = "list of slices";
    if !image.is_universal {
        return Ok((0, file.size()));
    }
    let is_wide = file.u32(0, WHAT)? == FAT_MAGIC_64;
    let at = 8 + index * if is_wide { 32 } else { 20 };
    let size_at = at + if is_wide { 16 } else { 12 };
    Ok((file.word(at + 8, is_wide, WHAT)?, file.word(size_at, is_wide, WHAT)?))
}

/// Marks the symbols as needed, so that they are fetched together with the next missing range.
pub(super) fn want(slice: &Slice, file: Bytes<'_>) {
    let Ok(tables) = Tables::find(slice, file) else { return };
    if let Some((at, size)) = tables.exports {
        file.want(at.into(), u64::from(size).min(MOST_WANTED));
    }
    let Some(table) = &tables.symbols else { return };
    for (at, size) in tables.entries(slice, table) {
        file.want(at, size.min(MOST_WANTED));
    }
    // Linkers put the names of undefined symbols after all others.
    let size = u64::from(table.names_size);
    let tail = size.min(WANTED_NAMES);
    file.want(u64::from(table.names) + (size - tail), tail);
}

/// Reads the symbols of the slice at `start`; returns an error if they are beyond its `size`.
fn read(slice: &Slice, file: Bytes<'_>, start: u64, size: u64) -> Result<SliceSymbols, Error> {
    let file = file.window(start, size, "slice")?;
    let tables = Tables::find(slice, file)?;
    // Read all tables before the first error, so that the missing ranges of each are recorded at
    // once.
    let exported = tables.exports.map(|(at, size)| {
        let names = trie::names(file.slice(at.into(), size.into(), "export trie")?)?;
        Ok(names.iter().map(|name| text(name)).collect())
    });
    let found = match &tables.symbols {
        Some(table) => read_table(slice, file, &tables, table),
        None => Ok(SliceSymbols::default()),
    };
    let (exported, mut found) = (exported.transpose()?, found?);
    // dyld uses the trie; its symbols may have been stripped from the table.
    found.exported = exported.unwrap_or(found.exported);
    Ok(found)
}

fn read_table(
    slice: &Slice,
    file: Bytes<'_>,
    tables: &Tables,
    table: &Table,
) -> Result<SliceSymbols, Error> {
    if table.count > MOST_SYMBOLS {
        return Err(Error::TooMany { what: "symbols", count: table.count.into() });
    }
    let names = file.window(table.names.into(), table.names_size.into(), "table of names")?;
    let entries = tables.entries(slice, table).into_iter();
    let entries: Vec<_> = entries.map(|(at, size)| file.slice(at, size, WHAT)).collect();
    let has_two_levels = file.u32(24, WHAT)? & TWO_LEVELS != 0;
    let most = names.size().saturating_mul(MOST_NAMES_PER_BYTE).saturating_add(LONGEST_STRING);
    let mut left = most;
    let mut found = Ok(SliceSymbols::default());
    for part in entries {
        let part = Bytes::new(part?, file.endian);
        let size = entry_size(slice);
        for at in (0..part.size() / size).map(|i| i * size) {
            let [kind, _] = part.slice(at + 4, 2, WHAT)?.try_into().unwrap_or_default();
            if kind & N_STAB != 0 || kind & (N_EXT | N_PEXT) != N_EXT {
                continue;
            }
            let description = part.u16(at + 6, WHAT)?;
            let name = names.name(part.u32(at, WHAT)?.into(), WHAT);
            let read = match &name {
                Ok(name) => name.len() as u64 + 1,
                // A search for a missing end costs the most.
                Err(Error::Malformed { .. }) => LONGEST_STRING,
                Err(_) => 0,
            };
            let too_many = Error::TooMany { what: "bytes of names", count: most };
            left = left.checked_sub(read).ok_or(too_many)?;
            let (name, found) = match (name, &mut found) {
                (Ok(name), Ok(found)) => (text(name), found),
                (Err(error), Ok(_)) => {
                    found = Err(error);
                    continue;
                }
                (_, Err(_)) => continue,
            };
            if kind & N_TYPE != 0 {
                found.exported.push(name);
            } else if description & N_WEAK_REF == 0 {
                let origin =
                    if has_two_levels { origin(slice, description) } else { Origin::Process };
                found.undefined.push((name, origin));
            }
        }
    }
    found
}

/// Returns the size of an nlist entry: offset of the name, type, section (a byte each),
/// description, value.
fn entry_size(slice: &Slice) -> u64 {
    if slice.is_64_bit { 16 } else { 12 }
}

/// Returns a name without the leading underscore.
fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name.strip_prefix(b"_").unwrap_or(name)).into_owned()
}

/// Returns the origin of a symbol in a two-level namespace, by the ordinal of its library.
fn origin(slice: &Slice, description: u16) -> Origin {
    let ordinal = description >> 8;
    if ordinal == 0 || ordinal >= FIRST_SPECIAL {
        return Origin::Process;
    }
    let library = slice.needed.get(usize::from(ordinal) - 1);
    let name = library.map_or("", |library| library.name.as_str());
    let base = name.rsplit('/').next().unwrap_or(name);
    if base == "Python" || base.starts_with("libpython") {
        Origin::Python
    } else {
        Origin::OtherLibrary
    }
}

/// Locations of the symbols of a slice.
#[derive(Default)]
struct Tables {
    symbols: Option<Table>,
    /// Exported and undefined symbols, as index of the first symbol and count (LC_DYSYMTAB).
    parts: Option<[(u32, u32); 2]>,
    /// Offset and size of the export trie: LC_DYLD_EXPORTS_TRIE, or a part of LC_DYLD_INFO.
    exports: Option<(u32, u32)>,
}

/// Offset and count of the symbols, and offset and size of their names (LC_SYMTAB).
struct Table {
    at: u32,
    count: u32,
    names: u32,
    names_size: u32,
}

impl Tables {
    fn find(slice: &Slice, file: Bytes<'_>) -> Result<Self, Error> {
        const WHAT: &str = "list of load commands";
        let head = if slice.is_64_bit { 32 } else { 28 };
        let (count, size) = (file.u32(16, WHAT)?, file.u32(20, WHAT)?);
        let commands = Bytes::new(file.slice(head, size.into(), WHAT)?, file.endian);
        let mut tables = Self::default();
        let mut at = 0;
        for _ in 0..count {
            let (which, size) = (commands.u32(at, WHAT)?, commands.u32(at + 4, WHAT)?);
            if size < 8 {
                return Err(Error::Malformed { what: WHAT });
            }
            let number = |place: u64| commands.u32(at + place, WHAT);
            match which {
                lc::LC_SYMTAB => {
                    let (at, count) = (number(8)?, number(12)?);
                    let (names, names_size) = (number(16)?, number(20)?);
                    tables.symbols = Some(Table { at, count, names, names_size });
                }
                lc::LC_DYSYMTAB => {
                    let [offered, taken] = [(number(16)?, number(20)?), (number(24)?, number(28)?)];
                    tables.parts = Some([offered, taken]);
                }
                lc::LC_DYLD_INFO | lc::LC_DYLD_INFO_ONLY => {
                    tables.exports = Some((number(40)?, number(44)?));
                }
                lc::LC_DYLD_EXPORTS_TRIE => tables.exports = Some((number(8)?, number(12)?)),
                _ => {}
            }
            at += u64::from(size);
        }
        tables.exports = tables.exports.filter(|(_, size)| *size > 0);
        Ok(tables)
    }

    /// Returns the relevant parts of the table, as offsets and sizes. Most of the table consists of
    /// local symbols.
    fn entries(&self, slice: &Slice, table: &Table) -> Vec<(u64, u64)> {
        let size = entry_size(slice);
        let is_inside = |(first, count): &(u32, u32)| {
            first.checked_add(*count).is_some_and(|end| end <= table.count)
        };
        let parts = match &self.parts {
            Some([_, taken]) if is_inside(taken) && self.exports.is_some() => vec![*taken],
            Some(both) if both.iter().all(is_inside) => both.to_vec(),
            _ => vec![(0, table.count)],
        };
        let place = |first: u32| u64::from(table.at) + u64::from(first) * size;
        parts.into_iter().map(|(first, count)| (place(first), u64::from(count) * size)).collect()
    }
}

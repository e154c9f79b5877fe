//! Dynamic symbol table. The format does not store the number of symbols: it follows from the hash
//! tables, or from the offset of the next table.

use std::collections::BTreeMap;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::dynamic;
use goblin::elf::sym::{self, Sym};
use scroll::Pread as _;

use super::file::{Dynamic, File, Strings};
use crate::binary::bytes::Bytes;
use crate::binary::symbols::{Symbols, Undefined};
use crate::binary::{Content, Error};

/// Maximum number of symbols. Real files have fewer.
const MOST_SYMBOLS: u64 = 1 << 22;

/// Locations of the dynamic symbols, as file offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SymbolTable {
    is_64_bit: bool,
    is_little_endian: bool,
    symbols: u64,
    count: u64,
    /// True if no hash table states the count.
    is_guessed: bool,
    versions: Option<u64>,
    strings: (u64, u64),
    /// Version and library, by version number.
    names: BTreeMap<u16, (String, String)>,
}

const WHAT: &str = "symbol table";

impl SymbolTable {
    pub(super) fn find(
        file: &File<'_>,
        dynamic: &Dynamic,
        strings: (u64, u64),
        names: BTreeMap<u16, (String, String)>,
    ) -> Result<Option<Self>, Error> {
        let Some(address) = dynamic.get(dynamic::DT_SYMTAB) else { return Ok(None) };
        let symbols = file.offset(address, WHAT)?;
        let versions = dynamic
            .get(dynamic::DT_VERSYM)
            .map(|a| file.offset(a, "symbol versions"))
            .transpose()?;
        let room = (file.bytes.size() - symbols) / Sym::size(file.headers.ctx.container) as u64;
        let (stated, is_guessed) = match hash_counts(file, dynamic)? {
            (least, false) => (least.max(unhashed_count(file, dynamic, symbols)), true),
            (count, true) => (count, false),
        };
        let count = stated.min(room);
        if count > MOST_SYMBOLS {
            return Err(Error::TooMany { what: "symbols", count });
        }
        Ok(Some(Self {
            is_64_bit: file.headers.is_64_bit(),
            is_little_endian: file.headers.ctx.le == Endian::Little,
            symbols,
            count,
            is_guessed,
            versions,
            strings,
            names,
        }))
    }

    pub(super) fn read(&self, content: Content<'_>) -> Result<Symbols, Error> {
        let container = if self.is_64_bit { Container::Big } else { Container::Little };
        let endian = if self.is_little_endian { Endian::Little } else { Endian::Big };
        let (ctx, size) = (Ctx::new(container, endian), Sym::size(container));
        let bytes = Bytes::new(content, endian);
        // Request all parts before the first error, so that the missing ranges of each are recorded
        // at once.
        let versions = self.versions.map(|at| bytes.up_to(at, self.count * 2, "symbol versions"));
        let strings = Strings::new(bytes, self.strings);
        let table = bytes.slice(self.symbols, self.count * size as u64, WHAT)?;
        let (versions, strings) = (versions.transpose()?.unwrap_or_default(), strings?);
        let mut found = Symbols::default();
        // The first entry is not a symbol.
        for (i, entry) in table.chunks_exact(size).enumerate().skip(1) {
            let symbol: Sym =
                entry.pread_with(0, ctx).map_err(|_| Error::Malformed { what: WHAT })?;
            let name = match strings.bytes(symbol.st_name as u64, WHAT) {
                Ok([]) => continue,
                Ok(name) => name,
                // A guessed count may include entries that are not symbols. Otherwise the name has
                // bytes outside the stated size of the table, which the loader does not check.
                Err(Error::Outside { .. } | Error::Malformed { .. }) if self.is_guessed => continue,
                Err(error) => return Err(error),
            };
            if symbol.st_shndx == 0 {
                let number = versions.pread_with::<u16>(2 * i, endian).ok();
                let version = number.and_then(|number| self.names.get(&(number & 0x7fff)));
                found.undefined.push(Undefined {
                    name: String::from_utf8_lossy(name).into_owned(),
                    version: version.cloned(),
                    weak: sym::st_bind(symbol.st_info) == sym::STB_WEAK,
                });
            } else if sym::st_bind(symbol.st_info) != sym::STB_LOCAL {
                found.exports.add(name, symbol.is_function());
            }
        }
        found.undefined.sort();
        found.exports.finish();
        Ok(found)
    }
}

/// Returns the larger number of symbols that the hash tables state, and whether one of them states
/// it. A hostile file may state any number, and each loader uses one of the tables.
fn hash_counts(file: &File<'_>, dynamic: &Dynamic) -> Result<(u64, bool), Error> {
    // The table begins with two words: the number of buckets, and the number of chains, one per
    // symbol. On s390x and alpha GNU ld writes 64-bit words and lld 32-bit ones; other methods are
    // used there.
    let is_plain = file.headers.ctx.le == Endian::Little || !file.headers.is_64_bit();
    let hash = dynamic.get(dynamic::DT_HASH).filter(|_| is_plain);
    let hash = hash.map(|hash| {
        let at = file.offset(hash, WHAT)?.saturating_add(4);
        Ok((file.bytes.u32(at, WHAT)?.into(), true))
    });
    let gnu = dynamic.get(dynamic::DT_GNU_HASH).map(|hash| gnu_hash_count(file, hash));
    let (hash, gnu) = (hash.transpose()?, gnu.transpose()?);
    let counts = hash.into_iter().chain(gnu);
    Ok(counts
        .fold((0, false), |(most, is_known), (count, known)| (most.max(count), is_known || known)))
}

/// Returns the number of symbols by the GNU hash table: the end of the chain that begins last. If no
/// symbol is exported, the table does not state the number, because GNU ld then writes 1 as the first
/// symbol, however many are undefined; returns that number and false.
fn gnu_hash_count(file: &File<'_>, address: u64) -> Result<(u64, bool), Error> {
    const WHAT: &str = "hash table";
    let at = file.offset(address, WHAT)?;
    let word = |i: u64| file.bytes.u32(at.saturating_add(4 * i), WHAT).map(u64::from);
    let (buckets, first, bloom) = (word(0)?, word(1)?, word(2)?);
    if buckets > MOST_SYMBOLS {
        return Err(Error::TooMany { what: "symbols", count: buckets });
    }
    let bloom_size = bloom * if file.headers.is_64_bit() { 8 } else { 4 };
    let table = at.saturating_add(16).saturating_add(bloom_size);
    let chains = table.saturating_add(buckets * 4);
    let numbers = |bytes: &[u8]| -> Vec<u32> {
        let words = bytes.chunks_exact(4);
        words.filter_map(|word| word.pread_with(0, file.headers.ctx.le).ok()).collect()
    };
    let last = numbers(file.bytes.slice(table, buckets * 4, WHAT)?).into_iter().max();
    let last = u64::from(last.unwrap_or_default());
    if last < first || last == 0 {
        return Ok((first, false));
    }
    // The last entry of a chain has its lowest bit set. Chains have only a few entries.
    let start = chains.saturating_add((last - first) * 4);
    let mut most = 4096;
    loop {
        let links = file.bytes.up_to(start, most, WHAT)?;
        if let Some(end) = numbers(links).iter().position(|link| link & 1 != 0) {
            return Ok((last + end as u64 + 1, true));
        }
        if (links.len() as u64) < most || most > 4 * MOST_SYMBOLS {
            return Err(Error::Outside { what: WHAT });
        }
        most *= 16;
    }
}

/// Returns the number of symbols if there is no hash table: those that fit before the nearest table
/// after them.
fn unhashed_count(file: &File<'_>, dynamic: &Dynamic, symbols: u64) -> u64 {
    const TABLES: [u64; 9] = [
        dynamic::DT_STRTAB,
        dynamic::DT_VERSYM,
        dynamic::DT_VERNEED,
        dynamic::DT_VERDEF,
        dynamic::DT_HASH,
        dynamic::DT_GNU_HASH,
        dynamic::DT_RELA,
        dynamic::DT_REL,
        dynamic::DT_JMPREL,
    ];
    let offsets = TABLES.iter().filter_map(|&tag| file.offset(dynamic.get(tag)?, WHAT).ok());
    let next = offsets.filter(|&offset| offset > symbols).min().unwrap_or(file.bytes.size());
    (next - symbols) / Sym::size(file.headers.ctx.container) as u64
}

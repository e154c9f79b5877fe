//! The dynamic symbol table. The format has no count of its symbols: it follows from the hash
//! tables, or from where the next table begins.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::dynamic;
use goblin::elf::sym::{self, Sym};
use scroll::Pread as _;
use serde::Serialize;

use super::file::{Dynamic, File, Strings};
use crate::binary::Error;

/// A symbol that a file takes from another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Undefined {
    /// Its name.
    pub name: String,
    /// Its version, such as `GLIBC_2.17`, and the library that is to have it.
    pub version: Option<(String, String)>,
    /// Whether the loader goes on without it.
    pub weak: bool,
}

/// Where the dynamic symbols are, in file offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SymbolTable {
    is_64_bit: bool,
    is_little_endian: bool,
    symbols: usize,
    count: usize,
    versions: Option<usize>,
    strings: (usize, usize),
    /// Version number -> version and library.
    names: BTreeMap<u16, (String, String)>,
}

const WHAT: &str = "symbol table";

impl SymbolTable {
    pub(super) fn find(
        file: &File<'_>,
        dynamic: &Dynamic,
        strings: (usize, usize),
        names: BTreeMap<u16, (String, String)>,
    ) -> Result<Option<Self>, Error> {
        let Some(address) = dynamic.get(dynamic::DT_SYMTAB) else { return Ok(None) };
        let symbols = file.offset(address, WHAT)?;
        let versions = dynamic
            .get(dynamic::DT_VERSYM)
            .map(|a| file.offset(a, "symbol versions"))
            .transpose()?;
        let room = (file.bytes.len() - symbols) / Sym::size(file.ctx.container);
        Ok(Some(Self {
            is_64_bit: file.is_64_bit(),
            is_little_endian: file.ctx.le == Endian::Little,
            symbols,
            count: count(file, dynamic, symbols)?.min(room),
            versions,
            strings,
            names,
        }))
    }

    pub(super) fn undefined(&self, bytes: &[u8]) -> Result<Vec<Undefined>, Error> {
        let mut found = Vec::new();
        self.each(bytes, |name, symbol, version| {
            if symbol.st_shndx == 0 {
                found.push(Undefined {
                    name: name.into_owned(),
                    version: version.cloned(),
                    weak: sym::st_bind(symbol.st_info) == sym::STB_WEAK,
                });
            }
        })?;
        found.sort();
        Ok(found)
    }

    pub(super) fn exported(&self, bytes: &[u8]) -> Result<BTreeSet<String>, Error> {
        let mut found = BTreeSet::new();
        self.each(bytes, |name, symbol, _| {
            if symbol.st_shndx != 0 && sym::st_bind(symbol.st_info) != sym::STB_LOCAL {
                found.insert(name.into_owned());
            }
        })?;
        Ok(found)
    }

    fn each(
        &self,
        bytes: &[u8],
        mut visit: impl FnMut(Cow<'_, str>, &Sym, Option<&(String, String)>),
    ) -> Result<(), Error> {
        let container = if self.is_64_bit { Container::Big } else { Container::Little };
        let endian = if self.is_little_endian { Endian::Little } else { Endian::Big };
        let ctx = Ctx::new(container, endian);
        let size = Sym::size(container);
        let strings = Strings::new(bytes, self.strings);
        // The first entry stands for no symbol.
        for i in 1..self.count {
            let at = self.symbols.saturating_add(i.saturating_mul(size));
            let symbol: Sym =
                bytes.pread_with(at, ctx).map_err(|_| Error::Outside { what: WHAT })?;
            let name = match strings.bytes(symbol.st_name as u64, WHAT) {
                Ok([]) => continue,
                Ok(name) => String::from_utf8_lossy(name),
                Err(error @ Error::TooMany { .. }) => return Err(error),
                // Without a hash table the count may include what is not a symbol.
                Err(_) => continue,
            };
            let version = self.versions.and_then(|versions| {
                let at = versions.saturating_add(i.saturating_mul(2));
                let number: u16 = bytes.pread_with(at, endian).ok()?;
                self.names.get(&(number & 0x7fff))
            });
            visit(name, &symbol, version);
        }
        Ok(())
    }
}

/// The number of symbols, which a hostile file may state as it likes.
fn count(file: &File<'_>, dynamic: &Dynamic, symbols: usize) -> Result<usize, Error> {
    match (dynamic.get(dynamic::DT_HASH), dynamic.get(dynamic::DT_GNU_HASH)) {
        // Two words in front: buckets, and chains, of which each symbol has one. On s390x and alpha
        // GNU ld writes 64-bit words, lld 32-bit ones; there other ways are used.
        (Some(hash), _) if file.ctx.le == Endian::Little || !file.is_64_bit() => {
            let at = file.offset(hash, WHAT)?.saturating_add(4);
            Ok(file.u32(at, WHAT)? as usize)
        }
        (_, Some(hash)) => gnu_hash_count(file, hash, || unhashed_count(file, dynamic, symbols)),
        _ => Ok(unhashed_count(file, dynamic, symbols)),
    }
}

/// The number of symbols by the GNU hash table: the end of the chain that begins last. `unhashed`
/// counts where no symbol is exported: GNU ld then writes 1 for the first, whatever is undefined.
fn gnu_hash_count(
    file: &File<'_>,
    address: u64,
    unhashed: impl FnOnce() -> usize,
) -> Result<usize, Error> {
    const WHAT: &str = "hash table";
    let at = file.offset(address, WHAT)?;
    let word = |i: usize| file.u32(at.saturating_add(4 * i), WHAT).map(|n| n as usize);
    let (buckets, first, bloom) = (word(0)?, word(1)?, word(2)?);
    let bloom_size = bloom.saturating_mul(if file.is_64_bit() { 8 } else { 4 });
    let table = at.saturating_add(16).saturating_add(bloom_size);
    let chains = table.saturating_add(buckets.saturating_mul(4));
    if chains > file.bytes.len() {
        return Err(Error::Outside { what: WHAT });
    }
    let mut last = 0;
    for i in 0..buckets {
        last = last.max(file.u32(table + 4 * i, WHAT)? as usize);
    }
    if last < first || last == 0 {
        return Ok(first.max(unhashed()));
    }
    loop {
        let at = chains.saturating_add((last - first).saturating_mul(4));
        last += 1;
        if file.u32(at, WHAT)? & 1 != 0 {
            return Ok(last);
        }
    }
}

/// The number of symbols when no hash table tells: up to the nearest table behind them.
fn unhashed_count(file: &File<'_>, dynamic: &Dynamic, symbols: usize) -> usize {
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
    let next = offsets.filter(|&offset| offset > symbols).min().unwrap_or(file.bytes.len());
    (next - symbols) / Sym::size(file.ctx.container)
}

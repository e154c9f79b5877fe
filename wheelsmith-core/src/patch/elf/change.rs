//! New dynamic entries and strings of an edit, before the layout is known.

use goblin::elf::dynamic::{self as tag, Dyn};
use goblin::elf::section_header as sh;
use goblin::elf::sym::Sym;
use scroll::Pread as _;

use super::dynamic::{self, Dynamic, VersionNeed};
use super::image::{Image, index, malformed, unsupported};
use super::strings::Strings;
use crate::patch::{Edit, Error, Search};

/// New dynamic entries and strings.
pub(super) struct Change {
    /// Entries without DT_NULL. Addresses and sizes of tables are still the old ones.
    pub(super) entries: Vec<Dyn>,
    /// The whole string table.
    pub(super) strings: Vec<u8>,
    /// True if the entries need more space than they have.
    pub(super) entries_grew: bool,
    /// True if the strings need more space than they have.
    pub(super) strings_grew: bool,
    /// Bytes to overwrite in the version tables, by offset.
    pub(super) writes: Vec<(usize, Vec<u8>)>,
    /// Number of libraries with versions that remain, if some were removed.
    pub(super) version_needs: Option<u32>,
}

/// Value of a new entry.
enum Value<'e> {
    Number(u64),
    Name(&'e [u8]),
}

/// Computes the change; `None` if the file is already as requested.
pub(super) fn change(
    image: &Image<'_>,
    dynamic: &Dynamic,
    edit: &Edit,
) -> Result<Option<Change>, Error> {
    let search = search(edit)?;
    let mut names = edit.id.iter().chain(edit.renamed.values());
    if let Some(name) = names.find(|name| name.is_empty() || name.contains('\0')) {
        return Err(unsupported(format!("`{}` is not a name", name.escape_default())));
    }
    let mut new = NewEntries { entries: Vec::new(), released: Vec::new(), is_other: false };
    new.names(image, dynamic, edit)?;
    if edit.search != Search::Keep {
        new.search(image, dynamic, search.as_ref().map(|(tag, text)| (*tag, text.as_bytes())))?;
    }
    let needs = dynamic::version_needs(image, dynamic)?;
    let mut renamed_needs = Vec::new();
    let mut dropped_needs = Vec::new();
    for (i, need) in needs.iter().enumerate() {
        let file = dynamic.name(image, need.file)?;
        if lookup(file, &edit.dropped) {
            dropped_needs.push(i);
        } else if let Some(name) = renamed(file, edit) {
            renamed_needs.push((i, name));
        }
    }
    if !new.is_other && renamed_needs.is_empty() && dropped_needs.is_empty() {
        return Ok(None);
    }

    let table = image.slice(dynamic.strings.offset, dynamic.strings.size, "string table")?;
    let mut strings = Strings::new(table);
    let mut released = new.released;
    released.extend(renamed_needs.iter().map(|&(i, _)| needs[i].file));
    let is_renamed = |i: usize| renamed_needs.iter().any(|&(other, _)| other == i);
    let kept_needs = needs.iter().enumerate().filter(|&(i, _)| !is_renamed(i)).map(|(_, n)| n);
    let kept_entries = new.entries.iter().filter_map(|(tag, value)| match value {
        Value::Number(value) if dynamic::is_name(*tag) => Some(*value),
        _ => None,
    });
    let kept: Vec<u64> = kept_entries
        .chain(kept_needs.map(|need| need.file))
        .chain(needs.iter().flat_map(|need| need.versions.iter().map(|&(_, name)| name)))
        .chain(dynamic::defined_version_names(image, dynamic)?)
        .collect();
    release(image, dynamic, &mut strings, &released, &kept)?;

    let mut entries = Vec::with_capacity(new.entries.len());
    for (tag, value) in new.entries {
        let value = match value {
            Value::Number(value) => value,
            Value::Name(name) => strings.place(name) as u64,
        };
        entries.push(Dyn { d_tag: tag, d_val: value });
    }
    let mut writes = Writes { image, list: Vec::new() };
    for (i, name) in renamed_needs {
        let at = u32::try_from(strings.place(name.as_bytes()));
        writes.u32(needs[i].at + 4, at.map_err(|_| malformed("string table"))?)?;
    }
    let mut version_needs = None;
    if !dropped_needs.is_empty() {
        version_needs = Some(drop_needs(&mut writes, &needs, &dropped_needs, &mut entries)?);
    }
    let writes = writes.list;
    let capacity = dynamic.place.size / Dyn::size(image.ctx.container) as u64;
    // DT_NULL ends the entries.
    let entries_grew = entries.len() as u64 + 1 > capacity && entries.len() > dynamic.entries.len();
    let (strings, strings_grew) = strings.finish();
    Ok(Some(Change { entries, strings, entries_grew, strings_grew, writes, version_needs }))
}

/// Returns the entry for the search path of the edit, if it has one.
fn search(edit: &Edit) -> Result<Option<(u64, String)>, Error> {
    let (tag, directories) = match &edit.search {
        Search::Keep | Search::Nowhere => return Ok(None),
        Search::Rpath(directories) => (tag::DT_RPATH, directories),
        Search::Runpath(directories) => (tag::DT_RUNPATH, directories),
    };
    // An empty entry means the current directory of the process.
    let is_wrong = |d: &&String| d.is_empty() || d.contains([':', '\0']);
    if let Some(directory) = directories.iter().find(is_wrong) {
        let directory = directory.escape_default();
        return Err(unsupported(format!("`{directory}` cannot be a library directory")));
    }
    Ok((!directories.is_empty()).then(|| (tag, directories.join(":"))))
}

struct NewEntries<'e> {
    entries: Vec<(u64, Value<'e>)>,
    /// Names that no entry uses any more.
    released: Vec<u64>,
    is_other: bool,
}

impl<'e> NewEntries<'e> {
    /// Computes the entries with new names of the file and of needed libraries.
    fn names(&mut self, image: &Image<'_>, dynamic: &Dynamic, edit: &'e Edit) -> Result<(), Error> {
        let mut has_id = false;
        for entry in &dynamic.entries {
            let mut new = None;
            if entry.d_tag == tag::DT_NEEDED {
                let name = dynamic.name(image, entry.d_val)?;
                if lookup(name, &edit.dropped) {
                    self.is_other = true;
                    self.released.push(entry.d_val);
                    continue;
                }
                new = renamed(name, edit);
            } else if entry.d_tag == tag::DT_SONAME {
                has_id = true;
                let old = dynamic.name(image, entry.d_val)?;
                new = edit.id.as_deref().filter(|id| id.as_bytes() != old);
            }
            if let Some(new) = new {
                self.is_other = true;
                self.released.push(entry.d_val);
                self.entries.push((entry.d_tag, Value::Name(new.as_bytes())));
            } else {
                self.entries.push((entry.d_tag, Value::Number(entry.d_val)));
            }
        }
        if let Some(id) = edit.id.as_deref().filter(|_| !has_id) {
            self.is_other = true;
            self.entries.push((tag::DT_SONAME, Value::Name(id.as_bytes())));
        }
        Ok(())
    }

    /// Replaces the search path, at the position of the old one.
    fn search(
        &mut self,
        image: &Image<'_>,
        dynamic: &Dynamic,
        new: Option<(u64, &'e [u8])>,
    ) -> Result<(), Error> {
        let is_search = |tag: u64| matches!(tag, tag::DT_RPATH | tag::DT_RUNPATH);
        let mut old = Vec::new();
        for entry in dynamic.entries.iter().filter(|entry| is_search(entry.d_tag)) {
            old.push((entry.d_tag, dynamic.name(image, entry.d_val)?, entry.d_val));
        }
        let is_same = match (old.as_slice(), new) {
            ([], None) => true,
            (&[(tag, text, _)], Some(new)) => (tag, text) == new,
            _ => false,
        };
        if is_same {
            return Ok(());
        }
        self.is_other = true;
        self.released.extend(old.iter().map(|&(_, _, value)| value));
        let place = self.entries.iter().position(|(tag, _)| is_search(*tag));
        self.entries.retain(|(tag, _)| !is_search(*tag));
        if let Some((tag, text)) = new {
            // No search path precedes the first of the old ones, so that its position stays right.
            let place = place.unwrap_or(self.entries.len());
            self.entries.insert(place, (tag, Value::Name(text)));
        }
        Ok(())
    }
}

/// Frees strings that are no longer used. All users must be known; that requires section headers,
/// because only they tell the number of symbols for certain.
fn release(
    image: &Image<'_>,
    dynamic: &Dynamic,
    strings: &mut Strings,
    released: &[u64],
    kept: &[u64],
) -> Result<(), Error> {
    let is_symbols = |section: &&sh::SectionHeader| {
        section.sh_type == sh::SHT_DYNSYM && Some(section.sh_addr) == dynamic.get(tag::DT_SYMTAB)
    };
    let Some(symbols) = image.sections.iter().find(is_symbols) else { return Ok(()) };
    let at = image.offset(symbols.sh_addr, "symbol table")?;
    let symbols = image.slice(at, symbols.sh_size, "symbol table")?;
    let mut ranges = Vec::new();
    for &offset in released {
        ranges.extend(strings.around(index(offset, "name")?));
    }
    ranges.sort_by_key(|range| range.start);
    ranges.dedup();
    let mut keep = |name: u64| {
        let inside =
            |range: &std::ops::Range<usize>| name >= range.start as u64 && name < range.end as u64;
        ranges.retain(|range| !inside(range));
    };
    for &name in kept {
        keep(name);
    }
    for symbol in symbols.chunks_exact(Sym::size(image.ctx.container)) {
        // The name is the first word in both ELF classes.
        let name: u32 = symbol.pread_with(0, image.ctx.le).map_err(|_| malformed("symbol"))?;
        keep(name.into());
    }
    strings.release(ranges);
    Ok(())
}

/// Removes libraries from DT_VERNEED: ld.so refuses a record whose library is not needed. Symbols
/// that require their versions accept any version afterwards. Returns the number of remaining
/// records.
fn drop_needs(
    writes: &mut Writes<'_, '_>,
    needs: &[VersionNeed],
    dropped: &[usize],
    entries: &mut Vec<Dyn>,
) -> Result<u32, Error> {
    const WHAT: &str = "symbol versions";
    let image = writes.image;
    let get = |wanted| entries.iter().rfind(|e| e.d_tag == wanted).map(|e: &Dyn| e.d_val);
    if let Some(address) = get(tag::DT_VERSYM) {
        let is_versions = |section: &&sh::SectionHeader| {
            section.sh_type == sh::SHT_GNU_VERSYM && section.sh_addr == address
        };
        let Some(section) = image.sections.iter().find(is_versions) else {
            let reason = "a library with symbol versions cannot be dropped without section headers";
            return Err(unsupported(reason));
        };
        let start = image.offset(address, WHAT)?;
        image.slice(start, section.sh_size, WHAT)?;
        for at in (start..start + section.sh_size / 2 * 2).step_by(2) {
            let number = image.u16(at, WHAT)?;
            let is_dropped = |&i: &usize| needs[i].versions.iter().any(|v| v.0 == number & 0x7fff);
            if dropped.iter().any(is_dropped) {
                // VER_NDX_GLOBAL, and the bit that hides a symbol.
                writes.u16(at, number & 0x8000 | 1)?;
            }
        }
    }
    let left: Vec<&VersionNeed> =
        needs.iter().enumerate().filter(|(i, _)| !dropped.contains(i)).map(|(_, n)| n).collect();
    if left.is_empty() {
        entries.retain(|e| !matches!(e.d_tag, tag::DT_VERNEED | tag::DT_VERNEEDNUM));
        return Ok(0);
    }
    // The table begins with a record, so the first remaining one moves to the front; the others are
    // linked where they are.
    let link = |from: u64, to: u64| {
        u32::try_from(to.wrapping_sub(from)).map_err(|_| malformed("list of needed versions"))
    };
    let mut at = needs[0].at;
    let first = left[0];
    if first.at != at {
        let head = image.slice(first.at, 8, WHAT)?.to_vec();
        writes.list.push((index(at, WHAT)?, head));
        writes.u32(at + 8, link(at, first.at + u64::from(first.aux))?)?;
    }
    for next in &left[1..] {
        writes.u32(at + 12, link(at, next.at)?)?;
        at = next.at;
    }
    writes.u32(at + 12, 0)?;
    let count = u32::try_from(left.len()).map_err(|_| malformed("list of needed versions"))?;
    for entry in entries.iter_mut().filter(|e| e.d_tag == tag::DT_VERNEEDNUM) {
        entry.d_val = count.into();
    }
    Ok(count)
}

/// Numbers to overwrite, in the byte order of the file.
struct Writes<'i, 'b> {
    image: &'i Image<'b>,
    list: Vec<(usize, Vec<u8>)>,
}

impl Writes<'_, '_> {
    fn u16(&mut self, at: u64, value: u16) -> Result<(), Error> {
        let is_little = self.image.ctx.le.is_little();
        let bytes = if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
        self.list.push((index(at, "symbol versions")?, bytes.to_vec()));
        Ok(())
    }

    fn u32(&mut self, at: u64, value: u32) -> Result<(), Error> {
        let is_little = self.image.ctx.le.is_little();
        let bytes = if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
        self.list.push((index(at, "symbol versions")?, bytes.to_vec()));
        Ok(())
    }
}

fn renamed<'e>(name: &[u8], edit: &'e Edit) -> Option<&'e str> {
    let new = edit.renamed.get(std::str::from_utf8(name).ok()?)?;
    (new.as_bytes() != name).then_some(new)
}

fn lookup(name: &[u8], names: &std::collections::BTreeSet<String>) -> bool {
    std::str::from_utf8(name).is_ok_and(|name| names.contains(name))
}

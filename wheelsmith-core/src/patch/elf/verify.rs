//! Parses a changed file again and compares it with the original.

use std::collections::{BTreeMap, BTreeSet};

use goblin::elf::dynamic as tag;
use goblin::elf::program_header::{self as ph, ProgramHeader};
use goblin::elf::section_header::{self as sh, SectionHeader};
use goblin::elf::sym::Sym;
use scroll::Pread as _;

use super::dynamic::{Dynamic, is_movable_table};
use super::image::{Image, is_loaded, span};
use crate::binary::elf::Elf;
use crate::patch::{Edit, Error, Search};

/// Checks that `after` differs from `before` only by `edit`.
///
/// # Errors
/// Returns [`Error::Wrong`] with the first difference.
pub fn verify(before: &[u8], after: &[u8], edit: &Edit) -> Result<(), Error> {
    facts(&Elf::parse(before)?, &Elf::parse(after)?, edit)?;
    let (old, new) = (Image::read(before)?, Image::read(after)?);
    let Some(dynamic) = Dynamic::read(&new)? else { return Ok(()) };
    let Some(old_dynamic) = Dynamic::read(&old)? else {
        return Err(wrong("it gained dynamic entries"));
    };
    segments(&old, &old_dynamic, &new, &dynamic)?;
    sections(&old, &new, &dynamic)?;
    symbol_names(&old, &old_dynamic, &new, &dynamic)
}

fn wrong(what: impl Into<String>) -> Error {
    Error::Wrong(what.into())
}

fn check(is_right: bool, what: &str) -> Result<(), Error> {
    if is_right { Ok(()) } else { Err(wrong(what)) }
}

/// Compares the facts of both files.
pub(super) fn facts(old: &Elf, new: &Elf, edit: &Edit) -> Result<(), Error> {
    let rename = |name: &String| edit.renamed.get(name).unwrap_or(name).clone();
    let kept = |name: &&String| !edit.dropped.contains(*name);
    let mut expected = old.clone();
    if let Some(id) = &edit.id {
        expected.soname = Some(id.clone());
    }
    expected.needed = old.needed.iter().filter(kept).map(rename).collect();
    match &edit.search {
        Search::Keep => {}
        Search::Nowhere => (expected.rpath, expected.runpath) = (Vec::new(), Vec::new()),
        Search::Rpath(list) => (expected.rpath, expected.runpath) = (list.clone(), Vec::new()),
        Search::Runpath(list) => (expected.rpath, expected.runpath) = (Vec::new(), list.clone()),
    }
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (library, names) in old.needed_versions.iter().filter(|(name, _)| kept(name)) {
        versions.entry(rename(library)).or_default().extend(names.iter().cloned());
    }
    expected.needed_versions = versions;
    check(new.soname == expected.soname, "its SONAME changed")?;
    check(new.needed == expected.needed, "it needs other libraries")?;
    check(new.rpath == expected.rpath, "its RPATH changed")?;
    check(new.runpath == expected.runpath, "its RUNPATH changed")?;
    check(new.needed_versions == expected.needed_versions, "it needs other symbol versions")?;
    check(new.defined_versions == expected.defined_versions, "it defines other symbol versions")?;
    check(new.build_id == expected.build_id, "its build ID changed")?;
    check(new.interpreter == expected.interpreter, "its loader changed")?;
    let flags = |elf: &Elf| (elf.arch, elf.executable_stack, elf.text_relocations, elf.relro);
    check(flags(new) == flags(&expected), "its properties changed")?;
    check(new.x86_64_level == expected.x86_64_level, "its required processor changed")?;
    let largest = |elf: &Elf| elf.alignment_bytes.map(|(_, largest)| largest);
    check(largest(new) == largest(&expected), "its alignment changed")
}

/// Compares the segments.
fn segments(
    old: &Image<'_>,
    old_dynamic: &Dynamic,
    new: &Image<'_>,
    dynamic: &Dynamic,
) -> Result<(), Error> {
    let length = new.bytes.len() as u64;
    let key = |load: &ProgramHeader| (load.p_vaddr, load.p_offset, load.p_filesz, load.p_memsz);
    let known: BTreeSet<_> = old.loads().map(|(_, load)| key(load)).collect();
    let end = |load: &ProgramHeader| load.p_vaddr.saturating_add(load.p_memsz);
    for (number, load) in new.loads().filter(|(_, load)| !known.contains(&key(load))) {
        let align = load.p_align.max(1);
        let is_congruent = load.p_offset % align == load.p_vaddr % align;
        let is_inside = load.p_offset.checked_add(load.p_filesz).is_some_and(|end| end <= length);
        check(
            is_congruent && is_inside && load.p_align.is_power_of_two(),
            "its segment is misaligned or outside the file",
        )?;
        for (other, before) in new.loads().filter(|(other, _)| *other != number) {
            check(end(before) <= load.p_vaddr / align * align, "segments share a page")?;
            check(other < number, "segments are not in order")?;
        }
    }
    let headers = new.program_headers();
    let table = new.segments.iter().find(|segment| segment.p_type == ph::PT_PHDR);
    if let Some(table) = table.filter(|_| old.segments.iter().any(|s| s.p_type == ph::PT_PHDR)) {
        let size = headers.end - headers.start;
        let was_right = old.segments.iter().any(|s| {
            s.p_type == ph::PT_PHDR
                && s.p_offset == old.header.e_phoff
                && old.offset(s.p_vaddr, "").is_ok_and(|at| at == s.p_offset)
        });
        let is_right = table.p_offset == headers.start
            && table.p_filesz == size
            && new.offset(table.p_vaddr + size - 1, "").is_ok_and(|at| at + 1 == headers.end);
        check(is_right || !was_right, "its program headers are not loaded")?;
    }
    let is_writable = |image: &Image<'_>, address: u64| {
        image.loads().any(|(_, load)| {
            load.p_flags & ph::PF_W != 0 && address >= load.p_vaddr && address < end(load)
        })
    };
    let was_writable = is_writable(old, old_dynamic.place.address);
    let still = !was_writable || is_writable(new, dynamic.place.address);
    check(still, "its dynamic entries cannot be written")?;
    for entry in dynamic.entries.iter().filter(|entry| is_movable_table(entry.d_tag)) {
        let old_address = old_dynamic.get(entry.d_tag);
        let was_there = old_address.is_some_and(|address| old.offset(address, "").is_ok());
        let is_there = new.offset(entry.d_val, "").is_ok();
        check(is_there || !was_there, "a table is not loaded")?;
    }
    Ok(())
}

/// Compares the sections: the same bytes, except for the tables that an edit changes.
fn sections(old: &Image<'_>, new: &Image<'_>, dynamic: &Dynamic) -> Result<(), Error> {
    check(old.sections.len() == new.sections.len(), "sections are missing")?;
    for (before, after) in old.sections.iter().zip(&new.sections) {
        let name = || old.section_name(before);
        let is_changed = match after.sh_type {
            sh::SHT_DYNAMIC
            | sh::SHT_GNU_VERNEED
            | sh::SHT_GNU_VERSYM
            | sh::SHT_SYMTAB
            | sh::SHT_DYNSYM => true,
            sh::SHT_STRTAB => is_loaded(after) && after.sh_addr == dynamic.strings.address,
            _ => false,
        };
        let fixed = |s: &SectionHeader| {
            (s.sh_name, s.sh_type, s.sh_flags, s.sh_link, s.sh_addralign, s.sh_entsize)
        };
        check(fixed(before) == fixed(after), "a section has another kind")?;
        let (from, to) = (span(before), span(after));
        if is_changed || from.size == 0 {
            continue;
        }
        // Sections may point anywhere, because loaders do not read them.
        let Ok(from_bytes) = old.slice(from.offset, from.size, "section") else { continue };
        let to_bytes = new.slice(to.offset, to.size, "section")?;
        if from_bytes != to_bytes {
            return Err(wrong(format!("`{}` has other bytes", name())));
        }
        let is_mapped = |image: &Image<'_>, s: &SectionHeader| {
            image.offset(s.sh_addr, "").is_ok_and(|at| at == s.sh_offset)
        };
        if is_loaded(before) && is_mapped(old, before) && !is_mapped(new, after) {
            return Err(wrong(format!("`{}` is not loaded", name())));
        }
    }
    Ok(())
}

/// Compares the names of symbols, which must be the same in the new string table.
fn symbol_names(
    old: &Image<'_>,
    old_dynamic: &Dynamic,
    new: &Image<'_>,
    dynamic: &Dynamic,
) -> Result<(), Error> {
    let size = Sym::size(old.ctx.container);
    let symbols = |image: &Image<'_>, dynamic: &Dynamic| {
        let is_symbols = |s: &&SectionHeader| {
            s.sh_type == sh::SHT_DYNSYM && Some(s.sh_addr) == dynamic.get(tag::DT_SYMTAB)
        };
        image.sections.iter().find(is_symbols).map(span)
    };
    let Some(from) = symbols(old, old_dynamic) else { return Ok(()) };
    let to = symbols(new, dynamic).ok_or_else(|| wrong("its symbols are gone"))?;
    let from = old.slice(from.offset, from.size, "symbol table")?;
    let to = new.slice(to.offset, to.size, "symbol table")?;
    let table = |image: &Image<'_>, dynamic: &Dynamic| -> Result<(usize, usize), Error> {
        let strings = dynamic.strings;
        image.slice(strings.offset, strings.size, "string table")?;
        let at = |value: u64| super::image::index(value, "string table");
        Ok((at(strings.offset)?, at(strings.end())?))
    };
    let (start, end) = table(old, old_dynamic)?;
    let old_names = &old.bytes[start..end];
    let (start, end) = table(new, dynamic)?;
    let new_names = &new.bytes[start..end];
    check(from.len() == to.len(), "it has other symbols")?;
    // Many symbols may share bytes of names; few strings change.
    let changed = changed_strings(old_names, new_names);
    for (before, after) in from.chunks_exact(size).zip(to.chunks_exact(size)) {
        // The name is the first word in both ELF classes.
        let name = |symbol: &[u8]| symbol.pread_with::<u32>(0, old.ctx.le).unwrap_or(u32::MAX);
        check(name(before) == name(after), "it has other symbols")?;
        let at = name(before) as usize;
        let next = changed.partition_point(|range| range.end <= at);
        let is_same = changed.get(next).is_none_or(|range| range.start > at);
        check(is_same, "a symbol has another name")?;
    }
    Ok(())
}

/// Returns the strings of `old` that differ in `new`, with their zero bytes, in order.
fn changed_strings(old: &[u8], new: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for string in old.split_inclusive(|&byte| byte == 0) {
        let range = start..start + string.len();
        start = range.end;
        if new.get(range.clone()) != Some(string) {
            found.push(range);
        }
    }
    found
}

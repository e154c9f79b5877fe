//! Layout and bytes of the new file.

use goblin::elf::dynamic::{self as tag, Dyn};
use goblin::elf::program_header::{self as ph, ProgramHeader};
use goblin::elf::section_header::{self as sh, SectionHeader};
use goblin::elf::sym::Sym;
use scroll::Pwrite as _;
use scroll::{Endian, Pread as _};

use super::change::Change;
use super::dynamic::{Dynamic, is_movable_table};
use super::image::{Image, Span, index, is_loaded, malformed, outside, span, unsupported};
use super::part::{PT_GNU_PROPERTY, Part, PartContent};
use super::segment::{NewSegment, relro_moves};
use crate::patch::{Error, buffer};

/// Number of DT_NULL entries that are added when the dynamic entries move, for later edits.
const SPARE_ENTRIES: usize = 4;

/// Offsets and addresses of all that moves.
pub(super) struct Positions {
    parts: Vec<Placed>,
    /// The new segment, with the program headers if they move.
    load: ProgramHeader,
    program_headers: u64,
    section_headers: Option<u64>,
    pub(super) length: u64,
}

struct Placed {
    part: Part,
    new: Span,
}

impl Positions {
    pub(super) fn find(
        image: &Image<'_>,
        dynamic: &Dynamic,
        change: &Change,
        new: &NewSegment,
    ) -> Result<Self, Error> {
        const WHAT: &str = "new segment";
        let up = |value: u64, step: u64| {
            value.checked_next_multiple_of(step.max(1)).ok_or_else(|| outside(WHAT))
        };
        let dropped = |number: usize| new.dropped.contains(&number);
        let mut end = 0;
        let mut align = 1;
        for (number, load) in image.loads() {
            // The page size of the linker's target counts, not that of the host.
            align = align.max(load.p_align);
            if !dropped(number) {
                let top = load.p_vaddr.checked_add(load.p_memsz).ok_or_else(|| outside(WHAT))?;
                end = end.max(top);
            }
        }
        if !align.is_power_of_two() {
            return Err(malformed("program headers"));
        }
        let largest = new.parts.iter().map(|part| part.align).max().unwrap_or(1);
        // Parts are aligned in the file, and addresses follow.
        let start = up(new.keep, largest.max(2 * image.word()))?;
        let address = up(end, align)?.checked_add(start % align).ok_or_else(|| outside(WHAT))?;
        let mut at = start;
        if new.moves_headers {
            let count = image.segments.len() - new.dropped.len() + 1;
            at += count as u64 * u64::from(image.header.e_phentsize);
        }
        let mut parts = Vec::new();
        for &part in &new.parts {
            at = up(at, part.align)?;
            let size = match part.content {
                PartContent::Same => part.old.size,
                PartContent::Strings => change.strings.len() as u64,
                PartContent::Entries => {
                    let moved = change.entries.len() + 1 + SPARE_ENTRIES;
                    let bytes = (moved * Dyn::size(image.ctx.container)) as u64;
                    // Entries that moved before keep their size, so that it does not grow with each
                    // edit.
                    bytes.max(if change.entries_grew { 0 } else { dynamic.place.size })
                }
            };
            parts.push(Placed {
                part,
                new: Span { offset: at, address: address + (at - start), size },
            });
            at += size;
        }
        let size = at - start;
        let has_entries = new.parts.iter().any(|part| part.content == PartContent::Entries);
        let load = ProgramHeader {
            p_type: ph::PT_LOAD,
            // The loader writes into the dynamic entries.
            p_flags: if has_entries { ph::PF_R | ph::PF_W } else { ph::PF_R },
            p_offset: start,
            p_vaddr: address,
            p_paddr: address,
            p_filesz: size,
            p_memsz: size,
            p_align: align,
        };
        let section_headers = match image.sections.len() {
            0 => None,
            _ => Some(up(at, image.word())?),
        };
        let headers = image.section_headers();
        let length = section_headers.map_or(at, |start| start + (headers.end - headers.start));
        let top = address.checked_add(size).ok_or_else(|| outside(WHAT))?;
        if !image.is_64_bit() && (length > u64::from(u32::MAX) || top > u64::from(u32::MAX)) {
            return Err(unsupported("another segment does not fit into 32 bits"));
        }
        let program_headers = if new.moves_headers { start } else { image.header.e_phoff };
        Ok(Self { parts, load, program_headers, section_headers, length })
    }

    /// Returns the new address of the part at `address`.
    fn moved(&self, address: u64) -> Option<(&Placed, Span)> {
        let placed = self.parts.iter().find(|placed| {
            let old = placed.part.old;
            old.has_address(address) || old.address == address
        })?;
        let step = address - placed.part.old.address;
        let new = placed.new;
        Some((placed, Span { offset: new.offset + step, address: new.address + step, ..new }))
    }

    fn has(&self, content: PartContent) -> bool {
        self.parts.iter().any(|placed| placed.part.content == content)
    }

    /// Returns the header of a section that moved.
    fn moved_section(&self, section: &SectionHeader) -> Option<SectionHeader> {
        let bytes = span(section);
        if !is_loaded(section) || bytes.size == 0 {
            return None;
        }
        let (placed, new) = self.moved(section.sh_addr)?;
        let old = placed.part.old;
        let is_part = match placed.part.content {
            PartContent::Same => bytes.offset >= old.offset && bytes.end() <= old.end(),
            PartContent::Entries => {
                section.sh_type == sh::SHT_DYNAMIC && bytes.address == old.address
            }
            PartContent::Strings => {
                section.sh_type == sh::SHT_STRTAB && bytes.address == old.address
            }
        };
        let is_same = placed.part.content == PartContent::Same;
        is_part.then(|| SectionHeader {
            sh_addr: new.address,
            sh_offset: new.offset,
            sh_size: if is_same { section.sh_size } else { placed.new.size },
            ..section.clone()
        })
    }
}

/// Returns the file with entries, strings and versions changed in place.
pub(super) fn in_place(
    image: &Image<'_>,
    dynamic: &Dynamic,
    change: &Change,
) -> Result<Vec<u8>, Error> {
    let mut out = buffer::copy(image.bytes);
    write_over(&mut out, &change.writes)?;
    put(&mut out, dynamic.strings.offset, &change.strings)?;
    let mut entries_now = change.entries.clone();
    set_names_size(&mut entries_now, change);
    let bytes = entries(image, dynamic, &entries_now, dynamic.place.size)?;
    put(&mut out, dynamic.place.offset, &bytes)?;
    let mut sections = image.sections.clone();
    grow_names(&mut sections, dynamic, change);
    set_version_needs(&mut sections, change);
    let at = image.section_headers().start;
    put_table(&mut out, image, at, &sections)?;
    Ok(out)
}

/// Returns the file with a new segment.
pub(super) fn with_segment(
    image: &Image<'_>,
    dynamic: &Dynamic,
    change: &Change,
    new: &NewSegment,
    positions: &Positions,
) -> Result<Vec<u8>, Error> {
    let length = index(positions.length, "new file")?;
    // Files may be large: this is the only further copy.
    let mut out = buffer::with_capacity(length.max(image.bytes.len()));
    out.extend_from_slice(image.bytes);
    write_over(&mut out, &change.writes)?;
    move_symbols(&mut out, image, positions)?;
    let mut parts = Vec::with_capacity(positions.parts.len());
    for placed in &positions.parts {
        parts.push(match placed.part.content {
            PartContent::Same => {
                let start = index(placed.part.old.offset, "section")?;
                let end = index(placed.part.old.end(), "section")?;
                out.get(start..end).ok_or_else(|| outside("section"))?.to_vec()
            }
            PartContent::Strings => change.strings.clone(),
            PartContent::Entries => {
                entries(image, dynamic, &moved_entries(change, positions), placed.new.size)?
            }
        });
    }

    let keep = index(new.keep, "file")?;
    if keep > out.len() {
        return Err(outside("file"));
    }
    out.truncate(keep);
    clear(&mut out, image, positions);
    out.resize(length, 0);
    for (placed, bytes) in positions.parts.iter().zip(parts) {
        put(&mut out, placed.new.offset, &bytes)?;
    }
    if !positions.has(PartContent::Strings) {
        put(&mut out, dynamic.strings.offset, &change.strings)?;
    }
    if !positions.has(PartContent::Entries) {
        let entries_now = moved_entries(change, positions);
        let bytes = entries(image, dynamic, &entries_now, dynamic.place.size)?;
        put(&mut out, dynamic.place.offset, &bytes)?;
    }
    let segments = segments(image, new, positions);
    let mut header = image.header;
    let size = u64::from(header.e_phentsize);
    if !new.moves_headers && segments.len() < image.segments.len() {
        let start = header.e_phoff + segments.len() as u64 * size;
        put(
            &mut out,
            start,
            &vec![0; index(image.program_headers().end - start, "program headers")?],
        )?;
    }
    for (number, segment) in segments.into_iter().enumerate() {
        let at = index(positions.program_headers + number as u64 * size, "program headers")?;
        out.pwrite_with(segment, at, image.ctx).map_err(|_| outside("program headers"))?;
    }
    let count = image.segments.len() - new.dropped.len() + 1;
    header.e_phnum = u16::try_from(count).map_err(|_| malformed("program headers"))?;
    header.e_phoff = positions.program_headers;
    if let Some(at) = positions.section_headers {
        header.e_shoff = at;
        let moved = |section: &SectionHeader| {
            positions.moved_section(section).unwrap_or_else(|| section.clone())
        };
        let mut sections: Vec<SectionHeader> = image.sections.iter().map(moved).collect();
        if !positions.has(PartContent::Strings) {
            grow_names(&mut sections, dynamic, change);
        }
        set_version_needs(&mut sections, change);
        put_table(&mut out, image, at, &sections)?;
    } else {
        header.e_shoff = 0;
    }
    out.pwrite_with(header, 0, image.ctx.le).map_err(|_| outside("file header"))?;
    Ok(out)
}

fn put(out: &mut [u8], at: u64, bytes: &[u8]) -> Result<(), Error> {
    let at = index(at, "new file")?;
    let end = at.checked_add(bytes.len()).ok_or_else(|| outside("new file"))?;
    out.get_mut(at..end).ok_or_else(|| outside("new file"))?.copy_from_slice(bytes);
    Ok(())
}

fn write_over(out: &mut [u8], writes: &[(usize, Vec<u8>)]) -> Result<(), Error> {
    writes.iter().try_for_each(|(at, bytes)| put(out, *at as u64, bytes))
}

fn put_table(
    out: &mut [u8],
    image: &Image<'_>,
    start: u64,
    sections: &[SectionHeader],
) -> Result<(), Error> {
    let mut at = index(start, "section headers")?;
    for section in sections {
        out.pwrite_with(section.clone(), at, image.ctx).map_err(|_| outside("section headers"))?;
        at += SectionHeader::size(image.ctx);
    }
    Ok(())
}

fn set_version_needs(sections: &mut [SectionHeader], change: &Change) {
    if let Some(count) = change.version_needs {
        for section in sections.iter_mut().filter(|s| s.sh_type == sh::SHT_GNU_VERNEED) {
            section.sh_info = count;
        }
    }
}

/// Returns the entries as bytes, filled with DT_NULL up to `size`.
fn entries(
    image: &Image<'_>,
    dynamic: &Dynamic,
    entries: &[Dyn],
    size: u64,
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; index(size, "dynamic segment")?];
    let mut at = 0;
    for entry in entries {
        bytes.pwrite_with(entry.clone(), at, image.ctx).map_err(|_| outside("dynamic segment"))?;
        at += Dyn::size(image.ctx.container);
    }
    if size == dynamic.place.size {
        // Bytes after the first DT_NULL have no meaning, but stay as they were.
        let used = (dynamic.entries.len() + 1) * Dyn::size(image.ctx.container);
        let rest = used.max(at + Dyn::size(image.ctx.container));
        let old = image.slice(dynamic.place.offset, size, "dynamic segment")?;
        if let (Some(new), Some(old)) = (bytes.get_mut(rest..), old.get(rest..)) {
            new.copy_from_slice(old);
        }
    }
    Ok(bytes)
}

/// Returns the entries with the new addresses and the new size of the strings.
fn moved_entries(change: &Change, positions: &Positions) -> Vec<Dyn> {
    let mut entries = change.entries.clone();
    for entry in &mut entries {
        if is_movable_table(entry.d_tag)
            && let Some((_, new)) = positions.moved(entry.d_val)
        {
            entry.d_val = new.address;
        }
    }
    set_names_size(&mut entries, change);
    entries
}

fn set_names_size(entries: &mut [Dyn], change: &Change) {
    for entry in entries.iter_mut().filter(|entry| entry.d_tag == tag::DT_STRSZ) {
        entry.d_val = change.strings.len() as u64;
    }
}

/// Enlarges the section of the strings that grow in place.
fn grow_names(sections: &mut [SectionHeader], dynamic: &Dynamic, change: &Change) {
    let is_names = |section: &&mut SectionHeader| {
        section.sh_type == sh::SHT_STRTAB && span(section) == dynamic.strings
    };
    for section in sections.iter_mut().filter(is_names) {
        section.sh_size = change.strings.len() as u64;
    }
}

/// Moves symbols of sections that moved, such as `_DYNAMIC`.
fn move_symbols(old: &mut [u8], image: &Image<'_>, positions: &Positions) -> Result<(), Error> {
    let step = |section: &SectionHeader| {
        positions.moved_section(section).map(|new| new.sh_addr.wrapping_sub(section.sh_addr))
    };
    let steps: Vec<Option<u64>> = image.sections.iter().map(step).collect();
    let moved_entries = positions
        .parts
        .iter()
        .find(|placed| placed.part.content == PartContent::Entries)
        .map(|placed| placed.part.old.address)
        .and_then(|from| Some((from, positions.moved(from)?.1.address.wrapping_sub(from))));
    let is_symbols = |s: &&SectionHeader| matches!(s.sh_type, sh::SHT_SYMTAB | sh::SHT_DYNSYM);
    let size = Sym::size(image.ctx.container);
    // The section index is at offset 14 in 32-bit files, and at 6 in 64-bit files.
    let number_at = if image.is_64_bit() { 6 } else { 14 };
    let endian: Endian = image.ctx.le;
    for table in image.sections.iter().filter(is_symbols) {
        image.slice(table.sh_offset, table.sh_size, "symbol table")?;
        let start = index(table.sh_offset, "symbol table")?;
        let end = start + index(table.sh_size, "symbol table")? / size * size;
        for at in (start..end).step_by(size) {
            let number: u16 =
                old.pread_with(at + number_at, endian).map_err(|_| outside("symbol table"))?;
            let step = steps.get(usize::from(number)).copied().flatten();
            if step.is_none() && (u32::from(number) < sh::SHN_LORESERVE || moved_entries.is_none())
            {
                continue;
            }
            let mut symbol: Sym =
                old.pread_with(at, image.ctx).map_err(|_| outside("symbol table"))?;
            // Some linkers put `_DYNAMIC` in no section.
            let of_entries = moved_entries.filter(|(from, _)| {
                symbol.st_value == *from && is_named(old, image, table, symbol.st_name, "_DYNAMIC")
            });
            let Some(step) = step.or(of_entries.map(|(_, step)| step)) else { continue };
            symbol.st_value = symbol.st_value.wrapping_add(step);
            old.pwrite_with(symbol, at, image.ctx).map_err(|_| outside("symbol table"))?;
        }
    }
    Ok(())
}

fn is_named(
    bytes: &[u8],
    image: &Image<'_>,
    symbols: &SectionHeader,
    at: usize,
    name: &str,
) -> bool {
    let names = image.sections.get(symbols.sh_link as usize).map(span);
    let start = names.and_then(|names| index(names.offset, "").ok()?.checked_add(at));
    let text = start.and_then(|start| bytes.get(start..)?.strip_prefix(name.as_bytes()));
    text.is_some_and(|rest| rest.first() == Some(&0))
}

/// Clears the bytes of parts that moved and of the old section headers, unless something else is
/// there. The dynamic entries stay: code may refer to their old address.
fn clear(out: &mut [u8], image: &Image<'_>, positions: &Positions) {
    let headers = image.section_headers();
    let table = Span { offset: headers.start, address: 0, size: headers.end - headers.start };
    let old = positions.parts.iter().filter(|placed| placed.part.content != PartContent::Entries);
    for cleared in old.map(|placed| placed.part.old).chain([table]) {
        let overlaps = |other: Span| {
            other.size > 0 && other.offset < cleared.end() && cleared.offset < other.end()
        };
        let program_headers = image.program_headers();
        let is_used = image.sections.is_empty()
            || cleared.offset < u64::from(image.header.e_ehsize)
            || cleared.offset < program_headers.end && program_headers.start < cleared.end()
            || image
                .sections
                .iter()
                .filter(|section| positions.moved_section(section).is_none())
                .any(|section| overlaps(span(section)));
        let range = index(cleared.offset, "").ok().zip(index(cleared.end(), "").ok());
        let length = out.len();
        if let Some((start, end)) = range.filter(|_| !is_used)
            && let Some(bytes) = out.get_mut(start..end.min(length))
        {
            bytes.fill(0);
        }
    }
}

/// Returns the program headers: remaining ones, updated for the parts that moved, and the new one
/// after the last PT_LOAD, because they are sorted by address.
fn segments(image: &Image<'_>, new: &NewSegment, positions: &Positions) -> Vec<ProgramHeader> {
    let mut found: Vec<ProgramHeader> = Vec::new();
    let mut place = None;
    let moves_relro = new
        .dropped
        .iter()
        .filter_map(|&number| image.segments.get(number))
        .any(|load| relro_moves(image, load, &new.parts));
    for (number, segment) in image.segments.iter().enumerate() {
        if segment.p_type == ph::PT_LOAD {
            place = Some(found.len() + usize::from(!new.dropped.contains(&number)));
        }
        if new.dropped.contains(&number) {
            continue;
        }
        let mut segment = segment.clone();
        match segment.p_type {
            ph::PT_PHDR => {
                let count = image.segments.len() - new.dropped.len() + 1;
                segment.p_filesz = count as u64 * u64::from(image.header.e_phentsize);
                segment.p_memsz = segment.p_filesz;
                if new.moves_headers {
                    segment.p_offset = positions.load.p_offset;
                    segment.p_vaddr = positions.load.p_vaddr;
                    segment.p_paddr = positions.load.p_vaddr;
                }
            }
            ph::PT_NOTE | ph::PT_INTERP | ph::PT_DYNAMIC | PT_GNU_PROPERTY => {
                if let Some((placed, new)) = positions.moved(segment.p_vaddr) {
                    segment.p_offset = new.offset;
                    segment.p_vaddr = new.address;
                    segment.p_paddr = new.address;
                    if placed.part.content == PartContent::Entries {
                        segment.p_filesz = placed.new.size;
                        segment.p_memsz = placed.new.size;
                    }
                }
            }
            ph::PT_GNU_RELRO if moves_relro => {
                let load = &positions.load;
                segment.p_offset = load.p_offset;
                segment.p_vaddr = load.p_vaddr;
                segment.p_paddr = load.p_vaddr;
                segment.p_filesz = load.p_filesz;
                segment.p_memsz = load.p_memsz;
            }
            _ => {}
        }
        found.push(segment);
    }
    found.insert(place.unwrap_or(found.len()), positions.load.clone());
    found
}

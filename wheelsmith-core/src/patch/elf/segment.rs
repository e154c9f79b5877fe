//! A new segment at the end of a file, for parts that outgrow their place. Every loader maps
//! another PT_LOAD, and no address that code refers to changes.
//!
//! Large parts that need not move stay in place: see [`super::grow`].
//!
//! The segment needs a program header. It takes the first of these: a header that is not used, such
//! as that of a segment whose parts move now or moved before; free bytes after the table; the place
//! of the parts directly after the table, which only dynamic entries refer to, and which move too;
//! for libraries, a new place for the table itself.

use goblin::elf::header;
use goblin::elf::program_header::{self as ph, ProgramHeader};
use goblin::elf::section_header::{self as sh, SectionHeader};

use super::change::Change;
use super::dynamic::{Dynamic, is_movable_table};
use super::grow;
use super::image::{Image, Span, is_loaded, malformed, span, unsupported};
use super::part::{
    PT_GNU_PROPERTY, Part, PartContent, add, entries_part, is_movable, joined, load_span,
    strings_part,
};
use crate::patch::Error;

/// Layout of a new segment.
pub(super) struct NewSegment {
    pub(super) parts: Vec<Part>,
    /// Program headers to remove.
    pub(super) dropped: Vec<usize>,
    /// Length of the old file that stays, in bytes.
    pub(super) keep: u64,
    /// True if the program headers move as well.
    pub(super) moves_headers: bool,
}

/// Plans the segment; `None` if everything fits in place.
pub(super) fn plan(
    image: &Image<'_>,
    dynamic: &Dynamic,
    change: &Change,
) -> Result<Option<NewSegment>, Error> {
    let mut parts = Vec::new();
    let last = last_segment(image, dynamic);
    if change.strings_grew {
        let strings = strings_part(dynamic);
        // Parts of the last segment move in any case.
        let moves = last.as_ref().is_some_and(|(_, others)| others.contains(&strings));
        let length = change.strings.len() as u64;
        match if moves { None } else { grow::displaced_parts(image, dynamic, length) } {
            Some(behind) => parts.extend(behind),
            None => add(&mut parts, strings),
        }
    }
    if change.entries_grew {
        if image.header.e_machine == header::EM_MIPS {
            // DT_MIPS_RLD_MAP_REL is relative to its own entry.
            return Err(unsupported("its dynamic entries are full, and cannot move on MIPS"));
        }
        add(&mut parts, entries_part(image, dynamic));
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let mut moves_headers = false;
    if let Some((load, others)) = &last {
        for part in others {
            add(&mut parts, *part);
        }
        moves_headers = image.header.e_phoff == image.segments[*load].p_offset;
    }
    let mut dropped = unused(image, dynamic, change, &parts);
    if let Some((load, _)) = &last {
        dropped.push(*load);
        dropped.sort_unstable();
        dropped.dedup();
    }
    if dropped.is_empty() && !has_space_after_headers(image, &[]) {
        match parts_after_headers(image, dynamic) {
            Some(front) => {
                for part in front {
                    add(&mut parts, part);
                }
                dropped = unused(image, dynamic, change, &parts);
            }
            None if !image.is_program() => moves_headers = true,
            // The kernel passes the address of the headers to a program, relative to its first
            // segment.
            None => return Err(unsupported("it has no space for another program header")),
        }
    }
    // `llvm-strip` places sections by the first segment that begins at an address. The headers of
    // other segments, such as PT_INTERP, precede that of the new one and are less aligned, so none
    // of them may begin where it does.
    let has_header = |part: &Part| {
        let is_there = |segment: &ProgramHeader| {
            segment.p_type != ph::PT_LOAD && part.old.has_address(segment.p_vaddr)
        };
        part.content != PartContent::Strings && image.segments.iter().any(is_there)
    };
    parts.sort_by_key(|part| (has_header(part), part.content, part.old.offset));
    let keep = match &last {
        Some((load, _)) => image.segments[*load].p_offset,
        None => content_end(image)?,
    };
    Ok(Some(NewSegment { parts, dropped, keep, moves_headers }))
}

/// Returns the last segment and its parts if an edit made it. They move, and the segment is cut
/// off, so that repeated edits do not accumulate.
fn last_segment(image: &Image<'_>, dynamic: &Dynamic) -> Option<(usize, Vec<Part>)> {
    let (number, load) = image.loads().max_by_key(|(_, load)| load.p_vaddr)?;
    let bytes = load_span(load);
    let inside = |s: Span| s.offset >= bytes.offset && s.end() <= bytes.end();
    let before = |s: Span| s.end() <= bytes.offset;
    // If the names grew in place, the segment has the parts that they displaced.
    let has_names = inside(dynamic.strings);
    let was_displaced = |section: &SectionHeader| {
        is_loaded(section)
            && load_memory(load, section.sh_addr)
            && matches!(
                section.sh_type,
                sh::SHT_GNU_VERSYM
                    | sh::SHT_GNU_VERDEF
                    | sh::SHT_GNU_VERNEED
                    | sh::SHT_GNU_HASH
                    | sh::SHT_HASH
            )
    };
    let is_ours = has_names || image.sections.iter().any(was_displaced);
    if load.p_filesz != load.p_memsz || number == 0 || !is_ours {
        return None;
    }
    let headers = image.program_headers();
    let has_headers = headers.start == bytes.offset && headers.end <= bytes.end();
    let headers_are_before = headers.end <= bytes.offset;
    if !(headers_are_before || has_headers && !image.is_program()) {
        return None;
    }
    for (_, segment) in image.segments.iter().enumerate().filter(|(i, _)| *i != number) {
        let fits = match segment.p_type {
            ph::PT_LOAD => before(load_span(segment)),
            ph::PT_PHDR => true,
            ph::PT_GNU_RELRO if !inside(dynamic.place) => before(load_span(segment)),
            ph::PT_GNU_RELRO | ph::PT_DYNAMIC | ph::PT_NOTE | ph::PT_INTERP | PT_GNU_PROPERTY => {
                before(load_span(segment)) || inside(load_span(segment))
            }
            _ => segment.p_filesz == 0 || before(load_span(segment)),
        };
        if !fits {
            return None;
        }
    }
    let mut parts = Vec::new();
    if has_names {
        parts.push(strings_part(dynamic));
    }
    if inside(dynamic.place) {
        parts.push(entries_part(image, dynamic));
    }
    if image.sections.is_empty() {
        // Without sections, only the segment with the headers is known completely.
        let is_ours = has_headers && bytes.end() == image.bytes.len() as u64;
        return is_ours.then_some((number, parts));
    }
    let mut front = Vec::new();
    for section in &image.sections {
        let section_span = span(section);
        let in_memory = is_loaded(section) && load_memory(load, section.sh_addr);
        if section.sh_size == 0 || before(section_span) && !in_memory {
            continue;
        }
        if !is_loaded(section) {
            if section_span.size == 0 {
                continue;
            }
            return None;
        }
        if !in_memory && section.sh_type == sh::SHT_NOBITS {
            continue;
        }
        if parts.iter().any(|part| part.old.has_address(section.sh_addr)) {
            continue;
        }
        if !inside(section_span) || !is_movable(image, dynamic, section) {
            return None;
        }
        front.push(section);
    }
    parts.extend(joined(image, dynamic, &front)?);
    Some((number, parts))
}

fn load_memory(load: &ProgramHeader, address: u64) -> bool {
    address >= load.p_vaddr && address - load.p_vaddr < load.p_memsz
}

/// Returns the program headers that are not needed once the parts have moved. An empty segment
/// without sections would make `strip` write a file that no loader accepts.
fn unused(image: &Image<'_>, dynamic: &Dynamic, change: &Change, parts: &[Part]) -> Vec<usize> {
    let moves = |address: u64| parts.iter().any(|part| part.old.has_address(address));
    let is_unused = |load: &ProgramHeader| {
        let has = |address: u64| load_memory(load, address);
        let header_end = u64::from(image.header.e_ehsize);
        let headers = image.program_headers();
        let bytes = load_span(load);
        if bytes.offset < header_end || bytes.offset < headers.end && headers.start < bytes.end() {
            return false;
        }
        let has_section = image.sections.iter().any(|section| {
            is_loaded(section)
                && section.sh_size > 0
                && section.sh_flags & u64::from(sh::SHF_TLS) == 0
                && has(section.sh_addr)
                && !moves(section.sh_addr)
        });
        let has_segment = image.segments.iter().any(|segment| {
            // PT_GNU_RELRO follows the dynamic entries.
            let is_moving = segment.p_type == ph::PT_GNU_RELRO && relro_moves(image, load, parts);
            segment.p_type != ph::PT_LOAD
                && segment.p_memsz > 0
                && has(segment.p_vaddr)
                && !moves(segment.p_vaddr)
                && !is_moving
        });
        let has_table = change
            .entries
            .iter()
            .any(|entry| is_movable_table(entry.d_tag) && has(entry.d_val) && !moves(entry.d_val));
        let has_entry = has(image.header.e_entry) && image.header.e_entry != 0;
        let has_dynamic = has(dynamic.place.address) && !moves(dynamic.place.address);
        !(has_section || has_segment || has_table || has_entry || has_dynamic)
    };
    let knows_sections = image.sections.iter().any(is_loaded);
    let is_dropped = |segment: &ProgramHeader| match segment.p_type {
        ph::PT_NULL => true,
        ph::PT_LOAD if segment.p_memsz == 0 => true,
        ph::PT_LOAD => knows_sections && segment.p_filesz > 0 && is_unused(segment),
        _ => false,
    };
    let segments = image.segments.iter().enumerate();
    segments.filter(|(_, segment)| is_dropped(segment)).map(|(number, _)| number).collect()
}

/// True if PT_GNU_RELRO covers only the dynamic entries of `load`, which move: it then covers the
/// new segment.
pub(super) fn relro_moves(image: &Image<'_>, load: &ProgramHeader, parts: &[Part]) -> bool {
    let entries = parts.iter().find(|part| part.content == PartContent::Entries);
    let is_relro = |segment: &&ProgramHeader| segment.p_type == ph::PT_GNU_RELRO;
    let relro = image.segments.iter().find(is_relro);
    entries.zip(relro).is_some_and(|(entries, relro)| {
        load_memory(load, relro.p_vaddr)
            && load_memory(load, entries.old.address)
            && entries.old.address >= relro.p_vaddr
            && load_span(relro).end() <= load_span(load).end()
    })
}

/// Returns the end of the table with another program header.
fn wanted_end(image: &Image<'_>) -> u64 {
    image.program_headers().end.saturating_add(u64::from(image.header.e_phentsize))
}

/// True if another program header fits after the table once `parts` have moved away.
fn has_space_after_headers(image: &Image<'_>, parts: &[Part]) -> bool {
    let (end, wanted) = (image.program_headers().end, wanted_end(image));
    if !image.sections.iter().any(is_loaded) {
        return false;
    }
    let moves =
        |s: Span| parts.iter().any(|part| s.offset >= part.old.offset && s.end() <= part.old.end());
    let is_free = |s: Span| s.size == 0 || s.end() <= end || s.offset >= wanted || moves(s);
    let sections = image.sections.iter().map(span).all(is_free);
    let segments = image.segments.iter().all(|segment| match segment.p_type {
        ph::PT_LOAD => {
            // The table must stay within its segment.
            let has_table =
                segment.p_offset <= image.header.e_phoff && load_span(segment).end() >= end;
            let bytes = load_span(segment);
            has_table && bytes.end() >= wanted || bytes.end() <= end || bytes.offset >= wanted
        }
        ph::PT_PHDR => true,
        _ => is_free(load_span(segment)),
    });
    sections && segments && wanted <= image.bytes.len() as u64
}

/// Returns the parts that must move so that another program header fits; `None` if one of them
/// cannot.
fn parts_after_headers(image: &Image<'_>, dynamic: &Dynamic) -> Option<Vec<Part>> {
    let (end, wanted) = (image.program_headers().end, wanted_end(image));
    let is_behind = |section: &&SectionHeader| {
        let bytes = span(section);
        bytes.size > 0 && bytes.offset < wanted && bytes.end() > end
    };
    let behind: Vec<&SectionHeader> = image.sections.iter().filter(is_behind).collect();
    let movable = |section: &&SectionHeader| {
        is_loaded(section) && section.sh_offset >= end && is_movable(image, dynamic, section)
    };
    if !behind.iter().all(movable) {
        return None;
    }
    let parts = joined(image, dynamic, &behind)?;
    has_space_after_headers(image, &parts).then_some(parts)
}

/// Returns the end of the file without its section headers, which are written again, and without
/// zeros.
pub(super) fn content_end(image: &Image<'_>) -> Result<u64, Error> {
    let length = image.bytes.len() as u64;
    if image.sections.is_empty() {
        return Ok(length);
    }
    let ends = image.sections.iter().map(|section| span(section).end());
    let ends = ends.chain(image.segments.iter().map(|segment| load_span(segment).end()));
    let end = ends.chain([image.program_headers().end]).max().unwrap_or_default();
    if end > length {
        return Err(malformed("sections"));
    }
    let table = image.section_headers();
    let rest = image.slice(end, length - end, "sections")?;
    let is_other = |(at, &byte): (u64, &u8)| byte != 0 && !table.contains(&at);
    if let Some((at, _)) = (end..).zip(rest).find(|&pair| is_other(pair)) {
        let size = length - at;
        return Err(unsupported(format!("{size} bytes are appended to it")));
    }
    Ok(end)
}

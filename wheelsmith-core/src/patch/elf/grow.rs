//! The room behind the table of names. The table is often the largest part that an edit would move,
//! and what follows it small: GNU ld puts the versions of symbols there, two bytes for each symbol.
//! So the names stay and grow into free bytes, or into the place of what moves in their stead.
//!
//! Not every byte that is mapped would do, though DT_STRTAB could count as far: the section of the
//! names must cover them all, and tools that copy sections expect none inside another.

use goblin::elf::program_header as ph;
use goblin::elf::section_header as sh;

use super::dynamic::{Dynamic, is_movable_table};
use super::image::{Image, Span, is_loaded, span};
use super::segment::{Part, PartContent, is_movable, joined};

/// What moves so that the names can have `length` bytes where they are: nothing at all, where that
/// many are free. `None` when something stands there that cannot move, or that is not smaller than
/// the names themselves.
pub(super) fn displaced_parts(
    image: &Image<'_>,
    dynamic: &Dynamic,
    length: u64,
) -> Option<Vec<Part>> {
    let names = dynamic.strings;
    let is_names = |section: &&sh::SectionHeader| {
        is_loaded(section) && section.sh_type == sh::SHT_STRTAB && span(section) == names
    };
    image.sections.iter().find(is_names)?;
    let wanted = Span {
        offset: names.end(),
        address: names.address.checked_add(names.size)?,
        size: length.checked_sub(names.size)?,
    };
    let overlaps =
        |other: Span| other.size > 0 && other.offset < wanted.end() && wanted.offset < other.end();
    let mut behind = Vec::new();
    for section in image.sections.iter().filter(|section| overlaps(span(section))) {
        let is_in_the_way = is_loaded(section)
            && section.sh_offset >= wanted.offset
            && is_movable(image, dynamic, section)
            && !matches!(section.sh_type, sh::SHT_STRTAB | sh::SHT_DYNAMIC);
        if !is_in_the_way {
            return None;
        }
        behind.push(section);
    }
    let parts = joined(image, dynamic, &behind)?;
    let moves =
        |s: Span| parts.iter().any(|part| s.offset >= part.old.offset && s.end() <= part.old.end());
    let is_large = parts.iter().map(|part| part.old.size).sum::<u64>() >= names.size;
    let is_same = |part: &Part| part.content == PartContent::Same;
    if is_large || !parts.iter().all(is_same) || !is_mapped_once(image, names, wanted, moves) {
        return None;
    }
    // Tables that have no section.
    let stays = dynamic.entries.iter().any(|entry| {
        is_movable_table(entry.d_tag)
            && wanted.has_address(entry.d_val)
            && !parts.iter().any(|part| part.old.has_address(entry.d_val))
    });
    let bytes = image.slice(wanted.offset, wanted.size, "string table").ok()?;
    let is_free = (wanted.offset..)
        .zip(bytes)
        .all(|(at, &byte)| byte == 0 || moves(Span { offset: at, address: 0, size: 1 }));
    let headers =
        [0..image.header.e_ehsize.into(), image.program_headers(), image.section_headers()];
    let is_header = headers.iter().any(|headers| {
        overlaps(Span { offset: headers.start, address: 0, size: headers.end - headers.start })
    });
    (is_free && !stays && !is_header).then_some(parts)
}

/// Whether one segment has the names and the bytes behind them, and no other has any of those but
/// to say where a part is that moves.
fn is_mapped_once(
    image: &Image<'_>,
    names: Span,
    wanted: Span,
    moves: impl Fn(Span) -> bool,
) -> bool {
    let mut has_both = false;
    for segment in &image.segments {
        let bytes =
            Span { offset: segment.p_offset, address: segment.p_vaddr, size: segment.p_filesz };
        let overlaps = bytes.size > 0 && bytes.offset < wanted.end() && wanted.offset < bytes.end();
        if segment.p_type == ph::PT_LOAD
            && bytes.offset <= names.offset
            && bytes.end() >= wanted.end()
            && segment.p_vaddr.wrapping_sub(segment.p_offset)
                == names.address.wrapping_sub(names.offset)
        {
            if has_both {
                return false;
            }
            has_both = true;
        } else if overlaps && (segment.p_type == ph::PT_LOAD || !moves(bytes)) {
            return false;
        }
    }
    has_both
}

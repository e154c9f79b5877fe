//! Growth of the string table in place. It is often the largest part that an edit would move, and a
//! small one follows it: GNU ld puts the symbol versions there, two bytes per symbol. So the
//! strings stay, and grow into free bytes or into the place of parts that move instead.
//!
//! DT_STRSZ could cover any mapped bytes, but the section of the strings must cover them too, and
//! tools that copy sections do not expect overlaps.

use goblin::elf::program_header as ph;
use goblin::elf::section_header as sh;

use super::dynamic::{Dynamic, is_movable_table};
use super::image::{Image, Span, is_loaded, span};
use super::part::{Part, PartContent, is_movable, joined};

/// Returns the parts that must move so that the strings can have `length` bytes in place; none if
/// that many are free. The result is `None` if a part cannot move or is not smaller than the
/// strings.
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
    // Tables without a section.
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

/// True if exactly one segment maps the strings and the bytes after them, and other segments only
/// describe parts that move.
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

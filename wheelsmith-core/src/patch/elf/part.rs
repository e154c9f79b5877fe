//! Parts of a file that can move: what they cover, and which sections form one.

use goblin::elf::program_header::{self as ph, ProgramHeader};
use goblin::elf::section_header::{self as sh, SectionHeader};

use super::dynamic::Dynamic;
use super::image::{Image, Span, is_loaded, span};

/// Part of a file that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) old: Span,
    pub(super) align: u64,
    pub(super) content: PartContent,
}

/// Content of a part at its new place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PartContent {
    Strings,
    Entries,
    Same,
}

/// Largest alignment of any real part, in bytes.
pub(super) const LARGEST_ALIGNMENT: u64 = 4096;

/// PT_GNU_PROPERTY, which goblin does not define.
pub(super) const PT_GNU_PROPERTY: u32 = 0x6474_e553;

pub(super) fn strings_part(dynamic: &Dynamic) -> Part {
    Part { old: dynamic.strings, align: 1, content: PartContent::Strings }
}

pub(super) fn entries_part(image: &Image<'_>, dynamic: &Dynamic) -> Part {
    Part { old: dynamic.place, align: image.word(), content: PartContent::Entries }
}

pub(super) fn add(parts: &mut Vec<Part>, part: Part) {
    if !parts.iter().any(|other| other.content == part.content && other.old == part.old) {
        parts.push(part);
    }
}

pub(super) fn load_span(segment: &ProgramHeader) -> Span {
    Span { offset: segment.p_offset, address: segment.p_vaddr, size: segment.p_filesz }
}

/// True if only dynamic entries and program headers refer to a section.
pub(super) fn is_movable(image: &Image<'_>, dynamic: &Dynamic, section: &SectionHeader) -> bool {
    match section.sh_type {
        sh::SHT_NOTE
        | sh::SHT_HASH
        | sh::SHT_GNU_HASH
        | sh::SHT_DYNSYM
        | sh::SHT_GNU_VERSYM
        | sh::SHT_GNU_VERDEF
        | sh::SHT_GNU_VERNEED => section.sh_flags & u64::from(sh::SHF_WRITE) == 0,
        sh::SHT_STRTAB => section.sh_addr == dynamic.strings.address,
        sh::SHT_DYNAMIC => section.sh_addr == dynamic.place.address,
        sh::SHT_PROGBITS => image.segments.iter().any(|segment| {
            segment.p_type == ph::PT_INTERP
                && segment.p_vaddr == section.sh_addr
                && segment.p_filesz == section.sh_size
        }),
        _ => false,
    }
}

/// Joins sections into parts. Notes of one segment stay together.
pub(super) fn joined(
    image: &Image<'_>,
    dynamic: &Dynamic,
    sections: &[&SectionHeader],
) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    for section in sections {
        let mut old = span(section);
        let mut align = section.sh_addralign.max(1);
        match section.sh_type {
            sh::SHT_STRTAB => {
                parts.push(strings_part(dynamic));
                continue;
            }
            sh::SHT_DYNAMIC => {
                parts.push(entries_part(image, dynamic));
                continue;
            }
            sh::SHT_NOTE => {
                // Twice, because a property segment may be within a note segment.
                for segment in image.segments.iter().chain(&image.segments) {
                    let is_note = matches!(segment.p_type, ph::PT_NOTE | PT_GNU_PROPERTY);
                    let other = load_span(segment);
                    if is_note && other.offset < old.end() && old.offset < other.end() {
                        old = union(old, other)?;
                        align = align.max(segment.p_align);
                    }
                }
            }
            _ => {}
        }
        for other in image.sections.iter().filter(|other| is_loaded(other)) {
            let other_span = span(other);
            if other_span.size > 0 && other_span.offset < old.end() && old.offset < other_span.end()
            {
                let is_note = other.sh_type == sh::SHT_NOTE && section.sh_type == sh::SHT_NOTE;
                if !is_note && other_span != span(section) {
                    return None;
                }
                old = union(old, other_span)?;
                align = align.max(other.sh_addralign);
            }
        }
        if image.offset(old.address, "section").ok()? != old.offset
            || old.end() > image.bytes.len() as u64
            || !align.is_power_of_two()
            || align > LARGEST_ALIGNMENT
        {
            return None;
        }
        add(&mut parts, Part { old, align, content: PartContent::Same });
    }
    let mut same: Vec<Span> =
        parts.iter().filter(|p| p.content == PartContent::Same).map(|part| part.old).collect();
    same.sort_by_key(|old| old.offset);
    same.windows(2).all(|two| two[0].end() <= two[1].offset).then_some(parts)
}

pub(super) fn union(a: Span, b: Span) -> Option<Span> {
    // Both have the same distance between offset and address.
    let is_alike = a.address.wrapping_sub(a.offset) == b.address.wrapping_sub(b.offset);
    let (offset, address) = (a.offset.min(b.offset), a.address.min(b.address));
    is_alike.then(|| Span { offset, address, size: a.end().max(b.end()).saturating_sub(offset) })
}

//! Comparison of a changed PE file with the request.

use super::image::{Image, LITTLE, Section, directory};
use super::names::Entry;
use super::{checksum, load_flags, names, renamed};
use crate::binary::pe::Pe;
use crate::patch::{Edit, Error};

const WHAT: &str = "file header";

/// Parses a file before and after an edit, and compares them.
///
/// Imports are equal except for the requested names. Sections keep their places and all bytes
/// except those names, bound addresses and unused bytes, and do not overlap. The checksum is right,
/// and there is no signature.
///
/// # Errors
/// Returns [`Error::Wrong`] with the first difference.
pub fn verify(before: &[u8], after: &[u8], edit: &Edit) -> Result<(), Error> {
    compare_facts(before, after, edit)?;
    if before == after {
        return Ok(());
    }
    let (old, new) = (Image::parse(before)?, Image::parse(after)?);
    let entries = names::entries(&old, before)?;
    compare_sections(&old, &new)?;
    compare_contents(&old, &new, (before, after), &entries)?;
    compare_headers(&old, &new, before, after)?;
    let place = new.checksum_place();
    if LITTLE.u32(after, place, WHAT)? != checksum(after, place) {
        return wrong("its checksum does not match");
    }
    for gone in [directory::SIGNATURE, directory::BOUND_IMPORTS] {
        if new.directory(gone) != (0, 0) {
            return wrong("its signature or bound imports were kept");
        }
    }
    Ok(())
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Wrong(what.into()))
}

fn compare_facts(before: &[u8], after: &[u8], edit: &Edit) -> Result<(), Error> {
    let mut expected = Pe::parse(before)?;
    let renamed = renamed(edit);
    for import in &mut expected.imports {
        if let Some(new) = renamed.get(&import.library.to_ascii_lowercase()) {
            (*new).clone_into(&mut import.library);
        }
    }
    if before != after {
        expected.is_signed = false;
        expected.system_libraries_only = false;
    }
    if expected == Pe::parse(after)? {
        Ok(())
    } else {
        wrong("its imports differ from the requested ones")
    }
}

fn compare_sections(old: &Image, new: &Image) -> Result<(), Error> {
    if !(old.sections.len()..=old.sections.len() + 1).contains(&new.sections.len()) {
        return wrong("it has other sections");
    }
    for (was, is) in old.sections.iter().zip(&new.sections) {
        let has_grown = is.memory_size > was.memory_size;
        let is_same = (was.address, was.offset, was.size, was.flags)
            == (is.address, is.offset, is.size, is.flags)
            && is.memory_size >= was.memory_size
            && (!has_grown || is.memory_size <= was.size);
        if !is_same {
            return wrong("its sections changed");
        }
    }
    let memory = |s: &Section| (u64::from(s.address), u64::from(s.memory_size.max(1)));
    let file = |s: &Section| (u64::from(s.offset), u64::from(s.size));
    // Files that had overlaps before are no worse now.
    for (of_new, of_old) in [
        (shared(&new.sections, memory), shared(&old.sections, memory)),
        (shared(&new.sections, file), shared(&old.sections, file)),
    ] {
        if of_new && !of_old {
            return wrong("its sections overlap");
        }
    }
    let end = new.sections.iter().map(|s| u64::from(s.address) + u64::from(s.memory_size)).max();
    if new.sections.len() > old.sections.len() && end > Some(new.size.into()) {
        return wrong("its last section is outside the image");
    }
    Ok(())
}

/// True if two sections overlap, by start and size.
fn shared(sections: &[Section], extent: impl Fn(&Section) -> (u64, u64)) -> bool {
    let mut extents: Vec<_> = sections.iter().map(extent).filter(|(_, size)| *size > 0).collect();
    extents.sort_unstable();
    extents.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0)
}

/// Compares the bytes of every section, except those that an edit changes.
fn compare_contents(
    old: &Image,
    new: &Image,
    (before, after): (&[u8], &[u8]),
    entries: &[Entry],
) -> Result<(), Error> {
    let mut changed: Vec<(usize, usize)> = Vec::new();
    for entry in entries {
        changed.push((entry.field, 4));
        changed.push((entry.stamp, if entry.is_delayed { 4 } else { 8 }));
    }
    changed.extend(load_flags(old, before)?.map(|place| (place, 2)));
    for (was, is) in old.sections.iter().zip(&new.sections) {
        let start = was.offset as usize + was.memory_size as usize;
        changed.push((start, is.memory_size.saturating_sub(was.memory_size) as usize));
    }
    changed.retain(|(_, size)| *size > 0);
    changed.sort_unstable();
    for section in old.sections.iter().filter(|section| section.size > 0) {
        let start = section.offset as usize;
        let end = usize::try_from(section.end()).unwrap_or(usize::MAX).min(before.len());
        let mut at = start;
        let outside = changed.iter().filter(|(place, _)| (start..end).contains(place));
        for &(place, size) in outside.chain([&(end, 0)]) {
            if at < place && before.get(at..place) != after.get(at..place) {
                return wrong("the contents of its sections changed");
            }
            at = at.max(place + size);
        }
    }
    Ok(())
}

/// Compares the headers, except the fields that an edit changes.
fn compare_headers(old: &Image, new: &Image, before: &[u8], after: &[u8]) -> Result<(), Error> {
    let blank = |image: &Image, bytes: &[u8], end: usize| {
        let mut header = bytes.get(..end).unwrap_or(bytes).to_vec();
        let mut clear = |place: usize, size: usize| {
            header.get_mut(place..place + size).unwrap_or_default().fill(0);
        };
        // Number of sections, symbols; size of data, of the image, checksum.
        clear(image.file_header + 2, 2);
        clear(image.file_header + 8, 4);
        clear(image.optional_header + 8, 4);
        clear(image.optional_header + 56, 4);
        clear(image.checksum_place(), 4);
        for gone in [directory::SIGNATURE, directory::BOUND_IMPORTS] {
            if let Some(place) = image.directory_place(gone) {
                clear(place, 8);
            }
        }
        for section in &image.sections {
            clear(section.header + 8, 4);
        }
        header
    };
    let end = old.table_end();
    if blank(old, before, end) == blank(new, after, end) {
        Ok(())
    } else {
        wrong("its headers changed")
    }
}

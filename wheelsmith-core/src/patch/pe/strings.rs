//! Storage of new names: bytes that a section leaves unused at its end, or a new section.

use std::collections::BTreeMap;

use super::image::{Image, LITTLE, MOST_SECTIONS, SECTION_HEADER_SIZE, Section};
use crate::binary;
use crate::patch::Error;
use crate::patch::numbers::align_up;

const INITIALIZED_DATA: u32 = 0x40;
const READ: u32 = 0x4000_0000;
/// Flags of sections that are of no use: code, uninitialized data, shared, executable, discardable.
const UNFIT: u32 = 0x20 | 0x80 | 0x0200_0000 | 0x1000_0000 | 0x2000_0000;
const NAME: [u8; 8] = *b".imports";
/// Smallest alignment of sections: below it, Windows maps the file as one piece, and a section
/// cannot be added.
const LEAST_SECTION_ALIGNMENT: u32 = 4096;
/// Size of a COFF symbol, in bytes.
const SYMBOL_SIZE: u64 = 18;
const WHAT: &str = "section";
const OUTSIDE: binary::Error = binary::Error::Outside { what: WHAT };

/// Stores `names` where the loader finds them, and returns the address of each.
pub(super) fn store<'n>(
    bytes: &mut Vec<u8>,
    image: &Image,
    names: &[&'n str],
) -> Result<BTreeMap<&'n str, u32>, Error> {
    match store_in_slack(bytes, image, names)? {
        Some(places) => Ok(places),
        None => store_in_section(bytes, image, names),
    }
}

/// Stores the names in bytes of sections that are in the file but not in memory; `None` if there
/// are too few.
fn store_in_slack<'n>(
    bytes: &mut [u8],
    image: &Image,
    names: &[&'n str],
) -> Result<Option<BTreeMap<&'n str, u32>>, Error> {
    let mut sections: Vec<Section> = image.sections.clone();
    sections.sort_by_key(|section| section.address);
    let mut places = BTreeMap::new();
    let mut texts = Vec::new();
    for &name in names {
        let size = name.len() as u64 + 1;
        let found = (0..sections.len()).find_map(|i| {
            let start = u64::from(sections[i].memory_size).checked_next_multiple_of(2)?;
            let end = start + size;
            (end <= slack_end(bytes, image, &sections, i)).then_some((i, start, end))
        });
        let Some((i, start, end)) = found else { return Ok(None) };
        let section = &mut sections[i];
        texts.push((u64::from(section.offset) + start, name));
        let start = u32::try_from(start).map_err(|_| OUTSIDE)?;
        places.insert(name, section.address.checked_add(start).ok_or(OUTSIDE)?);
        section.memory_size = u32::try_from(end).map_err(|_| OUTSIDE)?;
    }
    // Nothing is written before it is certain that all fit.
    for (offset, name) in texts {
        let offset = usize::try_from(offset).map_err(|_| OUTSIDE)?;
        let place = bytes.get_mut(offset..offset + name.len()).ok_or(OUTSIDE)?;
        place.copy_from_slice(name.as_bytes());
    }
    for section in sections {
        LITTLE.set_u32(bytes, section.header + 8, section.memory_size, WHAT)?;
    }
    Ok(Some(places))
}

/// Returns how far a section may grow in memory within its pages and its bytes in the file.
fn slack_end(bytes: &[u8], image: &Image, sections: &[Section], i: usize) -> u64 {
    let section = &sections[i];
    let is_fit = section.flags & (INITIALIZED_DATA | READ) == INITIALIZED_DATA | READ
        && section.flags & UNFIT == 0
        && section.memory_size > 0
        && section.memory_size < section.size;
    let alignment = image.section_alignment;
    if !is_fit || !alignment.is_power_of_two() {
        return 0;
    }
    let mapped = align_up(section.memory_size.into(), alignment.into()).unwrap_or_default();
    let next = sections
        .get(i + 1)
        .map_or(u64::MAX, |next| next.address.saturating_sub(section.address).into());
    let end = mapped.min(next).min(section.size.into());
    // Bytes that are not zero may be in use.
    let start = u64::from(section.offset) + u64::from(section.memory_size);
    let range =
        usize::try_from(start).ok().zip(usize::try_from(u64::from(section.offset) + end).ok());
    let free = range.and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default();
    let free = free.iter().take_while(|&&byte| byte == 0).count() as u64;
    u64::from(section.memory_size) + free
}

/// Stores the names in a new section after all others.
fn store_in_section<'n>(
    bytes: &mut Vec<u8>,
    image: &Image,
    names: &[&'n str],
) -> Result<BTreeMap<&'n str, u32>, Error> {
    let (sections, files) = (image.section_alignment, image.file_alignment);
    if sections < LEAST_SECTION_ALIGNMENT
        || !sections.is_power_of_two()
        || !files.is_power_of_two()
        || image.sections.is_empty()
    {
        return Err(Error::Unsupported("its sections are too close for another one".to_owned()));
    }
    check_header_space(bytes, image)?;
    let symbols = take_behind_sections(bytes, image)?;

    let memory_end = image.sections.iter().map(|section| {
        u64::from(section.address) + u64::from(section.memory_size.max(section.size))
    });
    let memory_end = memory_end.max().unwrap_or_default().max(image.size.into());
    let address = align_up(memory_end, sections.into()).ok_or(OUTSIDE)?;
    let mut places = BTreeMap::new();
    let mut contents = Vec::new();
    for &name in names {
        let place = u32::try_from(address + contents.len() as u64).map_err(|_| OUTSIDE)?;
        places.insert(name, place);
        contents.extend_from_slice(name.as_bytes());
        contents.push(0);
        contents.resize(contents.len().next_multiple_of(2), 0);
    }
    let number = |number: u64| u32::try_from(number).map_err(|_| OUTSIDE);
    let offset = align_up(bytes.len() as u64, files.into()).ok_or(OUTSIDE)?;
    let size = align_up(contents.len() as u64, files.into()).ok_or(OUTSIDE)?;
    let image_end = align_up(address + contents.len() as u64, sections.into()).ok_or(OUTSIDE)?;

    let header = image.table_end();
    let fields = [contents.len() as u64, address, size, offset, 0, 0, 0];
    bytes.get_mut(header..header + 8).ok_or(OUTSIDE)?.copy_from_slice(&NAME);
    for (i, &field) in fields.iter().enumerate() {
        LITTLE.set_u32(bytes, header + 8 + 4 * i, number(field)?, WHAT)?;
    }
    LITTLE.set_u32(bytes, header + 36, INITIALIZED_DATA | READ, WHAT)?;
    let count = u16::try_from(image.sections.len() + 1).map_err(|_| OUTSIDE)?;
    LITTLE.set_u16(bytes, image.file_header + 2, count, WHAT)?;
    let data_size = image.optional_header + 8;
    let data = u64::from(LITTLE.u32(bytes, data_size, WHAT)?) + size;
    LITTLE.set_u32(bytes, data_size, number(data)?, WHAT)?;
    LITTLE.set_u32(bytes, image.optional_header + 56, number(image_end)?, WHAT)?;

    bytes.resize(usize::try_from(offset).map_err(|_| OUTSIDE)?, 0);
    contents.resize(usize::try_from(size).map_err(|_| OUTSIDE)?, 0);
    bytes.extend(contents);
    if let Some(symbols) = symbols {
        let place = number(bytes.len() as u64)?;
        LITTLE.set_u32(bytes, image.file_header + 8, place, WHAT)?;
        bytes.extend(symbols);
    }
    Ok(places)
}

/// Checks that the section table can have one more entry.
fn check_header_space(bytes: &[u8], image: &Image) -> Result<(), Error> {
    let start = image.table_end();
    let first = image.sections.iter().filter(|section| section.size > 0);
    let first = first.map(|section| section.offset).min().unwrap_or(image.headers_size);
    let end = first.min(image.headers_size) as usize;
    let free = bytes.get(start..end).unwrap_or_default();
    // Bytes that are not zero may be in use.
    let available = free.iter().take_while(|&&byte| byte == 0).count() as u64;
    let needed = SECTION_HEADER_SIZE as u64;
    if available < needed || image.sections.len() >= MOST_SECTIONS {
        return Err(Error::NoSpace { needed, available });
    }
    Ok(())
}

/// Removes and returns the COFF symbols after the sections, which GNU linkers write, so that they
/// can be appended again. Other data there is an error.
fn take_behind_sections(bytes: &mut Vec<u8>, image: &Image) -> Result<Option<Vec<u8>>, Error> {
    let end = usize::try_from(image.contents_end()).map_err(|_| OUTSIDE)?;
    let Some(rest) = bytes.get(end..) else {
        return Err(Error::Unsupported("its last section is cut short".to_owned()));
    };
    if rest.iter().all(|&byte| byte == 0) {
        bytes.truncate(end);
        return Ok(None);
    }
    if !is_symbols(bytes, image, end) {
        let size = rest.len();
        let why = format!("its last {size} bytes belong to no section and would have to move");
        return Err(Error::Unsupported(why));
    }
    let symbols = bytes.split_off(image.symbols.0 as usize);
    bytes.truncate(end);
    Ok(Some(symbols))
}

/// True if COFF symbols and their names are all that follows the sections.
fn is_symbols(bytes: &[u8], image: &Image, end: usize) -> bool {
    let (start, count) = image.symbols;
    let gap = bytes.get(end..start as usize);
    if start == 0 || !gap.is_some_and(|gap| gap.iter().all(|&byte| byte == 0)) {
        return false;
    }
    let names = u64::from(start) + u64::from(count) * SYMBOL_SIZE;
    let Ok(at) = usize::try_from(names) else { return false };
    // The size of the names includes the size field.
    let size = LITTLE.u32(bytes, at, WHAT).unwrap_or_default().max(4);
    let rest = at.checked_add(size as usize).and_then(|end| bytes.get(end..));
    rest.is_some_and(|rest| rest.iter().all(|&byte| byte == 0))
}

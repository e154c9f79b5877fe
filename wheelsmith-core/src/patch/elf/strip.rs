//! Removal of what only linkers and debuggers read. Loaded bytes stay where they are.

use std::collections::BTreeMap;

use goblin::elf::header;
use goblin::elf::section_header::{self as sh, SectionHeader};
use scroll::{Pread as _, Pwrite as _};

use super::image::{Image, Span, index, is_loaded, outside, span, unsupported};
use super::segment::content_end;
use crate::binary::elf::Elf;
use crate::patch::{Edit, Error, buffer};

/// SHF_INFO_LINK: `sh_info` is the number of another section.
const SHF_INFO_LINK: u64 = 0x40;

/// Returns the file without `.symtab` and debug information, as `strip -s` does; the same bytes if
/// it has neither. Use it before [`super::apply`].
///
/// # Errors
/// Returns an error if the file cannot be parsed, is neither program nor library, or has data
/// attached after its sections.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let image = Image::read(bytes)?;
    if !matches!(image.header.e_type, header::ET_DYN | header::ET_EXEC) {
        return Err(unsupported("it is neither a program nor a library"));
    }
    let removed = removed(&image);
    if !removed.contains(&true) {
        return Ok(bytes.to_vec());
    }
    content_end(&image)?;
    let out = Stripped::new(&image, &removed)?.write(&image)?;
    verify(bytes, &out)?;
    Ok(out)
}

/// Checks that both files are the same to a loader. Sections of a broken file may claim bytes that
/// a loader reads as something else.
fn verify(before: &[u8], after: &[u8]) -> Result<(), Error> {
    let old = Elf::parse(before)?;
    let unlike = || unsupported("its sections and its segments contradict each other");
    let new = Elf::parse(after).map_err(|_| unlike())?;
    super::verify::facts(&old, &new, &Edit::default()).map_err(|_| unlike())?;
    // Symbols that cannot be parsed were not touched.
    let Ok(symbols) = old.symbols(before) else { return Ok(()) };
    if new.symbols(after) == Ok(symbols) { Ok(()) } else { Err(unlike()) }
}

/// Returns for each section whether it is removed.
fn removed(image: &Image<'_>) -> Vec<bool> {
    let names = usize::from(image.header.e_shstrndx);
    let is_symbols = |section: &SectionHeader| {
        !is_loaded(section)
            && matches!(section.sh_type, sh::SHT_SYMTAB | sh::SHT_SYMTAB_SHNDX | sh::SHT_GROUP)
    };
    let goes = |(number, section): (usize, &SectionHeader)| {
        if is_loaded(section) || number == names || number == 0 {
            return false;
        }
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let users = || image.sections.iter().filter(|user| user.sh_link == number);
        let has_names =
            section.sh_type == sh::SHT_STRTAB && users().any(is_symbols) && users().all(is_symbols);
        is_symbols(section) || has_names || is_debug(&image.section_name(section))
    };
    let mut removed: Vec<bool> = image.sections.iter().enumerate().map(goes).collect();
    for (number, section) in image.sections.iter().enumerate() {
        let gone = |link: u32| removed.get(link as usize).copied().unwrap_or(false);
        if !is_loaded(section)
            && matches!(section.sh_type, sh::SHT_REL | sh::SHT_RELA)
            && (gone(section.sh_link) || gone(section.sh_info))
        {
            removed[number] = true;
        }
    }
    removed
}

fn is_debug(name: &str) -> bool {
    const PREFIXES: [&str; 5] =
        [".debug_", ".zdebug_", ".gnu.debuglto_", ".stab", ".gnu.linkonce.wi."];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, ".debug" | ".line" | ".gdb_index")
}

struct Stripped {
    /// Remaining sections, at their new places.
    sections: Vec<SectionHeader>,
    /// Bytes that move: old range and new offset.
    moves: Vec<(Span, u64)>,
    /// Names of the sections, and their offset.
    names: (u64, Vec<u8>),
    /// New section number by old one.
    numbers: Vec<Option<u16>>,
    /// End of the loaded part of the file.
    loaded_end: u64,
    /// Removed sections in the loaded part.
    holes: Vec<Span>,
    section_headers: u64,
}

impl Stripped {
    fn new(image: &Image<'_>, removed: &[bool]) -> Result<Self, Error> {
        let loaded = image.sections.iter().filter(|section| is_loaded(section)).map(span);
        let loads = image.loads().map(|(_, load)| load.p_offset.saturating_add(load.p_filesz));
        let loaded_end = loaded.map(Span::end).chain(loads).max().unwrap_or_default();
        let loaded_end =
            loaded_end.max(image.program_headers().end).max(u64::from(image.header.e_ehsize));
        let mut numbers = Vec::new();
        let mut count = 0;
        for &is_removed in removed {
            numbers.push((!is_removed).then_some(count));
            count += u16::from(!is_removed);
        }
        let number = |old: u32| numbers.get(old as usize).copied().flatten().unwrap_or(0);
        let (mut sections, mut moves, mut holes) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = Names { bytes: vec![0], places: BTreeMap::new() };
        let mut names_section = None;
        let mut at = loaded_end;
        for (old_number, section) in image.sections.iter().enumerate() {
            let bytes = span(section);
            let is_behind = bytes.size > 0 && bytes.offset >= loaded_end;
            if removed[old_number] {
                if bytes.size > 0 && !is_behind {
                    holes.push(bytes);
                }
                continue;
            }
            let mut section = section.clone();
            if section.sh_flags & SHF_INFO_LINK != 0
                || matches!(section.sh_type, sh::SHT_REL | sh::SHT_RELA)
            {
                section.sh_info = number(section.sh_info).into();
            }
            section.sh_link = number(section.sh_link).into();
            let name = image.section_name(&section);
            section.sh_name = names.place(&name);
            if old_number == usize::from(image.header.e_shstrndx) && old_number > 0 {
                names_section = Some(sections.len());
            } else if is_behind && !is_loaded(&section) {
                let align = section.sh_addralign.clamp(1, 4096).next_power_of_two();
                at = at.next_multiple_of(align);
                image.slice(bytes.offset, bytes.size, "section")?;
                section.sh_offset = at;
                moves.push((bytes, at));
                at += bytes.size;
            }
            sections.push(section);
        }
        let Some(section) = names_section.and_then(|number: usize| sections.get_mut(number)) else {
            return Err(unsupported("its sections have no names"));
        };
        section.sh_offset = at;
        section.sh_size = names.bytes.len() as u64;
        let section_headers = (at + section.sh_size).next_multiple_of(image.word());
        let names = (at, names.bytes);
        Ok(Self { sections, moves, names, numbers, loaded_end, holes, section_headers })
    }

    fn write(self, image: &Image<'_>) -> Result<Vec<u8>, Error> {
        let size = SectionHeader::size(image.ctx);
        let start = index(self.section_headers, "section headers")?;
        let loaded = image.slice(0, self.loaded_end, "segments")?;
        let mut out = buffer::with_capacity(start + size * self.sections.len());
        out.extend_from_slice(loaded);
        for hole in &self.holes {
            clear(&mut out, image, *hole);
        }
        out.resize(start + size * self.sections.len(), 0);
        for (from, to) in &self.moves {
            let to = index(*to, "section")?;
            let bytes = image.slice(from.offset, from.size, "section")?;
            out[to..to + bytes.len()].copy_from_slice(bytes);
        }
        let at = index(self.names.0, "section names")?;
        out[at..at + self.names.1.len()].copy_from_slice(&self.names.1);
        self.renumber_symbols(&mut out, image)?;
        let mut header = image.header;
        header.e_shoff = self.section_headers;
        header.e_shnum = u16::try_from(self.sections.len()).map_err(|_| outside("sections"))?;
        let names = self.numbers.get(usize::from(header.e_shstrndx)).copied().flatten();
        header.e_shstrndx = names.unwrap_or(0);
        for (number, section) in self.sections.into_iter().enumerate() {
            let place = start + number * size;
            out.pwrite_with(section, place, image.ctx).map_err(|_| outside("section headers"))?;
        }
        out.pwrite_with(header, 0, image.ctx.le).map_err(|_| outside("file header"))?;
        Ok(out)
    }

    /// Updates the section numbers of dynamic symbols.
    fn renumber_symbols(&self, out: &mut [u8], image: &Image<'_>) -> Result<(), Error> {
        const WHAT: &str = "symbol table";
        let (size, place) = if image.is_64_bit() { (24, 6) } else { (16, 14) };
        for table in image.sections.iter().filter(|s| s.sh_type == sh::SHT_DYNSYM && is_loaded(s)) {
            let bytes = span(table);
            image.slice(bytes.offset, bytes.size, WHAT)?;
            let start = index(bytes.offset, WHAT)?;
            let end = start + index(bytes.size, WHAT)? / size * size;
            for at in (start..end).step_by(size) {
                let at = at + place;
                let old: u16 = out.pread_with(at, image.ctx.le).map_err(|_| outside(WHAT))?;
                if let Some(Some(new)) = self.numbers.get(usize::from(old)) {
                    out.pwrite_with(*new, at, image.ctx.le).map_err(|_| outside(WHAT))?;
                }
            }
        }
        Ok(())
    }
}

/// Clears a removed section, unless loaded bytes overlap it.
fn clear(out: &mut [u8], image: &Image<'_>, hole: Span) {
    let overlaps = |start: u64, end: u64| end > start && start < hole.end() && hole.offset < end;
    let headers = image.program_headers();
    let is_used = overlaps(0, image.header.e_ehsize.into())
        || overlaps(headers.start, headers.end)
        || image
            .loads()
            .any(|(_, load)| overlaps(load.p_offset, load.p_offset.saturating_add(load.p_filesz)))
        || image
            .sections
            .iter()
            .filter(|section| is_loaded(section))
            .map(span)
            .any(|s| overlaps(s.offset, s.end()));
    let range = index(hole.offset, "").ok().zip(index(hole.end(), "").ok());
    if let Some((start, end)) = range.filter(|_| !is_used)
        && let Some(bytes) = out.get_mut(start..end)
    {
        bytes.fill(0);
    }
}

/// Names of sections, each once.
struct Names {
    bytes: Vec<u8>,
    places: BTreeMap<String, usize>,
}

impl Names {
    fn place(&mut self, name: &str) -> usize {
        if name.is_empty() {
            return 0;
        }
        *self.places.entry(name.to_owned()).or_insert_with(|| {
            let at = self.bytes.len();
            self.bytes.extend_from_slice(name.as_bytes());
            self.bytes.push(0);
            at
        })
    }
}

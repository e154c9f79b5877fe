//! Dynamic entries, and the version tables that name libraries.

use goblin::elf::dynamic::{self as tag, Dyn};
use goblin::elf::program_header as ph;
use scroll::Pread as _;

use super::image::{Image, Span, index, malformed};
use crate::binary::Error as Unreadable;
use crate::patch::Error;

/// Limit of libraries with versions, and of versions; real files stay far below.
const MOST_VERSIONS: usize = 65_536;
/// Limit of the dynamic entries, in bytes; real files stay far below.
const LARGEST_DYNAMIC: u64 = 1 << 20;

/// DT_AUXILIARY and DT_FILTER, whose values are names too (Solaris, "Linker and Libraries Guide").
const DT_AUXILIARY: u64 = 0x7fff_fffd;
const DT_FILTER: u64 = 0x7fff_ffff;
/// DT_MIPS_XHASH.
const DT_MIPS_XHASH: u64 = 0x7000_0036;

/// Dynamic entries of a file.
pub(super) struct Dynamic {
    /// Entries before DT_NULL.
    pub(super) entries: Vec<Dyn>,
    /// Range of the entries, unused ones included.
    pub(super) place: Span,
    /// String table (DT_STRTAB, DT_STRSZ).
    pub(super) strings: Span,
}

/// True if the value of an entry is a name.
pub(super) fn is_name(tag: u64) -> bool {
    matches!(
        tag,
        tag::DT_NEEDED
            | tag::DT_SONAME
            | tag::DT_RPATH
            | tag::DT_RUNPATH
            | tag::DT_CONFIG
            | tag::DT_DEPAUDIT
            | tag::DT_AUDIT
            | DT_AUXILIARY
            | DT_FILTER
    )
}

/// True if the value of an entry is the address of a table that an edit may move.
pub(super) fn is_movable_table(tag: u64) -> bool {
    matches!(
        tag,
        tag::DT_HASH
            | tag::DT_GNU_HASH
            | DT_MIPS_XHASH
            | tag::DT_STRTAB
            | tag::DT_SYMTAB
            | tag::DT_VERSYM
            | tag::DT_VERDEF
            | tag::DT_VERNEED
    )
}

/// Ranges of the tags that loaders look at (gABI, chapter 5): generic ones, and those of operating
/// systems and processors.
const KNOWN_TAGS: [std::ops::Range<u64>; 2] = [1..64, 0x6000_000d..0x8000_0000];

impl Dynamic {
    /// Reads the entries; `None` for a file that has no entries or no names, so that it loads no
    /// library.
    pub(super) fn read(image: &Image<'_>) -> Result<Option<Self>, Error> {
        const WHAT: &str = "dynamic segment";
        let is_dynamic = |s: &&ph::ProgramHeader| s.p_type == ph::PT_DYNAMIC;
        let Some(segment) = image.segments.iter().rfind(is_dynamic) else { return Ok(None) };
        if segment.p_filesz == 0 {
            return Ok(None);
        }
        if segment.p_filesz > LARGEST_DYNAMIC {
            let what = "bytes of dynamic entries";
            return Err(Unreadable::TooMany { what, count: segment.p_filesz }.into());
        }
        let offset = image.offset(segment.p_vaddr, WHAT)?;
        // Readers differ in which of the two they use.
        if offset != segment.p_offset {
            return Err(malformed(WHAT));
        }
        let place = Span { offset, address: segment.p_vaddr, size: segment.p_filesz };
        let bytes = image.slice(offset, place.size, WHAT)?;
        let mut entries = Vec::new();
        let mut is_ended = false;
        for entry in bytes.chunks_exact(Dyn::size(image.ctx.container)) {
            let entry: Dyn = entry.pread_with(0, image.ctx).map_err(|_| malformed(WHAT))?;
            if entry.d_tag == tag::DT_NULL {
                is_ended = true;
                break;
            }
            entries.push(entry);
        }
        // Loaders read up to DT_NULL, even beyond the end of the segment. GNU ld without spare
        // entries relies on that: the section that follows has zeros, or numbers that are no tags.
        let size = Dyn::size(image.ctx.container) as u64;
        let mut next = offset + entries.len() as u64 * size;
        while !is_ended {
            let entry = image.slice(next, size, WHAT)?;
            let entry: Dyn = entry.pread_with(0, image.ctx).map_err(|_| malformed(WHAT))?;
            if KNOWN_TAGS.iter().any(|tags| tags.contains(&entry.d_tag)) {
                return Err(malformed(WHAT));
            }
            is_ended = entry.d_tag == tag::DT_NULL;
            next += size;
        }
        let last = |wanted| entries.iter().rfind(|e| e.d_tag == wanted).map(|e| e.d_val);
        let Some(address) = last(tag::DT_STRTAB) else { return Ok(None) };
        let size = last(tag::DT_STRSZ).ok_or_else(|| malformed("string table"))?;
        let strings = Span { offset: image.offset(address, "string table")?, address, size };
        image.slice(strings.offset, size, "string table")?;
        Ok(Some(Self { entries, place, strings }))
    }

    pub(super) fn get(&self, wanted: u64) -> Option<u64> {
        self.entries.iter().rfind(|e| e.d_tag == wanted).map(|e| e.d_val)
    }

    /// Returns the bytes of a name without its zero byte.
    pub(super) fn name<'b>(&self, image: &Image<'b>, offset: u64) -> Result<&'b [u8], Error> {
        let table = image.slice(self.strings.offset, self.strings.size, "string table")?;
        let rest = table.get(index(offset, "name")?..).ok_or_else(|| malformed("name"))?;
        let end = rest.iter().position(|&byte| byte == 0).ok_or_else(|| malformed("name"))?;
        Ok(&rest[..end])
    }
}

/// Library in DT_VERNEED, with the versions that it must have.
pub(super) struct VersionNeed {
    /// Offset of the record in the file.
    pub(super) at: u64,
    /// Name of the library, as an offset into the string table.
    pub(super) file: u64,
    /// Distance from this record to its first version.
    pub(super) aux: u32,
    /// Numbers of the versions in DT_VERSYM, and their names.
    pub(super) versions: Vec<(u16, u64)>,
}

pub(super) fn version_needs(
    image: &Image<'_>,
    dynamic: &Dynamic,
) -> Result<Vec<VersionNeed>, Error> {
    const WHAT: &str = "list of needed versions";
    let mut found = Vec::new();
    let Some(address) = dynamic.get(tag::DT_VERNEED) else { return Ok(found) };
    let mut left = MOST_VERSIONS;
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Elf_Verneed: version, count (16 bits each), file, first aux, next (32 bits each).
        let (count, file) = (image.u16(at + 2, WHAT)?, image.u32(at + 4, WHAT)?);
        let (aux, next) = (image.u32(at + 8, WHAT)?, image.u32(at + 12, WHAT)?);
        let mut need = VersionNeed { at, file: file.into(), aux, versions: Vec::new() };
        let mut version = at + u64::from(aux);
        for _ in 0..count {
            take(&mut left)?;
            // Elf_Vernaux: hash (32), flags, number (16 each), name, next (32 each).
            let number = image.u16(version + 6, WHAT)? & 0x7fff;
            need.versions.push((number, image.u32(version + 8, WHAT)?.into()));
            match image.u32(version + 12, WHAT)? {
                0 => break,
                step => version += u64::from(step),
            }
        }
        take(&mut left)?;
        found.push(need);
        match next {
            0 => return Ok(found),
            step => at += u64::from(step),
        }
    }
}

/// Returns the names in DT_VERDEF, as offsets into the string table.
pub(super) fn defined_version_names(
    image: &Image<'_>,
    dynamic: &Dynamic,
) -> Result<Vec<u64>, Error> {
    const WHAT: &str = "list of defined versions";
    let mut found = Vec::new();
    let Some(address) = dynamic.get(tag::DT_VERDEF) else { return Ok(found) };
    let mut left = MOST_VERSIONS;
    let mut at = image.offset(address, WHAT)?;
    loop {
        // Elf_Verdef: version, flags, index, count (16 each), hash, first aux, next (32 each).
        let mut aux = at + u64::from(image.u32(at + 12, WHAT)?);
        for _ in 0..image.u16(at + 6, WHAT)? {
            take(&mut left)?;
            // Elf_Verdaux: name, next (32 each).
            found.push(image.u32(aux, WHAT)?.into());
            match image.u32(aux + 4, WHAT)? {
                0 => break,
                step => aux += u64::from(step),
            }
        }
        take(&mut left)?;
        match image.u32(at + 16, WHAT)? {
            0 => return Ok(found),
            step => at += u64::from(step),
        }
    }
}

fn take(left: &mut usize) -> Result<(), Error> {
    let count = MOST_VERSIONS as u64;
    *left = left.checked_sub(1).ok_or(Unreadable::TooMany { what: "versions", count })?;
    Ok(())
}

//! Edits of PE files: names of the libraries that they load.
//!
//! Only the address of each name changes; import tables stay in place. A new name goes into bytes
//! that a section leaves unused at its end, or else into a new section. Signatures and bound
//! imports become invalid and are removed. So is the rule that libraries come from the Windows
//! directory only (`/DEPENDENTLOADFLAG`), which libraries of a wheel cannot meet.
//!
//! An ARM64X image is edited as the machine of its header sees it. Emulated x86-64 processes may
//! see another import table, which stays as it is: they take their libraries from wheels of their
//! own. Tables stay in place, so the fixups between the two views stay valid.

mod image;
mod names;
mod strings;
mod verify;

use std::collections::BTreeMap;

pub use verify::verify;

use self::image::{Image, LITTLE, directory};
use self::names::Entry;
use super::{Edit, Error, Search, buffer};
use crate::binary;

/// FORCE_INTEGRITY: Windows loads such a file only with a valid signature.
const FORCE_INTEGRITY: u16 = 0x80;
/// Longest name that any system accepts, in bytes.
const LONGEST_NAME: usize = 255;
const WHAT: &str = "file header";

/// Returns the file with `edit`, parsed again and compared.
///
/// The bytes are the same if the file loads none of the renamed libraries. It has no name of its
/// own to change: others load it by its file name.
///
/// # Errors
/// Returns an error if the edit asks for what PE files do not have; if the file needs its
/// signature, is a .NET assembly, or forwards exports to a renamed library; or if there is no space
/// for the names.
pub fn apply(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    let after = change(bytes, edit)?;
    verify(bytes, &after, edit)?;
    Ok(after)
}

fn change(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    if matches!(edit.search, Search::Rpath(_) | Search::Runpath(_)) {
        return unsupported("Windows files have no search path");
    }
    let image = Image::parse(bytes)?;
    let entries = names::entries(&image, bytes)?;
    let dropped = |entry: &&Entry| edit.dropped.iter().any(|n| n.eq_ignore_ascii_case(&entry.name));
    if let Some(entry) = entries.iter().find(dropped) {
        let name = &entry.name;
        return unsupported(format!("a needed library cannot be removed, such as `{name}`"));
    }
    let renamed = renamed(edit);
    let new_name = |entry: &Entry| {
        let new = renamed.get(&entry.name.to_ascii_lowercase()).copied();
        new.filter(|new| *new != entry.name)
    };
    let fields: Vec<(&Entry, &str)> =
        entries.iter().filter_map(|entry| Some((entry, new_name(entry)?))).collect();
    check_allowed(&image, bytes, &renamed, &fields)?;
    if fields.is_empty() {
        return Ok(buffer::copy(bytes));
    }
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in &fields {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut out = buffer::copy(bytes);
    drop_signature(&mut out, &image)?;
    unbind(&mut out, &image, &entries)?;
    if let Some(place) = load_flags(&image, bytes)? {
        LITTLE.set_u16(&mut out, place, 0, WHAT)?;
    }
    let places = strings::store(&mut out, &image, &names)?;
    for (entry, name) in fields {
        LITTLE.set_u32(&mut out, entry.field, places[name], WHAT)?;
    }
    let sum = checksum(&out, image.checksum_place());
    LITTLE.set_u32(&mut out, image.checksum_place(), sum, WHAT)?;
    Ok(out)
}

fn unsupported<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Unsupported(why.into()))
}

/// Returns new names by old ones in lower case, as Windows compares them.
fn renamed(edit: &Edit) -> BTreeMap<String, &str> {
    edit.renamed.iter().map(|(old, new)| (old.to_ascii_lowercase(), new.as_str())).collect()
}

/// Checks that nothing else in the file depends on the names or the bytes.
fn check_allowed(
    image: &Image,
    bytes: &[u8],
    renamed: &BTreeMap<String, &str>,
    fields: &[(&Entry, &str)],
) -> Result<(), Error> {
    if !renamed.is_empty() {
        for library in names::forwarded(image, bytes)? {
            let name = library.to_ascii_lowercase();
            let is_renamed = [name.clone(), format!("{name}.dll")]
                .iter()
                .any(|name| renamed.get(name).is_some_and(|new| !new.eq_ignore_ascii_case(name)));
            if is_renamed {
                return unsupported(format!("it forwards exports to `{library}`"));
            }
        }
    }
    if fields.is_empty() {
        return Ok(());
    }
    if image.dll_characteristics & FORCE_INTEGRITY != 0 {
        return unsupported("it is signed, and a change would invalidate the signature");
    }
    if image.directory(directory::DOTNET).1 > 0 {
        return unsupported("it is a .NET file, which names libraries in other places too");
    }
    for (entry, name) in fields {
        if !entry.is_relative {
            let name = &entry.name;
            return unsupported(format!("its delayed import of `{name}` has absolute addresses"));
        }
        let is_fit = |c: char| c.is_ascii_graphic() || c == ' ';
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || !name.chars().all(is_fit)
            || name.contains(['/', '\\', ':'])
        {
            return unsupported(format!("{name:?} cannot be the name of a library"));
        }
    }
    Ok(())
}

/// Removes the certificates if they are at the end of the file, or else the reference to them.
fn drop_signature(bytes: &mut Vec<u8>, image: &Image) -> Result<(), Error> {
    let (start, size) = image.directory(directory::SIGNATURE);
    let Some(place) = image.directory_place(directory::SIGNATURE) else { return Ok(()) };
    LITTLE.set_u32(bytes, place, 0, WHAT)?;
    LITTLE.set_u32(bytes, place + 4, 0, WHAT)?;
    let end = u64::from(start) + u64::from(size).next_multiple_of(8);
    if size > 0 && u64::from(start) >= image.contents_end() && end >= bytes.len() as u64 {
        bytes.truncate(start as usize);
    }
    Ok(())
}

/// Removes the addresses of bound imports.
fn unbind(bytes: &mut [u8], image: &Image, entries: &[Entry]) -> Result<(), Error> {
    let bound = image.directory(directory::BOUND_IMPORTS);
    for entry in entries {
        if LITTLE.u32(bytes, entry.stamp, WHAT)? == 0 {
            continue;
        }
        if !entry.has_names {
            return unsupported("its imports are bound, and their names are lost");
        }
        LITTLE.set_u32(bytes, entry.stamp, 0, WHAT)?;
        // The first forwarder has no meaning any more either.
        if !entry.is_delayed {
            LITTLE.set_u32(bytes, entry.stamp + 4, 0, WHAT)?;
        }
    }
    let Some(place) = image.directory_place(directory::BOUND_IMPORTS) else { return Ok(()) };
    if bound == (0, 0) {
        return Ok(());
    }
    LITTLE.set_u32(bytes, place, 0, WHAT)?;
    LITTLE.set_u32(bytes, place + 4, 0, WHAT)?;
    // Bound imports follow the section table, which may have to grow.
    let (start, end) = (bound.0, bound.0.saturating_add(bound.1));
    if start as usize >= image.table_end() && end <= image.headers_size {
        bytes.get_mut(start as usize..end as usize).unwrap_or_default().fill(0);
    }
    Ok(())
}

/// Returns the offset of `DependentLoadFlags` in the load configuration.
fn load_flags(image: &Image, bytes: &[u8]) -> Result<Option<usize>, binary::Error> {
    const WHAT: &str = "load configuration";
    let (address, size) = image.directory(directory::LOAD_CONFIG);
    if address == 0 || size == 0 {
        return Ok(None);
    }
    let at = image.offset(address, WHAT)?;
    let place: usize = if image.is_64_bit { 0x4e } else { 0x36 };
    // The structure grew with each Windows; its first word is its size.
    let is_there = LITTLE.u32(bytes, at, WHAT)? as usize >= place + 2;
    Ok(is_there.then_some(at + place))
}

/// Computes the checksum of the file like `CheckSumMappedFile`: the sum of 16-bit words with
/// end-around carry, plus the size; the four bytes at `place` count as zeros.
fn checksum(bytes: &[u8], place: usize) -> u32 {
    let mut sum: u64 = 0;
    for (i, pair) in bytes.chunks(2).enumerate() {
        let at = 2 * i;
        if at < place || at >= place + 4 {
            sum += u64::from(u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    u32::try_from(sum).unwrap_or_default().wrapping_add(size)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

//! Comparison of a changed Mach-O file with the request.

use goblin::mach::load_command as lc;

use super::commands::Commands;
use super::fat::Fat;
use super::{is_arm64, names};
use crate::binary::macho::{MachO, Pages, Slice};
use crate::patch::{Edit, Error};

/// Parses a file before and after an edit, and compares them.
///
/// Names are the requested ones. Every other command is equal, except for the range of the
/// signature. The commands end before the first section, and every byte after them is equal. Each
/// changed slice that needs a signature has an ad-hoc one with the right hash of every page, at the
/// end of `__LINKEDIT` and of the file.
///
/// # Errors
/// Returns [`Error::Wrong`] with the first difference.
pub fn verify(before: &[u8], after: &[u8], edit: &Edit) -> Result<(), Error> {
    if before == after && *edit == Edit::default() {
        return Ok(());
    }
    let facts = (MachO::parse(before)?, MachO::parse(after)?);
    let slices = (slices(before)?, slices(after)?);
    let is_same_shape = facts.0.is_universal == facts.1.is_universal
        && facts.0.slices.len() == facts.1.slices.len()
        && facts.0.slices.len() == slices.0.len()
        && slices.0.len() == slices.1.len();
    if !is_same_shape {
        return wrong("it has other slices");
    }
    let facts = facts.0.slices.iter().zip(&facts.1.slices);
    let bytes = slices.0.into_iter().zip(slices.1);
    for ((before, after), (bytes_before, bytes_after)) in facts.zip(bytes) {
        compare_facts(before, after, edit)?;
        if bytes_before != bytes_after {
            compare_bytes(bytes_before, bytes_after, after)?;
        }
    }
    Ok(())
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Wrong(what.into()))
}

fn slices(bytes: &[u8]) -> Result<Vec<&[u8]>, Error> {
    Ok(match Fat::parse(bytes)? {
        Some(file) => file.slices.iter().map(|slice| slice.bytes).collect(),
        None => vec![bytes],
    })
}

fn compare_facts(before: &Slice, after: &Slice, edit: &Edit) -> Result<(), Error> {
    let mut expected = before.clone();
    if let Some(id) = &edit.id {
        expected.install_name = Some(id.clone());
    }
    for needed in &mut expected.needed {
        if let Some(name) = edit.renamed.get(&needed.name) {
            needed.name.clone_from(name);
        }
    }
    if let Some(rpaths) = names::wanted_rpaths(&edit.search) {
        expected.rpaths = rpaths.into_iter().map(str::to_owned).collect();
    }
    expected.signature.clone_from(&after.signature);
    if expected == *after { Ok(()) } else { wrong("its names differ from the requested ones") }
}

fn compare_bytes(before: &[u8], after: &[u8], facts: &Slice) -> Result<(), Error> {
    let (old, new) = (Commands::parse(before)?, Commands::parse(after)?);
    if new.end > new.first_content || new.first_content != old.first_content {
        return wrong("its commands reach into its contents");
    }
    compare_commands(&old, &new)?;
    let (old_signature, new_signature) = (old.signature()?, new.signature()?);
    let end = |signature: Option<(usize, u64, u64)>, bytes: &[u8]| {
        let start = signature.and_then(|(_, start, _)| usize::try_from(start).ok());
        start.unwrap_or(bytes.len()).min(bytes.len())
    };
    let contents = |bytes, end| <[u8]>::get(bytes, old.first_content..end).unwrap_or_default();
    let was = contents(before, end(old_signature, before));
    let is = contents(after, end(new_signature, after));
    // A first signature begins at the next multiple of its alignment.
    let is_same =
        is.strip_prefix(was).is_some_and(|pad| pad.len() < 16 && pad.iter().all(|&b| b == 0));
    if !is_same {
        return wrong("its contents changed");
    }
    if !is_arm64(new.cpu) && old_signature.is_none() {
        return Ok(());
    }
    let signature = facts.signature.as_ref();
    if !signature.is_some_and(|signature| signature.ad_hoc && signature.pages == Pages::Right) {
        return wrong("its signature does not match");
    }
    let ends_there = |start: u64, size: u64| start.checked_add(size) == Some(after.len() as u64);
    let mut last = false;
    for segment in new.segments() {
        let segment = segment?;
        last |=
            segment.name.starts_with(b"__LINKEDIT\0") && ends_there(segment.offset, segment.size);
    }
    if last && new_signature.is_some_and(|(_, start, size)| ends_there(start, size)) {
        Ok(())
    } else {
        wrong("its signature is not the end of the file")
    }
}

/// Checks that commands without names and signatures are equal.
fn compare_commands(old: &Commands<'_>, new: &Commands<'_>) -> Result<(), Error> {
    let others = |commands: &Commands<'_>| -> Result<Vec<Vec<u8>>, Error> {
        let mut kept = Vec::new();
        let segments = commands.segments().collect::<Result<Vec<_>, _>>()?;
        for (index, command) in commands.list.iter().enumerate() {
            let segment = segments.iter().find(|segment| segment.index == index);
            let is_link_edit =
                segment.is_some_and(|segment| segment.name.starts_with(b"__LINKEDIT\0"));
            let is_ours = [lc::LC_ID_DYLIB, lc::LC_RPATH, lc::LC_CODE_SIGNATURE]
                .contains(&command.which)
                || names::LOADS.contains(&command.which);
            if !is_link_edit && !is_ours {
                kept.push(command.bytes.to_vec());
            }
        }
        Ok(kept)
    };
    if others(old)? == others(new)? { Ok(()) } else { wrong("its load commands changed") }
}

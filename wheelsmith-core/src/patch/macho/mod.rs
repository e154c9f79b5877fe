//! Edits of Mach-O files: install names, search paths, and a new ad-hoc signature.
//!
//! Load commands are rewritten in place. If they outgrow the space that the linker left before the
//! first section, the file is refused: nothing after them may move. A file for arm64, or one that
//! was signed before, gets a new signature without a signer (ad hoc).

mod commands;
mod fat;
mod names;
mod sign;
mod slice;
mod universal;
mod verify;

use std::borrow::Cow;

use goblin::mach::constants::cputype;

pub use universal::create_universal;
pub use verify::verify;

use self::fat::Fat;
use super::{Edit, Error, buffer};

/// Returns the file with `edit` in each slice, parsed again and compared.
///
/// The bytes are the same if there is nothing to change.
///
/// # Errors
/// Returns an error if it is not a file that a system loads, has no space for the new names, or is
/// not laid out as signatures require.
pub fn apply(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    let after = change(bytes, edit)?;
    verify(bytes, &after, edit)?;
    Ok(after)
}

fn change(bytes: &[u8], edit: &Edit) -> Result<Vec<u8>, Error> {
    let Some(file) = Fat::parse(bytes)? else {
        return Ok(slice::change(bytes, edit)?.into_owned());
    };
    let changed = file.slices.iter().map(|slice| slice::change(slice.bytes, edit));
    let changed = changed.collect::<Result<Vec<_>, _>>()?;
    if changed.iter().all(|slice| matches!(slice, Cow::Borrowed(_))) {
        return Ok(buffer::copy(bytes));
    }
    file.write(&changed)
}

fn is_arm64(cpu: u32) -> bool {
    cpu == cputype::CPU_TYPE_ARM64 || cpu == cputype::CPU_TYPE_ARM64_32
}

#[cfg(test)]
mod tests;

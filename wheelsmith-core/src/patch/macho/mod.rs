//! Mach-O files: other install names, other search paths, and a signature that is right again.
//!
//! Load commands are rewritten where they stand. When they grow beyond the room that the linker
//! left before the first section, the file is refused: nothing behind them may move. What is signed
//! for arm64, or was signed before, is signed anew without a signer (ad hoc).

mod commands;
mod fat;
mod fuse;
mod names;
mod sign;
mod slice;
mod verify;

use std::borrow::Cow;

use goblin::mach::constants::cputype;

pub use fuse::fuse;
pub use verify::verify;

use self::fat::Fat;
use super::{Edit, Error, buffer};

/// Makes an edit in a whole file, in each slice of a universal one, and reads the result again.
///
/// Gives the same bytes when there is nothing to do.
///
/// # Errors
/// When it is no file that a system loads, has no room for the new names, or is not laid out as
/// signatures need it.
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

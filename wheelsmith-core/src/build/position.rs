//! Checks that static libraries are position-independent.
//!
//! A linker refuses code that was compiled for a fixed address, and names a relocation only. This
//! check names the library, and the missing flag.

use std::path::{Path, PathBuf};

use super::Error;
use crate::binary::elf::fixed_address;
use crate::sys;

/// Checks each of `archives`, which `component` links to.
pub(super) fn check(component: &str, archives: &[PathBuf]) -> Result<(), Error> {
    for archive in archives {
        // The linker reports an archive that cannot be read.
        let Ok(bytes) = sys::fs::read(archive) else { continue };
        if let Some(reason) = fixed_address(&bytes) {
            return Err(Error::Position {
                component: component.to_owned(),
                archive: short(archive),
                reason,
            });
        }
    }
    Ok(())
}

/// Returns the part of a path below the components' directory.
fn short(path: &Path) -> PathBuf {
    let below = path.iter().skip_while(|part| *part != "components").skip(1).collect::<PathBuf>();
    if below.as_os_str().is_empty() { path.to_owned() } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_with_the_component() {
        let path = Path::new("/w/components/a/stage/usr/lib/a.a");
        assert_eq!(short(path), Path::new("a/stage/usr/lib/a.a"));
        assert_eq!(short(Path::new("/v/lib/a.a")), Path::new("/v/lib/a.a"));
    }
}

//! System that native files are for, if nothing states it.

use std::collections::{BTreeMap, BTreeSet};

use super::extension;
use crate::binary::{Facts, NativeFile};
use crate::name::{Arch, Libc, MacArch, PlatformTag, PlatformVersion};
use crate::policy;

/// Returns the tag with the newest policy of the system that most of the files are for; with
/// `arch`, the newest policy of Linux on that processor.
pub(crate) fn guess(files: &[NativeFile], arch: Option<Arch>) -> Option<PlatformTag> {
    let libc = libc(files);
    let newest = |arch| policy::policies(arch, libc).last().map(|policy| policy.tag.clone());
    if let Some(arch) = arch {
        return newest(arch);
    }
    let mut count: BTreeMap<String, (usize, PlatformTag)> = BTreeMap::new();
    for file in files {
        let tag = match &file.facts {
            Facts::Elf(elf) => elf.arch.and_then(newest),
            Facts::MachO(image) => {
                let arches: BTreeSet<MacArch> =
                    image.slices.iter().filter_map(|slice| slice.arch).map(MacArch::of).collect();
                let arch = match arches.into_iter().collect::<Vec<_>>()[..] {
                    [] => None,
                    [arch] => Some(arch),
                    _ => Some(MacArch::Universal2),
                };
                arch.map(|arch| PlatformTag::MacOs { min: PlatformVersion::new(99, 0), arch })
            }
            Facts::Pe(pe) => pe.arch.map(PlatformTag::windows),
            Facts::Archive(_) | Facts::Wasm(_) | Facts::Unreadable { .. } => None,
        };
        if let Some(tag) = tag {
            count.entry(tag.to_string()).or_insert((0, tag)).0 += 1;
        }
    }
    let best = count.into_iter().max_by(|a, b| a.1.0.cmp(&b.1.0).then(b.0.cmp(&a.0)))?;
    Some(best.1.1)
}

/// Returns the C library that the files need or that the names of extension modules indicate; glibc
/// if neither shows one.
fn libc(files: &[NativeFile]) -> Libc {
    let elves = files.iter().filter_map(NativeFile::elf);
    let names = elves.flat_map(|elf| elf.needed.iter().chain(&elf.interpreter));
    let mut needed =
        names.filter_map(|name| policy::libc_of(name.rsplit('/').next().unwrap_or(name)));
    let by_suffix = || {
        let mut elves = files.iter().filter(|file| file.elf().is_some());
        elves.find_map(extension::libc_of_name)
    };
    needed.next().or_else(by_suffix).unwrap_or(Libc::Glibc)
}

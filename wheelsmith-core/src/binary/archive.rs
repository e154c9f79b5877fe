//! Processor of a static library: that of its first ELF object (`ar.h`; gABI).

use serde::Serialize;

#[cfg(feature = "audit")]
use super::extent::Probe;
use super::{Content, elf};
use crate::name::Arch;

/// Maximum number of members that are searched. Tables and objects of other kinds may come first;
/// real libraries have fewer of them.
const MOST_MEMBERS: u32 = 64;
const HEADER: u64 = 60;
const ELF_HEADER: u64 = 64;

/// Processor of a static library of ELF objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Archive {
    /// Processor of the first object; `None` for one that no platform tag names.
    pub arch: Option<Arch>,
    /// `e_machine` of the first object, for messages about an unknown processor.
    pub machine: u16,
}

impl Archive {
    /// Reads the header of the first ELF object; `None` if there is none among the first members.
    pub fn read<'b>(content: impl Into<Content<'b>>) -> Option<Self> {
        let content = content.into();
        let mut at = 8;
        for _ in 0..MOST_MEMBERS {
            let header = content.get(at..at.checked_add(HEADER)?)?;
            let size = std::str::from_utf8(&header[48..58]).ok()?.trim_end();
            let size: u64 = size.parse().ok().filter(|_| header.ends_with(b"`\n"))?;
            let start = at + HEADER;
            let head = content.up_to(start, size.min(ELF_HEADER))?;
            if head.starts_with(b"\x7fELF") {
                return elf::machine(head).map(|(machine, arch)| Self { arch, machine });
            }
            at = start.checked_add(size)?.checked_next_multiple_of(2)?;
        }
        None
    }
}

/// Returns the offset of the end of the last complete member; `None` if there is none.
#[cfg(feature = "audit")]
pub(crate) fn extent(probe: &Probe<'_>) -> Option<u64> {
    let mut at = 8;
    while let Some(header) = probe.array::<60>(at) {
        let size = std::str::from_utf8(&header[48..58]).ok();
        let size = size.and_then(|size| size.trim_end().parse::<u64>().ok());
        let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else { break };
        let end = at + HEADER + size;
        // The padding of the last member may be missing.
        if size > 0 && probe.array::<1>(end - 1).is_none() {
            break;
        }
        at = if probe.array::<1>(end).is_some() { end + size % 2 } else { end };
    }
    (at > 8).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"!<arch>\n".to_vec();
        for (name, content) in members {
            let size = content.len();
            bytes.extend(
                format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).bytes(),
            );
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(2), b'\n');
        }
        bytes
    }

    #[test]
    fn the_first_object_says_what_it_is_for() {
        let arm = include_bytes!("../../../testdata/elf/aarch64.so");
        let check = |members: &[(&str, &[u8])], expected: Option<Arch>| {
            let found = Archive::read(&archive(members));
            assert_eq!(found.and_then(|found| found.arch), expected);
        };
        check(&[("/", b"odd"), ("a.o/", arm)], Some(Arch::Aarch64));
        check(&[("a.o/", arm)], Some(Arch::Aarch64));
        check(&[("/", b"none")], None);
        check(&[], None);
        check(&[("a.o/", b"\x7fELF")], None);
        assert_eq!(Archive::read(b"!<arch>\nshort".as_slice()), None);
    }
}

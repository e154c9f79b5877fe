//! Parses the bytes of a native file into facts. The input is untrusted: no code here panics,
//! recurses, or uses more memory than a small multiple of the file.

pub mod archive;
mod bytes;
mod content;
mod cxx;
pub mod elf;
#[cfg(feature = "audit")]
pub(crate) mod extent;
mod file;
pub mod macho;
pub mod pe;
mod python;
mod symbols;
#[cfg(test)]
mod testing;
pub mod wasm;

pub use content::{Content, Pieces};
#[cfg(feature = "audit")]
pub(crate) use file::machine;
pub use file::{Facts, NativeFile};
pub use python::PythonSymbols;
pub use symbols::{Exports, Symbols, Undefined};

/// Reason why the headers or tables of a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A part points outside the file.
    #[error("the {what} lies outside the file")]
    Outside {
        /// Name of the part.
        what: &'static str,
    },
    /// A count exceeds that of any real file.
    #[error("it has {count} {what}, more than any real file")]
    TooMany {
        /// Name of the counted part.
        what: &'static str,
        /// Count.
        count: u64,
    },
    /// A part violates the format.
    #[error("the {what} cannot be read")]
    Malformed {
        /// Name of the part.
        what: &'static str,
    },
}

/// Format of a native file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Linux and most of Unix.
    Elf,
    /// macOS, one architecture or several.
    MachO,
    /// Windows.
    Pe,
    /// A static library.
    Archive,
    /// WebAssembly.
    Wasm,
}

impl Format {
    /// Returns the format of `bytes`, by their first bytes and never by file name; `None` if they
    /// are not a native file.
    ///
    /// ```
    /// use wheelsmith_core::binary::Format;
    ///
    /// assert_eq!(Format::of(b"\x7fELF\x02\x01"), Some(Format::Elf));
    /// assert_eq!(Format::of(b"#!/bin/sh\n"), None);
    /// ```
    pub fn of(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes)
    }

    /// Returns the format of a file of which only some bytes need to be in memory.
    pub fn read<'b>(content: impl Into<Content<'b>>) -> Option<Self> {
        let content = content.into();
        match content.up_to(0, 64)? {
            [0x7f, b'E', b'L', b'F', ..] => Some(Self::Elf),
            [0, b'a', b's', b'm', ..] => Some(Self::Wasm),
            [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
                Some(Self::MachO)
            }
            // Java class files have the same magic number. A fat file has few slices; a class file
            // has a version of at least 45.
            [0xca, 0xfe, 0xba, 0xbe | 0xbf, 0, 0, 0, n, ..] if *n > 0 && *n < 40 => {
                Some(Self::MachO)
            }
            start @ [b'!', b'<', b'a' | b't', b'r' | b'h', ..]
                if start.starts_with(b"!<arch>\n") || start.starts_with(b"!<thin>\n") =>
            {
                Some(Self::Archive)
            }
            [b'M', b'Z', rest @ ..] => {
                let at = u32::from_le_bytes(rest.get(0x3a..0x3e)?.try_into().ok()?);
                let mark = content.up_to(at.into(), 4)?;
                (mark == b"PE\0\0").then_some(Self::Pe)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let check = |bytes: &[u8], expected| assert_eq!(Format::of(bytes), expected, "{bytes:?}");
        check(b"\x7fELF", Some(Format::Elf));
        check(b"\xcf\xfa\xed\xfe", Some(Format::MachO));
        check(b"\xca\xfe\xba\xbe\0\0\0\x02", Some(Format::MachO));
        check(b"\xca\xfe\xba\xbe\0\0\0\x34", None);
        check(b"!<arch>\n", Some(Format::Archive));
        check(b"\0asm\x01\0\0\0", Some(Format::Wasm));
        check(b"!<archaic>", None);
        check(b"MZ", None);
        let mut pe = vec![0; 0x44];
        pe[..2].copy_from_slice(b"MZ");
        pe[0x3c] = 0x40;
        pe[0x40..].copy_from_slice(b"PE\0\0");
        check(&pe, Some(Format::Pe));
        pe[0x3f] = 0xff;
        check(&pe, None);
        check(b"", None);
    }
}

//! WebAssembly: the header, and the libraries that a dynamic module needs (`DynamicLinking.md` of
//! the tool conventions).

use scroll::LE;
use serde::Serialize;

use super::bytes::Bytes;
use super::{Content, Error};

/// Maximum number of needed libraries. Real modules have fewer.
const MOST_NEEDED: u32 = 4096;
/// Maximum size of a `dylink.0` section, in bytes. Real ones are smaller.
const LARGEST_SECTION: u64 = 1 << 20;
const CUSTOM_SECTION: u8 = 0;
const DYLINK: &[u8] = b"dylink.0";
const DYLINK_NEEDED: u8 = 2;

/// Facts of a WebAssembly file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wasm {
    /// True for a component, false for a core module.
    pub is_component: bool,
    /// Libraries that it is linked to, in order; empty for a self-contained module.
    pub needed: Vec<String>,
}

impl Wasm {
    /// Parses the facts of a file.
    ///
    /// # Errors
    /// Returns an error for an unknown version, or if the `dylink.0` section points outside itself.
    pub fn parse<'b>(content: impl Into<Content<'b>>) -> Result<Self, Error> {
        const WHAT: &str = "file header";
        let file = Bytes::new(content, LE);
        let is_component = match file.u32(4, WHAT)? {
            1 => false,
            0x0001_000d => true,
            _ => return Err(Error::Malformed { what: WHAT }),
        };
        let needed = if is_component { Vec::new() } else { needed(file)? };
        Ok(Self { is_component, needed })
    }
}

/// Parses the names in the `dylink.0` section, which must be the first section of the file.
fn needed(file: Bytes<'_>) -> Result<Vec<String>, Error> {
    const WHAT: &str = "`dylink.0` section";
    let malformed = Error::Malformed { what: WHAT };
    if file.size() == 8 {
        return Ok(Vec::new());
    }
    // Section identifier and size; a custom section then has its name.
    let head = file.up_to(8, 32, WHAT)?;
    let mut rest = Reader(head);
    if rest.byte() != Some(CUSTOM_SECTION) {
        return Ok(Vec::new());
    }
    let size = u64::from(rest.number().ok_or(malformed.clone())?);
    let start = 8 + (head.len() - rest.0.len()) as u64;
    let name_size = rest.number().unwrap_or_default() as usize;
    if rest.take(name_size) != Some(DYLINK) {
        return Ok(Vec::new());
    }
    if size > LARGEST_SECTION {
        return Err(Error::TooMany { what: "bytes in its `dylink.0` section", count: size });
    }
    let mut section = Reader(file.slice(start, size, WHAT)?);
    let parsed = (|| {
        let size = section.number()? as usize;
        section.take(size)?;
        let mut names = Vec::new();
        while let Some(kind) = section.byte() {
            let size = section.number()? as usize;
            let mut part = Reader(section.take(size)?);
            if kind == DYLINK_NEEDED {
                let count = part.number().filter(|count| *count <= MOST_NEEDED)?;
                for _ in 0..count {
                    let size = part.number()? as usize;
                    names.push(String::from_utf8_lossy(part.take(size)?).into_owned());
                }
            }
        }
        Some(names)
    })();
    parsed.ok_or(malformed)
}

/// Reader that consumes bytes from the front.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, size: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    /// Reads a number in LEB128 with up to 32 bits.
    fn number(&mut self) -> Option<u32> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_name_their_libraries() {
        let check = |bytes: &[u8], expected: Option<&[&str]>| {
            let found = Wasm::parse(bytes).ok().map(|wasm| wasm.needed);
            let expected =
                expected.map(|names| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{bytes:x?}");
        };
        check(b"\0asm\x01\0\0\0", Some(&[]));
        check(b"\0asm\x0d\0\x01\0", Some(&[]));
        check(b"\0asm\x02\0\0\0", None);
        check(b"\0asm", None);
        check(b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0", Some(&[]));
        let dylink = b"\0asm\x01\0\0\0\0\x15\x08dylink.0\x02\x0a\x02\x04a.so\x03b.s";
        check(dylink, Some(&["a.so", "b.s"]));
        for end in 10..dylink.len() {
            _ = Wasm::parse(&dylink[..end]);
        }
        check(&dylink[..dylink.len() - 1], None);
    }
}

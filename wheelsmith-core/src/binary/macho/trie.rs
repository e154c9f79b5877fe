//! Export trie. dyld resolves exports by it, and after the symbol table was stripped no other list
//! of the exports is left (Apple's `mach-o/loader.h`, `dyld_info_command`).
//!
//! Nodes refer to each other by offset, so a hostile file can contain cycles. The walk uses a list
//! of pending nodes and stops at a node that is reached twice.

use std::collections::BTreeSet;

use crate::binary::Error;

/// Maximum length of a symbol name, in bytes. Real ones are shorter.
const LONGEST_NAME: usize = 65_536;
/// Maximum ratio of the total length of names to the size of the trie. Names share prefixes, but
/// those of real files stay below this.
const MOST_NAMES_PER_BYTE: usize = 64;
const SPARE_NAMES: usize = 65_536;
const WHAT: &str = "export trie";
const MALFORMED: Error = Error::Malformed { what: WHAT };

/// Returns the exported names, in the order of the walk.
pub(super) fn names(trie: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let mut found = Vec::new();
    if trie.is_empty() {
        return Ok(found);
    }
    let most = trie.len().saturating_mul(MOST_NAMES_PER_BYTE).saturating_add(SPARE_NAMES);
    let mut left = most;
    let mut seen = BTreeSet::from([0]);
    let mut ahead = vec![(0, Vec::new())];
    while let Some((at, name)) = ahead.pop() {
        let mut at: usize = at;
        let size = number(trie, &mut at)?;
        let children = usize::try_from(size).ok().and_then(|size| at.checked_add(size));
        let mut at = children.ok_or(MALFORMED)?;
        let count = *trie.get(at).ok_or(MALFORMED)?;
        at += 1;
        for _ in 0..count {
            let rest = trie.get(at..).ok_or(MALFORMED)?;
            let edge = rest.iter().take(LONGEST_NAME).position(|&b| b == 0).ok_or(MALFORMED)?;
            let child: Vec<u8> = name.iter().chain(&rest[..edge]).copied().collect();
            at += edge + 1;
            let place = usize::try_from(number(trie, &mut at)?).map_err(|_| MALFORMED)?;
            let too_many = Error::TooMany { what: "bytes of names", count: most as u64 };
            left = left.checked_sub(child.len() + 1).ok_or(too_many)?;
            if child.len() > LONGEST_NAME || place >= trie.len() || !seen.insert(place) {
                return Err(MALFORMED);
            }
            ahead.push((place, child));
        }
        if size > 0 {
            found.push(name);
        }
    }
    Ok(found)
}

/// Reads a number in groups of seven bits, the low ones first (ULEB128).
fn number(trie: &[u8], at: &mut usize) -> Result<u64, Error> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *trie.get(*at).ok_or(MALFORMED)?;
        *at += 1;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(MALFORMED);
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(MALFORMED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_the_edges_on_the_way() {
        let check = |trie: &[u8], expected: Result<&[&str], Error>| {
            let found = names(trie);
            let found = found.as_ref().map(|names| {
                let mut names: Vec<_> =
                    names.iter().map(|n| String::from_utf8_lossy(n).into_owned()).collect();
                names.sort();
                names
            });
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (found, expected) => assert_eq!(found.err(), expected.err().as_ref()),
            }
        };
        check(b"", Ok(&[]));
        check(b"\0\0", Ok(&[]));
        // Each node: size of the export data, the data, number of children, label and offset of
        // each child.
        check(b"\0\x01_a\0\x06\x02\0\x10\x01b\0\x0d\x02\0\x20\0", Ok(&["_a", "_ab"]));
        check(b"\0\x01_a\0\x00", Err(MALFORMED));
        check(b"\0\x02_a\0\x0a_b\0\x0a\x02\0\x10\0", Err(MALFORMED));
        check(b"\0\x01_a\0\x7f", Err(MALFORMED));
        check(b"\0\x01_a", Err(MALFORMED));
        check(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", Err(MALFORMED));
        check(b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0\0", Err(MALFORMED));
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(trie in prop::collection::vec(0_u8..24, 0..400)) {
            if let Ok(names) = names(&trie) {
                prop_assert!(names.len() <= trie.len());
            }
        }
    }
}

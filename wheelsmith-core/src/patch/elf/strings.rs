//! String table that grows. Existing strings stay at their offsets, because symbols refer to them.
//! A new string reuses an equal one, takes the place of one that is no longer used, or is appended.

use std::ops::Range;

/// String table that grows.
pub(super) struct Strings {
    bytes: Vec<u8>,
    /// Unused ranges in order; no two are adjacent.
    free: Vec<Range<usize>>,
    length_before: usize,
}

impl Strings {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), free: Vec::new(), length_before: bytes.len() }
    }

    /// Returns the range of the whole string around `offset`, with its zero byte. Linkers merge
    /// common suffixes, so offsets inside it may be in use as well.
    pub(super) fn around(&self, offset: usize) -> Option<Range<usize>> {
        let end = offset + self.bytes.get(offset..)?.iter().position(|&byte| byte == 0)?;
        let start = self.bytes[..offset].iter().rposition(|&byte| byte == 0).map_or(0, |at| at + 1);
        // The first byte of the table is the empty string.
        (start > 0).then_some(start..end + 1)
    }

    /// Frees ranges that [`Self::around`] found. Their text is cleared: it may be a path of the
    /// build machine.
    pub(super) fn release(&mut self, mut ranges: Vec<Range<usize>>) {
        ranges.sort_by_key(|range| range.start);
        for range in ranges {
            self.bytes[range.clone()].fill(0);
            match self.free.last_mut() {
                Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
                _ => self.free.push(range),
            }
        }
    }

    /// Returns the offset of `name`, which is neither empty nor contains a zero byte.
    pub(super) fn place(&mut self, name: &[u8]) -> usize {
        if let Some(at) = self.find(name) {
            return at;
        }
        let size = name.len() + 1;
        if let Some(hole) = self.free.iter_mut().find(|hole| hole.len() >= size) {
            let at = hole.start;
            hole.start += size;
            self.bytes[at..at + name.len()].copy_from_slice(name);
            return at;
        }
        if let Some(hole) = self.free.pop_if(|hole| hole.end == self.bytes.len()) {
            self.bytes.truncate(hole.start);
        }
        if self.bytes.last() != Some(&0) {
            self.bytes.push(0);
        }
        let at = self.bytes.len();
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
        at
    }

    /// Returns the new table, never shorter than before, and whether it is longer.
    pub(super) fn finish(mut self) -> (Vec<u8>, bool) {
        let grew = self.bytes.len() > self.length_before;
        self.bytes.resize(self.bytes.len().max(self.length_before), 0);
        (self.bytes, grew)
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        let ends = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == 0);
        ends.map(|(end, _)| end)
            .find(|&end| self.bytes[..end].ends_with(name))
            .map(|end| end - name.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_reused_or_added() {
        let check = |release: &[usize], names: &[&str], expected: &[u8], grew: bool| {
            let mut strings = Strings::new(b"\0libfoo.so\0malloc\0/old/path\0");
            let ranges = release.iter().map(|&at| strings.around(at).unwrap()).collect();
            strings.release(ranges);
            for name in names {
                let at = strings.place(name.as_bytes());
                assert!(strings.bytes[at..].starts_with(name.as_bytes()));
            }
            let (bytes, has_grown) = strings.finish();
            assert_eq!(
                (bytes.escape_ascii().to_string(), has_grown),
                (expected.escape_ascii().to_string(), grew)
            );
        };
        check(&[], &["libfoo.so"], b"\0libfoo.so\0malloc\0/old/path\0", false);
        check(&[], &["alloc", "foo.so"], b"\0libfoo.so\0malloc\0/old/path\0", false);
        check(&[], &["foo"], b"\0libfoo.so\0malloc\0/old/path\0foo\0", true);
        check(&[1], &["libx.so"], b"\0libx.so\0\0\0malloc\0/old/path\0", false);
        check(&[18], &["/a/b", "/c"], b"\0libfoo.so\0malloc\0/a/b\0/c\0\0\0", false);
        check(&[18], &["/a/longer/path"], b"\0libfoo.so\0malloc\0/a/longer/path\0", true);
        check(&[18, 11], &["abcdefghijklmnop"], b"\0libfoo.so\0abcdefghijklmnop\0", false);
    }
}

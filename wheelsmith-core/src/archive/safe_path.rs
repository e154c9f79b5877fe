//! Names of members of an archive as paths.

use std::fmt::Write as _;

use crate::name::WheelPath;

/// Converts a name from an archive to a path, and returns true if the path is equal to the name.
/// Characters that no path may contain become `%` and two hex digits, so that the member can be
/// judged.
pub(crate) fn safe_path(name: &[u8]) -> (WheelPath, bool) {
    let text = std::str::from_utf8(name);
    if let Some(path) = text.ok().and_then(|text| text.parse::<WheelPath>().ok()) {
        return (path, true);
    }
    let mut safe = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' || c == ':' || c.is_control() {
                let mut utf8 = [0; 4];
                c.encode_utf8(&mut utf8).bytes().for_each(|b| _ = write!(safe, "%{b:02X}"));
            } else {
                safe.push(c);
            }
        }
        chunk.invalid().iter().for_each(|b| _ = write!(safe, "%{b:02X}"));
    }
    let parts = safe.split('/').filter(|part| !part.is_empty());
    let parts = parts.map(|part| match part {
        "." => "%2E",
        ".." => "%2E%2E",
        part => part,
    });
    let joined = parts.collect::<Vec<_>>().join("/");
    let path = if joined.is_empty() { "%" } else { joined.as_str() };
    (path.parse().expect("what no path may hold was replaced"), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gets_a_path() {
        let check = |name: &[u8], expected: &str, is_plain| {
            assert_eq!(safe_path(name), (expected.parse().unwrap(), is_plain), "{name:?}");
        };
        check(b"a/b.so", "a/b.so", true);
        check("ü/b".as_bytes(), "ü/b", true);
        check(b"../../etc/x", "%2E%2E/%2E%2E/etc/x", false);
        check(b"/etc/x", "etc/x", false);
        check(b"a//./b", "a/%2E/b", false);
        check(b"a\\b", "a%5Cb", false);
        check(b"c:/x", "c%3A/x", false);
        check(b"a\0b\xff", "a%00b%FF", false);
        check(b"", "%", false);
        check(b"//", "%", false);
    }
}

//! Unique file names for the copies of libraries.

use crate::name::Digest;

/// Number of hex digits of the digest in a name.
const DIGITS: usize = 8;

/// Returns the name of a copy: `libfoo.so.1` -> `libfoo-1a2b3c4d.so.1`. A name that already
/// contains a digest is returned unchanged.
pub(super) fn hashed(name: &str, digest: &Digest) -> String {
    let (base, rest) = match name.split_once('.') {
        // A name that begins with a dot has no stem.
        Some((base, rest)) if !base.is_empty() => (base, format!(".{rest}")),
        _ => (name, String::new()),
    };
    if is_hashed(base) {
        return name.to_owned();
    }
    let digest = digest.to_string();
    format!("{base}-{}{rest}", &digest[..DIGITS])
}

/// True if `base` ends in a dash and hex digits, as tools that graft libraries write them.
fn is_hashed(base: &str) -> bool {
    let Some((front, digits)) = base.rsplit_once('-') else { return false };
    let is_digest =
        digits.len() >= DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    !front.is_empty() && is_digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_carry_their_digest() {
        let digest = Digest::of(b"");
        let check = |name: &str, expected: &str| assert_eq!(hashed(name, &digest), expected);
        check("libfoo.so.1", "libfoo-e3b0c442.so.1");
        check("libfoo-2.0.so", "libfoo-2-e3b0c442.0.so");
        check("libfoo", "libfoo-e3b0c442");
        check("foo.dll", "foo-e3b0c442.dll");
        check("libssl-1a2b3c4d.so.3", "libssl-1a2b3c4d.so.3");
        check("foo-0123456789abcdef.dll", "foo-0123456789abcdef.dll");
        check(".so", ".so-e3b0c442");
    }
}

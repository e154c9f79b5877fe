//! Places and kinds of files in a wheel, by path and first bytes.

use crate::name::WheelPath;

/// Returns the scheme of a file in a `.data` directory and its path below: (`scripts`, `run`).
pub(super) fn in_data(path: &WheelPath) -> Option<(&str, &str)> {
    let (top, rest) = path.as_str().split_once('/')?;
    top.strip_suffix(".data")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// True if `head` begins as ELF, Mach-O or PE do.
pub(super) fn begins_native(head: &[u8]) -> bool {
    let magics: [&[u8]; 5] =
        [b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe\0\0\0", b"MZ"];
    magics.iter().any(|magic| head.starts_with(magic))
}

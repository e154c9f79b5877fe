//! Lexical rules of Python source, for readers that need only a part of a module.

/// Returns the offset after the string literal whose first quote is at `at`. The error is the offset
/// at which a literal without an end stops.
pub(crate) fn string_end(source: &[u8], at: usize) -> Result<usize, usize> {
    let quote = source[at];
    let triple = [quote; 3];
    let is_triple = source[at..].starts_with(&triple);
    let mut at = at + if is_triple { 3 } else { 1 };
    while let Some(&byte) = source.get(at) {
        match byte {
            // A quote after a backslash does not end a string, not even a raw one.
            b'\\' => at = line_end(source, at + 1).unwrap_or(at + 2),
            _ if is_triple && source[at..].starts_with(&triple) => return Ok(at + 3),
            _ if !is_triple && byte == quote => return Ok(at + 1),
            b'\n' | b'\r' if !is_triple => return Err(at),
            _ => at += 1,
        }
    }
    Err(source.len())
}

/// Returns the offset after the line end at `at`, if there is one.
pub(crate) fn line_end(source: &[u8], at: usize) -> Option<usize> {
    match source.get(at)? {
        b'\r' if source.get(at + 1) == Some(&b'\n') => Some(at + 2),
        b'\n' | b'\r' => Some(at + 1),
        _ => None,
    }
}

/// Returns the end of the comment at `at`; `at` if there is none.
pub(crate) fn comment_end(source: &[u8], at: usize) -> usize {
    if source.get(at) != Some(&b'#') {
        return at;
    }
    let rest = &source[at..];
    at + rest.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_at_their_quotes() {
        let check = |source: &str, expected: Result<usize, usize>| {
            assert_eq!(string_end(source.as_bytes(), 0), expected, "{source}");
        };
        check("'a' b", Ok(3));
        check("'a\\'b'", Ok(6));
        check("'a\\\r\nb'", Ok(7));
        check("'a\nb'", Err(2));
        check("''", Ok(2));
        check("\"\"\"a\n\"b\"\"\"", Ok(10));
        check("'''a'", Err(5));
        check("'a\\", Err(3));
    }
}

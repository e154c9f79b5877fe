//! Make rules that compilers write with `-MD`: the files that an object depends on.

use std::path::PathBuf;

/// Returns the prerequisites in `text`.
///
/// ```text
/// obj/a.o: src/a.c include/a.h \
///   include/with\ space.h
/// ```
pub(super) fn prerequisites(text: &str) -> Vec<PathBuf> {
    // Compilers on Windows write CRLF.
    let text = text.replace("\r\n", "\n");
    let Some((_, rest)) = text.split_once(": ") else { return Vec::new() };
    let mut files = Vec::new();
    let mut current = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('\n')) => {
                chars.next();
                flush(&mut current, &mut files);
            }
            ('\\', Some(&next @ (' ' | '#' | '\\'))) => {
                chars.next();
                current.push(next);
            }
            ('$', Some('$')) => {
                chars.next();
                current.push('$');
            }
            // A second rule: phony targets for headers, written with `-MP`.
            ('\n', _) => {
                flush(&mut current, &mut files);
                break;
            }
            (c, _) if c.is_whitespace() => flush(&mut current, &mut files),
            (c, _) => current.push(c),
        }
    }
    flush(&mut current, &mut files);
    files
}

fn flush(current: &mut String, files: &mut Vec<PathBuf>) {
    if !current.is_empty() {
        files.push(PathBuf::from(std::mem::take(current)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_make_reads_them() {
        let check = |text: &str, expected: &[&str]| {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(prerequisites(text), expected, "{text:?}");
        };
        check("a.o: a.c", &["a.c"]);
        check("a.o: a.c b.h \\\n  c.h\n", &["a.c", "b.h", "c.h"]);
        check("a.o: with\\ space.c cost$$.h\n", &["with space.c", "cost$.h"]);
        check("a.o: a.c b.h\n\nb.h:\n", &["a.c", "b.h"]);
        check("a.o: \\\n a.c \\\r\n b.h\n", &["a.c", "b.h"]);
        check("C:/x/a.o: C:/x/a.c\n", &["C:/x/a.c"]);
        check("", &[]);
        check("no rule", &[]);
    }
}

use super::*;

fn inserted(module: &[u8]) -> Vec<u8> {
    insert(module, 1, "demo.libs").unwrap()
}

/// Asserts that the block is inserted at `|`, on lines of its own, and that inserting it again
/// changes nothing.
fn check(module: &str) {
    let (before, behind) = module.split_once('|').unwrap();
    let plain = [before, behind].concat();
    let newline = String::from_utf8_lossy(newline(plain.as_bytes())).into_owned();
    let block = block(1, "demo.libs").replace('\n', &newline);
    let is_line_start = before.is_empty() || before == "\u{feff}" || before.ends_with(['\n', '\r']);
    let end = if is_line_start { "" } else { &newline };
    let after = inserted(plain.as_bytes());
    assert_eq!(String::from_utf8_lossy(&after), [before, end, &block, behind].concat(), "{module}");
    assert_eq!(inserted(&after), after, "{module}");
}

#[test]
fn the_block_follows_what_python_wants_first() {
    check("|");
    check("|import os\n");
    check("#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# A licence.\n\n|import os\n");
    check("# Nothing but a comment\n|");
    check("# No line end|");
    check("\n\n   \n|import os");
    check("\u{feff}|import os\n");
    check("\u{feff}# Licence.\n'''Doc.'''\n|x = 1\n");
    check("\"\"\"Doc.\"\"\"|");
    check("\"\"\"Doc.\"\"\"\n|\nimport os\n");
    check("\"\"\"Doc \\\"\"\" still.\"\"\"\n|import os\n");
    check("'''Doc with # and\nfrom __future__ import no\n'''\n|import os\n");
    check("r'Raw \\' doc'\n|import os\n");
    check("U\"Doc\" # comment\n|import os\n");
    check("'One' \"two\" \\\n  '''three'''\n|import os\n");
    check("('In' # comment\n 'parentheses')\n|import os\n");
    check("(('twice'))\n|import os\n");
    check("'Doc'; |import os\n");
    check("'Doc';\n|import os\n");
    check("'Doc' ; # comment\n|import os\n");
    check("'Doc'; from __future__ import annotations; |import os\n");
    check("'Doc'; from __future__ import annotations\n|import os\n");
    check("from __future__ import annotations|");
    check("'Doc'\n\n# why\nfrom __future__ import annotations\n|\nimport os\n");
    check(
        "from __future__ import (\n    annotations, # ) why\n    division as d,\n)\n|import os\n",
    );
    check("from __future__ \\\n  import annotations\n|import os\n");
    check("from __future__ import annotations, \\\n  division\n|import os\n");
    check("from __future__ import(annotations);|x = 1\n");
    check("from __future__ import annotations\nfrom __future__ import division\n|x = 1\n");
    check("'Doc'\r\nfrom __future__ import annotations\r\n|import os\r\n");
    check("'''Doc\r\n'''\r\n|import os\r\n");
    check("'Doc'\r|import os\r");
    check("\x0c\n'Doc'\n|\x0c\nfrom os import path\n");
    check("# -*- coding: latin-1 -*-\n'Doc'\n|import os\n");
}

#[test]
fn what_only_looks_like_a_docstring_is_code() {
    check("|b'bytes'\nimport os\n");
    check("|f'{1}'\nimport os\n");
    check("|'a' f'{1}'\nimport os\n");
    check("|'a' % 1\n");
    check("|'a', 'b'\n");
    check("|('a', 'b')\n");
    check("|('a',)\n");
    check("|'a'.join([])\n");
    check("|'a'[0]\n");
    check("|run()\n");
    check("|from __future__x import y\n");
    check("|from .__future__ import y\n");
    check("'Doc'\n|'not a docstring'\n");
    check("|\\\nimport os\n");
    check("|\\\n");
}

#[test]
fn a_block_is_replaced() {
    let first = insert(b"'Doc'\nimport os\n", 2, "older.libs").unwrap();
    assert_eq!(inserted(&first), inserted(b"'Doc'\nimport os\n"));
    // A block without an end was not written by us.
    let odd = [BEGIN, b"\nimport os\n"].concat();
    assert!(inserted(&odd).ends_with(&odd));
    // One in a docstring is text.
    let quoted = [b"'''\n".as_slice(), BEGIN, b"\n", END, b"\n'''\n"].concat();
    assert!(inserted(&quoted).starts_with(&quoted));
}

#[test]
fn names_are_written_as_python_reads_them() {
    let check = |name: &str, expected: &str| assert_eq!(literal(name), expected);
    check("demo.libs", r#""demo.libs""#);
    check("a\"b\\c", r#""a\"b\\c""#);
    check("é", r#""\U000000e9""#);
}

#[test]
fn unreadable_modules_are_refused() {
    let check = |module: &[u8], expected: &str| {
        assert_eq!(insert(module, 1, "x").unwrap_err().to_string(), expected);
    };
    let shift_jis = "it cannot be changed: it is written in the encoding `shift_jis`";
    check(b"# coding: shift_jis\nimport os\n", shift_jis);
    check(b"\r\n# encoding coding=shift_jis\r\nimport os\n", shift_jis);
    check(b"'''never ends", "it cannot be changed: its first string has no end");
    check(b"'ends\nhere'", "it cannot be changed: its first string has no end");
    check(b"'\\", "it cannot be changed: its first string has no end");
    check(b"i\0m\0", "it cannot be changed: it is not a module of Python in text");
    // Too late to be one, or none at all.
    assert!(insert(b"import os\n# coding: shift_jis\n", 1, "x").is_ok());
    assert!(insert(b"#\n#\n# coding: shift_jis\n", 1, "x").is_ok());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_answered(module in "[ \t\n\r\\\\\x0c;'\"()#frub,a]{0,40}") {
        if let Ok(once) = insert(module.as_bytes(), 1, "demo.libs") {
            proptest::prop_assert_eq!(insert(&once, 1, "demo.libs").unwrap(), once);
        }
    }
}

//! Text of other programs and files, made safe to print.

/// Returns `text` without escape sequences.
pub(super) fn uncoloured(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = &rest[sequence(rest).0..];
    }
    out + rest
}

/// Returns `text` without characters and sequences that move the cursor or change the terminal.
/// Line breaks, tabs and colours are kept. `|` is inserted before a line that a CI service would
/// interpret as a command (`::error::`).
pub fn printable(text: &str) -> String {
    let plain = shown(text);
    let is_command = |line: &str| uncoloured(line).trim_start().starts_with("::");
    if !plain.lines().any(is_command) {
        return plain;
    }
    let mark = |line: &str| if is_command(line) { format!("| {line}") } else { line.to_owned() };
    plain.split('\n').map(mark).collect::<Vec<_>>().join("\n")
}

fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}' {
            let (sequence, is_colour) = sequence(rest);
            if is_colour {
                out.push_str(&rest[..sequence]);
            }
            rest = &rest[sequence..];
            continue;
        }
        let is_bidi = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if matches!(c, '\n' | '\t') || !(c.is_control() || is_bidi) {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Returns the length of the escape sequence with which `text` begins (ECMA-48), and true if it
/// sets a colour.
fn sequence(text: &str) -> (usize, bool) {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        // Control sequences: parameters, then one final byte.
        Some(b'[') => {
            let parameters = bytes[2..].iter().take_while(|b| (0x20..0x40).contains(*b)).count();
            match bytes.get(2 + parameters) {
                Some(last @ 0x40..=0x7e) => (3 + parameters, *last == b'm'),
                _ => (2 + parameters, false),
            }
        }
        // Strings, such as window titles and links: up to BEL or ESC \.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let end = text.find('\u{7}').map(|at| at + 1);
            let long = text[1..].find("\u{1b}\\").map(|at| at + 3);
            (end.into_iter().chain(long).min().unwrap_or(text.len()), false)
        }
        Some(0x20..=0x7e) => (2, false),
        _ => (1, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(printable(text), expected, "{text:?}");
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}[31mred\u{1b}[0m", "\u{1b}[31mred\u{1b}[0m");
        check("\u{1b}[2J\u{1b}[1;1Hx\u{1b}[K", "x");
        check("\u{1b}]0;title\u{7}x\u{1b}]8;;http://a\u{1b}\\y", "xy");
        check("\u{1b}cx\u{8}\u{7f}\u{9b}y\u{202e}z", "xyz");
        check("\u{1b}", "");
        check("\u{1b}[", "");
        check("\u{1b}[31", "");
        check("a\n::error::x\n  ::y\nb::c", "a\n| ::error::x\n|   ::y\nb::c");
        check("\u{1b}[1m::error::x", "| \u{1b}[1m::error::x");
    }
}

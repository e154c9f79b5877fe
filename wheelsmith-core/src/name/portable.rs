//! Names of files that some file systems cannot hold.

use std::fmt;

/// Characters that names on Windows cannot have; `/` separates, and `\` is refused everywhere.
const WINDOWS_CHARACTERS: [char; 7] = ['<', '>', ':', '"', '|', '?', '*'];
/// Names of devices on Windows, in any case and with any suffix: `aux.py` is the device as well.
const DEVICES: [&str; 6] = ["AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"];
/// Devices that have a number behind their name.
const NUMBERED_DEVICES: [&str; 2] = ["COM", "LPT"];
/// Longest part of a path on Linux and macOS in bytes, on Windows in UTF-16 units.
const LONGEST_PART: usize = 255;

/// Reason why a path cannot be created on every system, or is shown as another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameProblem {
    /// The name of a device on Windows.
    Device(String),
    /// A part that ends with a dot or a space, which Windows drops.
    EndsWith(char),
    /// Character that names on Windows cannot have.
    WindowsCharacter(char),
    /// A control character, or one that changes the direction of the text around it: a terminal
    /// shows another name.
    Invisible(char),
    /// A part of more than 255 bytes.
    TooLong,
}

impl NameProblem {
    /// Whether the name can be created on Linux and macOS, and is shown there as it is.
    pub fn is_of_windows_only(&self) -> bool {
        matches!(self, Self::Device(_) | Self::EndsWith(_) | Self::WindowsCharacter(_))
    }
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(name) => write!(f, "`{name}` is the name of a device on Windows"),
            Self::EndsWith(c) => {
                let what = if *c == '.' { "dot" } else { "space" };
                write!(f, "a part of its path ends with a {what}, which Windows drops")
            }
            Self::WindowsCharacter(c) => write!(f, "Windows has no file names with `{c}`"),
            Self::Invisible(c) => {
                write!(f, "it contains the invisible character U+{:04X}", u32::from(*c))
            }
            Self::TooLong => write!(f, "a part of its path has more than {LONGEST_PART} bytes"),
        }
    }
}

/// Returns the first reason why `path`, with `/` between its parts, is not a usable name on Linux,
/// macOS and Windows alike; `None` if it is.
///
/// ```
/// use wheelsmith_core::name::portability_problem;
///
/// assert!(portability_problem("demo/aux.py").unwrap().is_of_windows_only());
/// assert_eq!(portability_problem("demo/größe.txt"), None);
/// ```
pub fn portability_problem(path: &str) -> Option<NameProblem> {
    if let Some(c) = path.chars().find(|c| is_invisible(*c)) {
        return Some(NameProblem::Invisible(c));
    }
    path.split('/').find_map(part_problem)
}

fn part_problem(part: &str) -> Option<NameProblem> {
    if part.len() > LONGEST_PART {
        return Some(NameProblem::TooLong);
    }
    if let Some(c) = part.chars().find(|c| WINDOWS_CHARACTERS.contains(c)) {
        return Some(NameProblem::WindowsCharacter(c));
    }
    if !matches!(part, "." | "..")
        && let Some(c) = part.chars().next_back().filter(|c| matches!(c, '.' | ' '))
    {
        return Some(NameProblem::EndsWith(c));
    }
    let stem = part.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let upper = stem.to_uppercase();
    let is_numbered = NUMBERED_DEVICES.iter().any(|device| {
        let number = upper.strip_prefix(device).unwrap_or_default();
        // Windows takes superscript digits as digits here, but not 0.
        matches!(number, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    });
    (is_numbered || DEVICES.contains(&upper.as_str())).then(|| NameProblem::Device(stem.to_owned()))
}

/// Whether `c` is a control character, a line separator, or one that changes direction.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_windows_can_hold() {
        let check = |path: &str, expected: Option<NameProblem>| {
            assert_eq!(portability_problem(path), expected, "{path:?}");
        };
        let device = |name: &str| Some(NameProblem::Device(name.to_owned()));
        for good in ["a/b.py", "console.py", "com0", "com10.txt", "lpt", "nul_.py", ".hidden", "ü"]
        {
            check(good, None);
        }
        check("demo/aux.py", device("aux"));
        check("Con/x.py", device("Con"));
        check("nul", device("nul"));
        check("demo/com1.tar.gz", device("com1"));
        check("demo/LPT³", device("LPT³"));
        check("demo/prn .txt", device("prn"));
        check("conout$", device("conout$"));
        check("demo/x.", Some(NameProblem::EndsWith('.')));
        check("demo./x", Some(NameProblem::EndsWith('.')));
        check("demo/x ", Some(NameProblem::EndsWith(' ')));
        check("demo/a:b", Some(NameProblem::WindowsCharacter(':')));
        check("demo/what?", Some(NameProblem::WindowsCharacter('?')));
        check("demo/a\u{202e}yp.exe", Some(NameProblem::Invisible('\u{202e}')));
        check("demo/a\nb", Some(NameProblem::Invisible('\n')));
        check("demo/a\u{9b}b", Some(NameProblem::Invisible('\u{9b}')));
        check(&"x".repeat(256), Some(NameProblem::TooLong));
        check(&format!("{}/y", "x".repeat(255)), None);
    }
}

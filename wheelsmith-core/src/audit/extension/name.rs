//! Parses the file name of an extension module.

use super::tag_pair::{Abi, Release, version};

/// Parsed file name of a file that Python can import.
///
/// Source: `importlib.machinery.EXTENSION_SUFFIXES` of CPython and PyPy; PEP 3149, PEP 803.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModuleName<'n> {
    /// Part before the first dot. Module names contain no dot.
    pub(super) module: &'n str,
    /// Rest from that dot on: `.cpython-312-x86_64-linux-gnu.so`.
    pub(super) suffix: &'n str,
    /// ABI of the Pythons that look for such a suffix.
    pub(super) abi: Abi,
    /// System as Python names it: `x86_64-linux-gnu`, `darwin`, `win_amd64`.
    pub(super) platform: Option<&'n str>,
}

impl<'n> ModuleName<'n> {
    /// Parses a file name; `None` if no Python imports a file with this name.
    pub(super) fn parse(file_name: &'n str) -> Option<Self> {
        let dot = file_name.find('.').filter(|&dot| dot > 0)?;
        let (module, suffix) = file_name.split_at(dot);
        let named = |abi, platform| Some(Self { module, suffix, abi, platform });
        let (words, is_pyd) = match (suffix.strip_suffix(".so"), suffix.strip_suffix(".pyd")) {
            (Some(words), _) => (words, false),
            (_, Some(words)) => (words, true),
            _ => return None,
        };
        let words = match words.strip_prefix('.') {
            None => return named(Abi::Any, None),
            Some(words) if words.contains('.') => return None,
            Some(words) => words,
        };
        let (abi, platform) = match words.split_once('-') {
            None if matches!(words, "abi3" | "abi3t") && is_pyd => (Abi::Nobody, None),
            None if matches!(words, "abi3" | "abi3t") => (stable(words), None),
            // Used from 3.15 on, so that several systems can share a directory.
            Some(("abi3" | "abi3t", _)) if is_pyd => (Abi::Nobody, None),
            Some((abi @ ("abi3" | "abi3t"), platform)) => (stable(abi), Some(platform)),
            Some(("cpython", rest)) => {
                let (digits, platform) = match rest.split_once('-') {
                    Some((digits, platform)) => (digits, Some(platform)),
                    None => (rest, None),
                };
                (Abi::CPython(Release::parse(digits)?), platform)
            }
            Some((word, rest)) if word.starts_with("cp") => {
                (Abi::CPython(Release::parse(&word[2..])?), Some(rest))
            }
            Some((word, rest)) if word.starts_with("pypy") => {
                let (binary, platform) = rest.split_once('-').unwrap_or((rest, ""));
                // PyPy for Python 3.5 and older has a shorter suffix, which does not show the
                // release.
                match version(&word[4..]) {
                    Some(_) => (Abi::PyPy(Some(format!("{word}_{binary}"))), Some(platform)),
                    None => (Abi::Other, None),
                }
            }
            Some((word, _)) if word.starts_with("graalpy") => (Abi::Other, None),
            None | Some(_) => return None,
        };
        named(abi, platform)
    }

    /// True if the name alone shows that the file is an extension module. Any library may be named
    /// `….so`.
    pub(super) fn is_certain(&self) -> bool {
        self.abi != Abi::Any || self.suffix == ".pyd"
    }
}

fn stable(word: &str) -> Abi {
    Abi::Stable { free_threaded: word == "abi3t" }
}

/// Returns the module name as it appears in exported functions, and whether the prefix gets a `U`.
/// Names with non-ASCII letters are encoded as PEP 489 defines.
pub(super) fn exported_name(module: &str) -> (bool, String) {
    if module.is_ascii() {
        return (false, module.to_owned());
    }
    (true, punycode(module).replace('-', "_"))
}

/// Encodes text in Punycode (RFC 3492, section 6.3).
fn punycode(text: &str) -> String {
    const BASE: u32 = 36;
    const MOST_LETTERS: usize = 1024;
    let letters: Vec<u32> = text.chars().take(MOST_LETTERS).map(u32::from).collect();
    let mut out: String = text.chars().take(MOST_LETTERS).filter(char::is_ascii).collect();
    let mut done = u32::try_from(out.len()).unwrap_or(u32::MAX);
    if done > 0 {
        out.push('-');
    }
    let (basic, mut next, mut delta, mut bias) = (done, 128_u32, 0_u32, 72_u32);
    while (done as usize) < letters.len() {
        let smallest = letters.iter().copied().filter(|&c| c >= next).min().unwrap_or(next);
        // A million code points times a thousand letters is less than 2^32.
        delta = delta.saturating_add((smallest - next).saturating_mul(done + 1));
        next = smallest;
        for &letter in &letters {
            if letter < next {
                delta = delta.saturating_add(1);
            }
            if letter != next {
                continue;
            }
            let (mut rest, mut k) = (delta, BASE);
            loop {
                let threshold = k.saturating_sub(bias).clamp(1, 26);
                if rest < threshold {
                    break;
                }
                out.push(digit(threshold + (rest - threshold) % (BASE - threshold)));
                rest = (rest - threshold) / (BASE - threshold);
                k += BASE;
            }
            out.push(digit(rest));
            bias = adapted(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta = delta.saturating_add(1);
        next += 1;
    }
    out
}

/// Returns a Punycode digit: letters first, then digits.
fn digit(value: u32) -> char {
    char::from_digit((value + 10) % 36, 36).unwrap_or('0')
}

fn adapted(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::PlatformVersion;

    #[test]
    fn names_say_who_imports() {
        let check = |file_name: &str, abi: Abi, platform: Option<&str>| {
            let name = ModuleName::parse(file_name).unwrap();
            assert_eq!((name.module, name.abi, name.platform), ("x", abi, platform), "{file_name}");
        };
        let cpython = |minor, flags: &str| {
            let version = PlatformVersion::new(3, minor);
            Abi::CPython(Release { version, flags: flags.to_owned() })
        };
        let stable = |free_threaded| Abi::Stable { free_threaded };
        check("x.so", Abi::Any, None);
        check("x.pyd", Abi::Any, None);
        check("x.abi3.so", stable(false), None);
        check("x.abi3t.so", stable(true), None);
        check("x.abi3-x86_64-linux-gnu.so", stable(false), Some("x86_64-linux-gnu"));
        check("x.abi3.pyd", Abi::Nobody, None);
        check("x.cpython-312-x86_64-linux-gnu.so", cpython(12, ""), Some("x86_64-linux-gnu"));
        check("x.cpython-36m-darwin.so", cpython(6, ""), Some("darwin"));
        check("x.cpython-313t-darwin.so", cpython(13, "t"), Some("darwin"));
        check("x.cpython-312d.so", cpython(12, "d"), None);
        check("x.cp314t-win_arm64.pyd", cpython(14, "t"), Some("win_arm64"));
        check(
            "x.pypy39-pp73-x86_64-linux-gnu.so",
            Abi::PyPy(Some("pypy39_pp73".into())),
            Some("x86_64-linux-gnu"),
        );
        check(
            "x.pypy310-pp73-win_amd64.pyd",
            Abi::PyPy(Some("pypy310_pp73".into())),
            Some("win_amd64"),
        );
        check("x.graalpy242-311-native-x86_64-linux.so", Abi::Other, None);
    }

    #[test]
    fn other_names_are_no_modules() {
        for name in [
            "x",
            "x.so.1",
            ".so",
            "x.dylib",
            "x.dll",
            "x.1.so",
            "x.foo.so",
            "x.cpython-.so",
            "x.cpython-3x.so",
            "x.abi4.so",
            "x.abi3.1.so",
            "so",
            "xso",
            "x.exe",
        ] {
            assert_eq!(ModuleName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn other_letters_become_punycode() {
        // Expected values from Python's `name.encode("punycode")`.
        let check = |module: &str, name: &str| assert_eq!(exported_name(module).1, name);
        check("spam", "spam");
        check("lančmít", "lanmt_2sa6t");
        check("スパム", "zck5b2b");
        check("größe", "gre_6ka8i");
        check("a_ü", "a__yka");
        check("🐍", "4n8h");
    }
}

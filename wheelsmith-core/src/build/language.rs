//! Languages of sources.

/// Language of a source, by its file name as for gcc and clang.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// C, and Objective-C.
    C,
    /// C++, and Objective-C++.
    Cxx,
    /// Assembly, with or without the preprocessor.
    Assembly,
}

impl Language {
    /// Returns the language of the file called `name`.
    pub(super) fn of(name: &str) -> Self {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        match extension {
            "C" | "cc" | "cp" | "cpp" | "CPP" | "cxx" | "c++" | "ii" | "mm" | "M" | "mii" => {
                Self::Cxx
            }
            "s" | "S" | "sx" => Self::Assembly,
            _ => Self::C,
        }
    }

    /// Returns true if a value of `-std=` belongs to this language.
    pub(super) fn has_standard(self, standard: &str) -> bool {
        match self {
            Self::C => !standard.contains("++"),
            Self::Cxx => standard.contains("++"),
            Self::Assembly => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_says_the_language() {
        let check = |name: &str, expected: Language, standard: &str, fits: bool| {
            let language = Language::of(name);
            assert_eq!(language, expected, "{name}");
            assert_eq!(language.has_standard(standard), fits, "{name} {standard}");
        };
        check("a.c", Language::C, "gnu11", true);
        check("a.c", Language::C, "c++17", false);
        for name in ["a.cc", "d/a.cpp", "a.cxx", "a.C", "a.c++", "a.mm"] {
            check(name, Language::Cxx, "gnu++20", true);
            check(name, Language::Cxx, "c99", false);
        }
        check("a.S", Language::Assembly, "c99", false);
        check("a.s", Language::Assembly, "c++11", false);
        check("noextension", Language::C, "c99", true);
    }
}

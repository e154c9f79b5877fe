//! Interpreters that the tags of a wheel accept, and the files that each of them can import.

use crate::name::{PlatformVersion, PythonTag};

/// First release that has the free-threaded stable ABI and looks for `PyModExport_…`.
pub(super) const FIRST_WITH_ABI3T: PlatformVersion = PlatformVersion::new(3, 15);

/// A release of CPython in one build variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) version: PlatformVersion,
    /// `t` for free-threaded builds, `d` for debug builds. `m` and `u` of Pythons before 3.8 are
    /// omitted, because file names on Windows never had them.
    pub(super) flags: String,
}

impl Release {
    /// Parses `312`, `313t` or `37m`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, flags) = text.split_at(end);
        let is_flag = |c: char| "dmut".contains(c);
        if !flags.chars().all(is_flag) {
            return None;
        }
        let flags = flags.chars().filter(|c| "dt".contains(*c)).collect();
        Some(Self { version: version(digits)?, flags })
    }

    pub(super) fn is_free_threaded(&self) -> bool {
        self.flags.contains('t')
    }

    /// Returns the name for messages: `CPython 3.13`, `free-threaded CPython 3.13`.
    pub(super) fn words(&self) -> String {
        let threads = if self.is_free_threaded() { "free-threaded " } else { "" };
        let debug = if self.flags.contains('d') { " (debug build)" } else { "" };
        format!("{threads}CPython {}{debug}", self.version)
    }

    /// Returns the tag: `cp313t`.
    pub(super) fn tag(&self) -> String {
        format!("cp{}{}{}", self.version.major, self.version.minor, self.flags)
    }
}

/// Parses `312` as 3.12: the first digit is the major version. `None` without a minor version.
pub(super) fn version(digits: &str) -> Option<PlatformVersion> {
    let (major, minor) = digits.split_at_checked(1)?;
    format!("{major}.{minor}").parse().ok()
}

/// ABI that a file is built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Abi {
    /// Unknown: no evidence.
    Any,
    /// One release of CPython.
    CPython(Release),
    /// Stable ABI: `abi3` or `abi3t`.
    Stable {
        /// True for the stable ABI of free-threaded builds, which other builds also support from
        /// 3.15 on.
        free_threaded: bool,
    },
    /// One release of PyPy, as in tags: `pypy39_pp73`; `None` if the release is unknown.
    PyPy(Option<String>),
    /// Any free-threaded build.
    FreeThreaded,
    /// One release of some Python; the evidence does not show which.
    OneRelease,
    /// Another Python, which is not modelled here.
    Other,
    /// No Python imports the file.
    Nobody,
}

/// Interpreters that a given Python–ABI tag pair accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TagPair {
    /// Tag pair: `cp39-abi3`.
    pub(super) tag: String,
    pub(super) interpreters: Interpreters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interpreters {
    /// `cp312-cp312`.
    Exactly(Release),
    /// `cp39-abi3`, `cp315-abi3t`: CPython from a release on.
    Stable { from: PlatformVersion, free_threaded: bool },
    /// `cp312-none`: CPython of one release, in any build variant.
    Built(PlatformVersion),
    /// `py3-none`, `py39-none`: any Python of a major version, from a release on.
    Every(PlatformVersion),
    /// `pp39-pypy39_pp73`; `None` for `pp39-none`.
    PyPy(Option<String>),
    /// Pythons that are not modelled here.
    Other,
}

/// Share of the accepted interpreters that can import a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coverage {
    None,
    Some,
    All,
}

/// Returns the interpreters that the tags accept. Python 2 counts only if no other Python is
/// accepted, because native files in a `py2.py3` wheel are never for Python 2.
pub(super) fn pairs(tags: &PythonTag) -> Vec<TagPair> {
    let mut pairs: Vec<TagPair> = Vec::new();
    for python in &tags.python {
        for abi in &tags.abi {
            let Some(interpreters) = interpreters(python, abi) else { continue };
            pairs.push(TagPair { tag: format!("{python}-{abi}"), interpreters });
        }
    }
    if pairs.iter().any(|pair| !pair.interpreters.is_python_2()) {
        pairs.retain(|pair| !pair.interpreters.is_python_2());
    }
    pairs
}

/// Parses a tag pair. `None` for pairs that no interpreter has, which result from expanding
/// compressed tag sets: `cp312-cp313`.
fn interpreters(python: &str, abi: &str) -> Option<Interpreters> {
    let cpython = python.strip_prefix("cp").map(version);
    let pypy = python.strip_prefix("pp").is_some();
    Some(match (cpython, abi) {
        (Some(Some(from)), "abi3" | "abi3t") => {
            Interpreters::Stable { from, free_threaded: abi == "abi3t" }
        }
        (Some(Some(version)), "none") => Interpreters::Built(version),
        (Some(Some(version)), _) => match abi.strip_prefix("cp").and_then(Release::parse) {
            Some(release) if release.version != version => return None,
            Some(release) => Interpreters::Exactly(release),
            None => Interpreters::Other,
        },
        (None, "none") if pypy => Interpreters::PyPy(None),
        (None, _) if pypy => {
            // The ABI of PyPy also names the release.
            if !abi.starts_with(&python.replacen("pp", "pypy", 1)) {
                return None;
            }
            Interpreters::PyPy(Some(abi.to_owned()))
        }
        (None, "none") => match python.strip_prefix("py") {
            Some("2") => Interpreters::Every(PlatformVersion::new(2, 0)),
            Some("3") => Interpreters::Every(PlatformVersion::new(3, 0)),
            Some(digits) => version(digits).map_or(Interpreters::Other, Interpreters::Every),
            None => Interpreters::Other,
        },
        _ => Interpreters::Other,
    })
}

impl Interpreters {
    /// Returns the oldest accepted release of CPython.
    pub(super) fn oldest(&self) -> Option<PlatformVersion> {
        match self {
            Self::Exactly(release) => Some(release.version),
            Self::Stable { from, .. } | Self::Built(from) | Self::Every(from) => Some(*from),
            Self::PyPy(_) | Self::Other => None,
        }
    }

    pub(super) fn is_python_2(&self) -> bool {
        self.oldest().is_some_and(|version| version.major == 2)
    }

    /// Returns the share of these interpreters that can import a file built for `abi`.
    #[allow(clippy::match_same_arms, reason = "a table: tag by tag")]
    pub(super) fn reached_by(&self, abi: &Abi) -> Coverage {
        let all_if = |condition| if condition { Coverage::All } else { Coverage::None };
        let some_if = |condition| if condition { Coverage::Some } else { Coverage::None };
        match (self, abi) {
            (_, Abi::Any | Abi::Other) | (Self::Other, _) => Coverage::All,
            (_, Abi::Nobody) => Coverage::None,

            (Self::Exactly(wanted), Abi::CPython(found)) => all_if(wanted == found),
            // Free-threaded builds before 3.15 load abi3 files and then crash.
            (Self::Exactly(wanted), Abi::Stable { free_threaded: false }) => {
                all_if(!wanted.is_free_threaded())
            }
            (Self::Exactly(wanted), Abi::Stable { free_threaded: true }) => {
                all_if(wanted.version >= FIRST_WITH_ABI3T)
            }
            (Self::Exactly(wanted), Abi::FreeThreaded) => all_if(wanted.is_free_threaded()),
            (Self::Exactly(_) | Self::Built(_), Abi::OneRelease) => Coverage::All,

            (Self::Stable { from, free_threaded }, Abi::CPython(found)) => {
                some_if(found.version >= *from && found.is_free_threaded() == *free_threaded)
            }
            (Self::Stable { free_threaded: wanted, .. }, Abi::Stable { free_threaded: false }) => {
                all_if(!wanted)
            }
            (Self::Stable { from, .. }, Abi::Stable { free_threaded: true }) => {
                if *from >= FIRST_WITH_ABI3T { Coverage::All } else { Coverage::Some }
            }
            (Self::Stable { free_threaded, .. }, Abi::FreeThreaded) => some_if(*free_threaded),
            (Self::Stable { .. }, Abi::OneRelease) => Coverage::Some,

            // Wheels tagged `cp313-none` are never meant only for free-threaded builds.
            (Self::Built(wanted), Abi::CPython(found)) if *wanted == found.version => {
                if found.is_free_threaded() { Coverage::Some } else { Coverage::All }
            }
            (Self::Built(_), Abi::CPython(_)) => Coverage::None,
            (Self::Built(_), Abi::Stable { free_threaded: false }) => Coverage::All,
            (Self::Built(wanted), Abi::Stable { free_threaded: true }) => {
                all_if(*wanted >= FIRST_WITH_ABI3T)
            }
            (Self::Built(_), Abi::FreeThreaded) => Coverage::Some,

            (Self::Every(from), Abi::CPython(found)) => {
                some_if(found.version.major == from.major && found.version >= *from)
            }
            (Self::Every(from), Abi::Stable { .. }) => some_if(from.major == 3),
            (Self::Every(_), Abi::PyPy(_) | Abi::FreeThreaded | Abi::OneRelease) => Coverage::Some,

            (Self::PyPy(Some(wanted)), Abi::PyPy(Some(found))) => all_if(wanted == found),
            (Self::PyPy(Some(_)), Abi::PyPy(None)) => Coverage::All,
            (Self::PyPy(None), Abi::PyPy(_) | Abi::OneRelease) => Coverage::Some,
            (Self::PyPy(Some(_)), Abi::OneRelease) => Coverage::All,
            (Self::PyPy(_), Abi::CPython(_) | Abi::Stable { .. } | Abi::FreeThreaded)
            | (Self::Exactly(_) | Self::Stable { .. } | Self::Built(_), Abi::PyPy(_)) => {
                Coverage::None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_invite() {
        let check = |tags: &str, expected: &[&str]| {
            let pairs = pairs(&tags.parse().unwrap());
            let found: Vec<String> =
                pairs.iter().map(|g| format!("{:?}", g.interpreters)).collect();
            assert_eq!(found.len(), expected.len(), "{tags}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{tags}: {found}");
            }
        };
        check("cp312-cp312", &["Exactly"]);
        check("cp37-cp37m", &["Exactly"]);
        check("cp27-cp27mu", &["Exactly"]);
        check("cp312.cp313-cp312.cp313", &["Exactly", "Exactly"]);
        check("cp313-cp313t", &["Exactly"]);
        check("cp39-abi3", &["Stable"]);
        check("cp315-abi3.abi3t", &["Stable", "Stable"]);
        check("cp36.cp37-abi3", &["Stable", "Stable"]);
        check("cp312-none", &["Built"]);
        check("py3-none", &["Every"]);
        check("py2.py3-none", &["Every"]);
        check("py2-none", &["Every"]);
        check("py39-none", &["Every"]);
        check("pp39-pypy39_pp73", &["PyPy(Some"]);
        check("pp310.pp39-pypy310_pp73.pypy39_pp73", &["PyPy(Some", "PyPy(Some"]);
        check("pp3-none", &["PyPy(None"]);
        check("cp3-none", &["Other"]);
        check("graalpy311-graalpy242_311_native", &["Other"]);
        check("cp312-cp3x", &["Other"]);
    }

    #[test]
    fn abis_reach() {
        let abi = |text: &str| match text {
            "abi3" => Abi::Stable { free_threaded: false },
            "abi3t" => Abi::Stable { free_threaded: true },
            "pypy39_pp73" => Abi::PyPy(Some(text.to_owned())),
            "t" => Abi::FreeThreaded,
            "one" => Abi::OneRelease,
            "any" => Abi::Any,
            text => Abi::CPython(Release::parse(&text[2..]).unwrap()),
        };
        // For each tag: the ABIs that all, some and none of the interpreters can import.
        let check = |tag: &str, all: &str, some: &str, none: &str| {
            let pairs = pairs(&tag.parse().unwrap());
            for (expected, abis) in
                [(Coverage::All, all), (Coverage::Some, some), (Coverage::None, none)]
            {
                for text in abis.split_whitespace() {
                    let found = pairs[0].interpreters.reached_by(&abi(text));
                    assert_eq!(found, expected, "{text} in {tag}");
                }
            }
        };
        check("cp312-cp312", "any cp312 abi3 one", "", "cp311 cp312t cp312d abi3t pypy39_pp73 t");
        check("cp37-cp37m", "any cp37 cp37m abi3", "", "cp38 abi3t t");
        check("cp313-cp313t", "any cp313t t", "", "cp313 cp314t abi3 abi3t");
        check("cp315-cp315t", "cp315t abi3t t", "", "cp315 abi3");
        check("cp315-cp315", "cp315 abi3 abi3t", "", "cp315t t");
        check("cp39-abi3", "any abi3", "cp39 cp312 abi3t one", "cp38 cp313t pypy39_pp73 t");
        check("cp315-abi3", "any abi3 abi3t", "cp315 cp316", "cp315t cp314");
        check("cp315-abi3t", "any abi3t", "cp315t cp316t t", "cp315 abi3");
        check("cp312-none", "any cp312 abi3 one", "cp312t t", "cp311 abi3t pypy39_pp73");
        check("py3-none", "any", "cp312 cp312t abi3 abi3t pypy39_pp73 one", "cp27");
        check("py39-none", "any", "cp312 cp39", "cp38");
        check("pp39-pypy39_pp73", "any pypy39_pp73", "", "cp39 abi3 t");
        check("graalpy311-x", "any cp312 abi3", "", "");
    }
}

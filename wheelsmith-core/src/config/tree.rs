//! `[[tool.wheelsmith.tree]]`: archives of whole installations that run wherever they are unpacked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use super::{ArchiveFormat, NamePattern};
use crate::name::{ParseError, serde_by_text};

/// `[[tool.wheelsmith.tree]]`: an installation prefix as an archive, for each target.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tree {
    /// Value of `{name}`; the name of the project if absent.
    pub name: Option<String>,
    /// Components whose installed files it contains; each has a build system of its own, and all
    /// have the same `prefix`.
    pub components: Vec<String>,
    /// Directory that contains an installation, relative to this file, instead of components.
    pub dir: Option<String>,
    /// Prefix that the installation in `dir` was configured for.
    pub prefix: Option<String>,
    /// Further directories of the build machine that must not be named in it, such as the build
    /// directory of `dir`. Those of components are known.
    pub build_dirs: Vec<String>,
    /// File name without its extension; `{name}-{version}-{triple}` if absent, followed by
    /// `-{variant}` if there are several variants. Other placeholders: `{commit}`, `{pep440}`,
    /// `{os}`, `{arch}`, `{libc}`.
    pub file: Option<String>,
    /// Directory in the archive that contains everything; `{name}` if absent.
    pub top: Option<String>,
    /// Formats; `zip` for Windows and `tar.gz` for the others if absent.
    pub formats: Vec<ArchiveFormat>,
    /// Archives with a part of the files each, by name; one archive with all files if absent.
    pub variants: BTreeMap<String, Variant>,
    /// Kinds of files that are left as they are, such as `makefile`.
    pub leave: Vec<TreeKind>,
    /// Occurrences of the prefix or of a build directory that may stay.
    pub allow: Vec<Allowed>,
    /// Treatment of Python's byte code; files that contain the prefix are left out if absent.
    pub bytecode: Option<ByteCode>,
    /// Patterns of files that must exist, such as `bin/python3`.
    pub expect: Vec<String>,
    /// Commands of `wheelsmith tree test`.
    pub test: Vec<TreeTest>,
}

impl Tree {
    /// Returns the pattern of a file name in which `{variant}` and `{commit}` are filled in.
    ///
    /// # Errors
    /// Returns an error if it has an unknown placeholder, or is no file name.
    pub fn pattern(file: &str, variant: &str, commit: &str) -> Result<NamePattern, ParseError> {
        file.replace("{variant}", variant).replace("{commit}", commit).parse()
    }
}

/// Files of one variant of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variant {
    /// Patterns of files; all if absent.
    pub include: Option<Vec<String>>,
    /// Patterns of files that are left out: `**/*.a`.
    pub exclude: Vec<String>,
    /// True to remove symbols and debug information that no loader reads; false if absent.
    pub strip: bool,
}

/// Occurrences that may stay, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Allowed {
    /// Pattern of the files.
    pub path: String,
    /// Kind of the occurrences; every kind if absent.
    pub kind: Option<TreeKind>,
    /// Reason.
    pub reason: String,
}

/// Compilation of Python files to byte code that stays valid when file times change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ByteCode {
    /// Python of the same minor version that compiles: a program on PATH, or a path that begins
    /// with `{tree}/`.
    pub with: String,
    /// Directories whose files are compiled: `lib/python3.11`.
    pub paths: Vec<String>,
    /// Optimization levels; `[0]` if absent.
    #[serde(default = "levels")]
    pub levels: Vec<u8>,
}

fn levels() -> Vec<u8> {
    vec![0]
}

/// Command that must exit with status 0, wherever the tree is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TreeTest {
    /// Program, as a path in the tree, and its arguments. `{tree}` is the tree's directory.
    pub run: Vec<String>,
    /// Text that the output must contain; `{tree}` is the tree's directory.
    pub output: Option<String>,
    /// True if the command may fail; the failure is counted and printed. False if absent.
    #[serde(default)]
    pub may_fail: bool,
    /// Number of places in which it may be skipped; unlimited if absent.
    pub max_skipped: Option<usize>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $text:literal;)+) => {
        /// Kind of place in which an installation names its prefix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum TreeKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl TreeKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the word in the configuration and in reports.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

kinds! {
    /// Search path for libraries of an ELF or Mach-O file.
    RunPath "run-path";
    /// Loader that an ELF program requests.
    Interpreter "interpreter";
    /// Install name of a Mach-O library, or of one that it needs.
    InstallName "install-name";
    /// Text in the string table of an ELF file that no run path uses, as some editors leave it.
    DynamicString "dynamic-string";
    /// Constant in a program or library.
    Rodata "rodata";
    /// Debug information.
    Debug "debug";
    /// First line of a script.
    Shebang "shebang";
    /// Other line of a script.
    Script "script";
    /// Program `*-config`, which prints the flags of a library.
    ConfigScript "config-script";
    /// File of pkg-config.
    PkgConfig "pkg-config";
    /// Python's `_sysconfigdata`.
    Sysconfig "sysconfig";
    /// Makefile.
    Makefile "makefile";
    /// File of cmake.
    Cmake "cmake";
    /// libtool's description of a library.
    Libtool "libtool";
    /// Compiled Python.
    ByteCode "byte-code";
    /// Static library.
    Archive "archive";
    /// File inside a compressed file.
    Compressed "compressed";
    /// Target of a symbolic link.
    LinkTarget "link-target";
    /// Other text.
    Text "text";
    /// Other file.
    Data "data";
}

impl fmt::Display for TreeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TreeKind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == text);
        found.copied().ok_or_else(|| ParseError::new(text, "a kind, such as `run-path`"))
    }
}

serde_by_text!(TreeKind);

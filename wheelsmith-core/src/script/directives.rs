//! Directives from a build script to cargo, as values.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

/// Kind of library that rustc links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// A static library, which becomes part of the program.
    Static,
    /// A shared library, which is loaded when the program starts.
    Dylib,
}

/// Line for cargo (the Cargo book, "Outputs of the build script").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Directive {
    /// Runs the script again when this file, or a file below this directory, changes.
    RerunIfChanged(PathBuf),
    /// Runs the script again when this variable changes.
    RerunIfEnvChanged(String),
    /// Searches for native libraries in this directory.
    LinkSearch(PathBuf),
    /// Links to this library.
    LinkLib(LinkKind, String),
    /// Passes this argument to the linker of programs, tests and shared libraries of the package.
    LinkArg(String),
    /// Sets `DEP_X_<KEY>` for packages that depend on this one, whose `links` is `x`.
    Metadata(String, String),
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RerunIfChanged(path) => write!(f, "cargo::rerun-if-changed={}", path.display()),
            Self::RerunIfEnvChanged(name) => write!(f, "cargo::rerun-if-env-changed={name}"),
            Self::LinkSearch(dir) => write!(f, "cargo::rustc-link-search=native={}", dir.display()),
            Self::LinkLib(LinkKind::Static, name) => {
                write!(f, "cargo::rustc-link-lib=static={name}")
            }
            Self::LinkLib(LinkKind::Dylib, name) => write!(f, "cargo::rustc-link-lib=dylib={name}"),
            Self::LinkArg(arg) => write!(f, "cargo::rustc-link-arg={arg}"),
            Self::Metadata(key, value) => write!(f, "cargo::metadata={key}={value}"),
        }
    }
}

/// Directives for cargo, in order. `Display` returns the lines.
///
/// ```
/// use wheelsmith_core::script::{Directive, Directives};
///
/// let mut directives = Directives::default();
/// directives.push(Directive::RerunIfEnvChanged("CC".to_owned()));
/// let mut lines = Vec::new();
/// directives.emit(&mut lines)?;
/// assert_eq!(lines, b"cargo::rerun-if-env-changed=CC\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives(Vec<Directive>);

impl Directives {
    /// Adds a directive, unless it is present. A directive that contains a line break is left out,
    /// because cargo could not read it.
    pub fn push(&mut self, directive: Directive) {
        if !self.0.contains(&directive) && !directive.to_string().contains(['\n', '\r']) {
            self.0.push(directive);
        }
    }

    /// Returns an iterator over the directives.
    pub fn iter(&self) -> std::slice::Iter<'_, Directive> {
        self.0.iter()
    }

    /// Writes the lines to `out`. Cargo reads the script's standard output.
    ///
    /// # Errors
    /// Returns the error of `out`.
    pub fn emit(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(self.to_string().as_bytes())?;
        out.flush()
    }

    /// Adds directives that run the script again when one of these files changes.
    pub(super) fn rerun_for(&mut self, own: BTreeSet<PathBuf>, inputs: &BTreeSet<PathBuf>) {
        let mut all = own;
        all.extend(inputs.iter().cloned());
        // There may be thousands, so `push`, which compares each with all others, would be slow.
        let lines = all.into_iter().map(Directive::RerunIfChanged);
        self.0.extend(lines.filter(|line| !line.to_string().contains(['\n', '\r'])));
    }

    /// Adds directives that run the script again when one of the variables changes.
    pub(super) fn rerun_for_variables(&mut self, read: &BTreeSet<String>) {
        // `PATH` differs between a terminal and an editor; the versions of the tools cover it.
        let names = read.iter().map(String::as_str).filter(|name| *name != "PATH");
        for name in names.chain(["HOST_CC", "SOURCE_DATE_EPOCH"]) {
            self.push(Directive::RerunIfEnvChanged(name.to_owned()));
        }
    }
}

impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|directive| writeln!(f, "{directive}"))
    }
}

impl<'d> IntoIterator for &'d Directives {
    type Item = &'d Directive;
    type IntoIter = std::slice::Iter<'d, Directive>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_cargo_book() {
        let check = |directive: Directive, line: &str| assert_eq!(directive.to_string(), line);
        check(Directive::RerunIfChanged("a b.c".into()), "cargo::rerun-if-changed=a b.c");
        check(Directive::LinkSearch("/out/lib".into()), "cargo::rustc-link-search=native=/out/lib");
        check(Directive::LinkLib(LinkKind::Dylib, "z".into()), "cargo::rustc-link-lib=dylib=z");
        check(Directive::LinkLib(LinkKind::Static, "z".into()), "cargo::rustc-link-lib=static=z");
        check(Directive::LinkArg("-Wl,-rpath,/x".into()), "cargo::rustc-link-arg=-Wl,-rpath,/x");
        check(Directive::Metadata("lib".into(), "/x".into()), "cargo::metadata=lib=/x");
        let mut directives = Directives::default();
        directives.push(Directive::RerunIfChanged("a\ncargo::warning=x".into()));
        directives.push(Directive::LinkSearch("/x".into()));
        directives.push(Directive::LinkSearch("/x".into()));
        assert_eq!(directives.to_string(), "cargo::rustc-link-search=native=/x\n");
    }
}

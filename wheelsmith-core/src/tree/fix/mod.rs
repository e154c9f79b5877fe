//! Rewrites files so that they follow from where they are, and name no prefix.
//!
//! Bytes of programs other than names that loaders read are never changed.

mod native;
mod script;
mod sysconfig;
mod text;

pub(super) use native::link_libraries;

use super::scan::Needles;
use super::{Node, Tree, TreeKind};
use crate::name::WheelPath;

/// File of a tree that is rewritten.
pub(super) struct Place<'a> {
    pub(super) path: &'a WheelPath,
    pub(super) tree: &'a Tree,
    /// Prefix.
    pub(super) prefix: &'a str,
    /// Directories of the build machine.
    pub(super) build_dirs: &'a [String],
}

/// Result of rewriting a file.
pub(super) enum Fixed {
    /// New content.
    Bytes(Vec<u8>),
    /// The file is left out, for this reason.
    Removed(&'static str),
}

impl<'a> Place<'a> {
    pub(super) fn new(path: &'a WheelPath, tree: &'a Tree, needles: &'a Needles) -> Self {
        let (prefix, build_dirs) = needles.texts.split_first().expect("a prefix comes first");
        Self { path, tree, prefix, build_dirs }
    }

    /// Returns the path of the top, relative to the directory of the file: `../..`, or `.`.
    fn up(&self) -> String {
        relative(self.path.parent().unwrap_or_default(), "")
    }

    /// Returns an absolute path below the prefix as a path in the tree; the top is empty.
    fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.prefix)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
    }

    /// Returns true if the tree has a file or link at `path`.
    fn has(&self, path: &str) -> bool {
        !matches!(self.tree.nodes.get(path), None | Some(Node::Dir))
    }

    fn names_build_dir(&self, text: &str) -> bool {
        self.build_dirs.iter().any(|dir| text.contains(dir.as_str()))
    }
}

/// Rewrites the occurrences of one kind.
///
/// # Errors
/// Returns the reason why they must stay.
pub(super) fn fix(place: &Place<'_>, bytes: &[u8], kind: TreeKind) -> Result<Fixed, String> {
    let text = || std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned());
    let new = match kind {
        TreeKind::RunPath | TreeKind::InstallName => return native::fix(place, bytes),
        TreeKind::Shebang => script::shebang(place, text()?)?,
        TreeKind::Script | TreeKind::ConfigScript => script::body(place, text()?)?,
        TreeKind::PkgConfig => text::pkg_config(place, text()?)?,
        TreeKind::Cmake => text::cmake(place, text()?)?,
        TreeKind::Makefile => text::makefile(place, text()?)?,
        TreeKind::Sysconfig => sysconfig::fix(place, text()?)?,
        TreeKind::Libtool => {
            return Ok(Fixed::Removed("linkers read the library itself"));
        }
        TreeKind::ByteCode if is_sourceless(place.path.as_str(), |path| place.has(path)) => {
            return Err("it is the module itself, without a source".to_owned());
        }
        TreeKind::ByteCode => {
            return Ok(Fixed::Removed("it names the place of its source"));
        }
        TreeKind::Interpreter
        | TreeKind::DynamicString
        | TreeKind::Rodata
        | TreeKind::Debug
        | TreeKind::Archive
        | TreeKind::Compressed
        | TreeKind::LinkTarget
        | TreeKind::Text
        | TreeKind::Data => return Err(reason(kind).to_owned()),
    };
    Ok(Fixed::Bytes(new.into_bytes()))
}

/// True if Python imports the byte code at `path` itself: it is beside its source, and the source
/// is absent.
pub(super) fn is_sourceless(path: &str, has: impl Fn(&str) -> bool) -> bool {
    let is_cache = path.rsplit('/').nth(1) == Some("__pycache__");
    let source = path.strip_suffix(['c', 'o']);
    !is_cache && !source.is_some_and(has)
}

/// Returns the target of a link at `place` relative to the link; `None` if it is not below the prefix,
/// or names the build machine.
pub(super) fn link(place: &Place<'_>, target: &str) -> Option<String> {
    let inside = place.inside(target)?;
    Some(relative(place.path.parent().unwrap_or_default(), inside))
}

/// Returns the reason why occurrences of a kind are left.
pub(super) fn reason(kind: TreeKind) -> &'static str {
    match kind {
        TreeKind::Interpreter => "the system reads the loader's path as it is",
        TreeKind::DynamicString => "no run path uses it, and a symbol may share its end",
        TreeKind::Rodata => "the compiler knew the length of constants, so they may not change",
        TreeKind::Debug => "debug information is not rewritten; strip it",
        TreeKind::Archive => "objects are not rewritten; leave static libraries out",
        TreeKind::Compressed => "compressed files are not rewritten",
        TreeKind::Text | TreeKind::Data => "the format has no form for a path that moves",
        TreeKind::LinkTarget => "it leads out of the tree",
        _ => "it continues as another name, or names the build machine",
    }
}

/// Returns the path of `to` relative to the directory `from`, both in the tree; `.` if they are the
/// same.
pub(super) fn relative(from: &str, to: &str) -> String {
    let split = |path: &'_ str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (from, to) = (split(from), split(to));
    let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - same);
    let parts: Vec<&str> = up.chain(to[same..].iter().map(String::as_str)).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// True if a path ends before `rest`. A full stop ends it if no name follows.
fn ends_path(rest: &str) -> bool {
    let mut next = rest.chars();
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "_+-".contains(c));
    match next.next() {
        Some('.') => !is_name(next.next()) && !rest.starts_with(".."),
        next => !is_name(next),
    }
}

/// Replaces each occurrence of the directory `dir` in `text` for which `put` returns a text; it gets
/// the text before the occurrence. An occurrence that continues as another name stays.
fn replace(text: &str, dir: &str, mut put: impl FnMut(&str) -> Option<String>) -> String {
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(dir) {
        let end = at + dir.len();
        if !ends_path(&text[end..]) {
            continue;
        }
        if let Some(with) = put(&text[..at]) {
            new.push_str(&text[done..at]);
            new.push_str(&with);
            done = end;
        }
    }
    new.push_str(&text[done..]);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative() {
        let check = |from: &str, to: &str, expected: &str| {
            assert_eq!(relative(from, to), expected, "{from} {to}");
        };
        check("bin", "", "..");
        check("", "", ".");
        check("lib/a/b", "lib", "../..");
        check("bin", "lib/x", "../lib/x");
        check("bin", "bin/x", "x");
    }

    #[test]
    fn names_that_continue_are_others() {
        let new = replace("/p:/pq /p/x -I/p'/p /p.d /p.", "/p", |_| Some("X".into()));
        assert_eq!(new, "X:/pq X/x -IX'X /p.d X.");
    }
}

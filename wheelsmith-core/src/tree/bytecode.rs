//! Byte code of Python that stays valid when file times change: it is found by the hash of its
//! source, or taken as it is, and never by time.
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "Python's names have one case"
)]

use std::path::PathBuf;

use super::fix::is_sourceless;
use super::{Error, Node, Tree};
use crate::config::ByteCode;
use crate::sys::{self, Command, Host};
use crate::wheel::Source;

/// Removes the byte code of the directories that are compiled. A module without a source is kept.
pub(crate) fn remove(tree: &mut Tree, bytecode: &ByteCode) {
    let is_old = |path: &str| {
        is_below(bytecode, path)
            && path.ends_with(".pyc")
            && !is_sourceless(path, |source| tree.nodes.contains_key(source))
    };
    let old: Vec<_> = tree.nodes.keys().filter(|path| is_old(path.as_str())).cloned().collect();
    for path in old {
        tree.nodes.remove(&path);
    }
}

fn is_below(bytecode: &ByteCode, path: &str) -> bool {
    bytecode.paths.iter().any(|dir| {
        path.strip_prefix(dir.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Compiles the Python files of a tree with relative file names. Returns the number of files that do
/// not compile; those of test suites often do not.
///
/// # Errors
/// Returns an error if there is no such Python, or if it compiles no file.
pub(crate) fn compile(tree: &mut Tree, bytecode: &ByteCode, host: &Host) -> Result<usize, Error> {
    let is_below = |path: &str| is_below(bytecode, path);
    let dir = sys::fs::temp_dir().map_err(Error::io("make a temporary directory"))?;
    let root = dir.path();
    tree.write_to(root)?;
    let program = match bytecode.with.strip_prefix("{tree}/") {
        Some(path) => root.join(path),
        None if bytecode.with.contains('/') => PathBuf::from(&bytecode.with),
        None => host
            .env
            .find_program(&bytecode.with)
            .ok_or_else(|| Error::NoPython(bytecode.with.clone()))?,
    };
    let mut args: Vec<String> =
        ["-I", "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
            .map(str::to_owned)
            .into();
    args.extend(["-s".to_owned(), root.to_string_lossy().into_owned()]);
    args.extend(["-p", ""].map(str::to_owned));
    args.extend(bytecode.levels.iter().flat_map(|level| ["-o".to_owned(), level.to_string()]));
    args.extend(bytecode.paths.iter().cloned());
    // The order of sets in byte code follows from the seed.
    let command = Command::new(program, root, &sys::Env::default())
        .args(args)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = command.run(host);
    let mut compiled = 0;
    for (walked, node) in sys::fs::tree(root, &|_| false).map_err(Error::io("list byte code"))? {
        let Ok(path) = walked.relative.parse() else { continue };
        let is_cache = walked.relative.ends_with("/__pycache__");
        if !is_below(&walked.relative) || !(is_cache || walked.relative.ends_with(".pyc")) {
            continue;
        }
        let node = if node == sys::fs::Node::Dir {
            Node::Dir
        } else if tree.nodes.contains_key(&path) {
            // A module without a source.
            continue;
        } else {
            compiled += 1;
            let bytes = sys::fs::read(&walked.path).map_err(Error::io("read byte code"))?;
            Node::File { executable: false, source: Source::Bytes(bytes) }
        };
        tree.nodes.insert(path, node);
    }
    if compiled == 0 {
        let error = ended.err().map_or("there are no files".to_owned(), |e| e.to_string());
        return Err(Error::Compile(error));
    }
    let sources = tree.nodes.keys().filter(|p| is_below(p.as_str()) && p.as_str().ends_with(".py"));
    Ok((sources.count() * bytecode.levels.len()).saturating_sub(compiled))
}

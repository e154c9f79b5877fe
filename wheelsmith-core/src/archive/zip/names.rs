//! Names of entries that installers read or place differently.

use std::cmp::Ordering;

use super::{Entry, Findings, Limits};
use crate::finding::Code;

/// Judges the name of one entry. `is_path` is true if it is a path inside the archive.
pub(super) fn judge(entry: &Entry, is_path: bool, limits: &Limits, findings: &mut Findings) {
    let name = entry.name();
    let name = name.strip_suffix(b"/").unwrap_or(name);
    let mut refuse = |code: Code, message: String| {
        findings.refuse_entry(code, &entry.path, message);
    };
    if name.len() > limits.path_bytes {
        let message = format!("its path has {} bytes, more than {}", name.len(), limits.path_bytes);
        return refuse(Code::OverLimit, message);
    }
    let Ok(text) = std::str::from_utf8(name) else {
        return refuse(Code::BadEntryName, "its name is not UTF-8".to_owned());
    };
    if text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        refuse(Code::BadEntryName, "its name has a control character".to_owned());
    } else if !text.is_ascii() && !entry.header.says_utf8() {
        let message = "its flags do not say that its name is UTF-8";
        refuse(Code::BadEntryName, message.to_owned());
    } else if !is_path {
        let message = format!("`{text}` is no path inside the place of installation");
        refuse(Code::UnsafePath, message);
    }
    if entry.is_dir() && entry.header.size_bytes > 0 {
        refuse(Code::SpecialFile, "it is a directory with content".to_owned());
    }
}

/// Finds duplicate names, and files that are directories of other entries.
pub(super) fn compare(entries: &[Entry], findings: &mut Findings) {
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by(|a, b| by_parts(a, b).then(a.is_dir().cmp(&b.is_dir())));
    // Files among the parent directories of the entry, each inside the one before.
    let mut files: Vec<&Entry> = Vec::new();
    let mut before: Option<&Entry> = None;
    for entry in order {
        while files.last().is_some_and(|file| !is_inside(entry, file)) {
            files.pop();
        }
        if let Some(before) = before.filter(|before| before.path == entry.path) {
            if before.is_dir() == entry.is_dir() {
                let message = "two entries have this name";
                findings.refuse_entry(Code::DuplicateEntry, &entry.path, message);
            } else {
                let message = "it is a file and a directory";
                findings.refuse_entry(Code::DuplicateEntry, &entry.path, message);
            }
        } else if let Some(file) = files.last() {
            let message = format!("`{}` is a file, and the directory that it is in", file.path);
            findings.refuse_entry(Code::DuplicateEntry, &entry.path, message);
        }
        if !entry.is_dir() && files.last().is_none_or(|file| file.path != entry.path) {
            files.push(entry);
        }
        before = Some(entry);
    }
}

/// Compares paths so that the contents of a directory follow it directly.
fn by_parts(a: &Entry, b: &Entry) -> Ordering {
    a.path.parts().cmp(b.path.parts())
}

fn is_inside(entry: &Entry, directory: &Entry) -> bool {
    let rest = entry.path.as_str().strip_prefix(directory.path.as_str());
    rest.is_some_and(|rest| rest.starts_with('/'))
}

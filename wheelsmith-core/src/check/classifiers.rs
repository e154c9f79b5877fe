//! The list of classifiers that the index knows.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Written by `data/classifiers.py`.
const LIST: &str = include_str!("data/classifiers.txt");

/// State of a classifier in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It is in use.
    Current,
    /// It was given up for these, with tabs between them; `-` when there is none.
    Deprecated(&'static str),
    /// The list does not have it.
    Not,
}

/// Looks `classifier` up.
pub(super) fn find(classifier: &str) -> Known {
    static MAP: OnceLock<HashMap<&str, Known>> = OnceLock::new();
    let map = MAP.get_or_init(|| {
        let lines = LIST.lines().filter(|line| !line.starts_with('#'));
        let row = |line: &'static str| match line.split_once('\t') {
            Some((old, new)) => (old, Known::Deprecated(new)),
            None => (line, Known::Current),
        };
        lines.map(row).collect()
    });
    map.get(classifier).copied().unwrap_or(Known::Not)
}

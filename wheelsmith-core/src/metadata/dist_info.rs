//! The files of a new `.dist-info` directory, except `RECORD`.

use super::wheel_file;
use super::{EntryPoints, Metadata};
use crate::name::WheelFilename;

/// Returns path below `.dist-info` and content of each file, sorted by path.
pub(crate) fn files(
    filename: &WheelFilename,
    metadata: &Metadata,
    entry_points: &EntryPoints,
) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("METADATA".to_owned(), metadata.render().into_bytes()),
        ("WHEEL".to_owned(), wheel_file::render(filename).into_bytes()),
    ];
    if !entry_points.is_empty() {
        files.push(("entry_points.txt".to_owned(), entry_points.render().into_bytes()));
    }
    for (path, text) in metadata.license_files() {
        files.push((format!("licenses/{path}"), text.clone().into_bytes()));
    }
    files.sort();
    files
}

//! Archives of runtime directories: `.tar.gz` files whose bytes follow from their content alone.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use super::{MANIFEST_FILE, Runtime};
use crate::name::WheelPath;
use crate::sys;

/// Time of every entry unless `SOURCE_DATE_EPOCH` is set: 1980-01-01, the first that a
/// zip can hold, in seconds.
pub const ARCHIVE_EPOCH: u64 = 315_532_800;

/// Writes `runtime` as a gzip-compressed tar below a directory `stem`: sorted, without an owner,
/// with symbolic links, and with the time `epoch` for every entry. Files of its manifest that
/// are in `texts` are not read from its directory.
///
/// # Errors
/// Returns an error if a file cannot be read or written.
pub fn write_archive(
    runtime: &Runtime,
    texts: &BTreeMap<WheelPath, String>,
    stem: &str,
    epoch: u64,
    out: &mut impl Write,
) -> io::Result<()> {
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(out, Compression::new(6));
    let mut tar = tar::Builder::new(gzip);
    let header = |kind: EntryType, mode: u32, size: u64| {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(epoch);
        header.set_uid(0);
        header.set_gid(0);
        header
    };
    for file in &runtime.manifest.files {
        let name = format!("{stem}/{}", file.path);
        let mode = if file.is_executable() { 0o755 } else { 0o644 };
        let mut entry = header(EntryType::Regular, mode, file.size_bytes);
        if let Some(text) = texts.get(&file.path) {
            tar.append_data(&mut entry, &name, text.as_bytes())?;
        } else {
            let content = sys::fs::open(&runtime.path(&file.path))?;
            tar.append_data(&mut entry, &name, content)?;
        }
        for alias in &file.aliases {
            let dir = name.rsplit_once('/').map_or(stem, |(dir, _)| dir);
            let mut entry = header(EntryType::Symlink, 0o777, 0);
            tar.append_link(&mut entry, format!("{dir}/{alias}"), file.path.file_name())?;
        }
    }
    let text = runtime.manifest.to_json();
    let mut entry = header(EntryType::Regular, 0o644, text.len() as u64);
    tar.append_data(&mut entry, format!("{stem}/{MANIFEST_FILE}"), text.as_bytes())?;
    tar.into_inner()?.finish()?.flush()
}

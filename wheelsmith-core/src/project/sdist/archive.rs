//! Writes the `.tar.gz` of a source distribution in pax format. The same content gives the same
//! bytes.

use std::io::{self, Write as _};
use std::path::PathBuf;

use libdeflater::{CompressionLvl, Compressor};
use tar::{EntryType, Header};

use crate::sys;

/// Content of a file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Path on disk.
    File(PathBuf),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Returns the archive of `files` (path, content) below the directory `stem`, all with the time
/// `epoch`, in seconds.
pub(super) fn write<'f>(
    files: impl IntoIterator<Item = (&'f String, &'f Content)>,
    stem: &str,
    epoch: u64,
) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let (bytes, executable) = match content {
            Content::Bytes(bytes) => (bytes.clone(), false),
            Content::File(file) => (sys::fs::read(file)?, sys::fs::is_executable(file)?),
        };
        let path = format!("{stem}/{path}");
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(if executable { 0o755 } else { 0o644 });
        header.set_size(bytes.len() as u64);
        header.set_mtime(epoch);
        header.set_uid(0);
        header.set_gid(0);
        // Long and non-ASCII paths are written in full in a header of their own.
        if !path.is_ascii() || header.set_path(&path).is_err() {
            tar.append_pax_extensions([("path", path.as_bytes())])?;
            // Path for readers without pax support.
            let digest = crate::name::Digest::of(&path);
            header.set_path(format!("{}/{}", &stem[..stem.len().min(60)], digest.short()))?;
        }
        header.set_cksum();
        tar.append(&header, &bytes[..])?;
    }
    let mut tar = tar.into_inner()?;
    tar.flush()?;
    gzip(&tar)
}

/// Compresses with gzip, without name and time.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(9).map_err(|_| io::Error::other("no such level"))?;
    let mut compressor = Compressor::new(level);
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let len = compressor
        .gzip_compress(bytes, &mut out)
        .map_err(|error| io::Error::other(format!("cannot compress: {error:?}")))?;
    out.truncate(len);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read as _;

    #[test]
    fn long_and_foreign_names_are_kept() {
        let long = format!("{}/{}", "d".repeat(200), "f".repeat(120));
        let names = ["a.py".to_owned(), "gr\u{fc}n.py".to_owned(), long];
        let files: BTreeMap<String, Content> =
            names.iter().map(|name| (name.clone(), Content::Bytes(name.clone().into()))).collect();
        let bytes = write(&files, "demo-1", 315_532_800).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..]));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!(path, format!("demo-1/{text}"));
            assert_eq!(entry.header().mtime().unwrap(), 315_532_800);
            found.push(text);
        }
        assert_eq!(found, files.into_keys().collect::<Vec<_>>());
    }
}

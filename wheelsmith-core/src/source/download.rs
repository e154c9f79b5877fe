//! Downloads, and those that cargo has kept.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::name::Digest;
use crate::sys::{self, Host};

/// Largest download, in bytes.
const DOWNLOAD_LIMIT: u64 = 8 << 30;

/// Copies what `url` names to `file`.
pub(super) fn copy_url(
    url: &str,
    file: &mut std::fs::File,
    host: &Host,
    task: &sys::Task,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let mut reader: Box<dyn io::Read> = match url.strip_prefix("file://") {
        Some(path) => Box::new(sys::fs::open(Path::new(path)).map_err(text)?),
        None => sys::net::get(url, &host.env)?,
    };
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        if host.cancel.is_cancelled() {
            return Err("stopped".to_owned());
        }
        let n = reader.read(&mut buffer).map_err(text)?;
        if n == 0 {
            return Ok(());
        }
        total += n as u64;
        if total > DOWNLOAD_LIMIT {
            return Err(format!("it is larger than {DOWNLOAD_LIMIT} bytes"));
        }
        file.write_all(&buffer[..n]).map_err(text)?;
        task.advance(n as u64, "");
    }
}

/// True if the file exists and has this digest.
pub(super) fn has_digest(path: &Path, sha256: Digest) -> bool {
    path.is_file() && sys::fs::digest(path).is_ok_and(|(actual, _)| actual == sha256)
}

/// Returns the paths at which cargo may store the crate, one for each registry.
pub(super) fn kept(name: &str, version: &str, host: &Host) -> Vec<PathBuf> {
    let home = host.env.path("CARGO_HOME").or_else(|| Some(host.env.path("HOME")?.join(".cargo")));
    let cache = home.map(|home| home.join("registry").join("cache"));
    let registries = cache.and_then(|dir| sys::fs::list(&dir).ok()).unwrap_or_default();
    registries.into_iter().map(|dir| dir.join(format!("{name}-{version}.crate"))).collect()
}

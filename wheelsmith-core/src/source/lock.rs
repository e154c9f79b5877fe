//! `wheelsmith.lock`: the sha256 of every source.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::Error;
use crate::name::Digest;

const HEADER: &str = "# Made by wheelsmith: the sha256 of every source. Commit it.\nversion = 1\n";

/// Pins by the name of a source, such as `crate libbpf-sys 1.7.0+v1.7.0`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock(BTreeMap<String, Digest>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    source: Vec<Pin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    id: String,
    sha256: Digest,
}

impl Lock {
    /// Parses the text of the file at `path`.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadLock { lock: path.to_owned(), reason };
        let file: File = toml::from_str(text).map_err(|e| bad(e.message().to_owned()))?;
        if file.version != 1 {
            return Err(bad(format!("version {} is newer than this wheelsmith", file.version)));
        }
        Ok(Self(file.source.into_iter().map(|pin| (pin.id, pin.sha256)).collect()))
    }

    /// Returns the pin of `id`.
    pub fn get(&self, id: &str) -> Option<Digest> {
        self.0.get(id).copied()
    }

    /// Returns true if nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn pin(&mut self, id: String, sha256: Digest) {
        self.0.insert(id, sha256);
    }

    /// Returns the pins of `ids` alone.
    pub(super) fn only(&self, ids: &[String]) -> Self {
        let wanted = self.0.iter().filter(|(id, _)| ids.contains(id));
        Self(wanted.map(|(id, sha256)| (id.clone(), *sha256)).collect())
    }

    /// Returns the sources whose pins `other` lacks or has differently.
    pub(super) fn missing_from(&self, other: &Self) -> Vec<String> {
        let missing = self.0.iter().filter(|(id, sha256)| other.0.get(*id) != Some(sha256));
        missing.map(|(id, _)| id.clone()).collect()
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        for (id, sha256) in &self.0 {
            // A JSON string is a TOML string.
            let id = serde_json::Value::from(id.as_str());
            write!(f, "\n[[source]]\nid = {id}\nsha256 = \"{sha256}\"\n")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_as_it_prints() {
        let mut lock = Lock::default();
        lock.pin("crate b 1.0".to_owned(), Digest::of("b"));
        lock.pin("archive a\"\\.tar.gz".to_owned(), Digest::of("a"));
        let text = lock.to_string();
        assert_eq!(Lock::parse(Path::new("x"), &text).unwrap(), lock);
        assert!(text.find("archive").unwrap() < text.find("crate").unwrap());
        for bad in ["version = 2", "source = 3", "version = 1\n[[source]]\nid = 'a'\nsha256 = 'x'"]
        {
            Lock::parse(Path::new("x"), bad).unwrap_err();
        }
    }
}

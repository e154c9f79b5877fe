//! Compares a wheel with its own `RECORD`, and its names with those that file systems can store.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Entry, Error, Existing, layout};
use crate::archive::source::Buffers;
use crate::finding::{Code, Finding};
use crate::metadata::recorded_digest::Algorithm;
use crate::metadata::rows::Rows;
use crate::name::{WheelFilename, WheelPath, clashes};

/// Limit of the findings about one wheel.
const MOST_FINDINGS: usize = 200;

impl Existing {
    /// Compares all files with `RECORD`: digests, sizes, unlisted files and missing files. Also
    /// finds names that some file system cannot store, or treats as the same. A directory without
    /// `RECORD` has no contradictions.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read. A damaged file is a finding.
    pub fn verify(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = names(self.every_file().map(|entry| &entry.path), &self.filename);
        let record = format!("{}.dist-info/RECORD", self.stem());
        match self.file(&record) {
            Some(record) => self.compare(record, &mut findings)?,
            None if self.is_archive => {
                let message = "there is no RECORD";
                findings.push(Finding::whole(Code::MissingMetadataFile, message));
            }
            None => {}
        }
        findings.truncate(MOST_FINDINGS);
        Ok(findings)
    }

    /// Returns an error if [`Self::verify`] finds anything.
    ///
    /// # Errors
    /// Returns the errors of [`Self::verify`], and an error if there are findings.
    pub fn verified(&self) -> Result<(), Error> {
        let findings = self.verify()?;
        if findings.is_empty() {
            return Ok(());
        }
        Err(Error::Contradiction { path: self.path.clone(), findings })
    }

    fn compare(&self, record: &Entry, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let bytes = record.load().map_err(|e| record.unreadable(e))?;
        let syntax = |why: &str| Finding::new(Code::RecordSyntax, &record.path, why);
        let Ok(text) = std::str::from_utf8(&bytes) else {
            findings.push(syntax("it is not UTF-8"));
            return Ok(());
        };
        let mut listed: BTreeSet<&str> = BTreeSet::new();
        let mut rows = Rows(text);
        let mut buffers = Buffers::new();
        while let Some(row) = rows.next_row() {
            if findings.len() >= MOST_FINDINGS {
                return Ok(());
            }
            let row = match row {
                Ok(row) => row,
                Err(why) => {
                    findings.push(syntax(why));
                    return Ok(());
                }
            };
            let [path, digest, size] = &row[..] else {
                if row != [""] {
                    findings.push(syntax("a line does not have three fields"));
                }
                continue;
            };
            let Some(entry) = self.file(path) else {
                // Installers ignore directories, and a signature may be added later.
                if !path.ends_with('/') && !is_signature(path) {
                    let message = format!("it lists `{path}`, which is missing");
                    findings.push(Finding::new(Code::RecordAbsent, &record.path, message));
                }
                continue;
            };
            listed.insert(entry.path.as_str());
            if entry.path != record.path && !is_signature(path) {
                findings.extend(contradiction(entry, digest, size, &mut buffers)?);
            }
        }
        drop(bytes);
        let is_listed = |path: &str| listed.contains(path) || is_signature(path);
        let mut unlisted: Vec<&Entry> =
            self.every_file().filter(|entry| !is_listed(entry.path.as_str())).collect();
        unlisted.sort_by_key(|entry| &entry.path);
        for entry in unlisted.into_iter().take(MOST_FINDINGS) {
            let message = "RECORD does not list it";
            findings.push(Finding::new(Code::RecordMissing, &entry.path, message));
        }
        Ok(())
    }
}

/// True if `path` is a signature of `RECORD`, which `RECORD` does not list.
fn is_signature(path: &str) -> bool {
    path.ends_with(".dist-info/RECORD.jws") || path.ends_with(".dist-info/RECORD.p7s")
}

/// Compares a file with its row. A row without a size matches every size.
fn contradiction(
    entry: &Entry,
    digest: &str,
    size: &str,
    buffers: &mut Buffers,
) -> Result<Option<Finding>, Error> {
    let finding = |code: Code, message: String| Ok(Some(Finding::new(code, &entry.path, message)));
    let own_size = entry.size_bytes();
    if !size.is_empty() && size.parse() != Ok(own_size) {
        return finding(Code::RecordSize, format!("RECORD says `{size}` bytes, it has {own_size}"));
    }
    let known = Algorithm::split(digest);
    let algorithm = known.map_or(Algorithm::Sha256, |(algorithm, _)| algorithm);
    // Reading the file finds damage, whatever its row says.
    let own = match entry.digest_by(algorithm, buffers) {
        Ok(own) => own,
        Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::InvalidData => {
            return finding(Code::DamagedEntry, source.to_string());
        }
        Err(error) => return Err(error),
    };
    let Some((_, text)) = known else {
        let message = format!("RECORD has no strong digest for it: `{digest}`");
        return finding(Code::RecordDigest, message);
    };
    match URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')) {
        Ok(bytes) if *bytes == *own => Ok(None),
        _ => finding(
            Code::RecordMismatch,
            format!(
                "its digest is `{}={}`, RECORD says `{digest}`",
                algorithm.name(),
                URL_SAFE_NO_PAD.encode(&own)
            ),
        ),
    }
}

/// Finds names that some file system cannot store, or treats as the same. A wheel for Linux only
/// may contain names that other systems refuse.
fn names<'a>(paths: impl Iterator<Item = &'a WheelPath>, filename: &WheelFilename) -> Vec<Finding> {
    let paths: Vec<(&WheelPath, bool)> = paths.map(|path| (path, false)).collect();
    let mut findings = Vec::new();
    for (path, _) in &paths {
        if let Some(problem) = layout::unportable(path, filename) {
            findings.push(Finding::new(Code::UnportableName, path, problem.to_string()));
        }
    }
    if !layout::is_for_linux(filename) {
        findings.extend(clashes(&paths).into_iter().map(|(other, path)| {
            let message = format!("`{other}` and it cannot be stored where case is ignored");
            Finding::new(Code::CaseClash, path, message)
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::zip::forge;
    use crate::sys;

    const METADATA: &str = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n";
    const WHEEL: &str = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

    /// Verifies a wheel whose `RECORD` is correct before `change`.
    fn verify(change: fn(&mut forge::Zip)) -> Vec<Code> {
        let mut files = vec![
            ("demo/__init__.py", "x = 1\n".to_owned()),
            ("demo-1.0.dist-info/METADATA", METADATA.to_owned()),
            ("demo-1.0.dist-info/WHEEL", WHEEL.to_owned()),
        ];
        let row = |(name, content): &(&str, String)| {
            let digest = crate::name::Digest::of(content.as_bytes());
            let digest = URL_SAFE_NO_PAD.encode(digest.as_bytes());
            format!("{name},sha256={digest},{}\n", content.len())
        };
        let rows: String = files.iter().map(row).collect();
        files.push(("demo-1.0.dist-info/RECORD", rows + "demo-1.0.dist-info/RECORD,,\n"));
        let entry = |(name, content): &(&str, String)| forge::Entry::new(name, content.as_str());
        let entries = files.iter().map(entry).collect();
        let mut zip = forge::Zip { entries, ..forge::Zip::default() };
        change(&mut zip);
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        sys::fs::write_atomic(&path, &zip.bytes()).unwrap();
        match Existing::open(&path) {
            Ok(wheel) => wheel.verify().unwrap().iter().map(|finding| finding.code).collect(),
            Err(Error::Refused { findings, .. }) => findings.iter().map(|f| f.code).collect(),
            Err(error) => panic!("{error}"),
        }
    }

    fn record(zip: &mut forge::Zip, from: &str, to: &str) {
        let record = &mut zip.entries.last_mut().unwrap().content;
        *record = String::from_utf8(record.clone()).unwrap().replace(from, to).into_bytes();
    }

    /// Replaces the digest of the first file by the SHA-512 of `content`.
    fn strengthen(zip: &mut forge::Zip, content: &[u8]) {
        let digest = |algorithm: Algorithm, content: &[u8]| {
            let mut hasher = algorithm.hasher();
            hasher.update(content);
            format!("{}={}", algorithm.name(), URL_SAFE_NO_PAD.encode(hasher.finalize()))
        };
        let own = digest(Algorithm::Sha256, &zip.entries[0].content);
        record(zip, &own, &digest(Algorithm::Sha512, content));
    }

    #[test]
    fn contradictions_are_found() {
        let check = |change: fn(&mut forge::Zip), expected: &[Code]| {
            assert_eq!(verify(change), expected);
        };
        check(|_| {}, &[]);
        check(|zip| zip.entries[0].content = b"x = 2\n".into(), &[Code::RecordMismatch]);
        check(|zip| zip.entries[0].content = b"x = 10\n".into(), &[Code::RecordSize]);
        check(|zip| zip.entries[0].crc = Some(7), &[Code::DamagedEntry]);
        check(|zip| drop(zip.entries.remove(0)), &[Code::RecordAbsent]);
        check(|zip| drop(zip.entries.pop()), &[Code::MissingMetadataFile]);
        check(
            |zip| zip.entries.push(forge::Entry::new("demo/more.py", "")),
            &[Code::RecordMissing],
        );
        check(|zip| record(zip, "sha256=", "md5="), &[Code::RecordDigest; 3]);
        check(|zip| record(zip, "sha256=", "sha512="), &[Code::RecordMismatch; 3]);
        check(|zip| strengthen(zip, b"x = 1\n"), &[]);
        check(|zip| strengthen(zip, b"x = 2\n"), &[Code::RecordMismatch]);
        check(|zip| record(zip, "demo/__init__.py,", "\"demo"), &[Code::RecordSyntax]);
        // Signatures are not listed. Padding, sizes and directories may be missing or additional.
        check(
            |zip| zip.entries.push(forge::Entry::new("demo-1.0.dist-info/RECORD.jws", "{}")),
            &[],
        );
        check(|zip| record(zip, "demo/__init__.py", "demo/,,\ndemo/__init__.py"), &[]);
        check(|zip| record(zip, ",6\n", "=,\n"), &[]);
        // `open` refuses these.
        check(
            |zip| zip.entries.push(forge::Entry::new("demo/__init__.py", "evil = 1\n")),
            &[Code::DuplicateEntry],
        );
        check(
            |zip| zip.entries.push(forge::Entry::new("demo/__init__.py/x", "")),
            &[Code::DuplicateEntry],
        );
        check(
            |zip| zip.entries[0].local_name = Some(b"demo/__evil__.py".into()),
            &[Code::HeaderMismatch],
        );
        check(|zip| zip.entries[0].mode = Some(0o120_777), &[Code::SpecialFile]);
    }

    #[test]
    fn names_that_some_system_cannot_hold_are_found() {
        check_name("demo/aux.py", Code::UnportableName);
        check_name("demo/a:b.py", Code::UnportableName);
        check_name("demo/__INIT__.py", Code::CaseClash);
        check_name("Demo/__init__.py", Code::CaseClash);
        check_name("demo/__INIT__.py/x", Code::CaseClash);
        check_name("DEMO", Code::CaseClash);
    }

    fn check_name(name: &'static str, code: Code) {
        let paths: Vec<WheelPath> =
            ["demo/__init__.py", name].iter().map(|path| path.parse().unwrap()).collect();
        let codes = |platform: &str| -> Vec<Code> {
            let filename = format!("demo-1.0-py3-none-{platform}.whl").parse().unwrap();
            names(paths.iter(), &filename).iter().map(|finding| finding.code).collect()
        };
        assert_eq!(codes("any"), [code], "{name}");
        assert_eq!(codes("manylinux_2_17_x86_64"), [], "{name}");
    }
}

//! Small generated wheels, correct or with one fault.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::repository;

/// Reads a native file of `testdata/`.
pub(crate) fn native(name: &str) -> Vec<u8> {
    fs::read(repository().join("testdata").join(name)).unwrap()
}

/// Builder of a wheel.
pub(crate) struct WheelFile {
    name: String,
    tags: Vec<String>,
    is_purelib: bool,
    files: Vec<(String, Vec<u8>)>,
    headers: String,
    programs: Vec<String>,
    /// Files that differ from RECORD: other bytes, or `None` for a missing file.
    tampered: Vec<(String, Option<Vec<u8>>)>,
}

impl WheelFile {
    /// Creates a wheel whose `WHEEL` has the tags of its name.
    pub(crate) fn new(name: &str) -> Self {
        let parts: Vec<&str> = name.trim_end_matches(".whl").rsplitn(4, '-').collect();
        let [platforms, abi, python, _] = parts[..] else { panic!("`{name}` is no wheel") };
        let tags = platforms.split('.').map(|platform| format!("{python}-{abi}-{platform}"));
        Self {
            name: name.to_owned(),
            tags: tags.collect(),
            is_purelib: false,
            files: Vec::new(),
            headers: String::new(),
            programs: Vec::new(),
            tampered: Vec::new(),
        }
    }

    /// Replaces the `Tag` lines.
    pub(crate) fn tags(mut self, tags: &[&str]) -> Self {
        self.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        self
    }

    /// Sets `Root-Is-Purelib: true`.
    pub(crate) fn purelib(mut self) -> Self {
        self.is_purelib = true;
        self
    }

    /// Adds a line to `METADATA`.
    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers.push_str(line);
        self.headers.push('\n');
        self
    }

    /// Adds a file of `testdata/`.
    pub(crate) fn with(mut self, path: &str, testdata: &str) -> Self {
        self.files.push((path.to_owned(), native(testdata)));
        self
    }

    /// Adds an executable file of `testdata/`.
    pub(crate) fn program(mut self, path: &str, testdata: &str) -> Self {
        self.programs.push(path.to_owned());
        self.with(path, testdata)
    }

    /// Adds a file with these bytes.
    pub(crate) fn bytes(mut self, path: &str, bytes: Vec<u8>) -> Self {
        self.files.push((path.to_owned(), bytes));
        self
    }

    /// Adds a text file.
    pub(crate) fn text(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.as_bytes().to_vec()));
        self
    }

    /// Adds these lines to `METADATA` after its name.
    pub(crate) fn metadata(mut self, lines: &str) -> Self {
        self.headers.push_str(lines);
        self
    }

    /// Replaces, adds or removes a file after RECORD was made.
    pub(crate) fn tampered(mut self, path: &str, text: Option<&str>) -> Self {
        self.tampered.push((path.to_owned(), text.map(|text| text.as_bytes().to_vec())));
        self
    }

    /// Writes the wheel into `dir`.
    pub(crate) fn write(self, dir: &Path) -> PathBuf {
        let stem: Vec<&str> = self.name.splitn(3, '-').take(2).collect();
        let info = format!("{}.dist-info", stem.join("-"));
        let tags: String = self.tags.iter().map(|tag| format!("Tag: {tag}\n")).collect();
        let purelib = self.is_purelib;
        let text =
            format!("Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: {purelib}\n{tags}");
        let (name, version) = (stem[0], stem[1]);
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{}", self.headers);
        let mut files = self.files;
        files.push((format!("{info}/METADATA"), metadata.into_bytes()));
        files.push((format!("{info}/WHEEL"), text.into_bytes()));
        let record = files.iter().map(|(name, bytes)| record_row(name, bytes)).collect::<String>();
        files.push((format!("{info}/RECORD"), format!("{record}{info}/RECORD,,\n").into_bytes()));
        for (path, bytes) in self.tampered {
            files.retain(|(name, _)| *name != path);
            files.extend(bytes.map(|bytes| (path, bytes)));
        }
        let path = dir.join(&self.name);
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        for (name, bytes) in files {
            let mode = if self.programs.contains(&name) { 0o755 } else { 0o644 };
            let options = zip::write::SimpleFileOptions::default().unix_permissions(mode);
            zip.start_file(name, options).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap();
        path
    }
}

/// Returns the row of a file in `RECORD`.
fn record_row(name: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digest = wheelsmith_core::name::Digest::of(bytes).to_string();
    let bits: String = digest
        .chars()
        .map(|hex| format!("{:04b}", hex.to_digit(16).unwrap()))
        .chain(["00".to_owned()])
        .collect();
    let digits = (0..bits.len()).step_by(6).map(|at| {
        let six = usize::from_str_radix(&bits[at..at + 6], 2).unwrap();
        char::from(DIGITS[six])
    });
    format!("{name},sha256={},{}\n", digits.collect::<String>(), bytes.len())
}

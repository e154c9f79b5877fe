//! Existing wheels, read so that they can be changed and written again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{Entry, Error, Source, Wheel};
use crate::archive::zip::Zip;
use crate::archive::{Blob, Limits, PackedContent};
use crate::finding::{Code, Finding};
use crate::metadata::WheelFile;
use crate::name::{WheelFilename, WheelPath};
use crate::sys::{self, Cancel};

/// Limit for one metadata file that is read into memory, in bytes.
const LARGEST_IN_MEMORY: u64 = 1 << 20;
/// Limit for all metadata files that are read into memory, in bytes.
const MOST_IN_MEMORY: u64 = 8 << 20;
/// Limit for the `WHEEL` file, in bytes.
const LONGEST_WHEEL: usize = 1 << 20;
/// File type bits of a mode, and their value for a symbolic link.
const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;

/// Existing wheel. Its metadata are kept; `WHEEL` and `RECORD` are rewritten, and signatures of
/// `RECORD` are dropped, because they sign the old one.
#[derive(Debug)]
pub struct Existing {
    /// File name.
    pub filename: WheelFilename,
    /// Files other than `WHEEL`, `RECORD` and its signatures, by path.
    pub entries: BTreeMap<WheelPath, Entry>,
    /// `name-version`, as the names of this wheel's directories begin.
    stem: String,
    /// Path of the wheel, or of the directory of an unpacked one.
    pub(super) path: PathBuf,
    pub(super) is_archive: bool,
    pub(super) header: WheelFile,
    /// `WHEEL`, `RECORD` and its signatures as they were read.
    made: Vec<Entry>,
    /// Temporary directory for changed files, deleted with this value.
    dir: Option<tempfile::TempDir>,
}

impl Existing {
    /// Opens a `.whl` file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, has no valid wheel file name, has no
    /// `.dist-info` directory, or contains entries that installers cannot place.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Reports a missing file before an invalid name: a typing error is more likely.
        sys::fs::open(path).map_err(|e| unusable(io_words(&e)))?;
        let filename: WheelFilename =
            name.parse().map_err(|e: crate::name::ParseError| unusable(e.to_string()))?;
        Self::open_as(path, Some(filename))
    }

    /// Opens a `.whl` file and treats it as if it were named `filename`. With `None`, the name
    /// follows from the metadata and tags.
    ///
    /// # Errors
    /// Returns the errors of [`Existing::open`].
    pub fn open_as(path: &Path, filename: Option<WheelFilename>) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
        let entries = unpack(path)?;
        let filename = match filename {
            Some(filename) => filename,
            None => header(&entries)
                .and_then(|header| header.filename(&stem(&entries)?))
                .map_err(unusable)?,
        };
        Self::new(filename, entries, path, true).map_err(unusable)
    }

    /// Opens a directory that contains an unpacked wheel. The file name follows from the metadata
    /// and tags.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be read, or if its `WHEEL` lists tags that no file
    /// name can express.
    pub fn from_directory(root: &Path) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Existing { path: root.to_owned(), problem };
        let mut entries = BTreeMap::new();
        for file in sys::fs::walk(root).map_err(|e| unusable(io_words(&e)))? {
            let path: WheelPath = (file.relative.parse())
                .map_err(|e: crate::name::ParseError| unusable(e.to_string()))?;
            let read = |e: io::Error| unusable(e.to_string());
            let size_bytes = sys::fs::metadata(&file.path).map_err(read)?.len();
            let executable = sys::fs::is_executable(&file.path).map_err(read)?;
            let source = Source::File { path: file.path, size_bytes };
            entries.insert(path.clone(), Entry { path, executable, source });
        }
        let header = header(&entries).map_err(unusable)?;
        let stem = stem(&entries).map_err(unusable)?;
        let filename = header.filename(&stem).map_err(unusable)?;
        Self::new(filename, entries, root, false).map_err(unusable)
    }

    fn new(
        filename: WheelFilename,
        mut entries: BTreeMap<WheelPath, Entry>,
        path: &Path,
        is_archive: bool,
    ) -> Result<Self, String> {
        let stem = stem(&entries)?;
        let header = header(&entries)?;
        let made = ["WHEEL", "RECORD", "RECORD.jws", "RECORD.p7s"];
        let made = made.iter().filter_map(|name| {
            let path = format!("{stem}.dist-info/{name}");
            entries.remove(path.as_str())
        });
        let mut made: Vec<Entry> = made.collect();
        made.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            filename,
            entries,
            stem,
            path: path.to_owned(),
            is_archive,
            header,
            made,
            dir: None,
        })
    }

    /// Returns `name-version`, as in this wheel's `.dist-info` and `.data` directories.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Returns the path of `rest` in the `.dist-info` directory.
    ///
    /// # Errors
    /// Returns an error if `rest` is not a valid path.
    pub fn dist_info(&self, rest: &str) -> Result<WheelPath, crate::name::ParseError> {
        format!("{}.dist-info/{rest}", self.stem).parse()
    }

    /// Returns the fields of `WHEEL` as they were read, as name and value.
    pub fn header(&self) -> &[(String, String)] {
        &self.header.fields
    }

    /// Returns all files as they were read, including `WHEEL` and `RECORD`.
    pub fn every_file(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().chain(&self.made)
    }

    /// Returns the file at `path` as it was read.
    pub(super) fn file(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path).or_else(|| self.made.iter().find(|e| e.path.as_str() == path))
    }

    /// Adds a file with these bytes, or replaces the one at `path`.
    pub fn insert(&mut self, path: WheelPath, bytes: Vec<u8>, executable: bool) {
        let source = Source::Bytes(bytes);
        self.entries.insert(path.clone(), Entry { path, executable, source });
    }

    /// Writes all files below `dir`, which must be empty. Returns their number.
    ///
    /// # Errors
    /// Returns an error if a file is damaged, or if the file system treats two of the names as the
    /// same.
    pub fn unpack(&self, dir: &Path) -> Result<usize, Error> {
        let mut count = 0;
        for entry in self.every_file() {
            let place = dir.join(entry.path.as_str());
            let error = |source| Error::Unpack { path: entry.path.clone(), source };
            if let Some(parent) = place.parent() {
                sys::fs::create_dir_all(parent).map_err(error)?;
            }
            if sys::fs::symlink_metadata(&place).is_ok() {
                let problem = "the file system treats it and another file of the wheel as the same";
                return Err(Error::Path { path: entry.path.clone(), problem: problem.to_owned() });
            }
            entry.write_to(&place).map_err(error)?;
            count += 1;
        }
        Ok(count)
    }

    /// Returns a temporary directory for files that are too large for memory. It is deleted with
    /// this value.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be created.
    pub fn scratch(&mut self) -> io::Result<PathBuf> {
        let dir = match self.dir.take() {
            Some(dir) => dir,
            None => sys::fs::temp_dir()?,
        };
        Ok(self.dir.insert(dir).path().to_owned())
    }

    /// Returns an error if `filename` has another name or version than the wheel.
    pub(super) fn check_stem(&self, filename: &WheelFilename) -> Result<(), Error> {
        if (&filename.name, &filename.version) == (&self.filename.name, &self.filename.version) {
            return Ok(());
        }
        let problem = format!("its metadata is that of `{}`", self.filename.stem());
        Err(Error::Filename { filename: Box::new(filename.clone()), problem })
    }

    /// Returns the wheel under `filename`; the tags in its `WHEEL` are those of the name.
    ///
    /// # Errors
    /// Returns an error if name or version differ from the wheel's own, or if two files have the
    /// same destination.
    pub fn into_wheel(self, filename: WheelFilename) -> Result<Wheel, Error> {
        self.check_stem(&filename)?;
        let path = format!("{}.dist-info/WHEEL", self.stem);
        let text = self.header.with_tags_of(&filename);
        let path = path.parse().map_err(|e: crate::name::ParseError| Error::Filename {
            filename: Box::new(filename.clone()),
            problem: e.to_string(),
        })?;
        let mut entries = Vec::with_capacity(self.entries.len() + 1);
        entries.extend(self.entries.into_values());
        entries.push(Entry::bytes(path, text));
        Wheel::again(filename, &self.stem, entries, self.dir)
    }
}

/// Returns the stem of the only `.dist-info` directory.
fn stem(entries: &BTreeMap<WheelPath, Entry>) -> Result<String, String> {
    let tops = entries.keys().filter_map(|path| path.as_str().split_once('/'));
    let stems: BTreeSet<&str> =
        tops.filter_map(|(top, _)| top.strip_suffix(".dist-info")).collect();
    match stems.into_iter().collect::<Vec<_>>()[..] {
        [stem] => Ok(stem.to_owned()),
        [] => Err("it has no `.dist-info`".to_owned()),
        [first, second, ..] => {
            Err(format!("it has both `{first}.dist-info` and `{second}.dist-info`"))
        }
    }
}

fn header(entries: &BTreeMap<WheelPath, Entry>) -> Result<WheelFile, String> {
    let path = format!("{}.dist-info/WHEEL", stem(entries)?);
    let entry = entries.get(path.as_str()).ok_or("its `.dist-info` has no WHEEL")?;
    let size = usize::try_from(entry.size_bytes()).unwrap_or(usize::MAX);
    if size > LONGEST_WHEEL {
        return Err("its WHEEL is longer than any real one".to_owned());
    }
    let bytes = entry.load().map_err(|e| e.to_string())?;
    Ok(WheelFile::parse(&bytes))
}

/// Returns the message of an error, without the path if callers print that already.
pub(super) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        _ => error.to_string(),
    }
}

/// Opens a zip archive; returns an error if installers could read it differently.
pub(super) fn open_zip(path: &Path) -> Result<(Blob, Zip), Error> {
    let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
    let file = sys::fs::open(path).map_err(|e| unusable(io_words(&e)))?;
    let blob = Blob::new(file).map_err(|e| unusable(e.to_string()))?;
    let zip = Zip::open(&blob, &Limits::default(), &Cancel::default())
        .map_err(|e| unusable(format!("it is not a zip archive: {}", e.into_text())))?;
    if !zip.refusals.is_empty() {
        return Err(Error::Refused { path: path.to_owned(), findings: zip.refusals });
    }
    Ok((blob, zip))
}

/// Returns the files of a wheel. Metadata files are read into memory; the others stay packed.
fn unpack(path: &Path) -> Result<BTreeMap<WheelPath, Entry>, Error> {
    let limits = Limits::default();
    let (blob, zip) = open_zip(path)?;
    let mut findings = Vec::new();
    let mut total = 0_u64;
    let mut kept = 0;
    // Sorted at the end, so that the map has no gaps: there may be many files.
    let mut entries = Vec::with_capacity(zip.entries.len());
    for entry in zip.entries.into_iter().filter(|entry| !entry.is_dir()) {
        if entry.mode().is_some_and(|mode| mode & S_IFMT == S_IFLNK) {
            let message = "it is a symbolic link, which installers do not create";
            findings.push(Finding::new(Code::SpecialFile, &entry.path, message));
        }
        let size = entry.header.size_bytes;
        total = total.saturating_add(size);
        if size > limits.member_bytes || total > limits.total_bytes {
            let message = "it is larger when unpacked than any real wheel";
            findings.push(Finding::new(Code::OverLimit, &entry.path, message));
            break;
        }
        let executable = entry.is_executable();
        let Some(content) = PackedContent::of(&blob, &entry) else { continue };
        let is_metadata = entry.path.parts().next().is_some_and(|top| top.ends_with(".dist-info"));
        let source = if is_metadata && size <= LARGEST_IN_MEMORY && kept < MOST_IN_MEMORY {
            kept += size;
            match content.load() {
                Ok(bytes) => Source::Bytes(bytes),
                Err(error) => {
                    findings.push(error.finding(&entry.path));
                    continue;
                }
            }
        } else {
            Source::Packed(content)
        };
        let path = entry.path;
        entries.push((path.clone(), Entry { path, executable, source }));
    }
    if findings.is_empty() {
        Ok(entries.into_iter().collect())
    } else {
        Err(Error::Refused { path: path.to_owned(), findings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{EntryPoints, Metadata, ProjectFiles, ProjectTable};
    use crate::sys::Cancel;
    use crate::wheel::{self, Compression, Options};

    fn write(wheel: &Wheel, path: &Path) -> Vec<u8> {
        let mut out = io::Cursor::new(Vec::new());
        let options = Options { compression: Compression::Fast, ..Options::default() };
        wheel::write(wheel, &mut out, &options, &Cancel::default()).unwrap();
        sys::fs::write_atomic(path, out.get_ref()).unwrap();
        out.into_inner()
    }

    fn made(filename: &str) -> Wheel {
        let project: ProjectTable =
            toml::from_str("name = 'demo'\nversion = '1.0'\nscripts = { run = 'demo:main' }")
                .unwrap();
        let metadata = Metadata::new(&project, ProjectFiles::default()).unwrap();
        let points = EntryPoints::new(&project).unwrap();
        let mut program = Entry::bytes("demo/bin/x".parse().unwrap(), vec![7; 200_000]);
        program.executable = true;
        let text = Entry::bytes("demo/__init__.py".parse().unwrap(), *b"x = 1\n");
        Wheel::new(filename.parse().unwrap(), &metadata, &points, vec![program, text]).unwrap()
    }

    #[test]
    fn writing_again_gives_the_same_bytes() {
        let dir = sys::fs::temp_dir().unwrap();
        for name in [
            "demo-1.0-py3-none-any.whl",
            "demo-1.0-2b-py2.py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        ] {
            let path = dir.path().join(name);
            let first = write(&made(name), &path);
            let existing = Existing::open(&path).unwrap();
            let again = existing.into_wheel(name.parse().unwrap()).unwrap();
            assert!(write(&again, &path) == first, "{name}");
        }
    }

    #[test]
    fn new_tags_are_in_name_and_header() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        write(&made("demo-1.0-py3-none-any.whl"), &path);
        let open = || Existing::open(&path).unwrap();
        let wheel = open().into_wheel("demo-1.0-3-py3-none-win32.whl".parse().unwrap()).unwrap();
        let to = dir.path().join("demo-1.0-3-py3-none-win32.whl");
        write(&wheel, &to);
        let header = Existing::open(&to).unwrap().header().to_vec();
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header[0], line("Wheel-Version", "1.0"));
        assert_eq!(
            header[2..],
            [line("Root-Is-Purelib", "false"), line("Tag", "py3-none-win32"), line("Build", "3"),]
        );
        let other = "other-1.0-py3-none-any.whl".parse().unwrap();
        let error = open().into_wheel(other).unwrap_err().to_string();
        assert!(error.ends_with("its metadata is that of `demo-1.0`"), "{error}");
    }

    /// On a file system that ignores case, the second of two names is a file that exists.
    #[test]
    fn unpacking_overwrites_nothing() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        write(&made("demo-1.0-py3-none-any.whl"), &path);
        let existing = Existing::open(&path).unwrap();
        let to = dir.path().join("to");
        sys::fs::write_atomic(&to.join("demo/__init__.py"), b"the twin").unwrap();
        let error = existing.unpack(&to).unwrap_err().to_string();
        assert!(error.contains("treats it and another file of the wheel as the same"), "{error}");
        assert_eq!(sys::fs::read(to.join("demo/__init__.py")).unwrap(), b"the twin");
        let to = dir.path().join("empty");
        assert_eq!(existing.unpack(&to).unwrap(), 6);
    }

    #[test]
    fn what_is_no_wheel_is_refused() {
        let dir = sys::fs::temp_dir().unwrap();
        let check = |name: &str, bytes: &[u8], part: &str| {
            let path = dir.path().join(name);
            sys::fs::write_atomic(&path, bytes).unwrap();
            let error = Existing::open(&path).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check("demo.zip", b"", "is not a wheel's file name");
        check("demo-1-py3-none-any.whl", b"nonsense", "it is not a zip archive");
        check(
            "demo-1-py3-none-any.whl",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "dist-info",
        );
    }
}

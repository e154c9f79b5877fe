//! A wheel that is there already, taken apart so that it can be written again.

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

/// Size of the largest file of metadata that is read at once, in bytes.
const LARGEST_IN_MEMORY: u64 = 1 << 20;
/// Size of all files of metadata that are read at once, in bytes.
const MOST_IN_MEMORY: u64 = 8 << 20;
/// No `WHEEL` is longer, in bytes.
const LONGEST_WHEEL: usize = 1 << 20;
/// File type bits of a mode, and those of a symbolic link.
const S_IFMT: u32 = 0o170_000;
const S_IFLNK: u32 = 0o120_000;

/// A wheel that is there already. Its metadata stay as they are; `WHEEL` and `RECORD` are written
/// anew, and signatures of `RECORD` are dropped, since they sign the old one.
#[derive(Debug)]
pub struct Existing {
    /// What it is called.
    pub filename: WheelFilename,
    /// Every file but `WHEEL` and `RECORD`.
    pub entries: BTreeMap<WheelPath, Entry>,
    /// `name-version`, as the directories of this wheel have it.
    stem: String,
    /// The file or directory.
    pub(super) path: PathBuf,
    pub(super) is_archive: bool,
    pub(super) header: WheelFile,
    /// `WHEEL`, `RECORD` and its signatures, as they were.
    made: Vec<Entry>,
    /// Directory for files that change; removed with this value.
    dir: Option<tempfile::TempDir>,
}

impl Existing {
    /// Opens a `.whl` file.
    ///
    /// # Errors
    /// When it cannot be read, is called as no wheel is, has no `.dist-info`, or has entries that no
    /// installer could place.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A slip of the finger is more likely than a strange name.
        sys::fs::open(path).map_err(|e| unusable(io_words(&e)))?;
        let filename: WheelFilename =
            name.parse().map_err(|e: crate::name::ParseError| unusable(e.to_string()))?;
        Self::open_as(path, Some(filename))
    }

    /// Opens a `.whl` file whatever it is called; without a name, that which its tags give.
    ///
    /// # Errors
    /// As [`Existing::open`].
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

    /// Opens a directory in which a wheel was unpacked. The name follows from what is in it.
    ///
    /// # Errors
    /// When it cannot be read, or when its `WHEEL` names tags that no file name can stand for.
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
        entries: BTreeMap<WheelPath, Entry>,
        path: &Path,
        is_archive: bool,
    ) -> Result<Self, String> {
        let stem = stem(&entries)?;
        let header = header(&entries)?;
        let made = ["WHEEL", "RECORD", "RECORD.jws", "RECORD.p7s"];
        let made = made.map(|name| format!("{stem}.dist-info/{name}"));
        let is_made = |path: &WheelPath| made.iter().any(|name| name == path.as_str());
        let (made, entries) = entries.into_iter().partition(|(path, _)| is_made(path));
        let made: BTreeMap<_, _> = made;
        Ok(Self {
            filename,
            entries,
            stem,
            path: path.to_owned(),
            is_archive,
            header,
            made: made.into_values().collect(),
            dir: None,
        })
    }

    /// `name-version`, as `.dist-info` and `.data` of this wheel have it.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// A place below `.dist-info`.
    ///
    /// # Errors
    /// When `rest` is no path.
    pub fn dist_info(&self, rest: &str) -> Result<WheelPath, crate::name::ParseError> {
        format!("{}.dist-info/{rest}", self.stem).parse()
    }

    /// The lines of `WHEEL` as they were, name and value.
    pub fn header(&self) -> &[(String, String)] {
        &self.header.fields
    }

    /// Every file as it is, `WHEEL` and `RECORD` included, by path.
    pub fn every_file(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values().chain(&self.made)
    }

    /// Adds or replaces a file with these bytes.
    pub fn insert(&mut self, path: WheelPath, bytes: Vec<u8>, executable: bool) {
        let source = Source::Bytes(bytes);
        self.entries.insert(path.clone(), Entry { path, executable, source });
    }

    /// Writes every file below `dir`, which is empty. Returns how many files there are.
    ///
    /// # Errors
    /// If a file is damaged, or is there already: the file system takes two names for one.
    pub fn unpack(&self, dir: &Path) -> Result<usize, Error> {
        let mut count = 0;
        for entry in self.every_file() {
            let place = dir.join(entry.path.as_str());
            let error = |source| Error::Unpack { path: entry.path.clone(), source };
            if let Some(parent) = place.parent() {
                sys::fs::create_dir_all(parent).map_err(error)?;
            }
            if sys::fs::symlink_metadata(&place).is_ok() {
                let problem = "the file system takes it and another file of the wheel for one";
                return Err(Error::Path { path: entry.path.clone(), problem: problem.to_owned() });
            }
            entry.write_to(&place).map_err(error)?;
            count += 1;
        }
        Ok(count)
    }

    /// A directory for files that are too large for memory; it lasts as long as this value.
    ///
    /// # Errors
    /// When none can be made.
    pub fn scratch(&mut self) -> io::Result<PathBuf> {
        let dir = match self.dir.take() {
            Some(dir) => dir,
            None => sys::fs::temp_dir()?,
        };
        Ok(self.dir.insert(dir).path().to_owned())
    }

    /// Returns an error if name or version of `filename` are not those of the wheel.
    pub(super) fn check_stem(&self, filename: &WheelFilename) -> Result<(), Error> {
        if (&filename.name, &filename.version) == (&self.filename.name, &self.filename.version) {
            return Ok(());
        }
        let problem = format!("its metadata are those of `{}`", self.filename.stem());
        Err(Error::Filename { filename: Box::new(filename.clone()), problem })
    }

    /// The wheel under `filename`: its `WHEEL` has the tags of the name. This value must live until
    /// it is written.
    ///
    /// # Errors
    /// When name or version differ from the wheel's own, or when two files would be one.
    pub fn to_wheel(&self, filename: WheelFilename) -> Result<Wheel, Error> {
        self.check_stem(&filename)?;
        let mut entries: Vec<Entry> = self.entries.values().cloned().collect();
        let path = format!("{}.dist-info/WHEEL", self.stem);
        let text = self.header.with_tags_of(&filename);
        let path = path.parse().map_err(|e: crate::name::ParseError| Error::Filename {
            filename: Box::new(filename.clone()),
            problem: e.to_string(),
        })?;
        entries.push(Entry::bytes(path, text));
        Wheel::again(filename, &self.stem, entries)
    }
}

/// The stem of the one `.dist-info`.
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
    let entry = entries.values().find(|entry| entry.path.as_str() == path);
    let entry = entry.ok_or("its `.dist-info` has no WHEEL")?;
    let size = usize::try_from(entry.size_bytes()).unwrap_or(usize::MAX);
    if size > LONGEST_WHEEL {
        return Err("its WHEEL is longer than any real one".to_owned());
    }
    let bytes = entry.load().map_err(|e| e.to_string())?;
    Ok(WheelFile::parse(&bytes))
}

/// An error whose path the reader has already.
pub(super) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        _ => error.to_string(),
    }
}

/// Opens a zip archive that every installer reads in the same way.
pub(super) fn open_zip(path: &Path) -> Result<(Blob, Zip), Error> {
    let unusable = |problem: String| Error::Existing { path: path.to_owned(), problem };
    let file = sys::fs::open(path).map_err(|e| unusable(io_words(&e)))?;
    let blob = Blob::new(file).map_err(|e| unusable(e.to_string()))?;
    let zip = Zip::open(&blob, &Limits::default(), &Cancel::default())
        .map_err(|e| unusable(format!("it is no zip archive: {}", e.into_text())))?;
    if !zip.refusals.is_empty() {
        return Err(Error::Refused { path: path.to_owned(), findings: zip.refusals });
    }
    Ok((blob, zip))
}

/// Returns the files of a wheel. Those of its metadata are read; the others stay packed.
fn unpack(path: &Path) -> Result<BTreeMap<WheelPath, Entry>, Error> {
    let limits = Limits::default();
    let (blob, zip) = open_zip(path)?;
    let mut findings = Vec::new();
    let mut total = 0_u64;
    let mut kept = 0;
    let mut entries = BTreeMap::new();
    for entry in zip.entries.into_iter().filter(|entry| !entry.is_dir()) {
        if entry.mode().is_some_and(|mode| mode & S_IFMT == S_IFLNK) {
            let message = "it is a symbolic link, which no installer makes";
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
        entries.insert(path.clone(), Entry { path, executable, source });
    }
    if findings.is_empty() {
        Ok(entries)
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
            let again = existing.to_wheel(existing.filename.clone()).unwrap();
            assert!(write(&again, &path) == first, "{name}");
        }
    }

    #[test]
    fn new_tags_are_in_name_and_header() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        write(&made("demo-1.0-py3-none-any.whl"), &path);
        let existing = Existing::open(&path).unwrap();
        let wheel = existing.to_wheel("demo-1.0-3-py3-none-win32.whl".parse().unwrap()).unwrap();
        let path = dir.path().join("demo-1.0-3-py3-none-win32.whl");
        write(&wheel, &path);
        let header = Existing::open(&path).unwrap().header().to_vec();
        let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header[0], line("Wheel-Version", "1.0"));
        assert_eq!(
            header[2..],
            [line("Root-Is-Purelib", "false"), line("Tag", "py3-none-win32"), line("Build", "3"),]
        );
        let other = "other-1.0-py3-none-any.whl".parse().unwrap();
        let error = existing.to_wheel(other).unwrap_err().to_string();
        assert!(error.ends_with("its metadata are those of `demo-1.0`"), "{error}");
    }

    /// A file system that ignores case shows the second of two names as a file that is there.
    #[test]
    fn unpacking_overwrites_nothing() {
        let dir = sys::fs::temp_dir().unwrap();
        let path = dir.path().join("demo-1.0-py3-none-any.whl");
        write(&made("demo-1.0-py3-none-any.whl"), &path);
        let existing = Existing::open(&path).unwrap();
        let to = dir.path().join("to");
        sys::fs::write_atomic(&to.join("demo/__init__.py"), b"the twin").unwrap();
        let error = existing.unpack(&to).unwrap_err().to_string();
        assert!(error.contains("takes it and another file of the wheel for one"), "{error}");
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
        check("demo-1-py3-none-any.whl", b"nonsense", "it is no zip archive");
        check(
            "demo-1-py3-none-any.whl",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "dist-info",
        );
    }
}

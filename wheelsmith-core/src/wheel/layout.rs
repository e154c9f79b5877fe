//! Validates the files of a wheel before it is written: each has a permitted path of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entry, Error};
use crate::metadata::{EntryPoints, Metadata, dist_info_files};
use crate::name::{
    NameProblem, PlatformTag, WheelFilename, WheelPath, folded, portability_problem,
};

/// Validated wheel, ready for [`super::write`].
#[derive(Debug, Clone)]
pub struct Wheel {
    filename: WheelFilename,
    /// Files other than `RECORD`, in the order of the archive.
    entries: Vec<Entry>,
    record: WheelPath,
    /// Temporary directory of changed files, deleted with the last clone of this value.
    _scratch: Option<Arc<tempfile::TempDir>>,
}

/// Directories permitted below `.data` (binary distribution format, "installed files").
const SCHEMES: [&str; 5] = ["data", "headers", "platlib", "purelib", "scripts"];
/// Size limit of a name in a zip archive, in bytes.
const LONGEST_PATH: usize = u16::MAX as usize;

impl Wheel {
    /// Creates a wheel. The order of `entries` does not matter.
    ///
    /// # Errors
    /// Returns an error if installers would refuse name, version or tags of `filename`, if a file
    /// has a path that is not permitted, or if two files have the same destination, also on file
    /// systems that ignore case or normalise names.
    pub fn new(
        filename: WheelFilename,
        metadata: &Metadata,
        entry_points: &EntryPoints,
        mut entries: Vec<Entry>,
    ) -> Result<Self, Error> {
        check_filename(&filename, metadata)?;
        let stem = filename.stem();
        for entry in &mut entries {
            check_place(&entry.path, &stem)?;
            if let Some(problem) = unportable(&entry.path, &filename) {
                let problem = problem.to_string();
                return Err(Error::Path { path: entry.path.clone(), problem });
            }
            // Installers preserve the bit. They copy a script that is not in Python as it is, bit
            // included.
            entry.executable |= scheme(&entry.path) == Some("scripts");
        }
        check_collisions(&entries, entry_points)?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));

        let dist_info = |rest: &str| format!("{stem}.dist-info/{rest}").parse();
        let unusable = |_| Error::Filename {
            filename: Box::new(filename.clone()),
            problem: "it has no directory `.dist-info`".to_owned(),
        };
        for (path, bytes) in dist_info_files(&filename, metadata, entry_points) {
            entries.push(Entry::bytes(dist_info(&path).map_err(unusable)?, bytes));
        }
        let record = dist_info("RECORD").map_err(unusable)?;
        Ok(Self { filename, entries, record, _scratch: None })
    }

    /// Adds an SBOM with the file name `name` (PEP 770).
    ///
    /// # Errors
    /// Returns an error if `name` is not a file name, or if the wheel contains such a file already.
    pub fn add_sbom(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let unusable = |problem: String| Error::Filename {
            filename: Box::new(self.filename.clone()),
            problem,
        };
        let dist_info = format!("{}.dist-info/", self.filename.stem());
        let path = format!("{dist_info}sboms/{name}");
        let path: WheelPath =
            path.parse().map_err(|error: crate::name::ParseError| unusable(error.to_string()))?;
        let is_before = |entry: &Entry| !entry.path.as_str().starts_with(&dist_info);
        let start = self.entries.partition_point(is_before);
        match self.entries[start..].binary_search_by(|entry| entry.path.cmp(&path)) {
            Ok(_) => Err(unusable(format!("`{path}` is repeated"))),
            Err(at) => {
                self.entries.insert(start + at, Entry::bytes(path, bytes));
                Ok(())
            }
        }
    }

    /// Creates a wheel from the files of an existing one, including its `.dist-info`. Paths are not
    /// restricted; only files with the same destination are an error.
    pub(super) fn again(
        filename: WheelFilename,
        stem: &str,
        mut entries: Vec<Entry>,
        scratch: Option<tempfile::TempDir>,
    ) -> Result<Self, Error> {
        check_tags(&filename)?;
        check_collisions(&entries, &EntryPoints::default())?;
        let dist_info = format!("{stem}.dist-info/");
        let key = |entry: &Entry| (entry.path.as_str().starts_with(&dist_info), entry.path.clone());
        entries.sort_by_cached_key(key);
        let record = format!("{dist_info}RECORD").parse().map_err(|_| Error::Filename {
            filename: Box::new(filename.clone()),
            problem: "it has no directory `.dist-info`".to_owned(),
        })?;
        Ok(Self { filename, entries, record, _scratch: scratch.map(Arc::new) })
    }

    /// Returns the file name.
    pub fn filename(&self) -> &WheelFilename {
        &self.filename
    }

    /// Returns the files other than `RECORD`, in the order of the archive.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn record_path(&self) -> &WheelPath {
        &self.record
    }
}

fn check_filename(filename: &WheelFilename, metadata: &Metadata) -> Result<(), Error> {
    let error = |problem| Err(Error::Filename { filename: Box::new(filename.clone()), problem });
    let (name, version) = (metadata.name().escaped(), metadata.version());
    if filename.name != name {
        return error(format!("the metadata's name gives `{name}`"));
    }
    if filename.version != version {
        return error(format!("the metadata's version is `{version}`"));
    }
    check_tags(filename)
}

pub(super) fn check_tags(filename: &WheelFilename) -> Result<(), Error> {
    let error = |problem| Err(Error::Filename { filename: Box::new(filename.clone()), problem });
    // The fields are public; a value that was not parsed may parse as something else.
    if filename.to_string().parse().as_ref() != Ok(filename) {
        return error("its tags are not sorted, or not tags".to_owned());
    }
    let platforms = &filename.platforms;
    if platforms.windows(2).any(|pair| pair[0] == pair[1]) {
        return error("a platform tag is repeated".to_owned());
    }
    if platforms.len() > 1 && platforms.contains(&PlatformTag::Any) {
        return error("`any` cannot be combined with other platform tags".to_owned());
    }
    Ok(())
}

/// Returns the reason why a system that the wheel is for cannot hold a file of this name. A wheel for
/// Linux alone may contain names that only Windows refuses.
pub(super) fn unportable(path: &WheelPath, filename: &WheelFilename) -> Option<NameProblem> {
    portability_problem(path.as_str())
        .filter(|p| !is_for_linux(filename) || !p.is_of_windows_only())
}

/// True if all platform tags are of Linux.
pub(super) fn is_for_linux(filename: &WheelFilename) -> bool {
    filename.platforms.iter().all(|tag| tag.to_string().contains("linux"))
}

/// True if `top` is the `.data` directory, whose contents installers distribute.
fn is_data(top: &str) -> bool {
    matches!(top.rsplit_once('.'), Some((_, "data")))
}

/// Returns the scheme of a path below `.data`: `scripts` for `demo-1.0.data/scripts/run`.
fn scheme(path: &WheelPath) -> Option<&str> {
    let mut parts = path.parts();
    is_data(parts.next()?).then(|| parts.next())?
}

fn check_place(path: &WheelPath, stem: &str) -> Result<(), Error> {
    let error =
        |problem: &str| Err(Error::Path { path: path.clone(), problem: problem.to_owned() });
    if path.as_str().len() > LONGEST_PATH {
        return error("its path is longer than a zip can hold");
    }
    let parts: Vec<&str> = path.parts().collect();
    let top = parts[0].to_lowercase();
    if matches!(top.rsplit_once('.'), Some((_, "dist-info"))) {
        return error("`.dist-info` contains only generated files");
    }
    if ["setup.py", "setup.cfg"].contains(&top.as_str()) && parts.len() == 1 {
        return error("it belongs in a source distribution");
    }
    if !is_data(&top) {
        return Ok(());
    }
    if parts[0] != format!("{stem}.data") {
        return error(&format!("the wheel's data directory is `{stem}.data`"));
    }
    match parts[1..] {
        [scheme, _, ..] if !SCHEMES.contains(&scheme) => error(&format!(
            "`{scheme}` is none of `{}`, which is all that installers know",
            SCHEMES.join("`, `")
        )),
        ["scripts", _, _, ..] => error("installers refuse directories below `scripts`"),
        [_, _, ..] => Ok(()),
        _ => error("it is not below a directory that installers know"),
    }
}

/// Returns the destination of a file after installation, in a form that is equal for paths that
/// some file system treats as the same.
fn destination(path: &str) -> String {
    let mut parts = path.splitn(3, '/');
    let root = match (parts.next(), parts.next(), parts.next()) {
        (Some(top), Some("purelib" | "platlib"), Some(rest)) if is_data(top) => rest,
        _ => path,
    };
    folded(root)
}

fn check_collisions(entries: &[Entry], entry_points: &EntryPoints) -> Result<(), Error> {
    let mut files = BTreeMap::new();
    for entry in entries {
        if let Some(other) = files.insert(destination(entry.path.as_str()), &entry.path) {
            let problem = if *other == entry.path {
                "it is repeated".to_owned()
            } else {
                format!("it and `{other}` are one file on some systems, or once installed")
            };
            return Err(Error::Path { path: entry.path.clone(), problem });
        }
    }
    for (destination, path) in &files {
        for (end, _) in destination.match_indices('/') {
            if let Some(file) = files.get(&destination[..end]) {
                let problem = format!("`{file}` is a file, not a directory");
                return Err(Error::Path { path: (*path).clone(), problem });
            }
        }
    }
    for path in files.values().filter(|path| scheme(path) == Some("scripts")) {
        let same = |name: &&str| name.eq_ignore_ascii_case(path.file_name());
        if let Some(name) = entry_points.programs().find(same) {
            let problem = format!("the entry point `{name}` becomes the same file");
            return Err(Error::Path { path: (*path).clone(), problem });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::ProjectFiles;
    use crate::metadata::ProjectTable;

    const FILENAME: &str = "demo_pkg-1.0-py3-none-any.whl";

    fn new(filename: &str, paths: &[&str]) -> Result<Wheel, Error> {
        let project: ProjectTable = toml::from_str(
            "name = 'Demo.Pkg'\nversion = 'v1.0'\nlicense-files = ['LICENSE']\n\
             scripts = { Demo = 'demo:main' }",
        )
        .unwrap();
        let licenses = vec![("LICENSE".parse().unwrap(), b"free".to_vec())];
        let metadata = Metadata::new(&project, ProjectFiles { readme: None, licenses }).unwrap();
        let entries = paths.iter().map(|path| Entry::bytes(path.parse().unwrap(), *b"x")).collect();
        let points = EntryPoints::new(&project).unwrap();
        Wheel::new(filename.parse().unwrap(), &metadata, &points, entries)
    }

    #[test]
    fn dist_info_comes_last_and_scripts_are_programs() {
        let paths = ["z.py", "a/b.py", "demo_pkg-1.0.data/scripts/run", "a-b/c.py"];
        let wheel = new(FILENAME, &paths).unwrap();
        let order: Vec<_> =
            wheel.entries().iter().map(|e| (e.path.as_str(), e.executable)).collect();
        assert_eq!(
            order,
            [
                ("a-b/c.py", false),
                ("a/b.py", false),
                ("demo_pkg-1.0.data/scripts/run", true),
                ("z.py", false),
                ("demo_pkg-1.0.dist-info/METADATA", false),
                ("demo_pkg-1.0.dist-info/WHEEL", false),
                ("demo_pkg-1.0.dist-info/entry_points.txt", false),
                ("demo_pkg-1.0.dist-info/licenses/LICENSE", false),
            ]
        );
        assert_eq!(wheel.record_path().as_str(), "demo_pkg-1.0.dist-info/RECORD");
        let mut wheel = wheel;
        wheel.add_sbom("x.cdx.json", b"{}".to_vec()).unwrap();
        wheel.add_sbom("a.cdx.json", b"{}".to_vec()).unwrap();
        let last = wheel.entries().last().unwrap().path.as_str();
        assert_eq!(last, "demo_pkg-1.0.dist-info/sboms/x.cdx.json");
        wheel.add_sbom("x.cdx.json", Vec::new()).unwrap_err();
        wheel.add_sbom("../x", Vec::new()).unwrap_err();
    }

    #[test]
    fn names_must_be_those_of_the_metadata() {
        let check = |filename: &str, problem: &str| {
            let error = new(filename, &[]).unwrap_err().to_string();
            assert!(error.ends_with(problem), "{error}");
        };
        check("Demo_Pkg-1.0-py3-none-any.whl", "the metadata's name gives `demo_pkg`");
        check("demo_pkg-1-py3-none-any.whl", "the metadata's version is `1.0`");
        check("demo_pkg-1.0-py3-none-any.any.whl", "a platform tag is repeated");
        check(
            "demo_pkg-1.0-py3-none-any.win32.whl",
            "`any` cannot be combined with other platform tags",
        );
    }

    #[test]
    fn files_in_the_way_are_refused() {
        let check = |paths: &[&str], problem: &str| {
            let error = new(FILENAME, paths).unwrap_err().to_string();
            assert!(error.ends_with(problem), "{error}");
        };
        let same = "are one file on some systems, or once installed";
        check(&["a/b", "a/b"], "`a/b` cannot go into the wheel: it is repeated");
        check(&["a/B.py", "A/b.py"], &format!("it and `a/B.py` {same}"));
        check(&["a/\u{e9}", "a/e\u{301}"], same);
        check(&["a/b", "demo_pkg-1.0.data/purelib/a/b"], same);
        check(&["A/b/c", "a/B"], "`a/B` is a file, not a directory");
        let made = "`.dist-info` contains only generated files";
        check(&["demo_pkg-1.0.dist-info/INSTALLER"], made);
        check(&["demo_pkg-1.0.dist-info/direct_url.json"], made);
        check(&["other-2.Dist-Info/METADATA"], made);
        check(&["a/aux.py"], "`aux` is the name of a device on Windows");
        check(&["a/b."], "a part of its path ends with a dot, which Windows drops");
        check(&["setup.py"], "it belongs in a source distribution");
        check(&["x.data/data/y"], "the wheel's data directory is `demo_pkg-1.0.data`");
        check(
            &["demo_pkg-1.0.data/lib/y"],
            "`lib` is none of `data`, `headers`, `platlib`, `purelib`, `scripts`, which is all \
             that installers know",
        );
        check(&["demo_pkg-1.0.data/data"], "it is not below a directory that installers know");
        check(&["demo_pkg-1.0.data/scripts/a/b"], "installers refuse directories below `scripts`");
        check(&["demo_pkg-1.0.data/scripts/demo"], "the entry point `Demo` becomes the same file");
        check(&["x".repeat(65_536).as_str()], "its path is longer than a zip can hold");
        let linux = "demo_pkg-1.0-py3-none-manylinux_2_17_x86_64.whl";
        new(linux, &["a/aux.py", "a/b."]).unwrap();
        new(linux, &["a/b\u{202e}"]).unwrap_err();
        new(FILENAME, &["a/setup.py", "a.b/c", "demo_pkg-1.0.data/data/a/b", "a/b"]).unwrap();
    }
}

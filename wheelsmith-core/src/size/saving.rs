//! Finds bytes that packages could save.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::{FileKind, FileSize, PackageSize};
use crate::name::{Digest, WheelFilename};
use crate::patch;

/// Smallest file of which a second copy is worth a line, in bytes.
const SMALLEST_COPY: u64 = 1024;

/// Way to save bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SavingKind {
    /// Files of the same content, of which one would do.
    Duplicates,
    /// Symbols and debug information that no loader reads.
    Strip,
    /// One wheel whose modules use the stable ABI, in place of one for each Python.
    StableAbi,
    /// Native files that are the same for every Python, in a wheel of their own.
    SplitRuntime,
}

impl fmt::Display for SavingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicates => "duplicates",
            Self::Strip => "strip",
            Self::StableAbi => "stable ABI",
            Self::SplitRuntime => "split runtime",
        })
    }
}

/// Bytes that a change would save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Saving {
    /// Way to save them.
    pub kind: SavingKind,
    /// Unpacked bytes.
    pub size_bytes: u64,
    /// Bytes of the package; `None` if it does not compress files one by one.
    pub packed_bytes: Option<u64>,
    /// True if the bytes are saved once for each further Python that gets a wheel, not once.
    pub for_each_python: bool,
    /// Files or packages, the largest first.
    pub paths: Vec<String>,
}

/// File of a package, and what stripping would save.
pub(super) struct Looked {
    pub(super) file: FileSize,
    /// Bytes that stripping saves: unpacked, and packed if the archive packs files one by one.
    pub(super) strippable: Option<(u64, Option<u64>)>,
    /// Reason why it was not stripped to see.
    pub(super) unexamined: Option<String>,
}

/// Returns the bytes that stripping the ELF file saves: unpacked and, if `packed`, compressed with
/// the usual level of deflate; `None` if there is nothing to remove. An error is the reason why the
/// file could not be stripped.
pub(super) fn by_stripping(
    bytes: &[u8],
    packed: bool,
) -> Result<Option<(u64, Option<u64>)>, String> {
    let stripped = patch::strip(bytes).map_err(|error| error.to_string())?;
    let saved = (bytes.len() as u64).saturating_sub(stripped.len() as u64);
    if saved == 0 {
        return Ok(None);
    }
    let difference = || deflated(bytes).saturating_sub(deflated(&stripped));
    Ok(Some((saved, packed.then(difference))))
}

/// Returns the compressed size of `bytes`.
fn deflated(bytes: &[u8]) -> u64 {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Count(0), flate2::Compression::default());
    // Writing to a counter does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().map_or(0, |count| count.0)
}

struct Count(u64);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns what a package could save, given its files, the largest first.
pub(super) fn of_package(name: &str, size_bytes: u64, files: &[Looked]) -> Vec<Saving> {
    let mut savings = duplicates(files);
    let strippable = files.iter().filter_map(|found| Some((found, found.strippable?)));
    let mut strippable: Vec<_> = strippable.collect();
    strippable.sort_by_key(|(_, (size, packed))| std::cmp::Reverse(packed.unwrap_or(*size)));
    if !strippable.is_empty() {
        savings.push(Saving {
            kind: SavingKind::Strip,
            size_bytes: strippable.iter().map(|(_, (size, _))| size).sum(),
            packed_bytes: strippable.iter().map(|(_, (_, packed))| *packed).sum(),
            for_each_python: false,
            paths: strippable.iter().map(|(found, _)| found.file.path.clone()).collect(),
        });
    }
    if let Ok(wheel) = name.parse::<WheelFilename>()
        && is_for_one_python(&wheel)
    {
        savings.extend(per_python(name, size_bytes, files));
    }
    savings
}

fn duplicates(files: &[Looked]) -> Vec<Saving> {
    let mut groups: BTreeMap<Digest, Vec<&Looked>> = BTreeMap::new();
    for found in files.iter().filter(|found| found.file.size_bytes >= SMALLEST_COPY) {
        groups.entry(found.file.sha256).or_default().push(found);
    }
    let mut savings: Vec<Saving> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .map(|group| Saving {
            kind: SavingKind::Duplicates,
            size_bytes: group.iter().skip(1).map(|found| found.file.size_bytes).sum(),
            packed_bytes: group.iter().skip(1).map(|found| found.file.packed_bytes).sum(),
            for_each_python: false,
            paths: group.iter().map(|found| found.file.path.clone()).collect(),
        })
        .collect();
    savings.sort_by(|a, b| b.size_bytes.cmp(&a.size_bytes).then_with(|| a.paths.cmp(&b.paths)));
    savings
}

/// True if a wheel is for one release of Python, so that others need wheels of their own.
fn is_for_one_python(wheel: &WheelFilename) -> bool {
    let abi = &wheel.python.abi;
    !abi.iter().any(|abi| abi == "none" || abi.starts_with("abi3"))
}

/// Returns what a wheel for one Python could save for each further one.
fn per_python(name: &str, size_bytes: u64, files: &[Looked]) -> Vec<Saving> {
    let is_runtime = |found: &&Looked| found.file.kind == FileKind::Native;
    let runtime: Vec<&Looked> = files.iter().filter(is_runtime).collect();
    let mut savings = vec![Saving {
        kind: SavingKind::StableAbi,
        size_bytes: files.iter().map(|found| found.file.size_bytes).sum(),
        packed_bytes: Some(size_bytes),
        for_each_python: true,
        paths: vec![name.to_owned()],
    }];
    if !runtime.is_empty() {
        savings.push(Saving {
            kind: SavingKind::SplitRuntime,
            size_bytes: runtime.iter().map(|found| found.file.size_bytes).sum(),
            packed_bytes: runtime.iter().map(|found| found.file.packed_bytes).sum(),
            for_each_python: true,
            paths: runtime.iter().map(|found| found.file.path.clone()).collect(),
        });
    }
    savings
}

/// Returns what wheels of the same version and platform for several Pythons could save.
pub(super) fn across(packages: &[PackageSize]) -> Vec<Saving> {
    let mut groups: BTreeMap<(String, Vec<String>), Vec<&PackageSize>> = BTreeMap::new();
    for package in packages {
        if let Ok(wheel) = package.name().parse::<WheelFilename>()
            && is_for_one_python(&wheel)
        {
            let platforms = wheel.platforms.iter().map(ToString::to_string).collect();
            groups.entry((wheel.stem(), platforms)).or_default().push(package);
        }
    }
    let mut savings = Vec::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        // Packages are sorted: the first is the largest, and the one that remains.
        let others = || group.iter().skip(1);
        savings.push(Saving {
            kind: SavingKind::StableAbi,
            size_bytes: others().map(|package| package.unpacked_bytes).sum(),
            packed_bytes: Some(others().map(|package| package.size_bytes).sum()),
            for_each_python: false,
            paths: group.iter().map(|package| package.name()).collect(),
        });
        savings.extend(common(&group));
    }
    savings
}

/// Returns the native files that all wheels of a group have and that are no modules.
fn common(group: &[&PackageSize]) -> Option<Saving> {
    let (first, others) = group.split_first()?;
    let has = |package: &PackageSize, digest| package.files.iter().any(|f| f.sha256 == digest);
    let is_common = |file: &&FileSize| {
        file.kind == FileKind::Native && others.iter().all(|package| has(package, file.sha256))
    };
    let files: Vec<_> = first.files.iter().filter(is_common).collect();
    let copies = others.len() as u64;
    (!files.is_empty()).then(|| Saving {
        kind: SavingKind::SplitRuntime,
        size_bytes: files.iter().map(|file| file.size_bytes).sum::<u64>() * copies,
        packed_bytes: files.iter().map(|f| f.packed_bytes).sum::<Option<u64>>().map(|n| n * copies),
        for_each_python: false,
        paths: files.iter().map(|file| file.path.clone()).collect(),
    })
}

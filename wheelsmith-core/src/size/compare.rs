//! Compares the sizes of packages with those of a previous build.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::{FileSize, PackageSize, SizeReport};
use crate::name::{ParseError, WheelFilename};

/// Growth since a previous build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Packages of both builds, the one that grew most first.
    pub packages: Vec<Growth>,
    /// Names of packages that only the new build has.
    pub added: Vec<String>,
    /// Names of packages that only the previous build has.
    pub removed: Vec<String>,
}

impl Comparison {
    /// Returns the packages that grew by more than `limit`.
    pub fn over(&self, limit: Limit) -> Vec<&Growth> {
        self.packages
            .iter()
            .filter(|growth| limit.is_exceeded(growth.before, growth.after))
            .collect()
    }
}

/// Growth of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Growth {
    /// Name of the new package.
    pub name: String,
    /// Previous size in bytes.
    pub before: u64,
    /// Size in bytes.
    pub after: u64,
    /// Files whose sizes differ, the largest difference first.
    pub files: Vec<FileChange>,
}

/// File whose size changed: the packed size if it is known of both packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileChange {
    /// Path in the package that has it, the new one first.
    pub path: String,
    /// Previous size in bytes; `None` if the file is new.
    pub before: Option<u64>,
    /// Size in bytes; `None` if the file is gone.
    pub after: Option<u64>,
}

/// Most growth that is acceptable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Percentage of the previous size.
    Percent(f64),
    /// Bytes.
    Bytes(u64),
}

impl Limit {
    /// True if a package that grew from `before` to `after` bytes grew by more.
    pub fn is_exceeded(self, before: u64, after: u64) -> bool {
        let growth = after.saturating_sub(before);
        match self {
            Self::Percent(percent) => growth as f64 > before as f64 * percent / 100.0,
            Self::Bytes(bytes) => growth > bytes,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Bytes(bytes) => write!(f, "{bytes} bytes"),
        }
    }
}

impl FromStr for Limit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new(text, "a limit (such as `2%`, `500kB` or `1MiB`)");
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
        let factor = match text[digits.len()..].trim() {
            "%" => None,
            "" | "B" => Some(1.0),
            "k" | "kB" => Some(1e3),
            "M" | "MB" => Some(1e6),
            "KiB" => Some(1024.0),
            "MiB" => Some(1024.0 * 1024.0),
            _ => return Err(error()),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(error());
        }
        let number: f64 = digits.parse().map_err(|_| error())?;
        Ok(match factor {
            None => Self::Percent(number),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            Some(factor) => Self::Bytes((number * factor) as u64),
        })
    }
}

/// Compares packages with those of a previous build. Two single packages are compared whatever
/// their names; of several, those are compared whose names differ in the version alone.
pub fn compare(before: &SizeReport, after: &SizeReport) -> Comparison {
    if let ([old], [new]) = (&before.packages[..], &after.packages[..]) {
        let packages = vec![growth(old, new)];
        return Comparison { packages, added: Vec::new(), removed: Vec::new() };
    }
    let mut old: BTreeMap<String, &PackageSize> =
        before.packages.iter().map(|package| (without_version(&package.name()), package)).collect();
    let (mut packages, mut added) = (Vec::new(), Vec::new());
    for new in &after.packages {
        match old.remove(&without_version(&new.name())) {
            Some(old) => packages.push(growth(old, new)),
            None => added.push(new.name()),
        }
    }
    let grown = |growth: &Growth| growth.after.cast_signed() - growth.before.cast_signed();
    packages.sort_by_key(|growth| std::cmp::Reverse(grown(growth)));
    let removed = old.into_values().map(PackageSize::name).collect();
    Comparison { packages, added, removed }
}

fn growth(before: &PackageSize, after: &PackageSize) -> Growth {
    let packed = [before, after].iter().all(|package| package.overhead_bytes().is_some());
    let size = |file: &FileSize| file.packed_bytes.filter(|_| packed).unwrap_or(file.size_bytes);
    let mut files: BTreeMap<String, FileChange> = BTreeMap::new();
    for file in &before.files {
        let change = FileChange { path: file.path.clone(), before: Some(size(file)), after: None };
        files.insert(key(&file.path), change);
    }
    for file in &after.files {
        let new = FileChange { path: file.path.clone(), before: None, after: None };
        let change = files.entry(key(&file.path)).or_insert(new);
        change.path.clone_from(&file.path);
        change.after = Some(size(file));
    }
    let mut files: Vec<_> = files.into_values().filter(|file| file.before != file.after).collect();
    let difference = |f: &FileChange| f.before.unwrap_or(0).abs_diff(f.after.unwrap_or(0));
    files.sort_by(|a, b| difference(b).cmp(&difference(a)).then_with(|| a.path.cmp(&b.path)));
    Growth { name: after.name(), before: before.size_bytes, after: after.size_bytes, files }
}

/// Returns what two versions of a file have in common of their paths: no version in the first
/// directory, and no digest in the name of a library.
fn key(path: &str) -> String {
    let (dir, name) = path.rsplit_once('/').map_or((None, path), |(dir, name)| (Some(dir), name));
    let name = without_digest(name);
    let Some(dir) = dir else { return name };
    let (first, rest) =
        dir.split_once('/').map_or((dir, None), |(first, rest)| (first, Some(rest)));
    let first = without_version(first);
    rest.map_or_else(|| format!("{first}/{name}"), |rest| format!("{first}/{rest}/{name}"))
}

/// Removes the digest that repair tools add: `libz-1a2b3c4d.so.1` becomes `libz.so.1`.
fn without_digest(name: &str) -> String {
    let stem_end = name.find('.').unwrap_or(name.len());
    let (stem, rest) = name.split_at(stem_end);
    let is_digest = |end: &str| end.len() >= 8 && end.bytes().all(|b| b.is_ascii_hexdigit());
    match stem.rsplit_once('-') {
        Some((start, end)) if is_digest(end) => format!("{start}{rest}"),
        _ => name.to_owned(),
    }
}

/// Returns a file name without version, and that of a wheel also without build tag.
fn without_version(name: &str) -> String {
    if let Ok(wheel) = name.parse::<WheelFilename>() {
        let platforms: Vec<String> = wheel.platforms.iter().map(ToString::to_string).collect();
        return format!("{}-{}-{}", wheel.name, wheel.python, platforms.join("."));
    }
    let ends = [".dist-info", ".data", ".tar.gz", ".tgz", ".crate", ".zip", ".tar"];
    let end = ends.into_iter().find(|end| name.ends_with(end)).unwrap_or_default();
    let stem = &name[..name.len() - end.len()];
    let is_version = |part: &&str| {
        let part = part.strip_prefix('v').unwrap_or(part);
        part.starts_with(|c: char| c.is_ascii_digit()) && part.contains('.')
    };
    let parts: Vec<&str> = stem.split('-').filter(|part| !is_version(part)).collect();
    parts.join("-") + end
}

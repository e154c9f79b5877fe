//! Judges the names of wheels and sdists (binary distribution format; PEP 425, 440, 503, 625).

use pep440_rs::Version;

use super::findings::Findings;
use super::{Index, index};
use crate::finding::{Code, Severity};
use crate::name::{ProjectName, PythonTag, WheelFilename};

/// Parses and judges the name of a wheel. Returns `None` if it cannot be parsed.
pub(super) fn wheel(text: &str, index: Index, out: &mut Findings) -> Option<WheelFilename> {
    let name: WheelFilename = match text.parse() {
        Ok(name) => name,
        Err(error) => {
            out.whole(Code::BadFilename, crate::name::ParseError::to_string(&error));
            return None;
        }
    };
    project(&name.name, out);
    version(&name.version, Severity::Warning, out);
    let parts: Vec<&str> = text.trim_end_matches(".whl").rsplit('-').take(3).collect();
    for set in parts {
        let tags: Vec<&str> = set.split('.').collect();
        let mut sorted = tags.clone();
        sorted.sort_unstable();
        if sorted != tags {
            let message = format!("`{set}` would be `{}`", sorted.join("."));
            out.whole(Code::TagsNotSorted, message);
        }
        if let Some(tag) = sorted.windows(2).find(|pair| pair[0] == pair[1]).and_then(<[_]>::first)
        {
            out.whole(Code::DuplicateTag, format!("`{tag}` is listed twice"));
        }
    }
    for platform in name.platforms.iter().map(ToString::to_string) {
        if index == Index::Pypi && !index::takes_platform(&platform) {
            out.whole(Code::PlatformRefused, format!("the index takes no wheels for `{platform}`"));
        }
    }
    installable(&name, out);
    Some(name)
}

/// Reports a wheel that no installer accepts on any machine.
fn installable(name: &WheelFilename, out: &mut Findings) {
    let platforms: Vec<String> = name.platforms.iter().map(ToString::to_string).collect();
    let is_unknown = |tag: &&String| !index::is_installable_platform(tag);
    let unknown: Vec<&String> = platforms.iter().filter(is_unknown).collect();
    for tag in &unknown {
        let severity =
            if unknown.len() == platforms.len() { Severity::Error } else { Severity::Warning };
        let message = format!("no installer takes wheels for `{tag}`, on any machine");
        out.whole_as(severity, Code::UnknownTag, message);
    }
    let PythonTag { python, abi } = &name.python;
    let mut pairs = python.iter().flat_map(|python| abi.iter().map(move |abi| (python, abi)));
    if !pairs.any(|(python, abi)| index::is_installable_pair(python, abi)) {
        let message = format!("no installer takes wheels for `{}`, for any Python", name.python);
        out.whole(Code::UnknownTag, message);
    }
}

/// Judges the name of an sdist. Returns its name and version parts.
pub(super) fn sdist(text: &str, out: &mut Findings) -> Option<(String, String)> {
    let stem = text.strip_suffix(".tar.gz");
    // The name may contain `-` in older sdists; a version contains none.
    let parts = stem.and_then(|stem| stem.rsplit_once('-')).filter(|(name, version)| {
        name.parse::<ProjectName>().is_ok() && version.parse::<Version>().is_ok()
    });
    let Some((name, given)) = parts else {
        let message = format!("`{text}` is not `name-version.tar.gz` (PEP 625)");
        out.whole(Code::BadFilename, message);
        return None;
    };
    project(name, out);
    version(given, Severity::Error, out);
    Some((name.to_owned(), given.to_owned()))
}

fn project(name: &str, out: &mut Findings) {
    match name.parse::<ProjectName>() {
        Ok(project) if project.escaped() == name => {}
        Ok(project) => {
            let message = format!("`{name}` would be `{}`", project.escaped());
            out.whole(Code::NameNotNormalised, message);
        }
        Err(error) => out.whole(Code::BadFilename, error.to_string()),
    }
}

/// Judges a version. The index compares versions of wheels with the metadata by value, those of
/// sdists by spelling.
fn version(text: &str, severity: Severity, out: &mut Findings) {
    match text.parse::<Version>() {
        Ok(version) => {
            if version.to_string() != text {
                let message = format!("`{text}` would be `{version}`");
                out.whole_as(severity, Code::VersionNotNormalised, message);
            }
            if version.is_local() {
                let message = format!("`{text}` has a local part (`+…`)");
                out.whole(Code::LocalVersion, message);
            }
        }
        Err(_) => out.whole(Code::BadFilename, format!("`{text}` is not a version (PEP 440)")),
    }
}

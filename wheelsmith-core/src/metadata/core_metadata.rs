//! `METADATA`: validates a `[project]` table and writes it (core metadata 2.1 to 2.5).

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::Version;

use super::imports::Imports;
use super::license::License;
use super::links::Person;
use super::readme::Readme;
use super::requirement::Requirement;
use super::{
    Error, ProjectTable, Specifiers, license, links, one_line, problem, problem_with_hint,
};
use crate::name::{PlatformTag, ProjectName, PythonTag, WheelFilename, WheelPath};

/// Files that a `[project]` table names, read by the caller.
#[derive(Debug, Clone, Default)]
pub struct ProjectFiles {
    /// Content of [`ProjectTable::readme_file`].
    pub readme: Option<Vec<u8>>,
    /// Files that [`ProjectTable::license_globs`] match, with paths relative to the project.
    pub licenses: Vec<(WheelPath, Vec<u8>)>,
}

/// Core metadata of a project. Installers and indexes accept every value.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) name: ProjectName,
    pub(super) version: Version,
    pub(super) summary: Option<String>,
    pub(super) readme: Option<Readme>,
    pub(super) requires_python: Option<Specifiers>,
    pub(super) license: Option<License>,
    pub(super) license_files: BTreeMap<WheelPath, String>,
    pub(super) authors: Vec<Person>,
    pub(super) maintainers: Vec<Person>,
    pub(super) keywords: Vec<String>,
    pub(super) classifiers: Vec<String>,
    pub(super) urls: BTreeMap<String, String>,
    pub(super) dependencies: Vec<Requirement>,
    pub(super) extras: BTreeMap<String, Vec<Requirement>>,
    pub(super) imports: Imports,
}

/// Longest summary that indexes accept, in characters.
const SUMMARY_CHARS: usize = 512;

impl Metadata {
    /// Validates the table and the files that it names.
    ///
    /// # Errors
    /// Returns an error with the first key whose value metadata cannot contain.
    pub fn new(project: &ProjectTable, texts: ProjectFiles) -> Result<Self, Error> {
        check_dynamic(project)?;
        let version =
            project.version.as_deref().ok_or_else(|| problem("project.version", "is missing"))?;
        let version = Version::from_str(version)
            .map_err(|error| problem("project.version", format!("is `{version}`: {error}")))?;
        let license = match &project.license {
            Some(raw) => License::new(raw, project)?,
            None => None,
        };
        Ok(Self {
            name: project.name.clone(),
            version,
            summary: project.description.as_deref().map(summary).transpose()?,
            readme: project
                .readme
                .as_ref()
                .map(|raw| Readme::new(raw, texts.readme))
                .transpose()?,
            requires_python: project.requires_python.as_deref().map(requires_python).transpose()?,
            license_files: license::files(texts.licenses)?,
            authors: Person::all("project.authors", &project.authors)?,
            maintainers: Person::all("project.maintainers", &project.maintainers)?,
            keywords: keywords(&project.keywords)?,
            classifiers: license::classifiers(&project.classifiers, license.as_ref())?,
            urls: links::urls(&project.urls)?,
            dependencies: Requirement::all("project.dependencies", &project.dependencies)?,
            extras: extras(&project.optional_dependencies)?,
            imports: Imports::new(project)?,
            license,
        })
    }

    /// Returns the name of the project.
    pub fn name(&self) -> &ProjectName {
        &self.name
    }

    /// Returns the normalised version.
    pub fn version(&self) -> String {
        self.version.to_string()
    }

    /// Returns the description in one line.
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// Returns the supported Python versions, such as `>=3.9,<4`.
    pub fn requires_python(&self) -> Option<String> {
        self.requires_python.as_ref().map(ToString::to_string)
    }

    /// Returns the normalised SPDX expression.
    pub fn license_expression(&self) -> Option<&str> {
        match self.license.as_ref()? {
            License::Expression(expression) => Some(expression),
            License::Words(_) => None,
        }
    }

    /// Returns the licence files with their texts.
    pub fn license_files(&self) -> &BTreeMap<WheelPath, String> {
        &self.license_files
    }

    /// Returns the file name of this project's wheel with these tags.
    pub fn filename(&self, python: PythonTag, mut platforms: Vec<PlatformTag>) -> WheelFilename {
        platforms.sort_by_key(PlatformTag::to_string);
        platforms.dedup();
        let (name, version) = (self.name.escaped(), self.version());
        WheelFilename { name, version, build: None, python, platforms }
    }
}

fn check_dynamic(project: &ProjectTable) -> Result<(), Error> {
    const KEY: &str = "project.dynamic";
    let Some(first) = project.dynamic.first() else { return Ok(()) };
    let given = match first.as_str() {
        "name" => true,
        "version" => project.version.is_some(),
        "description" => project.description.is_some(),
        "dependencies" => !project.dependencies.is_empty(),
        _ => false,
    };
    let words = if given {
        format!("names `{first}`, which is given as well")
    } else {
        format!("names `{first}`, which the build does not set")
    };
    Err(problem_with_hint(KEY, words, "write the value into `[project]`"))
}

fn summary(text: &str) -> Result<String, Error> {
    let text = one_line("project.description", text)?;
    let count = text.chars().count();
    if count > SUMMARY_CHARS {
        let words = format!("has {count} characters; indexes take {SUMMARY_CHARS}");
        return Err(problem_with_hint("project.description", words, "put the rest into `readme`"));
    }
    Ok(text)
}

fn requires_python(text: &str) -> Result<Specifiers, Error> {
    let key = "project.requires-python";
    one_line(key, text)?;
    text.parse::<Specifiers>().map_err(|error| {
        problem_with_hint(key, format!("is `{text}`: {error}"), "write something like `>=3.9`")
    })
}

fn keywords(raw: &[String]) -> Result<Vec<String>, Error> {
    let key = "project.keywords";
    let mut keywords = Vec::new();
    for word in raw {
        let word = one_line(key, word)?;
        if word.contains(',') {
            return Err(problem(key, format!("has `{word}`: the comma would split it in two")));
        }
        keywords.push(word);
    }
    Ok(keywords)
}

fn extras(
    raw: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Vec<Requirement>>, Error> {
    let mut extras = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (extra, requirements) in raw {
        let key = format!("project.optional-dependencies.{extra}");
        let name: ProjectName = extra
            .parse()
            .map_err(|error: crate::name::ParseError| problem(&key, error.to_string()))?;
        let name = name.normalized();
        if !seen.insert(name.clone()) {
            return Err(problem(key, format!("is repeated: both are `{name}`")));
        }
        extras.insert(name, Requirement::all(&key, requirements)?);
    }
    Ok(extras)
}

#[cfg(test)]
#[path = "core_metadata_tests.rs"]
mod tests;

//! Selection of files in a view.

use std::fmt;
use std::str::FromStr;

use super::DistName;
use crate::name::{ParseError, ProjectName};

/// Selection of files in a view: `demo`, `demo==1.0`, or a file name.
#[derive(Debug, Clone)]
pub struct Select {
    project: ProjectName,
    version: Option<pep440_rs::Version>,
    filename: Option<String>,
}

impl Select {
    pub(super) fn project(&self) -> String {
        self.project.normalized()
    }

    /// True if it selects every file of its project.
    pub fn is_project(&self) -> bool {
        self.version.is_none()
    }

    pub(super) fn has(&self, filename: &str) -> bool {
        match (&self.filename, &self.version) {
            (Some(name), _) => name == filename,
            (None, Some(version)) => {
                filename.parse::<DistName>().is_ok_and(|name| name.version == *version)
            }
            (None, None) => true,
        }
    }
}

impl fmt::Display for Select {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.filename, &self.version) {
            (Some(name), _) => f.write_str(name),
            (None, Some(version)) => write!(f, "{}=={version}", self.project),
            (None, None) => write!(f, "{}", self.project),
        }
    }
}

impl FromStr for Select {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if DistName::is_like(text) {
            let DistName { project, version, .. } = text.parse()?;
            return Ok(Self { project, version: Some(version), filename: Some(text.to_owned()) });
        }
        let Some((project, version)) = text.split_once("==") else {
            return Ok(Self { project: text.parse()?, version: None, filename: None });
        };
        let version = version
            .parse()
            .map_err(|_| ParseError::new(text, "a project and its version, such as `demo==1.0`"))?;
        Ok(Self { project: project.parse()?, version: Some(version), filename: None })
    }
}

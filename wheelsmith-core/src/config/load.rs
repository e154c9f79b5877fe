//! Finds configuration files on disk, and reports those that would be ignored.

use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::names::PYPROJECT;
use super::{Config, Error, build_system, check};
use crate::sys;

/// Names of configuration files, in order of precedence.
pub const CONFIG_FILES: [&str; 2] = ["wheelsmith.toml", PYPROJECT];

/// Reason why no configuration was read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The path is neither a directory nor a file.
    #[error("cannot find the project: `{}` is not there", path.display())]
    NoPath {
        /// The path.
        path: PathBuf,
    },
    /// The directory has no configuration.
    #[error(
        "cannot find the project: `{}` has neither `wheelsmith.toml` nor `pyproject.toml`",
        dir.display()
    )]
    NoConfig {
        /// The directory.
        dir: PathBuf,
    },
    /// Both files configure wheelsmith, so that one of them would not be read.
    #[error(
        "cannot choose a configuration: `{}` has `wheelsmith.toml`, and `[tool.wheelsmith]` in \
         `pyproject.toml`",
        dir.display()
    )]
    TwoConfigs {
        /// The directory.
        dir: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read the configuration `{}`", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Cause, with the path.
        #[source]
        source: io::Error,
    },
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] Error),
}

impl LoadError {
    /// Returns what the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoConfig { .. } => {
                Some("run `wheelsmith init` to write a starter configuration".to_owned())
            }
            Self::TwoConfigs { .. } => Some(
                "move the keys of one file to the other, below `[tool.wheelsmith]`, and remove them \
                 here"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Returns the configuration file at `path`: the file itself, or the one of the directory.
///
/// # Errors
/// Returns an error if there is none, or if both files of the directory configure wheelsmith.
pub(super) fn find_file(path: &Path) -> Result<PathBuf, LoadError> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    if !path.is_dir() {
        return Err(LoadError::NoPath { path: path.to_owned() });
    }
    let present = CONFIG_FILES.iter().map(|name| path.join(name)).find(|file| file.is_file());
    let file = present.ok_or_else(|| LoadError::NoConfig { dir: path.to_owned() })?;
    let is_configured = |table: &Table| tool(table).is_some();
    if file.ends_with(CONFIG_FILES[0]) && pyproject(path)?.is_some_and(|(_, t)| is_configured(&t)) {
        return Err(LoadError::TwoConfigs { dir: path.to_owned() });
    }
    Ok(file)
}

/// Returns the configuration file of the directory `dir` for commands that need none: `None` if there
/// is no `wheelsmith.toml`, and no `[tool.wheelsmith]` in `pyproject.toml`.
///
/// # Errors
/// Returns an error if both files configure wheelsmith, or one cannot be read.
pub fn find_settings(dir: &Path) -> Result<Option<PathBuf>, LoadError> {
    match find_file(dir) {
        Ok(file) if file.ends_with(PYPROJECT) => {
            let text = read(&file)?;
            // A file with mistakes is read, so that they are reported.
            let is_ours = text
                .parse::<Table>()
                .map_or(text.contains("tool.wheelsmith"), |table| tool(&table).is_some());
            Ok(is_ours.then_some(file))
        }
        Ok(file) => Ok(Some(file)),
        Err(LoadError::NoConfig { .. } | LoadError::NoPath { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Config {
    /// Reads the configuration at `path`: a directory with one of [`CONFIG_FILES`], or such a file.
    /// If `wheelsmith.toml` has no `[project]`, that of `pyproject.toml` beside it is used, unless
    /// another back end builds the project.
    ///
    /// # Errors
    /// Returns an error if there is no configuration, if it has mistakes, or if both files
    /// configure wheelsmith.
    pub fn load(path: &Path) -> Result<(Self, PathBuf), LoadError> {
        let file = find_file(path)?;
        let text = read(&file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let dir = file.parent().unwrap_or(Path::new(""));
        let (mut beside, mut foreign, mut former) = (None, None, None);
        if !file.ends_with(PYPROJECT)
            && let Some((text, table)) = pyproject(dir)?
        {
            former = super::former_backend(PYPROJECT, &text);
            foreign = build_system::foreign(&text);
            let build_system = table.get("build-system");
            let backend = build_system.and_then(|table| table.get("build-backend"));
            let is_ours = backend.map_or(build_system.is_none(), |backend| {
                backend.as_str().is_some_and(build_system::is_own)
            });
            beside = (is_ours && table.contains_key("project")).then_some(text);
        }
        let mut config = check::parse(&name, &text, beside.as_deref(), &[])?;
        config.former_backend = former.or_else(|| super::former_backend(&name, &text));
        config.foreign_backend = foreign.or_else(|| build_system::foreign(&text));
        // `wheelsmith.toml` configures wheelsmith, whatever it contains.
        config.is_configured = !file.ends_with(PYPROJECT)
            || text.parse::<Table>().is_ok_and(|table| tool(&table).is_some());
        Ok((config, file))
    }
}

fn read(file: &Path) -> Result<String, LoadError> {
    sys::fs::read_to_string(file)
        .map_err(|source| LoadError::Unreadable { file: file.to_owned(), source })
}

/// Returns the `pyproject.toml` of a directory; `None` if there is none, or it is not TOML.
fn pyproject(dir: &Path) -> Result<Option<(String, Table)>, LoadError> {
    let file = dir.join(PYPROJECT);
    if !file.is_file() {
        return Ok(None);
    }
    let text = read(&file)?;
    Ok(text.parse::<Table>().ok().map(|table| (text, table)))
}

fn tool(table: &Table) -> Option<&Value> {
    table.get("tool")?.get("wheelsmith")
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &str = "[[component]]\nname = 'f'\nkind = 'c-shared'\n\
                             [[component.sources]]\nfiles = ['f.c']\n";

    /// Loads a directory with these files and returns what was found: number of components and
    /// wheels, or the error.
    fn load(own: &str, pyproject: &str) -> Result<(usize, usize), String> {
        let dir = sys::fs::temp_dir().unwrap();
        for (name, text) in CONFIG_FILES.into_iter().zip([own, pyproject]) {
            if !text.is_empty() {
                sys::fs::write_atomic(&dir.path().join(name), text.as_bytes()).unwrap();
            }
        }
        match Config::load(dir.path()) {
            Ok((config, _)) => Ok((config.components.len(), config.wheels.len())),
            Err(error) => Err(error.to_string().replace(&*dir.path().to_string_lossy(), "DIR")),
        }
    }

    #[test]
    fn no_key_is_passed_over() {
        let bare = COMPONENT.to_owned();
        let prefixed = COMPONENT.replace("[component", "[tool.wheelsmith.component");
        let project = "[project]\nname = 'f'\nversion = '1'\n";
        assert_eq!(load(&bare, ""), Ok((1, 0)));
        assert_eq!(load(&prefixed, ""), Ok((1, 0)));
        assert_eq!(load(&format!("targets = []\n{project}{bare}"), ""), Ok((1, 1)));
        let two = "cannot choose a configuration: `DIR` has `wheelsmith.toml`, and \
                   `[tool.wheelsmith]` in `pyproject.toml`";
        assert_eq!(load(&bare, "[tool.wheelsmith]\n"), Err(two.to_owned()));
        assert_eq!(load(&prefixed, "[tool.wheelsmith.audit]\n"), Err(two.to_owned()));
        assert_eq!(load("[tool.wheelsmith.audit]\n", &prefixed), Err(two.to_owned()));
        let mixed = load(&format!("strip = 'all'\n{prefixed}"), "").unwrap_err();
        assert_eq!(
            mixed,
            "wheelsmith.toml:1:1: `strip`: this key is outside `[tool.wheelsmith]`, although the \
             file has that table\n    write `tool.wheelsmith.strip`, or no key with the prefix \
             `tool.wheelsmith`"
        );
        let typing = load("tragets = []\n", "").unwrap_err();
        assert_eq!(
            typing,
            "wheelsmith.toml:1:1: `tragets`: unknown key `tragets`\n    did you mean `targets`?"
        );
        let typing = load("", "[tool.wheelsmtih]\n").unwrap_err();
        assert_eq!(
            typing,
            "pyproject.toml:1:7: `tool.wheelsmtih`: no tool has this name\n    did you mean \
             `tool.wheelsmith`?"
        );
        // The `[project]` table is used from either file.
        assert_eq!(load(&bare, project), Ok((1, 1)));
        let ours = "[build-system]\nrequires = []\nbuild-backend = 'wheelsmith_build'\n";
        assert_eq!(load(&bare, &format!("{ours}{project}")), Ok((1, 1)));
        let others = ours.replace("wheelsmith_build", "flit_core.buildapi");
        assert_eq!(load(&bare, &format!("{others}{project}")), Ok((1, 0)));
        let wrong = load(&bare, "[project]\nname = 'f'\nversoin = '1'\n").unwrap_err();
        assert_eq!(
            wrong,
            "pyproject.toml:3:1: `project.versoin`: unknown key `versoin`\n    did you mean \
             `version`?"
        );
    }
}

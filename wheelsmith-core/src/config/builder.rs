//! Builder of a configuration in code.

use std::path::{Path, PathBuf};

use super::load::find_file;
use super::{Component, Config, Error, Library, LoadError, check};
use crate::name::Target;
use crate::sys;
use crate::toolchain::{Optimize, Strip, ToolchainKind};

/// Builder of a [`Config`] from the text of a file and additions in code.
///
/// ```
/// use wheelsmith_core::config::{Config, Library};
///
/// let config = Config::builder()
///     .target("x86_64-unknown-linux-gnu.2.28".parse()?)
///     .library(Library::program("demo").sources(["demo.c"]))
///     .build()?;
/// assert_eq!(config.targets.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ConfigBuilder {
    file: String,
    text: String,
    /// Number of lines of the file itself.
    lines: Option<usize>,
    targets: Vec<Target>,
    libraries: Vec<Library>,
    toolchain: Option<ToolchainKind>,
    optimize: Option<Optimize>,
    strip: Option<Strip>,
}

impl Config {
    /// Returns a builder without a file.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder { file: "build.rs".to_owned(), ..ConfigBuilder::default() }
    }
}

impl ConfigBuilder {
    /// Sets the `text` of a configuration file; `file` is its name in messages.
    #[must_use]
    pub fn text(mut self, file: &str, text: &str) -> Self {
        file.clone_into(&mut self.file);
        self.lines = Some(text.lines().count());
        self.text = format!("{text}\n{}", self.text);
        self
    }

    /// Adds the configuration at `path`: a file, or a directory with one. Returns the path of the
    /// file as well.
    ///
    /// # Errors
    /// Returns an error if there is no such file, or if it cannot be read.
    pub fn load(self, path: &Path) -> Result<(Self, PathBuf), LoadError> {
        let file = find_file(path)?;
        let unreadable = |source| LoadError::Unreadable { file: file.clone(), source };
        let text = sys::fs::read_to_string(&file).map_err(unreadable)?;
        let file = sys::fs::canonicalize(&file).map_err(unreadable)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok((self.text(&name, &text), file))
    }

    /// Adds tables of any kind, in the syntax of a configuration file.
    #[must_use]
    pub fn toml(mut self, tables: &str) -> Self {
        self.text.push_str(tables);
        self.text.push('\n');
        self
    }

    /// Adds a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds a C component.
    #[must_use]
    pub fn library(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }

    /// Adds a component of any kind. It is validated as one of a file.
    #[must_use]
    pub fn component(self, component: Component) -> Self {
        self.library(Library::of(component))
    }

    /// Sets the toolchain of all targets.
    #[must_use]
    pub fn toolchain(mut self, kind: ToolchainKind) -> Self {
        self.toolchain = Some(kind);
        self
    }

    /// Sets the optimization level.
    #[must_use]
    pub fn optimize(mut self, optimize: Optimize) -> Self {
        self.optimize = Some(optimize);
        self
    }

    /// Sets the symbols that are removed from linked files.
    #[must_use]
    pub fn strip(mut self, strip: Strip) -> Self {
        self.strip = Some(strip);
        self
    }

    /// Validates the whole configuration.
    ///
    /// # Errors
    /// Returns all mistakes of the file and of the additions. Mistakes of additions have no line.
    pub fn build(&self) -> Result<Config, Error> {
        let lines = self.lines.unwrap_or(0);
        let mut config = check::parse(&self.file, &self.text, None, &self.libraries)
            .map_err(|error| error.without_lines_after(lines))?;
        config.lines = lines;
        config.targets.extend(&self.targets);
        if let Some(kind) = self.toolchain {
            config.toolchain = kind;
            config.overrides.values_mut().for_each(|over| over.toolchain = None);
        }
        config.optimize = self.optimize.unwrap_or(config.optimize);
        config.strip = self.strip.unwrap_or(config.strip);
        Ok(config)
    }
}

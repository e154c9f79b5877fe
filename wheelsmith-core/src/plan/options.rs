//! Options of a build.

use std::path::PathBuf;

use super::PackageKind;
use crate::config::{Compression, Config};
use crate::name::{ProjectName, PythonVersion, Target};
use crate::source::Policy;

/// Options of a build. [`BuildOptions::new`] builds all wheels for the targets of the
/// configuration.
///
/// ```
/// use wheelsmith_core::plan::BuildOptions;
///
/// let options = BuildOptions::new()
///     .target("aarch64-unknown-linux-gnu.2.28".parse()?)
///     .out("dist")
///     .offline(true);
/// assert_eq!(options.targets.len(), 1);
/// # Ok::<(), wheelsmith_core::name::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct BuildOptions {
    /// Targets. If empty, those of the configuration, or the host if it lists none.
    pub targets: Vec<Target>,
    /// Directory for wheels and archives. If `None`, `dist` in the project.
    pub out: Option<PathBuf>,
    /// Restrictions on obtaining sources.
    pub policy: Policy,
    /// True to write the runtime directory and its archive, but no wheel and no SDK.
    pub runtime_only: bool,
    /// Compression level of wheels. If `None`, that of the configuration.
    pub compression: Option<Compression>,
    /// True to compress everything again instead of using the cache.
    pub no_cache: bool,
    /// Additional features of cargo components: `feature` for all of them, `component/feature` for
    /// one.
    pub features: Vec<String>,
    /// The only wheel to write. If `None`, every wheel of the configuration.
    pub wheel: Option<ProjectName>,
    /// True to write wheels that import from the project's directory (PEP 660).
    pub editable: bool,
    /// The only Python for which extension modules are built. If `None`, every Python of the
    /// configuration.
    pub python: Option<PythonVersion>,
    /// The only kinds of packages to make, without wheels and SDKs; all if empty. If `None`,
    /// everything that is configured.
    pub packages: Option<Vec<PackageKind>>,
    /// True to make packages for all targets although some targets are not selected.
    pub partial: bool,
    /// True to use runtimes as they are, and to compile nothing.
    pub no_build: bool,
    /// Store from which components are taken, and to which they are given.
    #[cfg(feature = "store")]
    pub store: Option<StoreOptions>,
}

/// Use of a store by a build.
#[cfg(feature = "store")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// URL or directory of the store from which components are taken.
    pub url: String,
    /// True to store the components that are built.
    pub push: bool,
}

impl BuildOptions {
    /// Returns options that build every wheel for every configured target.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a target.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds targets.
    #[must_use]
    pub fn targets(mut self, targets: impl IntoIterator<Item = Target>) -> Self {
        self.targets.extend(targets);
        self
    }

    /// Sets the directory for wheels and archives.
    #[must_use]
    pub fn out(mut self, dir: impl Into<PathBuf>) -> Self {
        self.out = Some(dir.into());
        self
    }

    /// Forbids downloads if `offline` is true.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.policy.offline = offline;
        self
    }

    /// Requires a current `wheelsmith.lock` if `locked` is true.
    #[must_use]
    pub fn locked(mut self, locked: bool) -> Self {
        self.policy.locked = locked;
        self
    }

    /// Writes only the runtime directory and its archive if `runtime_only` is true.
    #[must_use]
    pub fn runtime_only(mut self, runtime_only: bool) -> Self {
        self.runtime_only = runtime_only;
        self
    }

    /// Sets the compression level of wheels; `None` is that of the configuration.
    #[must_use]
    pub fn compression(mut self, compression: Option<Compression>) -> Self {
        self.compression = compression;
        self
    }

    /// Ignores cached compressed data if `no_cache` is true.
    #[must_use]
    pub fn no_cache(mut self, no_cache: bool) -> Self {
        self.no_cache = no_cache;
        self
    }

    /// Enables features of cargo components: `feature` in all of them, `component/feature` in one.
    #[must_use]
    pub fn features<S: Into<String>>(mut self, features: impl IntoIterator<Item = S>) -> Self {
        self.features.extend(features.into_iter().map(Into::into));
        self
    }

    /// Writes only the wheel with this name; `None` is every wheel.
    #[must_use]
    pub fn wheel(mut self, name: Option<ProjectName>) -> Self {
        self.wheel = name;
        self
    }

    /// Builds extension modules only for this Python; `None` is every Python of the configuration.
    /// The wheel then has the runtime, even if the configuration splits it.
    #[must_use]
    pub fn python(mut self, python: Option<PythonVersion>) -> Self {
        self.python = python;
        self
    }

    /// Makes only packages of these kinds, without wheels and SDKs; all kinds if there are none.
    #[must_use]
    pub fn packages(mut self, kinds: impl IntoIterator<Item = PackageKind>) -> Self {
        self.packages = Some(kinds.into_iter().collect());
        self
    }

    /// Makes packages for all targets although some are not selected if `partial` is true.
    #[must_use]
    pub fn partial(mut self, partial: bool) -> Self {
        self.partial = partial;
        self
    }

    /// Uses runtimes as they are if `no_build` is true.
    #[must_use]
    pub fn no_build(mut self, no_build: bool) -> Self {
        self.no_build = no_build;
        self
    }

    /// Takes components from a store.
    #[cfg(feature = "store")]
    #[must_use]
    pub fn store(mut self, store: Option<StoreOptions>) -> Self {
        self.store = store;
        self
    }

    /// True if the options select packages of `kind`.
    pub(crate) fn makes(&self, kind: PackageKind) -> bool {
        // An installer requests one wheel and no packages.
        let is_for_installer = self.wheel.is_some() || self.editable;
        match &self.packages {
            Some(kinds) => {
                // An installer contains the digests of archives.
                let is_needed =
                    kind == PackageKind::Archive && kinds.contains(&PackageKind::Installer);
                kinds.is_empty() || kinds.contains(&kind) || is_needed
            }
            None => !self.runtime_only && !is_for_installer,
        }
    }

    /// True if `config` has a package that the options select.
    pub(super) fn has_packages(&self, config: &Config) -> bool {
        let has = |kind: &PackageKind| match kind {
            PackageKind::Archive => !config.archives.is_empty(),
            PackageKind::Npm => !config.npm.is_empty(),
            PackageKind::Crates => !config.crates.is_empty(),
            PackageKind::Installer => !config.installers.is_empty(),
        };
        let wanted = self.packages.iter().flatten();
        let is_named = |kind: &PackageKind| wanted.clone().any(|wanted| wanted == kind);
        let is_all = self.packages.as_ref().is_none_or(Vec::is_empty);
        PackageKind::ALL.iter().any(|kind| (is_all || is_named(kind)) && has(kind))
    }

    /// Writes wheels that import from the project's directory if `editable` is true.
    #[must_use]
    pub fn editable(mut self, editable: bool) -> Self {
        self.editable = editable;
        self
    }

    /// True if the options select the wheel called `name`.
    pub fn selects(&self, name: &ProjectName) -> bool {
        self.wheel.as_ref().is_none_or(|wanted| wanted.normalized() == name.normalized())
    }
}

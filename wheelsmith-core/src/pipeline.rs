//! Builds one target: toolchain, components, and the runtime directory. Projects and build scripts
//! share it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::build::{self, Built, Guest, Hashes, Reuse, Setting};
use crate::config::Config;
use crate::plan::{CxxPlan, Step, TargetPlan};
use crate::runtime::{self, Identity, Runtime};
use crate::source::{self, Resolved};
use crate::sys::{self, Host};
use crate::toolchain::{self, MissingZig, Request, Toolchain, Wrappers};

/// Sources by component and triple.
pub type Sources = BTreeMap<(String, String), Resolved>;

/// Sources by component and triple; `None` for those that are not unpacked yet.
pub type PresentSources = build::cxx::Sources;

/// Reason why a target could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A source could not be obtained.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// A toolchain could not be obtained.
    #[error(transparent)]
    Toolchain(#[from] toolchain::Error),
    /// A component could not be built.
    #[error(transparent)]
    Build(#[from] build::Error),
    /// The runtime directory could not be created.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// A file could not be read or written.
    #[error("cannot {doing}")]
    Io {
        /// Failed action.
        doing: &'static str,
        /// Cause.
        #[source]
        source: io::Error,
    },
}

impl Error {
    fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// Returns advice for the user, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Toolchain(error) => error.hint(),
            Self::Build(error) => error.hint(),
            Self::Runtime(_) | Self::Io { .. } => None,
        }
    }

    /// True if the user cancelled the operation.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Build(build::Error::Cancelled) | Self::Toolchain(toolchain::Error::Cancelled)
        )
    }
}

/// One target of a configuration.
pub struct Job<'a> {
    /// Configuration, for messages.
    pub config: &'a Config,
    /// Plan of the target.
    pub plan: &'a TargetPlan,
    /// Directory of the configuration.
    pub project: &'a Path,
    /// Build directory of the target.
    pub work: &'a Path,
    /// Machine.
    pub host: &'a Host,
    /// Digests of files that were read in this run.
    pub hashes: &'a Hashes,
    /// Place from which components are taken.
    pub reuse: Option<&'a dyn Reuse>,
}

/// Toolchain of a target.
pub struct Tools {
    /// The toolchain.
    pub toolchain: Toolchain,
    wrappers: Wrappers,
    /// Toolchain of components with another C library.
    guest: Option<Guest>,
    /// Decision on the C++ runtime.
    cxx_runtime: Option<CxxPlan>,
}

/// Returns sources that are all unpacked, as [`Job::tools`] takes them.
pub fn present(sources: &Sources) -> PresentSources {
    sources.iter().map(|(key, source)| (key.clone(), Some(source.clone()))).collect()
}

impl Job<'_> {
    /// Locates the toolchain, and decides the C++ runtime. Probes of the compiler write files below
    /// `scratch`.
    ///
    /// # Errors
    /// Returns an error if there is no toolchain for the target, or none with the configured C++
    /// runtime.
    pub fn tools(
        &self,
        sources: &PresentSources,
        scratch: &Path,
        missing_zig: MissingZig,
    ) -> Result<Tools, Error> {
        let zig = self.config.zig.as_ref().map(|zig| self.project.join(zig));
        let sysroot = self.plan.sysroot.as_ref().map(|sysroot| self.project.join(sysroot));
        let request = Request {
            kind: self.plan.toolchain,
            target: self.plan.target,
            zig: zig.as_deref(),
            sysroot: sysroot.as_deref(),
            work_dir: scratch,
            missing_zig,
        };
        let mut toolchain = toolchain::locate(self.host, &request)?;
        let (config, project) = (self.config, self.project);
        let cxx_runtime =
            build::cxx::decide(config, self.plan, project, sources, &mut toolchain, self.host)?;
        let program = sys::current_program().map_err(Error::io("find this program"))?;
        let wrappers = Wrappers::for_cargo(&toolchain, self.work, &program);
        let guest = Guest::locate(self.host, self.plan, &request, (self.work, &program))?;
        Ok(Tools { toolchain, wrappers, guest, cxx_runtime })
    }

    /// Returns the setting in which the components are planned and built.
    pub fn setting<'a>(&'a self, tools: &'a Tools) -> Setting<'a> {
        Setting {
            config: self.config,
            plan: self.plan,
            toolchain: &tools.toolchain,
            wrappers: &tools.wrappers,
            project: self.project,
            work: self.work,
            host: self.host,
            hashes: self.hashes,
            guest: tools.guest.as_ref(),
            reuse: self.reuse,
        }
    }

    /// Decides the steps of the components, in build order, and the C++ runtime. Writes nothing to
    /// the build directory.
    ///
    /// # Errors
    /// Returns the error that [`Job::build`] would return before it runs a command.
    pub fn steps(
        &self,
        sources: &PresentSources,
        missing_zig: MissingZig,
    ) -> Result<(Vec<Vec<Step>>, Option<CxxPlan>), Error> {
        let scratch = sys::fs::temp_dir().map_err(Error::io("make a temporary directory"))?;
        match self.tools(sources, scratch.path(), missing_zig) {
            Ok(tools) => {
                let steps = build::steps(&self.setting(&tools), sources)?;
                Ok((steps, tools.cxx_runtime))
            }
            Err(Error::Toolchain(toolchain::Error::NoZig { .. }))
                if missing_zig == MissingZig::Leave =>
            {
                let components = self.plan.components.iter();
                let later = components.map(|plan| {
                    vec![Step::later(format!("build {}", plan.component.name), "zig is fetched")]
                });
                Ok((later.collect(), None))
            }
            Err(error) => Err(error),
        }
    }

    /// Builds the components and copies their files to the runtime directory.
    ///
    /// # Errors
    /// Returns the error of the first component that could not be built.
    pub fn build(
        &self,
        tools: &Tools,
        sources: &Sources,
        (name, version): (&str, &str),
    ) -> Result<(Runtime, Vec<Built>), Error> {
        build::cxx::make(self.host, &tools.toolchain)?;
        tools.wrappers.write()?;
        if let Some(guest) = &tools.guest {
            guest.write_wrappers()?;
        }
        let built = build::run(&self.setting(tools), sources)?;
        let runtime = self.runtime(&built, tools.toolchain.id.to_string(), (name, version))?;
        Ok((runtime, built))
    }

    /// Copies the files of `built` to the runtime directory.
    ///
    /// # Errors
    /// Returns an error if two components have the same path, or a file cannot be written.
    pub fn runtime(
        &self,
        built: &[Built],
        toolchain: String,
        (name, version): (&str, &str),
    ) -> Result<Runtime, Error> {
        let identity = Identity { name, version, target: self.plan.target, toolchain };
        Ok(runtime::assemble(&identity, built, &self.work.join("runtime"))?)
    }
}

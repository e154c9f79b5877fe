//! Context of a recipe's steps: its directories, variables and placeholders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::needs::Needs;
use crate::build::{Error, Linkage, Setting, frameworks};
use crate::config::{Component, Recipe, fill};
use crate::name::Target;
use crate::plan::ComponentPlan;
use crate::sys::{self, Command, Env};
use crate::toolchain::{self, Family, Wrappers};

/// Directories of a recipe.
#[derive(Debug, Clone)]
pub(super) struct Dirs {
    /// Copy of its source.
    pub(super) source: PathBuf,
    /// Build directory; the copy itself for build systems that have no other.
    pub(super) build: PathBuf,
    /// DESTDIR staging root.
    pub(super) stage: PathBuf,
    /// Root in which it finds other components.
    pub(super) needs: PathBuf,
    /// Logs.
    pub(super) logs: PathBuf,
    /// Edited programs and libraries.
    pub(super) out: PathBuf,
}

impl Dirs {
    pub(super) fn below(dir: &Path) -> Self {
        let [source, build, stage, needs, logs, out] =
            ["source", "build", "stage", "needs", "log", "out"].map(|name| dir.join(name));
        Self { source, build, stage, needs, logs, out }
    }

    /// Removes the results of an earlier build, the record first.
    pub(super) fn clear(&self, record: &Path) -> std::io::Result<()> {
        if record.exists() {
            sys::fs::remove_file(record)?;
        }
        let Self { source, build, stage, needs, logs, out } = self;
        for dir in [source, build, stage, needs, logs, out] {
            if dir.exists() {
                sys::fs::remove_dir_all(dir)?;
            }
            sys::fs::create_dir_all(dir)?;
        }
        Ok(())
    }

    /// Returns the directory that `{build}` stands for in outputs.
    pub(super) fn built_in(&self, recipe: &Recipe) -> PathBuf {
        use crate::config::System;
        match recipe.system {
            System::Cmake | System::Meson => self.build.clone(),
            System::Make | System::Autotools | System::Command => match &recipe.dir {
                Some(dir) => self.source.join(dir.as_str()),
                None => self.source.clone(),
            },
        }
    }
}

/// Context of a recipe's steps.
pub(super) struct Site<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) component: &'a Component,
    pub(super) over: &'a crate::config::ComponentOverride,
    pub(super) recipe: &'a Recipe,
    /// Source, of which `dirs.source` is a copy.
    pub(super) original: &'a Path,
    pub(super) dirs: &'a Dirs,
    pub(super) wrappers: Wrappers,
    /// Variables that name the toolchain.
    pub(super) variables: BTreeMap<String, String>,
    /// Directories of the headers of the components that it links to and needs.
    pub(super) include: Vec<String>,
}

impl<'a> Site<'a> {
    pub(super) fn new(
        setting: &'a Setting<'a>,
        plan: &'a ComponentPlan,
        recipe: &'a Recipe,
        (source, dirs): (&'a Path, &'a Dirs),
        (needs, linked): (&Needs, &Linkage),
    ) -> Result<Self, Error> {
        let component = &plan.component;
        let io = |source| Error::Io {
            component: component.name.clone(),
            target: setting.target(),
            source,
        };
        let map = |from: &Path, to: &str| format!("-ffile-prefix-map={}={to}", from.display());
        // In the wrapper, since build systems may set `CFLAGS` themselves. The last that matches
        // wins.
        let mut always =
            vec![map(setting.work, "."), map(&dirs.build, "."), map(&dirs.source, ".")];
        if setting.target().os() != crate::name::Os::Windows {
            always.push("-fPIC".to_owned());
        }
        let is_linux = matches!(setting.target().os(), crate::name::Os::Linux(_));
        if setting.toolchain.family == Family::Clang && is_linux {
            // The machine's `ld` may not know the processor, and clang warns of linker arguments
            // while it compiles.
            let more = ["-fuse-ld=lld", "-Wno-unused-command-line-argument"];
            always.extend(more.map(str::to_owned));
        }
        let program = sys::current_program().map_err(io)?;
        let wrappers = Wrappers::for_others(
            setting.toolchain,
            setting.work,
            &always,
            component.allow_native,
            &program,
        );
        let variables = toolchain::env_for_configure(setting.toolchain, &wrappers);
        let mut site = Self {
            setting,
            component,
            over: &plan.over,
            recipe,
            original: source,
            dirs,
            wrappers,
            variables,
            include: Vec::new(),
        };
        site.add_variables(needs, &frameworks::args(setting, plan, linked));
        Ok(site)
    }

    pub(super) fn add_variables(&mut self, needs: &Needs, frameworks: &[String]) {
        let Setting { toolchain, plan, host, .. } = self.setting;
        let (root, is_cross) = (&self.dirs.needs, self.is_cross());
        let dashed = |dash: &str, name: &str| {
            let dirs = needs.dirs(root, name);
            dirs.into_iter().map(|dir| format!("{dash}{dir}")).collect::<Vec<_>>()
        };
        let include = dashed("-I", "include").join(" ");
        self.include = needs.dirs(root, "include");
        let mut compile = toolchain.compile_args(plan.optimize);
        compile.extend(self.filled(&self.recipe.flags));
        compile.extend(self.filled(&self.over.flags));
        let compile = compile.join(" ");
        let mut link = dashed("-L", "lib");
        link.extend(toolchain::flags::foreign_link_args(
            toolchain.family,
            &plan.target,
            plan.strip,
        ));
        link.extend(frameworks.iter().cloned());
        link.extend(self.filled(&self.recipe.link_flags));
        link.extend(self.filled(&self.over.link_flags));
        let all = |flags: &str| format!("{flags} {include}").trim().to_owned();
        let pc = ["lib/pkgconfig", "share/pkgconfig"].map(|name| needs.dirs(root, name)).concat();
        let mut set = |name: &str, value: String| {
            self.variables.insert(name.to_owned(), value);
        };
        set("CFLAGS_ALL", all(&compile));
        set("CXXFLAGS_ALL", all(&compile));
        set("CFLAGS", compile.clone());
        set("CXXFLAGS", compile);
        set("CPPFLAGS", include);
        set("LDFLAGS", link.join(" "));
        // Directories of `.pc` files, and the root in front of their paths. A directory that does
        // not exist hides those of the machine.
        let nowhere = root.join("usr/lib/pkgconfig").to_string_lossy().into_owned();
        set("PKG_CONFIG_LIBDIR", if pc.is_empty() { nowhere } else { pc.join(":") });
        set("PKG_CONFIG_SYSROOT_DIR", root.to_string_lossy().into_owned());
        // The compiler does not search `/usr/include` below another root by itself.
        set("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1".to_owned());
        set("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1".to_owned());
        // Programs that run during the build are compiled for this machine.
        let here = host.env.find_program("cc").or_else(|| host.env.find_program("gcc"));
        if let Some(cc) = here {
            for name in ["CC_FOR_BUILD", "BUILD_CC", "HOSTCC"] {
                set(name, cc.to_string_lossy().into_owned());
            }
        }
        // Sources are complete before the build.
        set("CARGO_NET_OFFLINE", "true".to_owned());
        set("PIP_NO_INDEX", "1".to_owned());
        set("GIT_TERMINAL_PROMPT", "0".to_owned());
        // A `configure` script runs the programs that it compiles.
        if let Some(shared) = toolchain.shared_cxx.as_ref().filter(|_| !is_cross) {
            set("LD_LIBRARY_PATH", shared.dir.to_string_lossy().into_owned());
        }
        let own: Vec<(String, String)> =
            self.recipe.env.iter().map(|(name, text)| (name.clone(), self.fill(text))).collect();
        self.variables.extend(own);
    }

    pub(super) fn target(&self) -> Target {
        self.setting.target()
    }

    pub(super) fn io(&self, source: std::io::Error) -> Error {
        Error::Io { component: self.component.name.clone(), target: self.target(), source }
    }

    /// Returns the directory of the copied source in which the build starts.
    pub(super) fn start(&self) -> PathBuf {
        self.start_in(&self.dirs.source)
    }

    /// Returns the directory in which the build starts, in the source or its copy.
    pub(super) fn start_in(&self, source: &Path) -> PathBuf {
        self.recipe.dir.as_ref().map_or_else(|| source.to_owned(), |dir| source.join(dir.as_str()))
    }

    /// Returns true if this machine may not run programs of the target.
    pub(super) fn is_cross(&self) -> bool {
        toolchain::host_target().is_none_or(|here| here.triple() != self.target().triple())
    }

    /// Replaces the placeholders in `text`.
    pub(super) fn fill(&self, text: &str) -> String {
        let path = |path: &Path| Some(path.to_string_lossy().into_owned());
        fill(text, |word| match word {
            "ar" => path(&self.wrappers.ar),
            "build" => path(&self.dirs.built_in(self.recipe)),
            "cc" => path(&self.wrappers.cc),
            "cxx" => path(&self.wrappers.cxx),
            "gnu" => Some(self.target().gnu()),
            "jobs" => Some(self.setting.host.jobs.count().to_string()),
            "needs" => path(&self.dirs.needs),
            "prefix" => Some(self.recipe.prefix.clone()),
            "project" => path(self.setting.project),
            "ranlib" => path(&self.wrappers.ranlib),
            "source" => path(&self.dirs.source),
            "stage" => path(&self.dirs.stage),
            "target" => Some(self.target().triple().to_owned()),
            _ => None,
        })
    }

    pub(super) fn filled(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    /// Returns the arguments that configuration and target add to the configure step.
    pub(super) fn configure_args(&self) -> Vec<String> {
        [self.filled(&self.recipe.configure), self.filled(&self.over.configure)].concat()
    }

    /// Returns variables for make's command line, which override those of the makefile.
    pub(super) fn make_variables(&self) -> Vec<String> {
        let named = ["CC", "CXX", "AR", "RANLIB", "NM", "STRIP", "LD"].into_iter();
        let named = named.filter_map(|name| Some(format!("{name}={}", self.variables.get(name)?)));
        let prefix = &self.recipe.prefix;
        named.chain([format!("PREFIX={prefix}"), format!("prefix={prefix}")]).collect()
    }

    /// Finds the first of `names` on `PATH`.
    pub(super) fn program(&self, names: &[&str], hint: &str) -> Result<PathBuf, Error> {
        let env = &self.setting.host.env;
        names.iter().find_map(|name| env.find_program(name)).ok_or_else(|| Error::NoTool {
            component: self.component.name.clone(),
            tool: names[0].to_owned(),
            hint: format!("install it: {hint}"),
        })
    }

    /// Returns the command of a step, with the toolchain's variables and none of the user's.
    pub(super) fn command(&self, program: &Path, dir: &Path) -> Command {
        let mut env: Env = self.setting.host.env.for_compilers().with(self.variables.clone());
        // No downloads during a build.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            env.remove(name);
        }
        for name in ["CFLAGS_ALL", "CXXFLAGS_ALL"] {
            env.remove(name);
        }
        env.set("DESTDIR", self.dirs.stage.to_string_lossy());
        Command::new(program, dir, &env)
    }
}

//! Components with a build system of their own: cmake, make, `configure`, meson, or commands.
//!
//! The source is copied, built and installed below the build directory, so that it is never written
//! to; the outputs are taken from what was installed. Everything happens again when anything of it
//! changed: the source, the configuration, the toolchain, what it links to. (The compiler keeps
//! objects of its own, so that this costs less than it says.)

mod files;
mod finish;
mod needs;
mod steps;
mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::needs::Needs;
use self::steps::Step;
use super::record::{ATTEMPTS, Record};
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting, frameworks, position, taken};
use crate::config::{Component, Output, Recipe, fill};
use crate::name::{Digest, Target};
use crate::plan::ComponentPlan;
use crate::source::Resolved;
use crate::sys::{self, Command, Env, FileState, ProcessError, Token};
use crate::toolchain::{self, Family, Wrappers, filter};

/// Changes when what is done with the same configuration does.
const VERSION: u32 = 1;

/// Builds a component with its own build system.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    recipe: &Recipe,
    source: &Resolved,
    linked: &Linkage,
    built: &[Built],
) -> Result<Built, Error> {
    let component = &plan.component;
    let dir = setting.component_dir(&component.name);
    let io =
        |source| Error::Io { component: component.name.clone(), target: setting.target(), source };
    let needs = Needs::of(component, built).map_err(io)?;
    let (record, listing) = (dir.join("recipe.json"), dir.join("made.txt"));
    let decided = || how(setting, plan, recipe, source, &needs).map_err(io);
    let mut how = decided()?;
    let is_current = Record::current(&record, how, &listing, setting.hashes).is_some();
    let places = Places::below(&dir);
    if !is_current {
        position::check(&component.name, &linked.archives)?;
        let label =
            format!("{} {} for {}", recipe.system.as_str(), component.name, setting.target());
        let task = setting.host.task(label, 0);
        let mark = dir.join("begun");
        sys::fs::create_dir_all(&dir).and_then(|()| sys::fs::write(&mark, b"")).map_err(io)?;
        let begun = FileState::of(&mark).map_err(io)?;
        // What is built is the copy, so it must be a copy of what the digest was taken of.
        let mut is_whole = false;
        for _ in 0..ATTEMPTS {
            places.clear(&record).map_err(io)?;
            tree::copy(source, setting.project, &places.source).map_err(io)?;
            let files = read_files(setting, recipe, source).map_err(io)?;
            setting.hashes.unchanged(files.iter().map(PathBuf::as_path), &begun);
            let after = decided()?;
            is_whole = after == how;
            how = after;
            if is_whole {
                break;
            }
        }
        needs.lay_out(&places.needs).map_err(io)?;
        let site = Site::new(setting, plan, recipe, &places, (&needs, linked))?;
        site.run()?;
        let taken = finish::outputs(setting, plan, recipe, linked, &places)?;
        let made = made(&places, &taken).map_err(io)?;
        let names: Vec<String> = made.iter().map(|path| format!("{}\n", path.display())).collect();
        sys::fs::write_atomic(&listing, names.concat().as_bytes()).map_err(io)?;
        for path in &made {
            setting.hashes.forget(path);
        }
        // Read while it was built, not copied before.
        let read = named_files(setting, recipe);
        let read = read.iter().map(PathBuf::as_path).chain(needs.files());
        is_whole &= setting.hashes.unchanged(read, &begun);
        if !is_whole {
            setting.host.warn(format!(
                "the source of component `{}`, or a file that it uses, changed while it was built; \
                 the next build builds it again",
                component.name
            ));
        } else if let Some(made) = Record::new(how, made, &listing, setting.hashes) {
            made.save(&record).map_err(io)?;
        }
        task.finish("built");
    }
    let inputs =
        Inputs { files: read_files(setting, recipe, source).map_err(io)?, ..Inputs::default() };
    let mut files = taken_from(setting, component, recipe, &places)?;
    finish::stand_in(&mut files, &places);
    let mut linkage = taken::linkage(setting, &files);
    linkage.archives.extend(linked.archives.iter().cloned());
    if !linkage.archives.is_empty() {
        // What an archive needs, those who link to it must have as well.
        linkage.shared.extend(linked.shared.iter().cloned());
        linkage.system = [&recipe.libraries[..], &linked.system].concat();
    }
    let include = PathBuf::from(format!("{}{}/include", places.stage.display(), recipe.prefix));
    linkage.include.extend(Some(include).filter(|dir| dir.is_dir()));
    linkage.stage = Some((places.stage.clone(), recipe.prefix.clone()));
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files,
        outcome: if is_current { "up to date" } else { "built" }.to_owned(),
        linkage,
        inputs,
    })
}

/// Where a recipe is built.
#[derive(Debug, Clone)]
struct Places {
    /// The copy of its source.
    source: PathBuf,
    /// Where it is built; the copy itself for build systems that know no other way.
    build: PathBuf,
    /// What stands for `/` when it is installed.
    stage: PathBuf,
    /// What stands for `/` when it looks for others.
    needs: PathBuf,
    /// What it said.
    logs: PathBuf,
    /// Programs and libraries as they go into the runtime.
    out: PathBuf,
}

impl Places {
    fn below(dir: &Path) -> Self {
        let [source, build, stage, needs, logs, out] =
            ["source", "build", "stage", "needs", "log", "out"].map(|name| dir.join(name));
        Self { source, build, stage, needs, logs, out }
    }

    /// Removes what an earlier build left, beginning with the claim that it is whole.
    fn clear(&self, record: &Path) -> std::io::Result<()> {
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
}

/// All that decides what a recipe builds.
fn how(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    recipe: &Recipe,
    source: &Resolved,
    needs: &Needs,
) -> std::io::Result<Digest> {
    let toolchain = setting.toolchain;
    let json = |value: serde_json::Result<String>| value.map_err(std::io::Error::other);
    let mut parts = vec![
        format!("recipe {VERSION}"),
        setting.target().to_string(),
        toolchain.id.to_string(),
        [&toolchain.cc.args[..], &toolchain.cxx.args, &toolchain.ar.args].concat().join("\0"),
        json(serde_json::to_string(recipe))?,
        if plan.component.allow_native { "allow-native".to_owned() } else { String::new() },
        json(serde_json::to_string(&plan.over))?,
        json(serde_json::to_string(&plan.component.source))?,
        json(serde_json::to_string(&(setting.plan.optimize, setting.plan.strip)))?,
        tree::digest(source, setting.project, setting.hashes)?.to_string(),
        needs.digest(setting.hashes).to_string(),
    ];
    let named = named_files(setting, recipe).into_iter();
    parts.extend(named.filter_map(|path| setting.hashes.of(&path)).map(|d| d.to_string()));
    Ok(Digest::of(parts.join("\n")))
}

/// Files that a recipe is made from: all of its source, unless it is an archive, which its digest
/// stands for, and those that the configuration names.
fn read_files(
    setting: &Setting<'_>,
    recipe: &Recipe,
    source: &Resolved,
) -> std::io::Result<Vec<PathBuf>> {
    let listed = match source.sha256 {
        Some(_) => Vec::new(),
        None => tree::list(&source.root, setting.project)?,
    };
    let mut files: Vec<PathBuf> = listed.into_iter().map(|(walked, _)| walked.path).collect();
    files.extend(named_files(setting, recipe));
    Ok(files)
}

/// Files of the project that the configuration names, such as a patch or a cache of answers.
fn named_files(setting: &Setting<'_>, recipe: &Recipe) -> Vec<PathBuf> {
    let texts = recipe.env.values().chain(&recipe.configure).chain(&recipe.build);
    let runs = recipe.run.iter().flat_map(|run| match run {
        crate::config::Run::Words(words) => words.as_slice(),
        crate::config::Run::Shell(line) => std::slice::from_ref(line),
    });
    let mut files = Vec::new();
    for text in texts.chain(runs) {
        for named in text.split("{project}/").skip(1) {
            let end = named.find(|c: char| c.is_whitespace() || "'\",;:".contains(c));
            files.push(setting.project.join(&named[..end.unwrap_or(named.len())]));
        }
    }
    files
}

/// Every file that was made and that others may use.
fn made(places: &Places, taken: &[BuiltFile]) -> std::io::Result<Vec<PathBuf>> {
    let mut made: Vec<PathBuf> = taken.iter().map(|file| file.path.clone()).collect();
    for dir in [&places.stage, &places.out] {
        made.extend(sys::fs::walk(dir)?.into_iter().map(|file| file.path));
    }
    made.sort();
    made.dedup();
    Ok(made)
}

/// The files that a recipe's outputs name, where they were installed or built.
fn taken_from(
    setting: &Setting<'_>,
    component: &Component,
    recipe: &Recipe,
    places: &Places,
) -> Result<Vec<BuiltFile>, Error> {
    let installed = PathBuf::from(format!("{}{}", places.stage.display(), recipe.prefix));
    let built = places.built_in(recipe);
    let root = |output: &Output| if output.from_build { built.as_path() } else { &installed };
    taken::collect(setting, component, &recipe.outputs, &root).map_err(|error| match error {
        Error::Config(mut error) => {
            // Which names there are instead is what one wants to know then.
            if let Some(problem) = error.problems.first_mut()
                && problem.message.contains("names no file")
            {
                problem.help = Some(installed_files(&installed));
            }
            Error::Config(error)
        }
        other => other,
    })
}

fn installed_files(dir: &Path) -> String {
    const MOST: usize = 16;
    let files = sys::fs::walk(dir).unwrap_or_default();
    let names: Vec<String> =
        files.iter().take(MOST).map(|file| format!("`{}`", file.relative)).collect();
    match files.len() {
        0 => "nothing was installed".to_owned(),
        n if n > MOST => format!("installed were {} and {} more", names.join(", "), n - MOST),
        _ => format!("installed were {}", names.join(", ")),
    }
}

impl Places {
    /// Where `{build}/` of outputs is.
    fn built_in(&self, recipe: &Recipe) -> PathBuf {
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

/// Where, with what and for what a recipe is built.
struct Site<'a> {
    setting: &'a Setting<'a>,
    component: &'a Component,
    over: &'a crate::config::ComponentOverride,
    recipe: &'a Recipe,
    places: &'a Places,
    wrappers: Wrappers,
    /// The toolchain as variables.
    variables: BTreeMap<String, String>,
}

impl<'a> Site<'a> {
    fn new(
        setting: &'a Setting<'a>,
        plan: &'a ComponentPlan,
        recipe: &'a Recipe,
        places: &'a Places,
        (needs, linked): (&Needs, &Linkage),
    ) -> Result<Self, Error> {
        let component = &plan.component;
        let io = |source| Error::Io {
            component: component.name.clone(),
            target: setting.target(),
            source,
        };
        let map = |from: &Path, to: &str| format!("-ffile-prefix-map={}={to}", from.display());
        // In the wrapper, for those who set `CFLAGS` themselves. The last that matches wins.
        let mut always =
            vec![map(setting.work, "."), map(&places.build, "."), map(&places.source, ".")];
        if setting.target().os() != crate::name::Os::Windows {
            always.push("-fPIC".to_owned());
        }
        let is_linux = matches!(setting.target().os(), crate::name::Os::Linux(_));
        if setting.toolchain.family == Family::Clang && is_linux {
            // The machine's own `ld` knows no other processor; and clang complains of what it has no
            // use for while it compiles.
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
        )
        .map_err(|e| io(std::io::Error::other(e)))?;
        let variables = toolchain::env_for_configure(setting.toolchain, &wrappers);
        let mut site =
            Self { setting, component, over: &plan.over, recipe, places, wrappers, variables };
        site.add_variables(needs, &frameworks::args(setting, plan, linked));
        Ok(site)
    }

    fn add_variables(&mut self, needs: &Needs, frameworks: &[String]) {
        let Setting { toolchain, plan, host, .. } = self.setting;
        let root = &self.places.needs;
        let dashed = |dash: &str, name: &str| {
            let dirs = needs.dirs(root, name);
            dirs.into_iter().map(|dir| format!("{dash}{dir}")).collect::<Vec<_>>()
        };
        let include = dashed("-I", "include").join(" ");
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
        // Where `.pc` files are, and in front of what they say; nothing of the machine's own. A
        // directory that is not there is still not the machine's.
        let nowhere = root.join("usr/lib/pkgconfig").to_string_lossy().into_owned();
        set("PKG_CONFIG_LIBDIR", if pc.is_empty() { nowhere } else { pc.join(":") });
        set("PKG_CONFIG_SYSROOT_DIR", root.to_string_lossy().into_owned());
        // `/usr/include` below another root is no directory that the compiler knows.
        set("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1".to_owned());
        set("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1".to_owned());
        // What runs while it is built is compiled for this machine.
        let here = host.env.find_program("cc").or_else(|| host.env.find_program("gcc"));
        if let Some(cc) = here {
            for name in ["CC_FOR_BUILD", "BUILD_CC", "HOSTCC"] {
                set(name, cc.to_string_lossy().into_owned());
            }
        }
        // Sources are there before anything is built.
        set("CARGO_NET_OFFLINE", "true".to_owned());
        set("PIP_NO_INDEX", "1".to_owned());
        set("GIT_TERMINAL_PROMPT", "0".to_owned());
        let own: Vec<(String, String)> =
            self.recipe.env.iter().map(|(name, text)| (name.clone(), self.fill(text))).collect();
        self.variables.extend(own);
    }

    fn target(&self) -> Target {
        self.setting.target()
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { component: self.component.name.clone(), target: self.target(), source }
    }

    /// The directory of the copied source in which the build starts.
    fn start(&self) -> PathBuf {
        match &self.recipe.dir {
            Some(dir) => self.places.source.join(dir.as_str()),
            None => self.places.source.clone(),
        }
    }

    /// Whether programs for the target are another machine's.
    fn is_cross(&self) -> bool {
        toolchain::host_target().is_none_or(|here| here.triple() != self.target().triple())
    }

    /// `text` with its placeholders replaced.
    fn fill(&self, text: &str) -> String {
        let path = |path: &Path| Some(path.to_string_lossy().into_owned());
        fill(text, |word| match word {
            "ar" => path(&self.wrappers.ar),
            "build" => path(&self.places.built_in(self.recipe)),
            "cc" => path(&self.wrappers.cc),
            "cxx" => path(&self.wrappers.cxx),
            "gnu" => Some(self.target().gnu()),
            "jobs" => Some(self.setting.host.jobs.count().to_string()),
            "needs" => path(&self.places.needs),
            "prefix" => Some(self.recipe.prefix.clone()),
            "project" => path(self.setting.project),
            "ranlib" => path(&self.wrappers.ranlib),
            "source" => path(&self.places.source),
            "stage" => path(&self.places.stage),
            "target" => Some(self.target().triple().to_owned()),
            _ => None,
        })
    }

    fn filled(&self, texts: &[String]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }

    /// What the configuration and the target add to the configure step.
    fn configure_args(&self) -> Vec<String> {
        [self.filled(&self.recipe.configure), self.filled(&self.over.configure)].concat()
    }

    /// What a makefile is told on the command line, where its own words do not count.
    fn make_variables(&self) -> Vec<String> {
        let named = ["CC", "CXX", "AR", "RANLIB", "NM", "STRIP", "LD"].into_iter();
        let named = named.filter_map(|name| Some(format!("{name}={}", self.variables.get(name)?)));
        let prefix = &self.recipe.prefix;
        named.chain([format!("PREFIX={prefix}"), format!("prefix={prefix}")]).collect()
    }

    /// The first of `names` that is on `PATH`.
    fn program(&self, names: &[&str], hint: &str) -> Result<PathBuf, Error> {
        let env = &self.setting.host.env;
        names.iter().find_map(|name| env.find_program(name)).ok_or_else(|| Error::NoTool {
            component: self.component.name.clone(),
            tool: names[0].to_owned(),
            hint: format!("install it: {hint}"),
        })
    }

    /// A step's command, with the toolchain's whole environment and nothing of the user's.
    fn command(&self, program: &Path, dir: &Path) -> Command {
        let mut env: Env = self.setting.host.env.for_compilers().with(self.variables.clone());
        // Nothing is downloaded while something is built.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
            env.remove(name);
        }
        for name in ["CFLAGS_ALL", "CXXFLAGS_ALL"] {
            env.remove(name);
        }
        env.set("DESTDIR", self.places.stage.to_string_lossy());
        Command::new(program, dir, &env)
    }

    /// Runs every step.
    fn run(&self) -> Result<(), Error> {
        for (i, step) in steps::steps(self)?.into_iter().enumerate() {
            self.run_one(step, i + 1)?;
        }
        Ok(())
    }

    fn run_one(&self, step: Step, number: usize) -> Result<(), Error> {
        let jobs = &self.setting.host.jobs;
        let mut tokens: Vec<Token> = vec![jobs.acquire().map_err(|e| self.io(e))?];
        let log = self.places.logs.join(format!("{number}-{}.log", step.name));
        let mut command = step.command.log(&log);
        if step.ninja {
            // It is told a number, which is that of the tokens which are free now.
            while tokens.len() < jobs.count()
                && let Some(token) = jobs.try_acquire()
            {
                tokens.push(token);
            }
            command = command.arg(format!("-j{}", tokens.len()));
        }
        let result = command.run(self.setting.host);
        let said = sys::fs::read(&log).unwrap_or_default();
        for left_out in filter::messages(&String::from_utf8_lossy(&said)) {
            self.setting.host.warn(filter::left_out(&self.component.name, &left_out));
        }
        result.map_err(|source| match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::Step {
                step: step.name,
                component: self.component.name.clone(),
                target: self.target(),
                log,
                source,
            },
        })?;
        Ok(())
    }
}

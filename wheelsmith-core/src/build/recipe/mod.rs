//! Components with a build system of their own: cmake, make, `configure`, meson, or commands.
//!
//! The source is copied, built and installed below the build directory, so that it is never written
//! to; the outputs are taken from the installed files. Everything is built again if anything
//! changed: the source, the configuration, the toolchain, linked components. (The compiler caches
//! objects, so this is cheaper than it sounds.)

mod files;
mod finish;
mod needs;
mod site;
mod steps;
mod tree;

pub(super) use tree::{digest as source_digest, list as source_files};

use std::path::{Path, PathBuf};

use self::needs::Needs;
use self::site::{Dirs, Site};
use self::steps::{Step, Steps};
use super::record::{ATTEMPTS, Record};
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting, position, prebuilt};
use crate::config::{Component, Output, Recipe};
use crate::name::Digest;
use crate::plan::{self, ComponentPlan};
use crate::source::Resolved;
use crate::sys::{self, FileState, ProcessError, Token};
use crate::toolchain::filter;

/// Version of the steps; increased if they change for the same configuration.
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
    let dirs = Dirs::below(&dir);
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
            dirs.clear(&record).map_err(io)?;
            tree::copy(source, setting.project, &dirs.source).map_err(io)?;
            let files = read_files(setting, recipe, source).map_err(io)?;
            setting.hashes.unchanged(files.iter().map(PathBuf::as_path), &begun);
            let after = decided()?;
            is_whole = after == how;
            how = after;
            if is_whole {
                break;
            }
        }
        needs.lay_out(&dirs.needs).map_err(io)?;
        let places = (source.root.as_path(), &dirs);
        let site = Site::new(setting, plan, recipe, places, (&needs, linked))?;
        site.run()?;
        let taken = finish::outputs(setting, plan, recipe, linked, &dirs)?;
        let made = made(&dirs, &taken).map_err(io)?;
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
    let mut files = taken_from(setting, component, recipe, &dirs)?;
    finish::stand_in(&mut files, &dirs);
    let mut linkage = prebuilt::linkage(setting, &files);
    linkage.archives.extend(linked.archives.iter().cloned());
    if !linkage.archives.is_empty() {
        // What an archive needs, those who link to it must have as well.
        linkage.shared.extend(linked.shared.iter().cloned());
        linkage.system = [&recipe.libraries[..], &linked.system].concat();
    }
    let include = PathBuf::from(format!("{}{}/include", dirs.stage.display(), recipe.prefix));
    linkage.include.extend(Some(include).filter(|dir| dir.is_dir()));
    linkage.stage = Some((dirs.stage.clone(), recipe.prefix.clone()));
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

/// Returns the commands that build a component. Files of other components are in variables and in
/// files, not in arguments, so the commands are known before those are built.
///
/// # Errors
/// Returns an error if a program or a configure script is missing.
pub(super) fn steps(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    recipe: &Recipe,
    source: &Resolved,
) -> Result<Vec<plan::Step>, Error> {
    let dirs = Dirs::below(&setting.component_dir(&plan.component.name));
    let unknown = (&Needs::default(), &Linkage::default());
    let site = Site::new(setting, plan, recipe, (&source.root, &dirs), unknown)?;
    let steps = steps::steps(&site)?.steps;
    let planned = steps.into_iter().map(|step| plan::Step::Run {
        name: step.name.to_owned(),
        command: (&step.command).into(),
        appends_jobs: step.ninja,
    });
    Ok(planned.collect())
}

/// Returns a digest of everything that decides the results of a recipe.
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
        toolchain.shared_cxx.as_ref().map_or_else(String::new, |shared| shared.file.clone()),
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

/// Returns the files of the project that the configuration names, such as a patch.
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

/// Returns every built file that other components may use.
fn made(dirs: &Dirs, taken: &[BuiltFile]) -> std::io::Result<Vec<PathBuf>> {
    let mut made: Vec<PathBuf> = taken.iter().map(|file| file.path.clone()).collect();
    for dir in [&dirs.stage, &dirs.out] {
        made.extend(sys::fs::walk(dir)?.into_iter().map(|file| file.path));
    }
    made.sort();
    made.dedup();
    Ok(made)
}

/// Returns the files that a recipe's outputs name, among the installed or built ones.
fn taken_from(
    setting: &Setting<'_>,
    component: &Component,
    recipe: &Recipe,
    dirs: &Dirs,
) -> Result<Vec<BuiltFile>, Error> {
    let installed = PathBuf::from(format!("{}{}", dirs.stage.display(), recipe.prefix));
    let built = dirs.built_in(recipe);
    let root = |output: &Output| if output.from_build { built.as_path() } else { &installed };
    prebuilt::collect(setting, component, &recipe.outputs, &root).map_err(|error| match error {
        Error::Config(mut error) => {
            // The names of the installed files help then.
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

impl Site<'_> {
    /// Runs every step.
    fn run(&self) -> Result<(), Error> {
        let Steps { steps, toolchain } = steps::steps(self)?;
        self.wrappers.write().map_err(|e| self.io(std::io::Error::other(e)))?;
        if let Some((file, text)) = toolchain {
            sys::fs::write_atomic(&file, text.as_bytes()).map_err(|e| self.io(e))?;
        }
        for (i, step) in steps.into_iter().enumerate() {
            self.run_one(step, i + 1)?;
        }
        Ok(())
    }

    fn run_one(&self, step: Step, number: usize) -> Result<(), Error> {
        let jobs = &self.setting.host.jobs;
        let mut tokens: Vec<Token> = vec![jobs.acquire().map_err(|e| self.io(e))?];
        let log = self.dirs.logs.join(format!("{number}-{}.log", step.name));
        let mut command = step.command.log(&log);
        if step.ninja {
            // ninja takes a number: that of the tokens that are free now.
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

//! Makes trees: archives of whole installations, for each target and variant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::build::{Results, each_target};
use super::epoch::epoch;
use super::{Error, Project};
use crate::build::stage_dir;
use crate::config::Tree as Table;
use crate::config::{ArchiveFormat, Kind, NamePattern, NameValues, TreeKind, Variant};
use crate::name::{Os, Target};
use crate::package::{self, Writing};
use crate::plan::BuildOptions;
use crate::runtime::{ARCHIVE_EPOCH, ComponentInfo};
use crate::sbom::{Bom, Part};
use crate::sys;
use crate::tree::{self, Choices, Left, Needles, Report, Tree, bytecode};
use crate::vcs::Repository;
use crate::wheel::MadeFile;

/// Archives of one variant of a tree.
#[derive(Debug)]
pub struct BuiltTree {
    /// File name without its extension.
    pub name: String,
    /// Archives, and the files beside them; none if the tree cannot run anywhere.
    pub files: Vec<MadeFile>,
    /// Places that were rewritten, and those that stay.
    pub report: Report,
    /// Reasons why the tree cannot be an archive.
    pub problems: Vec<String>,
    /// Number of Python files that do not compile.
    pub not_compiled: usize,
}

impl BuiltTree {
    /// True if the archives were written.
    pub fn is_good(&self) -> bool {
        self.report.is_good() && self.problems.is_empty()
    }
}

impl Project {
    /// Builds the components of the trees, and makes an archive of each tree for each target and
    /// variant.
    ///
    /// # Errors
    /// Returns an error if there are no trees, or if no target can be built.
    pub fn build_trees(&self, options: &BuildOptions) -> Result<Results<Vec<BuiltTree>>, Error> {
        let trees = &self.config.trees;
        if trees.is_empty() {
            let help = "add a `[[tool.wheelsmith.tree]]`".to_owned();
            let message = "there is no tree to build";
            return Err(self.config.problem("", message.to_owned(), Some(help)).into());
        }
        let targets = self.all_targets(&options.targets);
        for (i, table) in trees.iter().enumerate() {
            let is_shared = table.dir.as_ref().is_some_and(|dir| !dir.contains("{triple}"));
            if is_shared && targets.len() > 1 {
                let message = "`dir` has the files of one target, and there are several targets";
                let help = "add `{triple}`, such as `stage/{triple}`, or name one `--target`";
                let key = format!("tool.wheelsmith.tree[{i}].dir");
                let help = Some(help.to_owned());
                return Err(self.config.problem(&key, message.to_owned(), help).into());
            }
        }
        let make = |target: Target, infos: &[ComponentInfo]| -> Result<Vec<BuiltTree>, Error> {
            let made = trees.iter().enumerate().map(|(i, table)| {
                TreeOf { project: self, options, target, table, key: i }.variants(infos)
            });
            Ok(made.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        if trees.iter().all(|table| table.components.is_empty()) {
            return Ok(targets.into_iter().map(|target| (target, make(target, &[]))).collect());
        }
        let options = BuildOptions { runtime_only: true, ..options.clone() };
        let (_, results) = each_target(self, &options, |run, plan| {
            if !plan.slices.is_empty() {
                let message = format!("a tree cannot be made for {}", plan.target);
                let help = "name its targets one by one".to_owned();
                let problem = self.config.problem("tool.wheelsmith.tree[0]", message, Some(help));
                return Err(problem.into());
            }
            make(plan.target, &run.components(plan)?)
        })?;
        Ok(results)
    }
}

/// Tree for one target.
struct TreeOf<'a> {
    project: &'a Project,
    options: &'a BuildOptions,
    target: Target,
    table: &'a Table,
    key: usize,
}

impl TreeOf<'_> {
    fn problem(&self, message: String) -> Error {
        let key = format!("tool.wheelsmith.tree[{}]", self.key);
        self.project.config.problem(&key, message, None).into()
    }

    /// Returns the work directory of the target.
    fn work(&self) -> PathBuf {
        self.project.work_dir().join(self.target.to_string())
    }

    fn variants(&self, infos: &[ComponentInfo]) -> Result<Vec<BuiltTree>, Error> {
        let (prefix, sources) = self.sources()?;
        let mut whole = Tree::default();
        for source in sources {
            let part = Tree::open(&source);
            whole
                .merge(part.map_err(|e| self.problem(e.to_string()))?)
                .map_err(|e| self.problem(e.to_string()))?;
        }
        let build_dirs = self.table.build_dirs.iter().cloned();
        let work = self.project.work_dir().to_string_lossy().into_owned();
        let dirs = std::iter::once(prefix.clone()).chain([work]).chain(build_dirs);
        let needles = Needles::new(dirs).map_err(|e| self.problem(e.to_string()))?;
        let all = BTreeMap::from([(String::new(), Variant::default())]);
        let variants = if self.table.variants.is_empty() { &all } else { &self.table.variants };
        let mut built = Vec::new();
        for (name, variant) in variants {
            let task = self.project.host.task(format!("tree {name} for {}", self.target), 0);
            let stem = self.stem(name)?;
            let made = self.variant(&whole, variant, &stem, &needles, infos)?;
            if made.is_good() {
                task.finish(stem);
            }
            built.push(made);
        }
        Ok(built)
    }

    /// Returns the prefix, and the directories that are merged.
    fn sources(&self) -> Result<(String, Vec<PathBuf>), Error> {
        let (project, table) = (self.project, self.table);
        if let Some(dir) = &table.dir {
            let dir = project.dir.join(dir.replace("{triple}", self.target.triple()));
            return Ok((table.prefix.clone().unwrap_or_default(), vec![dir]));
        }
        let mut found = (String::new(), Vec::new());
        for name in &table.components {
            let component = project.config.component(name);
            let Some(Kind::Recipe(recipe)) = component.map(|component| &component.kind) else {
                continue;
            };
            let stage = stage_dir(&self.work(), name);
            let dir = stage.join(recipe.prefix.trim_start_matches('/'));
            if !dir.is_dir() {
                return Err(self.problem(format!(
                    "component `{name}` installed nothing below `{}`",
                    recipe.prefix
                )));
            }
            found.0.clone_from(&recipe.prefix);
            found.1.push(dir);
        }
        Ok(found)
    }

    fn variant(
        &self,
        whole: &Tree,
        variant: &Variant,
        stem: &str,
        needles: &Needles,
        infos: &[ComponentInfo],
    ) -> Result<BuiltTree, Error> {
        let (host, table) = (&self.project.host, self.table);
        let failed = |error: tree::Error| match error {
            tree::Error::Cancelled => Error::Cancelled,
            error => self.problem(error.to_string()),
        };
        let mut part = whole.variant(variant).map_err(failed)?;
        let choices = Choices { needles, leave: &table.leave, allow: &table.allow };
        let mut not_compiled = 0;
        if let Some(bytecode) = &table.bytecode {
            bytecode::remove(&mut part, bytecode);
        }
        let mut report = tree::rewrite(&mut part, choices, host).map_err(failed)?;
        if let Some(bytecode) = &table.bytecode {
            not_compiled = bytecode::compile(&mut part, bytecode, host).map_err(failed)?;
            let again = Choices { leave: TreeKind::ALL, ..choices };
            let compiled = tree::rewrite(&mut part, again, host).map_err(failed)?;
            let known: Vec<_> = report.left.iter().chain(&report.allowed).cloned().collect();
            let is_new = |left: &Left| {
                let is_known = known.iter().any(|known| known.found == left.found);
                left.found.kind == TreeKind::ByteCode && !is_known
            };
            let left = compiled.left.into_iter().filter(is_new);
            let reason = "its source names it".to_owned();
            report.left.extend(left.map(|left| Left { reason: reason.clone(), ..left }));
            report.allowed.extend(compiled.allowed.into_iter().filter(is_new));
        }
        let mut problems: Vec<String> = tree::missing(&part, &table.expect)
            .map_err(failed)?
            .into_iter()
            .map(|pattern| format!("no file is `{pattern}`, which `expect` names"))
            .collect();
        let formats = self.formats();
        for format in &formats {
            problems.extend(part.problems(*format));
        }
        problems.extend(part.foreign(self.target).map_err(failed)?);
        problems.dedup();
        let mut built =
            BuiltTree { name: stem.to_owned(), files: Vec::new(), report, problems, not_compiled };
        if !built.is_good() {
            return Ok(built);
        }
        let (name, version) = super::archive::identity(self.project);
        let facts = json!({
            "name": table.name.as_ref().unwrap_or(&name),
            "version": version,
            "target": self.target.to_string(),
            "prefix": needles.first(),
            "components": table.components,
        });
        let document = tree::document(&part, &built.report, facts).map_err(failed)?;
        built.files = self.write(&part, stem, &formats)?;
        let sums: Vec<String> = built
            .files
            .iter()
            .map(|file| {
                format!(
                    "{}  {}\n",
                    file.sha256,
                    file.path.file_name().unwrap_or_default().to_string_lossy()
                )
            })
            .collect();
        let bom = self.bom(&name, &version, infos);
        for (end, bytes) in [
            ("tree.json", format!("{document:#}\n").into_bytes()),
            ("cdx.json", bom),
            ("sha256", sums.concat().into_bytes()),
        ] {
            let path = self.project.out_dir(self.options).join(format!("{stem}.{end}"));
            sys::fs::write_atomic(&path, &bytes)
                .map_err(|e| Error::io(format!("write `{stem}.{end}`"), e))?;
            let (sha256, size_bytes) = (crate::name::Digest::of(&bytes), bytes.len() as u64);
            built.files.push(MadeFile { path, size_bytes, sha256 });
        }
        Ok(built)
    }

    fn formats(&self) -> Vec<ArchiveFormat> {
        match (&self.table.formats[..], self.target.os()) {
            ([], Os::Windows) => vec![ArchiveFormat::Zip],
            ([], _) => vec![ArchiveFormat::TarGz],
            (formats, _) => formats.to_vec(),
        }
    }

    fn write(
        &self,
        part: &Tree,
        stem: &str,
        formats: &[ArchiveFormat],
    ) -> Result<Vec<MadeFile>, Error> {
        let host = &self.project.host;
        let name = self.name();
        let top = self.table.top.as_ref().unwrap_or(&name);
        let mut made = Vec::new();
        for format in formats {
            let path = self.project.out_dir(self.options).join(format!("{stem}.{format}"));
            let writing = Writing {
                format: *format,
                top,
                first: None,
                epoch: epoch(host).unwrap_or(ARCHIVE_EPOCH),
                compression: self.options.compression.unwrap_or(self.project.config.compression),
                cache: !self.options.no_cache,
            };
            let written = package::write(&part.files(*format), &path, writing, host);
            made.push(written.map_err(|e| Error::Write { path, source: Box::new(e) })?);
        }
        Ok(made)
    }

    fn name(&self) -> String {
        let of_project = || super::archive::identity(self.project).0;
        self.table.name.clone().unwrap_or_else(of_project)
    }

    /// Returns the file name of a variant, without its extension.
    fn stem(&self, variant: &str) -> Result<String, Error> {
        let (_, version) = super::archive::identity(self.project);
        let semver = super::packing::semver(self.project, &version)?;
        let default = if self.table.variants.len() > 1 {
            "{name}-{version}-{triple}-{variant}"
        } else {
            "{name}-{version}-{triple}"
        };
        let file = self.table.file.as_deref().unwrap_or(default);
        let commit = if file.contains("{commit}") { self.commit()? } else { String::new() };
        let pattern: NamePattern = Table::pattern(file, variant, &commit)
            .map_err(|error| self.problem(error.to_string()))?;
        let values = NameValues {
            name: &self.name(),
            version: semver.as_deref().unwrap_or(&version),
            pep440: &version,
            ext: "",
        };
        Ok(pattern.fill(values, self.target))
    }

    /// Returns the first characters of the commit that is checked out.
    fn commit(&self) -> Result<String, Error> {
        let no_commit = |reason: String| {
            self.problem(format!("the commit in the name of the tree is not known: {reason}"))
        };
        let dir: &Path = &self.project.dir;
        let repository = Repository::around(dir, &self.project.host);
        let repository = repository.map_err(|e| no_commit(e.to_string()))?;
        let repository = repository.ok_or_else(|| no_commit("this is no git checkout".into()))?;
        let said = repository.run(&["rev-parse", "--short=12", "HEAD"], &self.project.host);
        let said = said.map_err(|e| no_commit(e.to_string()))?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }

    fn bom(&self, name: &str, version: &str, infos: &[ComponentInfo]) -> Vec<u8> {
        let config = &self.project.config;
        // Each comes after what it links to.
        let mut carried: Vec<&str> = self.table.components.iter().map(String::as_str).collect();
        for component in config.components.iter().rev() {
            if carried.contains(&component.name.as_str()) {
                carried.extend(component.link.iter().map(String::as_str));
            }
        }
        let part = |info: &ComponentInfo| Part {
            reference: format!("component:{}", info.name),
            name: info.name.clone(),
            version: info.version.clone(),
            licenses: info.license.iter().cloned().collect(),
            source: info.origin.as_deref().map(|origin| {
                let place = origin.split_once(' ').map_or(origin, |(_, place)| place);
                (place.to_owned(), info.sha256)
            }),
            ..Part::default()
        };
        let infos = infos.iter().filter(|info| carried.contains(&info.name.as_str()));
        let parts: Vec<Part> = infos.map(part).collect();
        Bom {
            name: name.to_owned(),
            is_generic: true,
            version: version.to_owned(),
            epoch: epoch(&self.project.host),
            carried: parts.iter().map(|part| part.reference.clone()).collect(),
            parts,
            ..Bom::default()
        }
        .render()
    }
}

//! Components that another machine built: the key of their inputs, and their files.
//!
//! A component is reused if everything that decides its bytes is equal: the configuration, the
//! target, the toolchain, the source, and the files of the components that it needs. Paths of this machine, its
//! name and times are not part of the key. Files outside the source that a compiler read, such as
//! headers of the system, are compared one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::recipe;
use super::{Built, BuiltFile, Inputs, Linkage, Setting};
use crate::config::{Kind, Role};
use crate::name::{Digest, PythonAbi, WheelPath};
use crate::plan::ComponentPlan;
use crate::source::Resolved;
use crate::sys;
use crate::toolchain::{self, RustStd};

/// Version of the key and of the description; increased if the same configuration gives other files.
const VERSION: u32 = 2;

/// File that describes a component, beside its files.
const DESCRIPTION: &str = "component.json";

/// Place from which components are taken, and to which they are given. Neither call fails: a
/// component that cannot be taken is built, and the reason is a warning.
pub trait Reuse: Sync {
    /// Writes the files that were built from the inputs `key` to `dir`. Returns false if there are
    /// none, or if they are damaged.
    fn take(&self, key: &Digest, component: &str, dir: &Path) -> bool;

    /// True if components are to be given.
    fn is_giving(&self) -> bool;

    /// Gives the files in `dir`, which were built from the inputs `key`.
    fn give(&self, key: &Digest, component: &str, dir: &Path);
}

/// Component without paths of this machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: u32,
    files: Vec<DescribedFile>,
    archives: Vec<Place>,
    shared: Vec<Place>,
    include: Vec<Place>,
    system: Vec<String>,
    frameworks: Vec<String>,
    linkage: Option<Digest>,
    stage: Option<(Place, String)>,
    /// Files that a compiler read and the key does not cover.
    read: BTreeMap<String, Digest>,
}

/// File of a component.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DescribedFile {
    path: Place,
    to: WheelPath,
    role: Role,
    aliases: Vec<String>,
    python: Option<PythonAbi>,
}

/// Path without the directories of this machine.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// Path below the build directory of the target.
    Work(WheelPath),
    /// Path below the source of the component; `None` for the source itself.
    Source(Option<WheelPath>),
    /// Path below the directory of the configuration.
    Project(WheelPath),
}

/// Returns the digest of everything that decides the bytes of a component; `None` if it is not known
/// completely, or the component is of a kind that is not reused. `needed` has the digests of the
/// results of the components before it.
pub(super) fn key(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    source: &Resolved,
    needed: &BTreeMap<String, Digest>,
) -> Option<Digest> {
    let component = &plan.component;
    let kind = match &component.kind {
        Kind::C(_) => String::new(),
        Kind::Cargo(_) => cargo(setting, source)?,
        // Build systems read headers and programs that nobody lists, and the compilers of Go and of
        // BPF have no identity here. Prebuilt and plain files are only copied.
        Kind::Recipe(_) | Kind::Bpf(_) | Kind::Go(_) | Kind::Prebuilt(_) | Kind::Files(_) => {
            return None;
        }
    };
    let toolchain = setting.toolchain;
    let mut parts = vec![
        format!("wheelsmith {} component {VERSION}", env!("CARGO_PKG_VERSION")),
        component.name.clone(),
        setting.target().to_string(),
        toolchain.id.to_string(),
        [&toolchain.cc.args[..], &toolchain.cxx.args, &toolchain.ar.args].concat().join("\0"),
        serde_json::to_string(&(&plan.over, setting.plan.optimize, setting.plan.strip)).ok()?,
        toolchain.shared_cxx.as_ref().map_or_else(String::new, |shared| shared.file.clone()),
        recipe::source_digest(source, setting.project, setting.hashes).ok()?.to_string(),
        setting.host.env.get("SOURCE_DATE_EPOCH").unwrap_or_default().to_owned(),
    ];
    let text = serde_json::to_value(component).ok()?;
    for path in project_paths(&text) {
        let path = setting.project.join(path);
        let tree = Resolved { root: path.clone(), origin: None, sha256: None };
        let digest = if path.is_dir() {
            recipe::source_digest(&tree, setting.project, setting.hashes).ok()?
        } else {
            setting.hashes.of(&path)?
        };
        parts.push(digest.to_string());
    }
    parts.push(text.to_string());
    for name in component.after() {
        parts.push(format!("{name} {}", needed.get(name)?));
    }
    let flags = toolchain.read_vars.iter().filter(|name| name.contains("FLAGS"));
    parts.extend(flags.map(|name| format!("{name}={:?}", setting.host.env.get(name))));
    parts.push(kind);
    let own = |path: &Path, name: &str| (path.display().to_string(), name.to_owned());
    let mut all = parts.join("\n");
    for (path, name) in [own(setting.work, "{work}"), own(setting.project, "{project}")] {
        all = all.replace(&path, &name);
    }
    Some(Digest::of(all))
}

/// Returns the digest of what a component gives to those that need it: its files, and the libraries
/// and headers to which they link; `None` if one cannot be read.
pub(super) fn result(setting: &Setting<'_>, built: &Built) -> Option<Digest> {
    let linkage = &built.linkage;
    let digest = |path: &Path| {
        // Its digest may be that of before the build.
        if path.starts_with(setting.work) {
            setting.hashes.forget(path);
        }
        setting.hashes.of(path)
    };
    let mut parts = Vec::new();
    for file in &built.files {
        let names = file.aliases.join(" ");
        parts.push(format!("{} {} {names}", digest(&file.path)?, file.to));
    }
    for path in linkage.archives.iter().chain(&linkage.shared) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        parts.push(format!("{} {name}", digest(path)?));
    }
    for root in linkage.include.iter().chain(linkage.stage.iter().map(|(path, _)| path)) {
        parts.push("directory".to_owned());
        if !root.is_dir() {
            continue;
        }
        // Sets have no empty directories, and links only to files.
        for (walked, _) in recipe::source_files(root, setting.project).ok()? {
            if walked.path.is_file() {
                parts.push(format!("{} {}", digest(&walked.path)?, walked.relative));
            }
        }
    }
    parts.push(format!("{:?} {:?}", linkage.system, linkage.frameworks));
    Some(Digest::of(parts.join("\n")))
}

/// Returns what decides the bytes of a component from cargo besides its source: the compiler and the
/// configuration of cargo. `None` if no lock file pins the crates.
fn cargo(setting: &Setting<'_>, source: &Resolved) -> Option<String> {
    let env = &setting.host.env;
    let RustStd::Ready { rustc } =
        toolchain::rust_std(setting.host, &setting.target(), &source.root)
    else {
        return None;
    };
    let mut above = source.root.ancestors();
    let lock = above.find_map(|dir| setting.hashes.of(&dir.join("Cargo.lock")))?;
    let mut parts = vec![rustc, lock.to_string()];
    let home = env.path("CARGO_HOME").or_else(|| Some(env.path("HOME")?.join(".cargo")));
    let dirs = source.root.ancestors().map(|dir| dir.join(".cargo")).chain(home);
    for dir in dirs {
        let digests = ["config.toml", "config"].map(|name| setting.hashes.of(&dir.join(name)));
        parts.extend(digests.into_iter().flatten().map(|digest| digest.to_string()));
    }
    let decides = |name: &str| {
        ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_", "CARGO_ENCODED_RUSTFLAGS", "RUST"]
            .iter()
            .any(|start| name.starts_with(start) && !name.ends_with("_DIR"))
    };
    let variables = env.iter().filter(|(name, _)| decides(name));
    parts.extend(variables.map(|(name, value)| format!("{name}={value}")));
    Some(parts.join("\n"))
}

/// Returns the directories and files of the project that a configuration names, up to their first
/// wildcard.
fn project_paths(value: &serde_json::Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            serde_json::Value::String(text) => {
                let after = text.split("{project}").skip(1);
                found.extend(after.map(|path| {
                    let path = path.trim_start_matches('/');
                    let path = path.split(char::is_whitespace).next().unwrap_or(path);
                    if path.contains(['*', '?', '[', '{']) {
                        super::inputs::literal_prefix(path).to_owned()
                    } else {
                        path.to_owned()
                    }
                }));
            }
            serde_json::Value::Array(values) => left.extend(values),
            serde_json::Value::Object(values) => left.extend(values.values()),
            _ => {}
        }
    }
    found
}

/// True if the bytes of a component are made here, and not only copied.
fn is_compiled(plan: &ComponentPlan) -> bool {
    matches!(plan.component.kind, Kind::C(_) | Kind::Cargo(_))
}

/// Returns the reason why the result of cargo depends on more than its key: a build script, or a
/// variable that a crate reads; `None` if it does not. Components of a target share directories of
/// cargo, so the reason may be that of another one.
fn unkeyed(setting: &Setting<'_>) -> io::Result<Option<String>> {
    /// Variables that follow from the source.
    const OWN: [&str; 4] = ["CARGO_PKG_", "CARGO_CRATE_NAME", "CARGO_BIN_NAME", "CARGO_PRIMARY_"];
    for dir in sys::fs::list(setting.work)? {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        if !(name == "cargo" || name.starts_with("cargo-")) || !dir.is_dir() {
            continue;
        }
        let skip = |path: &str| path.ends_with("/incremental") || path.ends_with("/.fingerprint");
        for (walked, _) in sys::fs::tree(&dir, &skip)? {
            let name = walked.relative.rsplit('/').next().unwrap_or_default();
            if walked.path.extension().is_none_or(|extension| extension != "d") {
                continue;
            }
            if name.starts_with("build_script_") || name.starts_with("build-script-") {
                return Ok(Some("a crate has a build script".to_owned()));
            }
            let text = sys::fs::read_to_string(&walked.path)?;
            let mut variables = text.lines().filter_map(|line| line.strip_prefix("# env-dep:"));
            if let Some(variable) =
                variables.find(|name| !OWN.iter().any(|own| name.starts_with(own)))
            {
                let name = variable.split('=').next().unwrap_or_default();
                return Ok(Some(format!("a crate reads the variable `{name}`")));
            }
        }
    }
    Ok(None)
}

/// Returns the reason why a description is not one that [`give`] writes; `None` if it is.
fn problem(described: &Description) -> Option<String> {
    if described.stage.is_some() {
        return Some("it has a staging root".to_owned());
    }
    for file in &described.files {
        // A program or library is the result of the build, and so among the files of the set.
        let is_text = matches!(file.role, Role::Header | Role::License | Role::Data);
        if !is_text && !matches!(file.path, Place::Work(_)) {
            return Some(format!("`{}` is not among its files", file.to));
        }
        let is_name = |alias: &String| !alias.contains('/') && alias.parse::<WheelPath>().is_ok();
        if let Some(alias) = file.aliases.iter().find(|alias| !is_name(alias)) {
            return Some(format!("`{}` has the alias {alias:?}", file.to));
        }
    }
    None
}

/// Takes a component from the store; `None` if the store does not have it.
pub(super) fn take(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    source: &Resolved,
    key: &Digest,
) -> Option<Built> {
    let reuse = setting.reuse.filter(|_| is_compiled(plan))?;
    let component = &plan.component;
    let all = setting.component_dir(&component.name).join("stored");
    let dir = all.join(key.short());
    for old in sys::fs::list(&all).unwrap_or_default() {
        if old != dir {
            let _ = sys::fs::remove_dir_all(&old);
        }
    }
    if !reuse.take(key, &component.name, &dir) {
        return None;
    }
    let miss = |problem: String| {
        let name = &component.name;
        let text =
            format!("{name} is not taken from the store: its `{DESCRIPTION}` is wrong: {problem}");
        setting.host.warn(text);
    };
    let text = sys::fs::read(dir.join(DESCRIPTION)).map_err(|e| e.to_string());
    let described = text.and_then(|text| {
        serde_json::from_slice::<Description>(&text).map_err(|error| error.to_string())
    });
    let described = described.map_err(miss).ok()?;
    if described.version != VERSION {
        return None;
    }
    if let Some(problem) = problem(&described) {
        miss(problem);
        return None;
    }
    for (path, digest) in &described.read {
        if setting.hashes.of(Path::new(path)) != Some(*digest) {
            setting.host.detail(|| {
                let name = &component.name;
                format!("{name}: the store has it for another `{path}`")
            });
            return None;
        }
    }
    let place = |place: &Place| match place {
        Place::Work(path) => dir.join(path.as_str()),
        Place::Source(None) => source.root.clone(),
        Place::Source(Some(path)) => source.root.join(path.as_str()),
        Place::Project(path) => setting.project.join(path.as_str()),
    };
    let places = |places: &[Place]| places.iter().map(place).collect::<Vec<PathBuf>>();
    let files = described.files.iter().map(|file| BuiltFile {
        path: place(&file.path),
        to: file.to.clone(),
        role: file.role,
        aliases: file.aliases.clone(),
        python: file.python,
    });
    let files: Vec<BuiltFile> = files.collect();
    let linkage = Linkage {
        archives: places(&described.archives),
        shared: places(&described.shared),
        include: places(&described.include),
        system: described.system,
        frameworks: described.frameworks,
        key: described.linkage,
        stage: described.stage.as_ref().map(|(at, prefix)| (place(at), prefix.clone())),
    };
    let mut all = files.iter().map(|file| &file.path).chain(&linkage.archives);
    if !all.all(|path| path.is_file()) {
        return None;
    }
    for path in files.iter().map(|file| &file.path).chain(&linkage.archives).chain(&linkage.shared)
    {
        setting.hashes.forget(path);
    }
    Some(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        files,
        outcome: "from the store".to_owned(),
        linkage,
        inputs: Inputs::default(),
    })
}

/// Gives a component that was built here. One whose files are in other places is not given.
pub(super) fn give(setting: &Setting<'_>, plan: &ComponentPlan, built: &Built, key: &Digest) {
    let Some(reuse) = setting.reuse.filter(|reuse| reuse.is_giving() && is_compiled(plan)) else {
        return;
    };
    if matches!(plan.component.kind, Kind::Cargo(_)) {
        let reason = unkeyed(setting).unwrap_or_else(|error| Some(error.to_string()));
        if let Some(reason) = reason {
            let name = &built.name;
            setting.host.detail(|| format!("{name} is not stored: {reason}"));
            return;
        }
    }
    let dir = setting.component_dir(&built.name).join("given");
    match stage(setting, plan, built, &dir) {
        Ok(()) => reuse.give(key, &built.name, &dir),
        Err(reason) => setting.host.warn(format!("{} is not stored: {reason}", built.name)),
    }
    let _ = sys::fs::remove_dir_all(&dir);
}

/// Writes the files of a component and its description to `dir`.
fn stage(setting: &Setting<'_>, plan: &ComponentPlan, built: &Built, dir: &Path) -> io::Result<()> {
    if dir.exists() {
        sys::fs::remove_dir_all(dir)?;
    }
    let source = &built.source.root;
    let place = |path: &PathBuf| -> io::Result<Place> {
        let below = |root: &Path| {
            let rest = path.strip_prefix(root).ok()?.to_str()?;
            Some(rest.replace(std::path::MAIN_SEPARATOR, "/"))
        };
        // The build directory is below the project, a source below either or the project itself:
        // the lowest directory counts.
        let of_source = || below(source).map(|rest| Place::Source(rest.parse().ok()));
        let of_work = || Some(Place::Work(below(setting.work)?.parse().ok()?));
        let of_project = || Some(Place::Project(below(setting.project)?.parse().ok()?));
        let found = if setting.work.starts_with(source) {
            of_work().or_else(of_source)
        } else {
            of_source().or_else(of_work)
        };
        let found = found.or_else(of_project);
        found.ok_or_else(|| {
            io::Error::other(format!("`{}` is outside its directories", path.display()))
        })
    };
    let places = |paths: &[PathBuf]| paths.iter().map(place).collect::<io::Result<Vec<Place>>>();
    let linkage = &built.linkage;
    let files = built.files.iter().map(|file| {
        Ok(DescribedFile {
            path: place(&file.path)?,
            to: file.to.clone(),
            role: file.role,
            aliases: file.aliases.clone(),
            python: file.python,
        })
    });
    let stage = linkage
        .stage
        .as_ref()
        .map(|(path, prefix)| Ok::<_, io::Error>((place(path)?, prefix.clone())));
    let described = Description {
        version: VERSION,
        files: files.collect::<io::Result<_>>()?,
        archives: places(&linkage.archives)?,
        shared: places(&linkage.shared)?,
        include: places(&linkage.include)?,
        system: linkage.system.clone(),
        frameworks: linkage.frameworks.clone(),
        linkage: linkage.key,
        stage: stage.transpose()?,
        read: uncovered(setting, plan, built),
    };
    let single = built.files.iter().map(|file| &file.path);
    let single = single.chain(&linkage.archives).chain(&linkage.shared);
    let trees = linkage.include.iter().chain(linkage.stage.iter().map(|(path, _)| path));
    for path in single {
        let Place::Work(to) = place(path)? else { continue };
        copy(path, &dir.join(to.as_str()))?;
        // Links beside a library, by which linkers find it.
        let parent = path.parent().unwrap_or(setting.work);
        for other in sys::fs::list(parent)? {
            let Ok(target) = sys::fs::read_link(&other) else { continue };
            if parent.join(&target) == *path
                && let Place::Work(to) = place(&other)?
            {
                link(&target, &dir.join(to.as_str()))?;
            }
        }
    }
    for root in trees {
        let Place::Work(to) = place(root)? else { continue };
        for (walked, node) in sys::fs::tree(root, &|_| false)? {
            let to = dir.join(to.as_str()).join(&walked.relative);
            match node {
                sys::fs::Node::Dir => sys::fs::create_dir_all(&to)?,
                sys::fs::Node::File { .. } => copy(&walked.path, &to)?,
                sys::fs::Node::Link(target) => link(&target, &to)?,
            }
        }
    }
    let text = serde_json::to_vec(&described).map_err(io::Error::other)?;
    sys::fs::write_atomic(&dir.join(DESCRIPTION), &text).map(drop)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if sys::fs::symlink_metadata(to).is_ok() {
        return Ok(());
    }
    sys::fs::create_dir_all(to.parent().unwrap_or(to))?;
    sys::fs::copy(from, to).map(drop)
}

fn link(target: &Path, to: &Path) -> io::Result<()> {
    if sys::fs::symlink_metadata(to).is_ok() {
        return Ok(());
    }
    sys::fs::create_dir_all(to.parent().unwrap_or(to))?;
    sys::fs::symlink(&target.to_string_lossy(), to)
}

/// Returns the digests of the files that were read and are neither in the source, nor in the project's
/// configuration, nor built before, nor part of the toolchain.
fn uncovered(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    built: &Built,
) -> BTreeMap<String, Digest> {
    let program = &setting.toolchain.cc.program;
    let toolchain = sys::fs::canonicalize(program).unwrap_or_else(|_| program.clone());
    let toolchain = toolchain.parent().map(Path::to_owned).unwrap_or_default();
    let is_system = ["/usr/bin", "/bin", "/usr/local/bin"].map(Path::new).contains(&&*toolchain);
    let toolchain = (!is_system).then_some(toolchain);
    let named = serde_json::to_value(&plan.component).map(|value| project_paths(&value));
    let named = named.unwrap_or_default().into_iter().map(|path| setting.project.join(path));
    let own = [built.source.root.clone(), setting.work.to_owned()];
    let covered: Vec<PathBuf> = own.into_iter().chain(named).chain(toolchain).collect();
    let read = built.inputs.read();
    let outside = read.into_iter().filter(|path| !covered.iter().any(|dir| path.starts_with(dir)));
    let digest = |path: PathBuf| Some((path.to_str()?.to_owned(), setting.hashes.of(&path)?));
    outside.filter_map(digest).collect()
}

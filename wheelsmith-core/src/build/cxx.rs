//! C++ runtime of a target: which components use C++, and the library that their files share.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::inputs;
use super::language::Language;
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting};
use crate::binary::elf::Elf;
use crate::config::{
    BuildMode, C, CForm, Component, Config, CxxRuntime, Kind, Output, Role, SourceLanguage,
};
use crate::name::{Libc, Os, Target};
use crate::plan::{self, CxxPlan, CxxToolchain, CxxUse, TargetPlan};
use crate::source::Resolved;
use crate::sys::{self, Host};
use crate::toolchain::{Family, Toolchain, cxx};

/// Name of the component that the shared C++ runtime is.
pub(crate) const COMPONENT: &str = "libc++";

/// Directories whose sources are not part of a library or program, as a rule.
const ASIDE: [&str; 12] = [
    "test",
    "tests",
    "testing",
    "example",
    "examples",
    "contrib",
    "fuzz",
    "fuzzing",
    "doc",
    "docs",
    "bench",
    "benchmarks",
];

/// Sources of a target by component and triple; `None` if they are not unpacked yet.
pub type Sources = BTreeMap<(String, String), Option<Resolved>>;

/// Decides the C++ runtime of a target, and prepares `toolchain` to link it. The library of a shared
/// runtime is not compiled yet: [`make`] does it.
///
/// # Errors
/// Returns an error if the toolchain does not have the configured runtime.
pub fn decide(
    config: &Config,
    plan: &TargetPlan,
    project: &Path,
    sources: &Sources,
    toolchain: &mut Toolchain,
    host: &Host,
) -> Result<Option<CxxPlan>, Error> {
    let target = plan.target;
    let uses = uses(config, plan, project, sources);
    let facts = CxxToolchain {
        has_system: toolchain.family != Family::Zig,
        can_share: cxx::is_available(toolchain.family, &target),
    };
    let wanted = config.cxx_runtime_for(target);
    let decided = plan::decide_cxx(wanted, facts, &uses, &groups(config, plan));
    let mut decided = decided.map_err(|reason| Error::CxxRuntime {
        target,
        wanted,
        reason: reason.to_owned(),
    })?;
    match decided.as_mut().map(|plan| (plan.runtime, plan)) {
        Some((CxxRuntime::Shared, plan)) => {
            let shared = cxx::planned(host, toolchain).map_err(Error::Toolchain)?;
            plan.library = Some(shared.file.clone());
            toolchain.shared_cxx = Some(shared);
        }
        Some((CxxRuntime::Static, _)) if facts.has_system => {
            let args = ["-static-libstdc++", "-static-libgcc"].map(str::to_owned);
            toolchain.cxx.args.extend(args);
            if toolchain.family == Family::Clang {
                // It warns of linker arguments while it compiles.
                toolchain.cxx.args.push("-Wno-unused-command-line-argument".to_owned());
            }
        }
        _ => {}
    }
    Ok(decided)
}

/// Compiles the shared C++ runtime of `toolchain`, if it has one.
///
/// # Errors
/// Returns an error if it cannot be compiled.
pub fn make(host: &Host, toolchain: &Toolchain) -> Result<(), Error> {
    match &toolchain.shared_cxx {
        Some(shared) => cxx::make(host, toolchain, shared).map_err(|error| match error {
            crate::toolchain::Error::Cancelled => Error::Cancelled,
            error => Error::Toolchain(error),
        }),
        None => Ok(()),
    }
}

/// Returns the shared C++ runtime as a component, if a file of `built` needs it.
pub(super) fn component(setting: &Setting<'_>, built: &[Built]) -> Result<Option<Built>, Error> {
    let Some(shared) = &setting.toolchain.shared_cxx else { return Ok(None) };
    let needs = |file: &&BuiltFile| {
        let bytes = sys::fs::read(&file.path).unwrap_or_default();
        Elf::parse(&bytes).is_ok_and(|elf| elf.needed.contains(&shared.file))
    };
    let native = built.iter().flat_map(|one| &one.files);
    let mut native = native.filter(|f| matches!(f.role, Role::Executable | Role::SharedLibrary));
    if !native.any(|file| needs(&file)) {
        return Ok(None);
    }
    let problem = |e: crate::name::ParseError| setting.config.problem("", e.to_string(), None);
    let mut files = vec![BuiltFile {
        path: shared.library(),
        to: format!("lib/{}", shared.file).parse().map_err(problem)?,
        role: Role::SharedLibrary,
        aliases: Vec::new(),
        python: None,
    }];
    for path in shared.licenses() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let to = format!("licenses/{COMPONENT}/{name}").parse().map_err(problem)?;
        files.push(BuiltFile { path, to, role: Role::License, aliases: Vec::new(), python: None });
    }
    Ok(Some(Built {
        name: COMPONENT.to_owned(),
        version: shared.version(),
        license: Some("Apache-2.0 WITH LLVM-exception".to_owned()),
        source: Resolved { root: shared.dir.clone(), origin: None, sha256: None },
        files,
        outcome: "C++ runtime".to_owned(),
        linkage: Linkage::default(),
        inputs: Inputs::default(),
    }))
}

/// Returns the components that use C++, in build order.
fn uses(config: &Config, plan: &TargetPlan, project: &Path, sources: &Sources) -> Vec<CxxUse> {
    let mut with_cxx: BTreeSet<&str> = BTreeSet::new();
    let mut uses = Vec::new();
    for one in &plan.components {
        let component = &one.component;
        let key = (component.name.clone(), plan.target.triple().to_owned());
        let root = sources.get(&key).and_then(Option::as_ref).map(|source| source.root.as_path());
        if component.is_guest(plan.target) {
            continue;
        }
        let own = root.is_some_and(|root| has_cxx(config, component, plan.target, (root, project)));
        let is_static = |name: &&String| {
            let linked = config.component(name.as_str());
            with_cxx.contains(name.as_str()) && linked.is_some_and(|c| has_archive(&c.kind))
        };
        if !own && !component.link.iter().any(|name| is_static(&name)) {
            continue;
        }
        with_cxx.insert(&component.name);
        let files = files(config, component, plan.target);
        uses.push(CxxUse { component: component.name.clone(), files });
    }
    uses
}

/// Returns the sets of components whose files are in one process.
fn groups<'p>(config: &'p Config, plan: &'p TargetPlan) -> Vec<BTreeSet<&'p str>> {
    let names = |names: &'p [String]| names.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let mut groups: Vec<BTreeSet<&str>> =
        config.wheels.iter().map(|wheel| names(&wheel.components)).collect();
    if groups.is_empty() {
        groups.push(plan.components.iter().map(|one| one.component.name.as_str()).collect());
    }
    for one in &plan.components {
        let mut linked = names(&one.component.link);
        linked.insert(&one.component.name);
        // Components come after those that they link to.
        for other in plan.components.iter().rev() {
            if linked.contains(other.component.name.as_str()) {
                linked.extend(other.component.link.iter().map(String::as_str));
            }
        }
        groups.push(linked);
    }
    groups
}

/// True if others link an archive of the component.
fn has_archive(kind: &Kind) -> bool {
    match kind {
        Kind::C(c) => c.form == CForm::Static,
        Kind::Recipe(recipe) => recipe.outputs.iter().any(|o| o.role == Role::StaticLibrary),
        _ => false,
    }
}

/// Returns the number of programs and shared libraries of a component, or two if a glob may name
/// several.
fn files(config: &Config, component: &Component, target: Target) -> usize {
    match &component.kind {
        Kind::C(c) => {
            let is_alone =
                c.form == CForm::Executable && is_static_program(config, component, target);
            usize::from(c.form != CForm::Static && !is_alone)
        }
        Kind::Cargo(cargo) => cargo.artifacts.len(),
        Kind::Go(go) => usize::from(go.build_mode != BuildMode::CArchive),
        Kind::Recipe(recipe) => recipe.outputs.iter().map(of_output).sum(),
        Kind::Bpf(_) | Kind::Prebuilt(_) | Kind::Files(_) => 0,
    }
}

/// True if a program for musl contains all its libraries, so that no other file is in its process.
pub(super) fn is_static_program(config: &Config, component: &Component, target: Target) -> bool {
    target.os() == Os::Linux(Libc::Musl)
        && component.link.iter().all(|name| {
            config.component(name).is_some_and(|linked| {
                matches!(&linked.kind, Kind::C(C { form: CForm::Static, .. }))
            })
        })
}

fn of_output(output: &Output) -> usize {
    let name = output.from.path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    match output.role {
        Role::Executable | Role::SharedLibrary if stem.contains(['*', '?', '[', '{']) => 2,
        Role::Executable | Role::SharedLibrary => 1,
        _ => 0,
    }
}

/// True if the component's own source contains C++, or `languages` says so.
fn has_cxx(
    config: &Config,
    component: &Component,
    target: Target,
    (root, project): (&Path, &Path),
) -> bool {
    if let Some(languages) = &component.languages {
        return languages.contains(&SourceLanguage::Cxx);
    }
    match &component.kind {
        Kind::C(c) => c.sources.iter().filter(|group| group.is_for(target)).any(|group| {
            // A pattern without files is an error of the build.
            let found = inputs::expand(config, "", &group.files, &group.exclude, root, project);
            found
                .unwrap_or_default()
                .iter()
                .any(|file| Language::of(&file.relative) == Language::Cxx)
        }),
        Kind::Recipe(_) => tree_has_cxx(root),
        // Go compiles only the files of a package's own directory.
        Kind::Go(go) => go.cgo && tree_has_cxx(root),
        Kind::Cargo(cargo) => {
            let manifest = cargo.manifest.resolve(root, project);
            let dir = manifest.parent().unwrap_or(root);
            tree_has_cxx(dir) || lock_has_cxx(dir)
        }
        Kind::Bpf(_) | Kind::Prebuilt(_) | Kind::Files(_) => false,
    }
}

/// True if the directory contains C++ that is not for tests or examples.
fn tree_has_cxx(root: &Path) -> bool {
    let skip = |relative: &str| {
        let name = relative.rsplit('/').next().unwrap_or(relative);
        name.starts_with('.') || name == "target" || ASIDE.contains(&name)
    };
    let nodes = sys::fs::tree(root, &skip).unwrap_or_default();
    nodes.iter().any(|(walked, node)| {
        matches!(node, sys::fs::Node::File { .. })
            && Language::of(&walked.relative) == Language::Cxx
    })
}

/// True if a dependency in `Cargo.lock` compiles or links C++.
fn lock_has_cxx(dir: &Path) -> bool {
    const CRATES: [&str; 6] = ["autocxx", "cpp", "cxx", "link-cplusplus", "cxx-build", "cpp_build"];
    let lock = dir.ancestors().map(|dir| dir.join("Cargo.lock")).find(|lock| lock.is_file());
    let text = lock.map(|lock| sys::fs::read_to_string(&lock).unwrap_or_default());
    text.is_some_and(|text| {
        text.lines().any(|line| {
            let name = line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"'));
            name.is_some_and(|name| CRATES.contains(&name))
        })
    })
}

//! BPF programs: objects for the kernel of Linux, with their types (BTF) and without DWARF.

use std::path::{Path, PathBuf};

use super::depfile;
use super::inputs::{self, Input};
use super::record::{ATTEMPTS, Record};
use super::{Built, BuiltFile, Error, Inputs, Linkage, Setting};
use crate::config::{Bpf, Role, SourceGroup};
use crate::name::{Arch, Digest, WheelPath};
use crate::patch;
use crate::plan::{ComponentPlan, Step};
use crate::source::Resolved;
use crate::sys::{self, Command, FileState, ProcessError};
use crate::toolchain::{Family, Tool};

/// Builds a component of BPF programs.
pub(super) fn build(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    bpf: &Bpf,
    source: &Resolved,
    linked: &Linkage,
) -> Result<Built, Error> {
    let make = BpfBuild::new(setting, plan, source, linked)?;
    let units = make.units(bpf)?;
    let stale: Vec<&Unit> = units.iter().filter(|unit| !make.is_current(unit)).collect();
    let compiled =
        setting.host.jobs.try_map(&setting.host.cancel, &stale, |unit| make.compile(unit))?;
    if compiled.is_none() {
        return Err(Error::Cancelled);
    }
    let component = &plan.component;
    let (root, project) = (&source.root, setting.project);
    let patterns: Vec<_> = bpf.sources.iter().flat_map(|group| group.files.clone()).collect();
    Ok(Built {
        name: component.name.clone(),
        version: component.version.clone(),
        license: component.license.clone(),
        source: source.clone(),
        outcome: match stale.len() {
            0 => "up to date".to_owned(),
            n => format!("{n} of {} compiled", units.len()),
        },
        linkage: Linkage::default(),
        inputs: Inputs {
            files: units.iter().map(|unit| unit.source.clone()).collect(),
            dirs: inputs::dirs(&patterns, root, project),
            records: units.iter().map(Unit::record).collect(),
            rules: Vec::new(),
        },
        files: units.into_iter().map(|unit| unit.file).collect(),
    })
}

/// Decides the steps of a component of BPF programs.
pub(super) fn steps(
    setting: &Setting<'_>,
    plan: &ComponentPlan,
    bpf: &Bpf,
    source: &Resolved,
    linked: &Linkage,
) -> Result<Vec<Step>, Error> {
    let make = BpfBuild::new(setting, plan, source, linked)?;
    let steps = make
        .units(bpf)?
        .into_iter()
        .map(|unit| Step::Compile { command: (&make.command(&unit)).into(), source: unit.source });
    Ok(steps.collect())
}

/// Program to compile.
struct Unit {
    /// Name in messages.
    name: String,
    source: PathBuf,
    /// Object with debug information.
    object: PathBuf,
    /// Object without, for the runtime.
    file: BuiltFile,
    args: Vec<String>,
}

impl Unit {
    fn record(&self) -> PathBuf {
        self.file.path.with_extension("json")
    }

    fn deps(&self) -> PathBuf {
        self.object.with_extension("d")
    }
}

struct BpfBuild<'a> {
    setting: &'a Setting<'a>,
    plan: &'a ComponentPlan,
    source: &'a Resolved,
    linked: &'a Linkage,
    compiler: Tool,
}

impl<'a> BpfBuild<'a> {
    fn new(
        setting: &'a Setting<'a>,
        plan: &'a ComponentPlan,
        source: &'a Resolved,
        linked: &'a Linkage,
    ) -> Result<Self, Error> {
        let compiler = compiler(setting).ok_or_else(|| Error::NoBpf {
            component: plan.component.name.clone(),
            toolchain: setting.toolchain.id.to_string(),
        })?;
        Ok(Self { setting, plan, source, linked, compiler })
    }

    fn io(&self, source: std::io::Error) -> Error {
        let component = self.plan.component.name.clone();
        Error::Io { component, target: self.setting.target(), source }
    }

    fn units(&self, bpf: &Bpf) -> Result<Vec<Unit>, Error> {
        let Setting { config, project, .. } = self.setting;
        let component = &self.plan.component;
        let dir = self.setting.component_dir(&component.name);
        let mut units = Vec::new();
        for (i, group) in
            bpf.sources.iter().enumerate().filter(|(_, group)| group.is_for(self.setting.target()))
        {
            let key = format!("{}.sources[{i}].files", component.key);
            let root = &self.source.root;
            let found = inputs::expand(config, &key, &group.files, &group.exclude, root, project)?;
            for Input { relative, path } in found {
                let name = relative.rsplit('/').next().unwrap_or(&relative);
                let name = format!("{}.o", name.strip_suffix(".c").unwrap_or(name));
                let to: Result<WheelPath, _> = format!("share/{}/{name}", component.name).parse();
                let to = to.map_err(|e| config.problem(&key, e.to_string(), None))?;
                let object = dir.join("obj").join(format!("{i}")).join(&name);
                let out = dir.join("out").join(&name);
                let file = BuiltFile {
                    path: out,
                    to,
                    role: Role::Data,
                    aliases: Vec::new(),
                    python: None,
                };
                let args = self.args(group);
                units.push(Unit { name: relative, source: path, object, file, args });
            }
        }
        Ok(units)
    }

    fn args(&self, group: &SourceGroup) -> Vec<String> {
        let Setting { project, plan, .. } = self.setting;
        // `-g`, because the types are made from it. The kernel has neither sanitizers nor stack
        // protectors.
        let mut args: Vec<String> = [
            "-O2",
            "-g",
            "-fno-asynchronous-unwind-tables",
            "-fno-unwind-tables",
            "-fno-sanitize=all",
            "-fno-stack-protector",
        ]
        .map(str::to_owned)
        .to_vec();
        args.extend(group.std.iter().map(|standard| format!("-std={standard}")));
        args.push(format!("-D__TARGET_ARCH_{}", kernel_arch(plan.target.arch())));
        args.extend(group.define.iter().map(|define| format!("-D{define}")));
        let include = group.include.iter().map(|dir| dir.resolve(&self.source.root, project));
        let include = include.chain(self.linked.include.iter().cloned());
        args.extend(include.map(|dir| format!("-I{}", dir.display())));
        args.push(format!("-ffile-prefix-map={}=.", self.source.root.display()));
        args.push(format!("-ffile-prefix-map={}=.", project.display()));
        args.extend(group.flags.iter().chain(&self.plan.over.flags).cloned());
        args
    }

    fn command(&self, unit: &Unit) -> Command {
        self.compiler
            .command(&self.source.root, &self.setting.host.env)
            .args(unit.args.iter().cloned())
            .args(["-MD", "-MF"])
            .arg(unit.deps().to_string_lossy())
            .args(["-c", "-o"])
            .arg(unit.object.to_string_lossy())
            .arg(unit.source.to_string_lossy())
    }

    /// Returns a digest of arguments and toolchain.
    fn how(&self, unit: &Unit) -> Digest {
        let all = [&self.compiler.args[..], &unit.args].concat().join("\n");
        Digest::of(format!("{}\n{all}", self.setting.toolchain.id))
    }

    fn is_current(&self, unit: &Unit) -> bool {
        let hashes = self.setting.hashes;
        Record::current(&unit.record(), self.how(unit), &unit.file.path, hashes).is_some()
    }

    fn compile(&self, unit: &Unit) -> Result<(), Error> {
        let hashes = self.setting.hashes;
        for path in [&unit.object, &unit.file.path] {
            let parent = path.parent().unwrap_or(Path::new("."));
            sys::fs::create_dir_all(parent).map_err(|e| self.io(e))?;
        }
        let _ = sys::fs::remove_file(unit.record());
        for _ in 0..ATTEMPTS {
            hashes.of(&unit.source);
            sys::fs::write(unit.deps(), b"").map_err(|e| self.io(e))?;
            let begun = FileState::of(&unit.deps()).map_err(|e| self.io(e))?;
            self.run(unit)?;
            let bytes = sys::fs::read(&unit.object).map_err(|e| self.io(e))?;
            let stripped = patch::elf::strip_object(&bytes).map_err(|source| Error::Finish {
                component: self.plan.component.name.clone(),
                file: unit.object.clone(),
                source,
            })?;
            sys::fs::write_atomic(&unit.file.path, &stripped).map_err(|e| self.io(e))?;
            let read = sys::fs::read_to_string(unit.deps()).unwrap_or_default();
            let read = depfile::prerequisites(&read).into_iter();
            let read: Vec<PathBuf> = read.map(|path| self.source.root.join(path)).collect();
            if hashes.unchanged(read.iter().map(PathBuf::as_path), &begun) {
                let made = Record::new(self.how(unit), read, &unit.file.path, hashes);
                return match made {
                    Some(made) => made.save(&unit.record()).map_err(|e| self.io(e)),
                    None => Ok(()),
                };
            }
        }
        Ok(())
    }

    fn run(&self, unit: &Unit) -> Result<(), Error> {
        self.command(unit).run(self.setting.host).map(drop).map_err(|source| match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::Compile {
                file: unit.name.clone(),
                component: self.plan.component.name.clone(),
                target: self.setting.target(),
                source,
            },
        })
    }
}

/// Returns the compiler for BPF of the byte order of the target; `None` if the toolchain has none.
fn compiler(setting: &Setting<'_>) -> Option<Tool> {
    let name = if setting.target().arch().is_big_endian() { "bpfeb" } else { "bpfel" };
    let cc = &setting.toolchain.cc;
    let args = match setting.toolchain.family {
        Family::Zig => vec!["cc".to_owned(), "-target".to_owned(), format!("{name}-freestanding")],
        Family::Clang => vec![format!("--target={name}")],
        Family::Gcc => return None,
    };
    Some(Tool { args, ..cc.clone() })
}

/// Returns the kernel's name of a processor, by which libbpf's headers find its registers.
fn kernel_arch(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 | Arch::I686 => "x86",
        Arch::Aarch64 => "arm64",
        Arch::Armv7l => "arm",
        Arch::Ppc64le | Arch::Ppc64 => "powerpc",
        Arch::Riscv64 => "riscv",
        Arch::S390x => "s390",
        Arch::Loongarch64 => "loongarch",
    }
}

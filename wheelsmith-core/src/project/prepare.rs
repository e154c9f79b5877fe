//! Hooks of PEP 517 before a build: the metadata, and the required packages.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{BuildOptions, Error, Project, build, pack};
use crate::build::license_files;
use crate::config::{External, Kind, Wheel};
use crate::finding::Severity;
use crate::metadata::EntryPoints;
use crate::name::{Target, WheelPath};
use crate::plan::{self, Part};
use crate::source::{self, SourceDirs};
use crate::sys::{self, Host};
use crate::toolchain::{self, MissingZig, ZIG_VERSION};
use crate::wheel::{self, Existing, Source as Content};

/// Writes the `.dist-info` of the wheel that `options` select.
pub(super) fn write(
    project: &Project,
    options: &BuildOptions,
    host: &Host,
) -> Result<PathBuf, Error> {
    let targets = project.targets(&options.targets);
    let target = project.config.with_floor(*targets.first().ok_or(plan::Error::NoTarget)?);
    let wheel = project.config.wheels.iter().find(|wheel| options.selects(&wheel.name));
    let out = project.out_dir(options);
    let (Some(wheel), Some(raw)) = (wheel, &project.config.project) else {
        let message = "there is no such wheel to describe".to_owned();
        return Err(project.config.problem("tool.wheelsmith.wheel", message, None).into());
    };
    if depends_on_files(project, wheel, target) {
        return from_wheel(project, wheel, options);
    }
    // The wheel that an installer requests is the first with Python files.
    let variants = plan::variants(&project.config, options, wheel, target)?;
    let variant = variants.iter().find(|variant| variant.part != Part::Runtime);
    let variant = variant.or(variants.first()).ok_or(plan::Error::NoTarget)?;
    let wheel = &variant.wheel;
    let mut raw = raw.clone();
    pack::describe(variant, &mut raw);
    pack::add_scripts(wheel, &mut raw);
    let licenses = licenses(project, wheel, target, options, host)?;
    let metadata = pack::metadata(project, &raw, &licenses)?;
    let any = [crate::name::PlatformTag::Any];
    let wanted = [target.wanted_tag()];
    let name =
        pack::filename(wheel, &metadata, if wheel.components.is_empty() { &any } else { &wanted });
    let stem = name.stem();
    let wheel = wheel::Wheel::new(name, &metadata, &EntryPoints::new(&raw)?, Vec::new())?;
    for entry in wheel.entries() {
        if let Content::Bytes(bytes) = &entry.source {
            sys::fs::write_atomic(&out.join(entry.path.as_str()), bytes)
                .map_err(|e| Error::io("write the metadata", e))?;
        }
    }
    Ok(out.join(format!("{stem}.dist-info")))
}

/// True if the licence files of the wheel depend on a build: those of components whose libraries
/// are copied in, which only the built files show.
fn depends_on_files(project: &Project, wheel: &Wheel, target: Target) -> bool {
    wheel.external == External::Bundle
        && project.config.components.iter().any(|component| {
            !wheel.components.contains(&component.name)
                && component.is_for(target)
                && !component.license_files.is_empty()
        })
}

/// Builds the wheel, and unpacks its `.dist-info`. The build that an installer requests afterwards
/// is up to date.
fn from_wheel(project: &Project, wheel: &Wheel, options: &BuildOptions) -> Result<PathBuf, Error> {
    let out = project.out_dir(options);
    let unwritten = |e| Error::io("write the metadata", e);
    let dir = sys::fs::temp_dir().map_err(unwritten)?;
    let options_there = BuildOptions {
        out: Some(dir.path().to_owned()),
        wheel: Some(wheel.name.clone()),
        editable: false,
        ..options.clone()
    };
    let output = build::run(project, &options_there)?;
    let (_, made) = output.targets.into_iter().next().ok_or(plan::Error::NoTarget)?;
    let made = made?.wheels.into_iter().next().ok_or(plan::Error::NoTarget)?;
    let Some(file) = &made.file else {
        let findings = made.audit.findings.iter().filter(|f| f.counts_at(Severity::Error));
        let reasons: Vec<&str> = findings.map(|finding| finding.message.as_str()).collect();
        return Err(Error::NotQualified { wheel: made.name, reasons: reasons.join("; ") });
    };
    let built = Existing::open(&file.path)?;
    let info = format!("{}.dist-info", built.stem());
    let record = format!("{info}/RECORD");
    for entry in built.every_file() {
        let path = entry.path.as_str();
        if path == record || entry.path.parts().next() != Some(&info) {
            continue;
        }
        let bytes = entry.load().map_err(unwritten)?;
        sys::fs::write_atomic(&out.join(path), &bytes).map_err(unwritten)?;
    }
    Ok(out.join(info))
}

/// Returns the licence files of the wheel's components.
fn licenses(
    project: &Project,
    wheel: &Wheel,
    target: Target,
    options: &BuildOptions,
    host: &Host,
) -> Result<Vec<(WheelPath, PathBuf)>, Error> {
    // In a combined target, any slice has them.
    let target = target.compiled().first().copied().unwrap_or(target);
    let components = project.config.components.iter().filter(|component| {
        wheel.components.contains(&component.name)
            && component.is_for(target)
            && !component.license_files.is_empty()
    });
    let components: Vec<_> = components.collect();
    if components.is_empty() {
        return Ok(Vec::new());
    }
    let _lock = build::lock(project, host)?;
    let cache = build::cache_dir(host)?;
    let work = project.work_dir();
    let places = SourceDirs { project: &project.dir, work: &work, cache: &cache };
    let sources = source::resolve(&project.config, &[target], &places, options.policy, host)?;
    let mut licenses = Vec::new();
    for component in components {
        let source = &sources[&(component.name.clone(), target.triple().to_owned())];
        for file in license_files(&project.config, &project.dir, component, source)? {
            let below = file.to.as_str().trim_start_matches("licenses/");
            if let Ok(path) = below.parse() {
                licenses.push((path, file.path));
            }
        }
    }
    Ok(licenses)
}

/// Returns the Python packages that a build for `targets` requires and this machine lacks: zig.
pub(super) fn requires(project: &Project, targets: &[Target], host: &Host) -> Vec<String> {
    let mut requires = BTreeSet::new();
    let zig = project.zig();
    for target in &targets.iter().flat_map(Target::compiled).collect::<Vec<_>>() {
        let compiles = project.config.components.iter().any(|component| {
            component.is_for(*target)
                && matches!(
                    component.kind,
                    Kind::Bpf(_) | Kind::C(_) | Kind::Cargo(_) | Kind::Go(_)
                )
        });
        if !compiles {
            continue;
        }
        let request = toolchain::Request {
            kind: project.config.toolchain_for(*target),
            target: project.config.with_floor(*target),
            zig: zig.as_deref(),
            sysroot: None,
            work_dir: &project.work_dir(),
            missing_zig: MissingZig::Leave,
        };
        // The build reports any other error in full.
        if let Err(toolchain::Error::NoZig { .. }) = toolchain::locate(host, &request) {
            requires.insert(format!("ziglang=={ZIG_VERSION}"));
        }
    }
    requires.into_iter().collect()
}

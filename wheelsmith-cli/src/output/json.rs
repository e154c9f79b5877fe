//! Output for programs: one JSON document, the schema number first, keys sorted.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wheelsmith_core::audit::{Audit, FileFacts};
use wheelsmith_core::plan::{PackageKind, Plan};
use wheelsmith_core::project::{
    ArchiveVerdict, Binstall, BuildOutput, BuiltPackage, BuiltWheel, TargetBuild,
};
use wheelsmith_core::toolchain::TargetSurvey;
use wheelsmith_core::wheel::MadeFile;

/// Version of the documents. It grows when a key changes its meaning or is removed.
pub(super) const SCHEMA: u32 = 1;

/// Version of the document of `build --dry-run`.
const PLAN_SCHEMA: u32 = 3;

/// Version of the document of `build`.
const BUILD_SCHEMA: u32 = 2;

pub(super) fn plan(plan: &Plan) -> Value {
    json!({ "schema": PLAN_SCHEMA, "plan": plan })
}

pub(super) fn built(output: &BuildOutput) -> Value {
    let targets = output.targets.iter().map(|(target, result)| match result {
        Ok(build) => {
            let mut value = target_build(build);
            value["target"] = json!(target);
            value
        }
        Err(error) => json!({ "target": target, "error": chain(error) }),
    });
    json!({
        "schema": BUILD_SCHEMA,
        "targets": targets.collect::<Vec<_>>(),
        "packages": output.packages.iter().map(package).collect::<Vec<_>>(),
        "left_out": output.left_out,
    })
}

fn target_build(made: &TargetBuild) -> Value {
    let component =
        |(name, outcome): &(String, String)| json!({ "name": name, "outcome": outcome });
    json!({
        "toolchain": made.toolchain,
        "components": made.components.iter().map(component).collect::<Vec<_>>(),
        "runtime": made.runtime,
        "archives": made.archives.iter().map(file).collect::<Vec<_>>(),
        "judged": made.judged.as_ref().map(judged),
        "wheels": made.wheels.iter().map(wheel).collect::<Vec<_>>(),
        "packages": made.packages.iter().map(package).collect::<Vec<_>>(),
        "time_secs": made.time.as_secs_f64(),
    })
}

fn judged(judged: &ArchiveVerdict) -> Value {
    json!({
        "floor": judged.floor.to_string(),
        "tag": judged.wanted,
        "verdict": judged.audit.tag,
        "findings": judged.audit.findings,
        "files": facts(&judged.audit),
    })
}

fn wheel(wheel: &BuiltWheel) -> Value {
    json!({
        "name": wheel.name,
        "file": wheel.file.as_ref().map(file),
        "floor": wheel.floor.to_string(),
        "tag": wheel.wanted,
        "verdict": wheel.audit.tag,
        "findings": wheel.audit.findings,
        "files": facts(&wheel.audit),
        "bundled": wheel.bundled,
    })
}

fn package(package: &BuiltPackage) -> Value {
    let audit = package.verdict.as_ref().map(|verdict| &verdict.audit);
    json!({
        "name": package.name,
        "kind": package.kind,
        "file": package.file.as_ref().map(file),
        "mode": if package.kind == PackageKind::Installer { "0755" } else { "0644" },
        "aliases": package.aliases.iter().map(file).collect::<Vec<_>>(),
        "floor": package.verdict.as_ref().map(|verdict| verdict.floor.to_string()),
        "tag": package.verdict.as_ref().map(|verdict| &verdict.wanted),
        "verdict": audit.map(|audit| &audit.tag),
        "findings": audit.map(|audit| &audit.findings),
        "files": audit.map(facts),
    })
}

pub(super) fn binstall(found: &[Binstall]) -> Value {
    let row = |binstall: &Binstall| {
        json!({
            "manifest": binstall.manifest,
            "table": binstall.table,
            "problems": binstall.problems,
        })
    };
    json!({ "schema": SCHEMA, "binstall": found.iter().map(row).collect::<Vec<_>>() })
}

pub(super) fn file(file: &MadeFile) -> Value {
    json!({ "path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256 })
}

pub(super) fn sdist(made: &MadeFile) -> Value {
    json!({ "schema": SCHEMA, "sdist": file(made) })
}

pub(super) fn requires(requires: &[String]) -> Value {
    json!({ "schema": SCHEMA, "requires": requires })
}

pub(super) fn prepared(dir: &Path) -> Value {
    json!({ "schema": SCHEMA, "directory": dir })
}

pub(super) fn fetched(sources: usize) -> Value {
    json!({ "schema": SCHEMA, "sources": sources })
}

pub(super) fn toolchains(found: &[TargetSurvey]) -> Value {
    json!({ "schema": SCHEMA, "targets": found })
}

pub(super) fn initialised(files: &[PathBuf], note: &str) -> Value {
    json!({ "schema": SCHEMA, "files": files, "note": note })
}

pub(super) fn error(error: &dyn std::error::Error) -> Value {
    json!({ "schema": SCHEMA, "error": chain(error) })
}

pub(super) fn serving(url: &str) -> Value {
    json!({ "schema": SCHEMA, "url": url })
}

/// Returns the messages of an error and its causes, outermost first.
pub(super) fn chain(error: &dyn std::error::Error) -> Vec<String> {
    let mut chain = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push(error.to_string());
        cause = error.source();
    }
    chain
}

/// Returns the facts of native files in the form of the audit's report.
pub(super) fn facts(audit: &Audit) -> Vec<FileFacts<'_>> {
    audit.files.iter().map(FileFacts::of).collect()
}

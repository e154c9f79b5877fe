//! Report of `wheelsmith audit`: one value for every output format.

use serde::Serialize;

use super::Need;
use super::extension::Extension;
use crate::archive::Kind;
use crate::binary::archive::Archive;
use crate::binary::elf::Elf;
use crate::binary::macho::MachO;
use crate::binary::pe::Pe;
use crate::binary::wasm::Wasm;
use crate::binary::{Facts, Format, NativeFile};
use crate::finding::{Finding, Severity};
use crate::name::{PlatformTag, WheelFilename, WheelPath};

/// Version of the report format. It increases when a key is removed or changes its meaning.
pub const SCHEMA: u32 = 2;

/// Results for all inputs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Version of the report format ([`SCHEMA`]).
    pub schema: u32,
    /// Inputs in the given order; those of one pattern are sorted by name.
    pub inputs: Vec<Input>,
    /// Findings about the configuration of the audit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<Finding>,
}

/// Results for one wheel, directory, archive or file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// Path as given, with `/` between its parts.
    pub path: String,
    /// Kind of the input.
    pub kind: Kind,
    /// Parsed file name of a wheel; `None` for other inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<WheelFilename>,
    /// Platform tags of the file name, as written.
    pub claimed_tags: Vec<PlatformTag>,
    /// Required tag (`--tag`), which replaces those of the file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<PlatformTag>,
    /// The best tag that every file qualifies for; `None` if no tag fits.
    pub verdict: Option<PlatformTag>,
    /// Verdict of `auditwheel show --ldpaths ""`; only for Linux wheels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auditwheel_verdict: Option<Auditwheel>,
    /// Reason why the input could not be judged; the exit code is then 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Findings: errors first, then by file.
    pub findings: Vec<Finding>,
    /// Origin of each library that the files need.
    pub needs: Vec<Need>,
    /// Facts of each native file, by path.
    #[serde(serialize_with = "file_facts")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<FileFacts<'static>>"))]
    pub files: Vec<NativeFile>,
}

/// Facts of a native file as they appear in reports.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NativeFile"))]
pub struct FileFacts<'f> {
    /// Path in the wheel, archive or directory.
    path: &'f WheelPath,
    /// Format.
    format: Format,
    /// Size in bytes.
    size_bytes: u64,
    /// Facts of an ELF file.
    #[serde(skip_serializing_if = "Option::is_none")]
    elf: Option<&'f Elf>,
    /// Facts of a Mach-O file.
    #[serde(skip_serializing_if = "Option::is_none")]
    macho: Option<&'f MachO>,
    /// Facts of a PE file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pe: Option<&'f Pe>,
    /// Python module that the file contains, and the Pythons that its name is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<Extension>,
    /// Facts of a static library of ELF objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Archive>,
    /// Facts of a WebAssembly file.
    #[serde(skip_serializing_if = "Option::is_none")]
    wasm: Option<&'f Wasm>,
}

impl<'f> FileFacts<'f> {
    /// Returns the facts of `file`.
    pub fn of(file: &'f NativeFile) -> Self {
        Self {
            path: &file.path,
            format: file.format(),
            size_bytes: file.size_bytes,
            elf: file.elf(),
            macho: file.macho(),
            pe: file.pe(),
            extension: Extension::of(file),
            archive: file.archive(),
            wasm: if let Facts::Wasm(wasm) = &file.facts { Some(wasm) } else { None },
        }
    }
}

fn file_facts<S: serde::Serializer>(
    files: &[NativeFile],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(files.iter().map(FileFacts::of))
}

/// Verdict of auditwheel, computed from its rules and the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Auditwheel {
    /// Its `overall_tag`; `None` if it ends with an error.
    pub tag: Option<PlatformTag>,
    /// Reasons why the tag differs from ours, one sentence each; empty if it does not.
    pub reasons: Vec<String>,
}

impl Input {
    /// True if the input was judged and no finding counts as an error.
    pub fn is_good(&self) -> bool {
        let has_errors = self.findings.iter().any(|finding| finding.counts_at(Severity::Error));
        self.error.is_none() && !has_errors
    }

    /// Returns an input without any results.
    pub fn new(path: String, kind: Kind) -> Self {
        Self {
            path,
            kind,
            wheel: None,
            claimed_tags: Vec::new(),
            tag: None,
            verdict: None,
            auditwheel_verdict: None,
            error: None,
            findings: Vec::new(),
            needs: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// Returns the JSON schema of the report, generated from the types that are serialized.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

impl Report {
    /// Returns a report on these inputs.
    pub fn new(inputs: Vec<Input>) -> Self {
        Self { schema: SCHEMA, inputs, configuration: Vec::new() }
    }

    /// True if any finding counts as `severity` or worse.
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings =
            self.inputs.iter().flat_map(|input| &input.findings).chain(&self.configuration);
        findings.any(|finding| finding.counts_at(severity))
    }

    /// True if any input could not be judged.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}

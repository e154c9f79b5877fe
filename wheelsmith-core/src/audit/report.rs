//! What `wheelsmith audit` says: one value for every form of output.

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

/// The version of the report. It grows when a key changes its meaning or goes.
pub const SCHEMA: u32 = 1;

/// What was seen in all inputs.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Each input, in the order given; those of one pattern by name.
    pub inputs: Vec<Input>,
    /// What is wrong with the configuration of the audit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<Finding>,
}

/// What was seen in one wheel, directory, archive or file.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Input {
    /// As it was given, with `/` between its parts.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// The wheel's file name, taken apart; nothing for other inputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wheel: Option<WheelFilename>,
    /// The platform tags of the file name, as written.
    pub claimed_tags: Vec<PlatformTag>,
    /// The tag that was asked for instead (`--policy`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted_tag: Option<PlatformTag>,
    /// The best tag that every file keeps; nothing when no tag is right.
    pub verdict: Option<PlatformTag>,
    /// What `auditwheel show --ldpaths ""` says of it; for Linux wheels only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auditwheel_verdict: Option<Auditwheel>,
    /// Why it could not be judged at all: then the exit code is 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What was seen: errors first, then by file.
    pub findings: Vec<Finding>,
    /// Where each library comes from that the files need.
    pub needs: Vec<Need>,
    /// Each native file's facts, by path.
    #[serde(serialize_with = "file_facts")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<FileFacts<'static>>"))]
    pub files: Vec<NativeFile>,
}

/// The facts of a native file as reports have them.
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
    /// The Python module that the file is, and the Pythons that its name is for.
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

/// What auditwheel would say, told from its rules and the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Auditwheel {
    /// Its `overall_tag`; nothing where it ends in an error.
    pub tag: Option<PlatformTag>,
    /// Why that differs from ours, a sentence each; empty where it does not.
    pub reasons: Vec<String>,
}

impl Input {
    /// True if the input was judged and no finding counts as an error.
    pub fn is_good(&self) -> bool {
        let has_errors = self.findings.iter().any(|finding| finding.counts_at(Severity::Error));
        self.error.is_none() && !has_errors
    }

    /// An input of which nothing is known yet.
    pub fn new(path: String, kind: Kind) -> Self {
        Self {
            path,
            kind,
            wheel: None,
            claimed_tags: Vec::new(),
            wanted_tag: None,
            verdict: None,
            auditwheel_verdict: None,
            error: None,
            findings: Vec::new(),
            needs: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// The JSON schema of the report, made from the types that are written.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Report>().to_value()
}

impl Report {
    /// A report on these inputs.
    pub fn new(inputs: Vec<Input>) -> Self {
        Self { schema: SCHEMA, inputs, configuration: Vec::new() }
    }

    /// Whether any finding counts at `severity` or worse.
    pub fn has(&self, severity: Severity) -> bool {
        let mut findings =
            self.inputs.iter().flat_map(|input| &input.findings).chain(&self.configuration);
        findings.any(|finding| finding.counts_at(severity))
    }

    /// Whether any input could not be judged.
    pub fn has_failures(&self) -> bool {
        self.inputs.iter().any(|input| input.error.is_some())
    }
}

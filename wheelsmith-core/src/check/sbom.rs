//! Bills of materials in the metadata (PEP 770).

use serde_json::Value;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::Code;

/// Judges everything under `sboms`.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    for member in contents.files() {
        let is_sbom = contents.in_dist_info(member).is_some_and(|path| path.starts_with("sboms/"));
        let Some(bytes) = member.kept().filter(|_| is_sbom) else { continue };
        let path = &member.path;
        let Ok(text) = std::str::from_utf8(bytes) else {
            out.file(Code::BadSbom, path, "it is not UTF-8");
            continue;
        };
        if !text.trim_start().starts_with('{') {
            // The two other forms: XML of CycloneDX, tag and value of SPDX.
            let is_known = text.contains("cyclonedx.org") || text.starts_with("SPDXVersion:");
            if !is_known {
                out.file(Code::BadSbom, path, "it is neither CycloneDX nor SPDX");
            }
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            out.file(Code::BadSbom, path, "it is no JSON");
            continue;
        };
        let tool = if value["bomFormat"] == "CycloneDX" {
            let tools = &value["metadata"]["tools"];
            let old = tools.as_array().is_some_and(|tools| !tools.is_empty());
            let list = ["components", "services"].map(|key| tools[key].as_array());
            old || list.iter().flatten().any(|tools| !tools.is_empty())
        } else if value["spdxVersion"].is_string() {
            let creators = value["creationInfo"]["creators"].as_array();
            let is_tool = |by: &Value| by.as_str().is_some_and(|by| by.starts_with("Tool:"));
            creators.is_some_and(|creators| creators.iter().any(is_tool))
        } else if value["@context"].as_str().is_some_and(|context| context.contains("spdx.org")) {
            true
        } else {
            out.file(Code::BadSbom, path, "it is neither CycloneDX nor SPDX");
            continue;
        };
        if !tool {
            out.file(Code::SbomWithoutTool, path, "it names no tool");
        }
    }
}

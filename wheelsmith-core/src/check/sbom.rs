//! Judges SBOMs in the metadata (PEP 770).

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::Code;

/// Fields that identify the format and the tool. Other fields are not kept: a list of a million
/// zeros would use a thousand times its size.
#[derive(Deserialize)]
struct Sbom<'a> {
    #[serde(rename = "bomFormat", borrow)]
    cyclonedx: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(rename = "spdxVersion", borrow)]
    spdx: Option<&'a RawValue>,
    #[serde(rename = "creationInfo", borrow)]
    creation: Option<&'a RawValue>,
    #[serde(rename = "@context", borrow)]
    context: Option<&'a RawValue>,
}

/// `metadata` of CycloneDX.
#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
}

/// `tools` since version 1.5; a list before.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Tools {
    components: Vec<IgnoredAny>,
    services: Vec<IgnoredAny>,
}

/// Judges all files under `sboms`.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    for member in contents.files() {
        let is_sbom = contents.in_dist_info(member).is_some_and(|path| path.starts_with("sboms/"));
        let Some(bytes) = member.kept().filter(|_| is_sbom) else { continue };
        match judge(bytes) {
            Ok(true) => {}
            Ok(false) => out.file(Code::SbomWithoutTool, &member.entry.path, "it names no tool"),
            Err(why) => out.file(Code::BadSbom, &member.entry.path, why),
        }
    }
}

/// Returns true if the SBOM names the tool that made it.
fn judge(bytes: &[u8]) -> Result<bool, &'static str> {
    const NEITHER: &str = "it is neither CycloneDX nor SPDX";
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    if !text.trim_start().starts_with('{') {
        // Two other formats: XML of CycloneDX, tag-value of SPDX.
        let is_known = text.contains("cyclonedx.org") || text.starts_with("SPDXVersion:");
        return if is_known { Ok(true) } else { Err(NEITHER) };
    }
    let sbom: Sbom<'_> = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    if sbom.cyclonedx.is_some_and(|format| format.get() == "\"CycloneDX\"") {
        let metadata = sbom.metadata.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let tools = metadata.and_then(|metadata: Metadata<'_>| metadata.tools);
        Ok(tools.is_some_and(|tools| has_tool(tools.get())))
    } else if sbom.spdx.is_some() {
        Ok(sbom.creation.is_some_and(|creation| creation.get().contains("\"Tool:")))
    } else if sbom.context.is_some_and(|context| context.get().contains("spdx.org")) {
        // SPDX 3 lists its tools among its elements.
        Ok(true)
    } else {
        Err(NEITHER)
    }
}

fn has_tool(tools: &str) -> bool {
    let list = serde_json::from_str::<Vec<IgnoredAny>>(tools);
    let groups = || serde_json::from_str::<Tools>(tools).unwrap_or_default();
    list.map_or_else(
        |_| {
            let groups = groups();
            !groups.components.is_empty() || !groups.services.is_empty()
        },
        |list| !list.is_empty(),
    )
}

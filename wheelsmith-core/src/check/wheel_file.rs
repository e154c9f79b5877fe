//! WHEEL against the file name.

use super::fields::Fields;
use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Finding, Severity};

/// Judges the file.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    let Some(file) = contents.dist_file("WHEEL") else { return };
    let Some(bytes) = file.kept() else { return };
    let path = &file.path;
    let fields = Fields::read(bytes);
    if let Some(trouble) = &fields.trouble {
        out.file(Code::BadWheelFile, path, trouble);
    }
    match fields.one("Wheel-Version") {
        None => out.file(Code::BadWheelFile, path, "it has no `Wheel-Version`"),
        Some("1.0") => {}
        Some(version) => {
            let message = format!("it says `Wheel-Version: {version}`, not 1.0");
            out.file(Code::WheelVersion, path, message);
        }
    }
    match fields.all("Generator").count() {
        1 => {}
        0 => out.file(Code::WheelGenerator, path, "it has no `Generator`"),
        // Tools that change a wheel add themselves; most readers know one value.
        n => {
            let message = format!("it has `Generator` {n} times");
            out.file_as(Severity::Info, Code::WheelGenerator, path, message);
        }
    }
    let platforms = contents.filename.map(|name| &name.platforms[..]).unwrap_or_default();
    let is_any = platforms == [crate::name::PlatformTag::Any];
    match fields.one("Root-Is-Purelib").map(str::to_ascii_lowercase).as_deref() {
        // Of a wheel for every platform they are data, such as launchers for Windows.
        Some("true") if !is_any => {
            let at_root = |m: &&super::zip::Member| super::parsed::in_data(m).is_none();
            if contents.files().filter(at_root).any(super::parsed::is_native) {
                out.file(Code::PurelibWithNative, path, "it is true, and native files lie there");
            }
        }
        Some("false") if is_any && !contents.has_native() => {
            out.file(Code::PlatlibInAny, path, "it is false, and the tag is `any`");
        }
        Some("true" | "false") => {}
        Some(other) => {
            let message = format!("it says `Root-Is-Purelib: {other}`, not true or false");
            out.file(Code::BadWheelFile, path, message);
        }
        None => out.file(Code::BadWheelFile, path, "it has no `Root-Is-Purelib`"),
    }
    let Some(name) = contents.filename else { return };
    let build = fields.one("Build");
    if build != name.build.as_deref() {
        let show = |tag: Option<&str>| tag.map_or("none".to_owned(), |tag| format!("`{tag}`"));
        let message =
            format!("it has {}, the file name {}", show(build), show(name.build.as_deref()));
        out.file(Code::BuildMismatch, path, message);
    }
    // Lines with sets are an older form of the same.
    let mut lines: Vec<String> = fields.all("Tag").flat_map(expand).collect();
    lines.sort();
    let expected = name.expanded_tags();
    if lines != expected {
        let missing = expected.iter().filter(|tag| !lines.contains(tag));
        let extra = lines.iter().filter(|tag| !expected.contains(tag));
        let mut evidence: Vec<String> = missing.map(|tag| format!("missing: {tag}")).collect();
        evidence.extend(extra.map(|tag| format!("not in the file name: {tag}")));
        let doubled = lines.windows(2).filter(|pair| pair[0] == pair[1]);
        evidence.extend(doubled.map(|pair| format!("twice: {}", pair[0])));
        evidence.truncate(50);
        let message = "its tags are not those of the file name";
        out.push(Finding::new(Code::TagsDiffer, path, message).because(evidence));
    }
}

/// `py2.py3-none-any` -> `py2-none-any`, `py3-none-any`; at most a thousand.
fn expand(line: &str) -> Vec<String> {
    let parts: Vec<&str> = line.split('-').collect();
    let [python, abi, platform] = parts[..] else { return vec![line.to_owned()] };
    let mut tags = Vec::new();
    for python in python.split('.') {
        for abi in abi.split('.') {
            tags.extend(platform.split('.').take(1000).map(|p| format!("{python}-{abi}-{p}")));
            if tags.len() > 1000 {
                return tags;
            }
        }
    }
    tags
}

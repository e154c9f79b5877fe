//! Compares WHEEL with the file name.

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Finding, Severity};
use crate::metadata::WheelFile;

/// Judges the file.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    let Some(member) = contents.dist_file("WHEEL") else { return };
    let Some(bytes) = member.kept() else { return };
    let path = &member.entry.path;
    let file = WheelFile::parse(bytes);
    if let Some(trouble) = &file.trouble {
        out.file(Code::BadWheelFile, path, trouble);
    }
    match file.values("Wheel-Version").next() {
        None => out.file(Code::BadWheelFile, path, "it has no `Wheel-Version`"),
        Some("1.0") => {}
        Some(version) => {
            let message = format!("it says `Wheel-Version: {version}`, not 1.0");
            out.file(Code::WheelVersion, path, message);
        }
    }
    match file.values("Generator").count() {
        1 => {}
        0 => out.file(Code::WheelGenerator, path, "it has no `Generator`"),
        // Tools that change a wheel add their names; most readers expect one value.
        n => {
            let message = format!("it has `Generator` {n} times");
            out.file_as(Severity::Info, Code::WheelGenerator, path, message);
        }
    }
    let platforms = contents.filename.map(|name| &name.platforms[..]).unwrap_or_default();
    let is_any = platforms == [crate::name::PlatformTag::Any];
    match file.values("Root-Is-Purelib").next().map(str::to_ascii_lowercase).as_deref() {
        // In a wheel for every platform, native files are data, such as launchers for Windows.
        Some("true") if !is_any => {
            let at_root = |m: &&super::zip::Member| super::place::in_data(&m.entry.path).is_none();
            if contents.files().filter(at_root).any(super::parsed::is_native) {
                out.file(
                    Code::PurelibWithNative,
                    path,
                    "`Root-Is-Purelib` is true, but there are native files",
                );
            }
        }
        Some("false") if is_any && !contents.has_native() => {
            out.file(Code::PlatlibInAny, path, "`Root-Is-Purelib` is false, but the tag is `any`");
        }
        Some("true" | "false") => {}
        Some(other) => {
            let message = format!("it says `Root-Is-Purelib: {other}`, not true or false");
            out.file(Code::BadWheelFile, path, message);
        }
        None => out.file(Code::BadWheelFile, path, "it has no `Root-Is-Purelib`"),
    }
    let Some(name) = contents.filename else { return };
    let build = file.values("Build").next();
    if build != name.build.as_deref() {
        let show = |tag: Option<&str>| tag.map_or("none".to_owned(), |tag| format!("`{tag}`"));
        let message =
            format!("it has {}, the file name {}", show(build), show(name.build.as_deref()));
        out.file(Code::BuildMismatch, path, message);
    }
    // A line with a tag set is an older form of several lines.
    let lines = &file.tags;
    let expected = name.expanded_tags();
    if *lines != expected {
        let missing = expected.iter().filter(|tag| !lines.contains(tag));
        let extra = lines.iter().filter(|tag| !expected.contains(tag));
        let mut evidence: Vec<String> = missing.map(|tag| format!("missing: {tag}")).collect();
        evidence.extend(extra.map(|tag| format!("not in the file name: {tag}")));
        let doubled = lines.windows(2).filter(|pair| pair[0] == pair[1]);
        evidence.extend(doubled.map(|pair| format!("twice: {}", pair[0])));
        evidence.truncate(50);
        let message = "its tags differ from the file name";
        out.push(Finding::new(Code::TagsDiffer, path, message).because(evidence));
    }
}

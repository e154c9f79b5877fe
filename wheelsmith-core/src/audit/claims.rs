//! Tags that a wheel claims: those of its file name and those of `WHEEL`.

use std::collections::BTreeSet;

use crate::binary::{Format, NativeFile};
use crate::finding::{Code, Finding};
use crate::metadata::WheelFile;
use crate::name::{PlatformTag, WheelFilename};

/// Checks that the file name, `WHEEL` and the files agree. Whether the files qualify for the
/// platform tags is judged elsewhere.
pub(super) fn check(
    filename: &WheelFilename,
    wheel: Option<&WheelFile>,
    files: &[NativeFile],
    findings: &mut Vec<Finding>,
) {
    let mut find = |code, message: String| findings.push(Finding::whole(code, message));
    let is_wasm = filename.platforms.iter().any(|tag| matches!(tag, PlatformTag::Wasm { .. }));
    let counts =
        |file: &&NativeFile| !file.is_device_code() || is_wasm && file.format() == Format::Wasm;
    let natives: Vec<&NativeFile> = files.iter().filter(counts).collect();
    let is_any = filename.platforms.contains(&PlatformTag::Any);
    match natives.first() {
        Some(file) if is_any => {
            let more = match natives.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let message =
                format!("it claims to run anywhere but has the native file `{}`{more}", file.path);
            find(Code::NativeInAny, message);
        }
        None if !is_any => {
            let message = format!("it claims {} but has no native file", list(filename));
            find(Code::NoNativeFiles, message);
        }
        _ => {}
    }
    for tag in &filename.platforms {
        if let PlatformTag::Linux { .. } = tag {
            find(Code::UnportableTag, format!("`{tag}` guarantees only a processor"));
        }
    }
    let Some(wheel) = wheel else {
        let finding = Finding::whole(Code::Unreadable, "it has no WHEEL in its `.dist-info`");
        findings.push(finding.with_help("build it with a wheel builder"));
        return;
    };
    let named: BTreeSet<String> = filename.expanded_tags().into_iter().collect();
    let stated: BTreeSet<String> = wheel.tags.iter().cloned().collect();
    if named != stated {
        let only = |what: &str, tags: &BTreeSet<String>, others: &BTreeSet<String>| {
            let tags: Vec<String> =
                tags.difference(others).map(|t| format!("{what}: {t}")).collect();
            tags
        };
        let mut evidence = only("only in the name", &named, &stated);
        evidence.extend(only("only in WHEEL", &stated, &named));
        let message = "its file name and its WHEEL have different tags";
        findings.push(Finding::whole(Code::TagsDiffer, message).because(evidence));
    }
    if wheel.is_purelib == Some(true) && !natives.is_empty() {
        let message = "WHEEL has `Root-Is-Purelib: true`, but there are native files";
        findings.push(Finding::whole(Code::PurelibWithNative, message));
    }
}

fn list(filename: &WheelFilename) -> String {
    let tags = filename.platforms.iter().map(|tag| format!("`{tag}`"));
    tags.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &[u8] = include_bytes!("../../../testdata/elf/x86_64.so");

    #[test]
    fn name_and_lines_and_files_must_agree() {
        let row = |name: &str, wheel: &str, has_native: bool, expected: &[&str]| {
            let files: Vec<NativeFile> =
                NativeFile::read(&"p/x.so".parse().unwrap(), LIBRARY).into_iter().collect();
            let files = if has_native { &files[..] } else { &[] };
            let mut findings = Vec::new();
            let wheel = (!wheel.is_empty()).then(|| WheelFile::parse(wheel.as_bytes()));
            check(&name.parse().unwrap(), wheel.as_ref(), files, &mut findings);
            let codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
            assert_eq!(codes, expected, "{findings:?}");
        };
        let linux = "d-1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl";
        let both = "Tag: py3-none-manylinux2014_x86_64\nTag: py3-none-manylinux_2_17_x86_64\n";
        let set = "Tag: py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64\n";
        row(linux, both, true, &[]);
        row(linux, set, true, &[]);
        row(linux, "Tag: py3-none-linux_x86_64\n", true, &["tags-differ"]);
        row(linux, "Root-Is-Purelib: false\n", true, &["tags-differ"]);
        row(linux, &format!("Root-Is-Purelib: true\n{both}"), true, &["purelib-with-native"]);
        row(linux, "", true, &["unreadable"]);
        row(linux, both, false, &["no-native-files"]);
        row("d-1-py3-none-any.whl", "Tag: py3-none-any\n", false, &[]);
        row("d-1-py3-none-any.whl", "Tag: py3-none-any\n", true, &["native-in-any"]);
        let plain = "Tag: py3-none-linux_x86_64\n";
        row("d-1-py3-none-linux_x86_64.whl", plain, true, &["unportable-tag"]);
    }
}

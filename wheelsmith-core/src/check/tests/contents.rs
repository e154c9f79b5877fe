use super::Row;
use super::forge::Wheel;
use crate::finding::Code;

#[test]
fn layout_record_and_entry_points() {
    super::check(ROWS);
}

pub(super) const ROWS: &[Row] = &[
    (&[Code::MissingDistInfo, Code::SeveralTopLevels, Code::NoModules], |w| {
        let old = std::mem::replace(&mut w.dist_info, "info".to_owned());
        for entry in &mut w.zip.entries {
            let name = String::from_utf8(entry.name.clone()).unwrap();
            entry.name = name.replace(&old, "info").into();
        }
    }),
    (&[Code::SeveralDistInfos], |w| {
        w.zip.entries.push(super::forge::Entry::new("other-2.0.dist-info/note.txt", "x"));
    }),
    (&[Code::DistInfoMismatch, Code::VersionNotNormalised], |w| {
        w.filename = "demo-1.0.0-py3-none-any.whl".to_owned();
    }),
    (&[Code::MissingMetadataFile], |w| w.without = vec!["RECORD"]),
    (&[Code::MissingMetadataFile], |w| w.without = vec!["WHEEL"]),
    (&[Code::MissingMetadataFile], |w| w.without = vec!["METADATA"]),
    (&[Code::InstallerFile], |w| w.add_meta("INSTALLER", "pip\n")),
    (&[Code::InstallerFile], |w| w.add_meta("direct_url.json", "{}")),
    (&[Code::UnknownDataScheme], |w| {
        w.add("demo-1.0.data/docs/demo.txt", "x");
    }),
    (&[Code::NestedScript], |w| {
        w.add("demo-1.0.data/scripts/deep/demo-run", "#!/bin/sh\n").mode = Some(0o100_755);
    }),
    (&[Code::ScriptShebang], |w| {
        w.add("demo-1.0.data/scripts/demo-run", "#!/usr/bin/env python3\n").mode = Some(0o100_755);
    }),
    (&[], |w| {
        w.add("demo-1.0.data/scripts/demo-run", "#!python\n").mode = Some(0o100_755);
    }),
    (&[Code::ScriptNotExecutable], |w| {
        w.add("demo-1.0.data/scripts/demo-run", "#!python\n");
    }),
    (&[], |w| {
        w.add("demo-1.0.data/scripts/demo-run.bat", "@echo off\n");
    }),
    (&[Code::ScriptNotExecutable], |w| {
        w.rename("demo-1.0-py3-none-manylinux_2_17_x86_64.whl");
        w.add("demo-1.0.data/scripts/demo-run", "\x7fELF");
    }),
    (&[], |w| {
        w.rename("demo-1.0-py3-none-manylinux_2_17_x86_64.whl");
        w.add("demo-1.0.data/scripts/demo-run", "\x7fELF").mode = Some(0o100_755);
    }),
    (&[Code::ReservedName], |w| w.add_meta("license_files", "x")),
    (&[Code::UnlistedLicense], |w| w.add_meta("licenses/OTHER", "x")),
    (&[Code::BadSbom], |w| w.add_meta("sboms/readme.txt", "see above")),
    (&[Code::BadSbom], |w| w.add_meta("sboms/a.json", "{\"bomFormat\": ")),
    (&[Code::BadSbom], |w| w.add_meta("sboms/a.json", "{\"bomFormat\": \"Other\"}")),
    (&[Code::SbomWithoutTool], |w| w.add_meta("sboms/a.json", r#"{"bomFormat": "CycloneDX"}"#)),
    (&[], |w| {
        let old = r#"{"bomFormat": "CycloneDX", "metadata": {"tools": [{"name": "forge"}]}}"#;
        w.add_meta("sboms/a.json", old);
        let spdx = r#"{"spdxVersion": "SPDX-2.3", "creationInfo": {"creators": ["Tool: forge"]}}"#;
        w.add_meta("sboms/b.json", spdx);
    }),
    // RECORD.
    (&[Code::RecordSyntax], |w| w.record = |text| text + "one,two\n"),
    (&[Code::RecordSyntax], |w| w.record = |text| text + "\"demo"),
    // A tool that does not quote wrote this.
    (&[Code::RecordSyntax, Code::RecordMissing], |w| {
        w.add("demo/a,b.txt", "x");
        w.record = |text| text.replace('"', "");
    }),
    (&[], |w| {
        w.add("demo/a,b.txt", "x");
    }),
    (&[Code::RecordMissing], |w| {
        w.record = |text| text.lines().skip(1).flat_map(|line| [line, "\n"]).collect();
    }),
    (&[Code::RecordAbsent], |w| w.record = |text| text + "demo/gone.py,sha256=x,1\n"),
    (&[Code::RecordMismatch], |w| {
        w.record = |text| {
            let digest = text.split(['=', ',']).nth(2).unwrap().to_owned();
            text.replace(&digest, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU")
        };
    }),
    (&[Code::RecordDigest], |w| w.record = |text| text.replace("sha256", "md5")),
    (&[Code::RecordDigest], |w| {
        w.record = |text| text.replacen(",27\n", "=,27\n", 1).replacen(",26\n", "=,26\n", 1);
    }),
    (&[Code::RecordSize], |w| w.record = |text| text.replacen(",26\n", ",027\n", 1)),
    (&[Code::RecordDuplicate], |w| {
        w.record = |text| {
            let first = text.lines().next().unwrap().to_owned();
            format!("{text}{first}\n")
        };
    }),
    (&[Code::RecordForm], |w| w.record = |text| text.replace('\n', "\r\n")),
    (&[Code::RecordForm], |w| w.record = |text| format!("demo/,,\n{text}")),
    (&[Code::RecordSyntax], |w| w.record = |text| format!("../demo/,,\n{text}")),
    (&[Code::RecordSignature], |w| {
        w.add_meta("RECORD.jws", "{}");
        w.record = |text| {
            text.lines()
                .filter(|line| !line.contains(".jws"))
                .fold(String::new(), |text, line| text + line + "\n")
        };
    }),
    (&[Code::RecordSignature], |w| w.add_meta("RECORD.p7s", "")),
    (&[Code::RecordSignature], |w| w.record = |text| text + "demo-1.0.dist-info/RECORD.jws,,\n"),
    (&[Code::RecordAbsent], |w| w.record = |text| text + "demo/x.jws,,\n"),
    // Entry points.
    (&[Code::EntryPointsSyntax], |w| w.entry("points.txt").content = b"demo = demo:main\n".into()),
    (&[Code::EntryPointsSyntax], |w| w.entry("points.txt").content = b"[a]\n\xff = b:c\n".into()),
    (&[Code::EntryPointsSyntax], |w| {
        w.entry("points.txt").content = b"[a]\nb: demo\n".into();
    }),
    (&[Code::EntryPointName], |w| {
        w.entry("points.txt").content = b"[console_scripts]\nde/mo = demo:main\n".into();
    }),
    (&[Code::EntryPointTarget], |w| {
        w.entry("points.txt").content = b"[console_scripts]\ndemo = demo.run\n".into();
    }),
    // Locations of files.
    (&[Code::CompiledPython], |w| {
        w.add("demo/__pycache__/run.cpython-312.pyc", "x");
    }),
    (&[Code::DuplicateContent], |w| {
        w.add("demo/again.py", "def main(): print('demo')\n");
    }),
    (&[Code::StrayTopLevel, Code::SeveralTopLevels], |w| {
        w.add("README.md", "# demo");
    }),
    (&[Code::NotImportable], |w| {
        w.add("demo/run-me.py", "x = 1");
    }),
    (&[Code::CommonName, Code::SeveralTopLevels], |w| {
        w.add("tests/test_demo.py", "assert True");
    }),
    (&[Code::TopLevelInit], |w| {
        w.add("__init__.py", "x = 2");
    }),
    (&[Code::EmptyLibrary, Code::EntryPointTarget], |w| {
        w.zip.entries.retain(|entry| !entry.name.starts_with(b"demo/"));
    }),
    (&[Code::EmptyLibrary, Code::NoModules], |w| {
        w.only_metadata();
        w.add("demo/table.csv", "x");
    }),
    (&[Code::EmptyWheel], Wheel::only_metadata),
    // A meta-package.
    (&[Code::EmptyWheel], |w| {
        w.only_metadata();
        w.field("Requires-Dist", "numpy");
    }),
    // Namespaces (PEP 420), stubs (PEP 561), and files below `purelib`.
    (&[], |w| {
        w.only_metadata();
        w.add("acme/tool/__init__.py", "x = 1\n");
    }),
    (&[], |w| {
        w.only_metadata();
        w.add("demo-stubs/__init__.pyi", "x: int\n");
    }),
    (&[], |w| {
        w.only_metadata();
        w.add("demo-1.0.data/purelib/demo.py", "x = 1\n");
    }),
    (&[Code::EntryPointTarget], |w| {
        w.entry("points.txt").content = b"[console_scripts]\ndemo = demo.cli:main\n".into();
    }),
    (&[Code::SeveralTopLevels], |w| {
        w.add("other/__init__.py", "x = 2");
    }),
    (&[Code::NoModules, Code::SeveralTopLevels], |w| {
        w.add("more/table.csv", "x");
    }),
    // Bundled libraries are permitted.
    (&[], |w| {
        w.rename("demo-1.0-py3-none-manylinux_2_17_x86_64.whl");
        w.add("demo.libs/libz.so.1", "data");
        w.about = w.about.replace("true", "false");
    }),
];

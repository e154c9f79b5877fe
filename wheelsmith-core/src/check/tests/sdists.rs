use super::SdistRow;
use crate::finding::Code;

#[test]
fn source_distributions() {
    super::check_sdists(ROWS);
}

pub(super) const ROWS: &[SdistRow] = &[
    (&[Code::BadFilename], |s| s.filename = "demo-1.0.tar.bz2".to_owned()),
    (&[Code::BadFilename], |s| s.filename = "demo.tar.gz".to_owned()),
    (&[Code::NameNotNormalised, Code::SdistTop], |s| s.filename = "Demo-1.0.tar.gz".to_owned()),
    (&[Code::VersionMismatch, Code::SdistTop], |s| s.filename = "demo-1.1.tar.gz".to_owned()),
    (&[Code::SdistTop], |s| s.members.push(("more/".to_owned(), b'5', Vec::new()))),
    (&[Code::SdistTop], |s| {
        for member in &mut s.members {
            member.0 = member.0.replace("demo-1.0", "Demo-1.0");
        }
    }),
    // The index searches for `demo-1.0/P/PKG-INFO`.
    (&[Code::SdistTop, Code::MissingPyproject], |s| {
        let text = String::from_utf8(s.members[1].2.clone()).unwrap();
        let text = text.replace("License-File: LICENSE\n", "");
        s.members = vec![
            ("demo-1.0/PKG-INFO".to_owned(), b'0', text.into()),
            ("demo-1.0/PKG".to_owned(), b'0', Vec::new()),
        ];
    }),
    (&[Code::VersionNotNormalised], |s| {
        let text = String::from_utf8(s.members[1].2.clone()).unwrap();
        s.members[1].2 = text.replace("Version: 1.0\n", "Version: 1.0.0\n").into();
    }),
    (&[Code::UnportableName], |s| {
        s.members.push(("demo-1.0/src/aux.c".to_owned(), b'0', Vec::new()));
    }),
    (&[Code::MissingPkgInfo], |s| s.members[1].0 = "demo-1.0/INFO".to_owned()),
    (&[Code::MissingPyproject], |s| s.members[2].0 = "demo-1.0/setup.py".to_owned()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"[project\nname=".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"a = 1\na = 2\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"# \xff\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"build-system = 1\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"[build-system]\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"[build-system]\nrequires = 'x'\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"[build-system]\nrequires = [1]\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2 = b"[build-system]\nrequires = ['x =']\n".into()),
    (&[Code::BadPyproject], |s| s.members[2].2.extend(b"build-backend = ''\n")),
    (&[Code::BadPyproject], |s| s.members[2].2.extend(b"backend-path = '.'\n")),
    (&[], |s| s.members[2].2 = b"[tool.x]\n".into()),
    (&[], |s| {
        s.members[2].2.extend(b"build-backend = 'a.b:c'\nbackend-path = ['.']\n[project]\n");
        s.members[2].2.extend(b"name = 'Demo'\nversion = '1'\n");
    }),
    (&[Code::NameMismatch], |s| s.members[2].2.extend(b"[project]\nname = 'other'\n")),
    (&[Code::VersionMismatch], |s| {
        s.members[2].2.extend(b"[project]\nname = 'demo'\nversion = '2'\n");
    }),
    (&[Code::LicenseFile], |s| s.members[3].0 = "demo-1.0/COPYING".to_owned()),
    (&[Code::MetadataSyntax], |s| s.members[1].2.splice(0..0, *b"no field\n").for_each(drop)),
    (&[Code::UnsafePath], |s| s.members[4].0 = "demo-1.0/../evil.py".to_owned()),
    (&[Code::UnsafePath], |s| {
        s.members.push(("demo-1.0/link".to_owned(), b'2', b"../../etc/passwd".into()));
    }),
    (&[], |s| s.members.push(("demo-1.0/link".to_owned(), b'2', b"demo/__init__.py".into()))),
    (&[Code::SpecialFile], |s| s.members.push(("demo-1.0/dev".to_owned(), b'3', Vec::new()))),
    // The target of a hard link is relative to the top of the archive, and unpacked before.
    (&[], |s| {
        s.members.push(("demo-1.0/link".to_owned(), b'1', b"demo-1.0/demo/__init__.py".into()));
    }),
    (&[Code::SpecialFile], |s| {
        s.members.push(("demo-1.0/link".to_owned(), b'1', b"demo/__init__.py".into()));
    }),
    (&[Code::SpecialFile], |s| {
        s.members
            .insert(0, ("demo-1.0/link".to_owned(), b'1', b"demo-1.0/demo/__init__.py".into()));
    }),
    (&[Code::DuplicateEntry], |s| s.members.push(s.members[4].clone())),
    (&[Code::CaseClash], |s| {
        s.members.push(("demo-1.0/Demo/__init__.py".to_owned(), b'0', Vec::new()));
    }),
    (&[Code::StrayBytes], |s| s.behind = b"more".into()),
    (&[Code::StrayBytes], |s| s.end.extend(b"more")),
    (&[], |s| s.end.clear()),
    (&[], |s| s.end.resize(10240, 0)),
    (&[Code::Unreadable], |s| s.end.truncate(100)),
    (&[Code::OverLimit, Code::SdistTop], |s| s.options.limits.entries = 0),
    (&[Code::CompressionRatio], |s| {
        s.options.limits.ratio_from_bytes = 1000;
        s.members.push(("demo-1.0/zeros".to_owned(), b'0', vec![0; 2_000_000]));
    }),
    (&[Code::LargeFile], |s| s.options.limits.file_bytes = 10),
];

//! Sample reports for tests of the formats, made from the small binaries in `testdata`.

use wheelsmith_core::archive::Kind;
use wheelsmith_core::audit::{Auditwheel, Input, NativeFile, Report, Requirement, judgement};
use wheelsmith_core::check;
use wheelsmith_core::finding::{Code, Finding};
use wheelsmith_core::name::WheelFilename;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/", $name)).as_slice()
    };
}

/// Name that contains the special characters of all formats.
pub(super) const HOSTILE: &str =
    "evil/<script>alert('1')</script>&\"`|_*[x](javascript:y)%0A::error::@all ]]>\u{202e}gpj.so";

/// Returns the input of a wheel with these files, judged as the audit does.
pub(super) fn wheel(name: &str, files: &[(&str, &[u8])]) -> Input {
    let filename: WheelFilename = name.parse().unwrap();
    let wanted = Requirement::for_tag(&filename.platforms[0]).unwrap();
    let read = |(path, bytes): &(&str, &[u8])| NativeFile::read(&path.parse().unwrap(), *bytes);
    let audit = judgement(files.iter().filter_map(read).collect(), None, &wanted);
    Input {
        claimed_tags: filename.platforms.clone(),
        wheel: Some(filename),
        verdict: audit.tag,
        findings: audit.findings,
        files: audit.files,
        ..Input::new(format!("dist/{name}"), Kind::Wheel)
    }
}

/// Returns a report with inputs of every kind: a wheel with errors, one with a waived error and
/// hostile names, one for macOS, a good one, and one that could not be judged.
pub(super) fn report() -> Report {
    let mut faulty = wheel(
        "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
        &[
            ("demo/new.so", fixture!("elf/too-new.so")),
            ("demo/user.so", fixture!("elf/runpath.so")),
            ("demo/outside.so", fixture!("elf/rpath-outside.so")),
            ("demo/lib/libplain.so", fixture!("elf/x86_64.so")),
            ("demo/quiet.so", fixture!("elf/quiet-gnu-ld.so")),
            ("demo/cut.so", fixture!("elf/too-short.so")),
            ("demo.libs/versioned.so", fixture!("elf/versioned.so")),
        ],
    );
    faulty.findings.push(Finding::whole(Code::UnusedWaiver, "it matches no finding"));
    let claim = Finding::whole(Code::TagNotEarned, "it claims `manylinux_2_17_x86_64`");
    faulty.findings.insert(0, claim);
    faulty.auditwheel_verdict = Some(Auditwheel {
        tag: Some("manylinux_2_34_x86_64".parse().unwrap()),
        reasons: vec!["it passes over `demo/cut.so`".to_owned()],
    });
    let mut hostile = wheel(
        "hostile-2.0-py3-none-manylinux_2_17_x86_64.whl",
        &[(HOSTILE, fixture!("elf/x86_64.so"))],
    );
    let path = HOSTILE.parse().unwrap();
    let mut waived = Finding::new(Code::ExternalLibrary, &path, format!("it needs `{HOSTILE}`"));
    waived.evidence = (0..5).map(|n| format!("{n} <b>{HOSTILE}</b>")).collect();
    waived.waived = Some("the <i>host</i> application brings it".to_owned());
    hostile.findings.push(waived);
    hostile.findings.push(Finding::new(
        Code::SymbolTooNew,
        &path,
        "100% <new>, it's: a, b\r\nand c",
    ));
    let mac = wheel(
        "mac-1.0-cp312-cp312-macosx_11_0_arm64.whl",
        &[
            ("mac/user.so", fixture!("macho/rpath.dylib")),
            ("mac/newer.so", fixture!("macho/newer.dylib")),
        ],
    );
    let good = wheel(
        "good-1.0-py3-none-manylinux_2_17_x86_64.whl",
        &[("good/bin/run", fixture!("elf/program"))],
    );
    let mut broken = wheel("broken-1.0-py3-none-win_amd64.whl", &[]);
    broken.verdict = None;
    broken.error =
        Some("cannot read `dist/broken-1.0-py3-none-win_amd64.whl`: it is <cut> short".into());
    Report::new(vec![faulty, hostile, mac, good, broken])
}

/// Returns a report on a wheel with more files than are drawn separately, in directories that
/// depend on each other, and on one with exactly as many.
pub(super) fn many() -> Report {
    let user = fixture!("elf/runpath.so");
    let plain = fixture!("elf/x86_64.so");
    let files = |count: usize| -> Vec<(String, &[u8])> {
        let path = |n: usize| match n % 3 {
            0 => (format!("many/lib/libplain{n}.cpython-312-x86_64-linux-gnu.so"), plain),
            1 => (format!("many/part{}/user_with_a_rather_long_name_{n}.so", n % 7), user),
            _ => (format!("many/part{}/deep/er/new{n}.so", n % 5), fixture!("elf/too-new.so")),
        };
        let library = ("many/part1/libplain.so".to_owned(), plain);
        (0..count).map(path).chain([library]).collect()
    };
    let input = |name: &str, files: &[(String, &[u8])]| {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(path, b)| (path.as_str(), *b)).collect();
        wheel(name, &files)
    };
    let inputs = vec![
        input("many-1.0-py3-none-manylinux_2_17_x86_64.whl", &files(400)),
        input("some-1.0-py3-none-manylinux_2_17_x86_64.whl", &files(55)),
    ];
    Report::new(inputs)
}

/// Returns the report of a check on a wheel with errors, one with hostile names, a good sdist and a
/// file that cannot be read.
pub(super) fn checked() -> check::Report {
    let input = |name: &str, findings: Vec<Finding>| {
        let kind = check::Kind::of(name);
        check::Input::new(format!("dist/{name}"), Ok(check::Checked::new(kind, findings)))
    };
    let path = HOSTILE.parse().unwrap();
    let hostile = Finding::new(Code::UnsafePath, &path, format!("`{HOSTILE}` is no path"));
    let whole = Finding::whole(Code::LocalVersion, "`1.0+cu12` has a local part (`+…`)");
    let mut report = check::Report::new(vec![
        input("demo-1.0+cu12-py3-none-any.whl", vec![whole]),
        input("hostile-2.0-py3-none-any.whl", vec![hostile]),
        input("demo-1.0.tar.gz", Vec::new()),
        check::Input::new("gone.whl".to_owned(), Err(std::io::Error::other("it is <gone>"))),
    ]);
    report.configuration.push(Finding::whole(Code::UnusedWaiver, "the waiver of `bad-url`"));
    report
}

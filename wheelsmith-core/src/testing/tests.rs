use super::*;
use crate::name::{Arch, Libc, PlatformVersion};

fn python(text: &str) -> Python {
    let Ok(Request::Version { implementation, version, free_threaded }) = text.parse() else {
        panic!("`{text}` is no Python");
    };
    let glibc = Platform::Linux {
        arch: Arch::X86_64,
        libc: Libc::Glibc,
        version: Some(PlatformVersion::new(2, 31)),
    };
    Python {
        program: format!("/usr/bin/python{text}").into(),
        runner: Vec::new(),
        version: [version[0], version[1], version.get(2).copied().unwrap_or(0)],
        implementation,
        free_threaded,
        platform: glibc,
        aliases: Vec::new(),
        pip: None,
    }
}

#[test]
fn wheels_fit_pythons_by_their_tags() {
    let check = |wheel: &str, python_text: &str, expected: Option<&str>| {
        let wheel = format!("demo-1.0-{wheel}.whl").parse().unwrap();
        let refusal = python(python_text).refuses(&wheel, None);
        assert_eq!(refusal.as_deref(), expected, "{wheel} on {python_text}");
    };
    check("py3-none-any", "3.8", None);
    check("py2.py3-none-any", "pypy3.10", None);
    check("py2-none-any", "3.8", Some("its tag `py2-none` is not for Python 3.8"));
    check("py39-none-any", "3.8", Some("its tag `py39-none` is not for Python 3.8"));
    check("py39-none-any", "3.12", None);
    check("cp39-abi3-manylinux_2_17_x86_64", "3.12", None);
    check("cp39-abi3-manylinux_2_17_x86_64", "3.8", {
        Some("its tag `cp39-abi3` is not for Python 3.8")
    });
    check("cp39-abi3-manylinux_2_17_x86_64", "3.13t", {
        Some("its tag `cp39-abi3` is not for Python 3.13t")
    });
    check("cp312-cp312-manylinux2014_x86_64", "3.12", None);
    check("cp312-cp312-manylinux2014_x86_64", "3.13", {
        Some("its tag `cp312-cp312` is not for Python 3.13")
    });
    check("cp313-cp313t-linux_x86_64", "3.13t", None);
    check("cp313-cp313t-linux_x86_64", "3.13", {
        Some("its tag `cp313-cp313t` is not for Python 3.13")
    });
    check("cp37-cp37m-linux_x86_64", "3.7", None);
    check("pp310-pypy310_pp73-linux_x86_64", "pypy3.10", None);
    check("py3-none-manylinux_2_34_x86_64", "3.12", {
        Some("the wheel needs a newer glibc than 2.31")
    });
    check("py3-none-manylinux_2_34_x86_64.manylinux_2_28_x86_64", "3.12", None);
    check("py3-none-manylinux_2_17_aarch64", "3.12", Some("the wheel is not for x86_64"));
    check("py3-none-musllinux_1_2_x86_64", "3.12", Some("the wheel is not for x86_64"));
    check("py3-none-macosx_11_0_arm64", "3.12", Some("the wheel is not for x86_64"));
    let wheel = "demo-1.0-py3-none-any.whl".parse().unwrap();
    let wants = ">=3.9,<3.12".parse().unwrap();
    assert_eq!(python("3.11.7").refuses(&wheel, Some(&wants)), None);
    let refusal = python("3.8.18").refuses(&wheel, Some(&wants));
    assert_eq!(refusal.as_deref(), Some("the wheel requires Python >=3.9,<3.12"));
}

#[test]
fn pythons_are_asked_for_by_version() {
    let check = |text: &str, met_by: &[&str], not_by: &[&str]| {
        let request: Request = text.parse().unwrap();
        assert_eq!(request.to_string(), text);
        let is_met = |python_text: &&str| request.is_met_by(&python(python_text));
        assert!(met_by.iter().all(is_met) && !not_by.iter().any(is_met), "{text}");
    };
    check("3.12", &["3.12", "3.12.4"], &["3.1", "3.13", "pypy3.12", "3.12t"]);
    check("3", &["3.8", "3.14"], &["pypy3.10"]);
    check("3.12.1", &["3.12.1"], &["3.12.2"]);
    check("3.13t", &["3.13t"], &["3.13"]);
    check("pypy3.10", &["pypy3.10"], &["3.10"]);
    check("/usr/bin/python3.12", &["3.12"], &["3.11"]);
    for bad in ["", "python", "3.x", "3.1.2.3", "jython2.7", "312"] {
        bad.parse::<Request>().unwrap_err();
    }
}

fn subject(wheel: &str) -> TestedWheel {
    TestedWheel {
        path: wheel.into(),
        filename: wheel.parse().unwrap(),
        requires_python: Some(">=3.9".parse().unwrap()),
        has_dependencies: false,
        imports: Vec::new(),
        commands: Vec::new(),
        entry_points: Vec::new(),
        is_without_modules: false,
        built_by: None,
        natives: Vec::new(),
    }
}

#[test]
fn nothing_disappears_from_the_matrix() {
    let foreign = Python {
        runner: vec!["qemu".into()],
        platform: Platform::Linux { arch: Arch::Aarch64, libc: Libc::Glibc, version: None },
        ..python("3.11")
    };
    let pythons = [python("3.8"), python("3.12.1"), python("3.12.4"), foreign];
    let subjects = [
        subject("demo-1-py3-none-manylinux_2_17_x86_64.whl"),
        subject("demo-1-py3-none-manylinux_2_17_aarch64.whl"),
        subject("demo-1-py3-none-musllinux_1_2_s390x.whl"),
    ];
    let check =
        |requests: &[&str], schemes: &[InstallScheme], targets: &[&str], expected: &[&str]| {
            let settings = Settings {
                pythons: requests.iter().map(|text| text.parse().unwrap()).collect(),
                schemes: schemes.to_vec(),
                ..Settings::default()
            };
            let targets: Vec<_> = targets.iter().map(|text| text.parse().unwrap()).collect();
            let subjects = &subjects[..if targets.is_empty() { 3 } else { 2 }];
            let cells = matrix(subjects, &pythons, &settings, &targets);
            let shown: Vec<String> = cells
                .iter()
                .map(|cell| {
                    let skip = cell.skip.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                    format!("{}{}{skip}", cell.id, if cell.required { "!" } else { "" })
                })
                .collect();
            assert_eq!(shown, expected, "{requests:?}");
        };
    check(
        &[],
        &[InstallScheme::Venv, InstallScheme::Target],
        &[],
        &[
            "demo-cp38-x86_64-venv: the wheel requires Python >=3.9",
            "demo-cp312-x86_64-venv",
            "demo-cp312-x86_64-target",
            "demo-cp311-aarch64-venv",
            "demo-cp311-aarch64-target",
            "demo-no-python-s390x-musl-venv: there is no Python for s390x-musl here",
        ],
    );
    check(
        &["3.12", "3.7", "3.8"],
        &[InstallScheme::Venv],
        &[],
        &[
            "demo-cp312-x86_64-venv!",
            "demo-cp38-x86_64-venv!: the wheel requires Python >=3.9",
            "demo-python3.7-x86_64-venv!: there is no Python 3.7 here",
            "demo-cp311-aarch64-venv",
            "demo-no-python-s390x-musl-venv: there is no Python for s390x-musl here",
        ],
    );
    check(
        &[],
        &[InstallScheme::Venv],
        &["aarch64-unknown-linux-gnu"],
        &[
            "demo-no-python-x86_64-venv!: there is no Python for x86_64 here",
            "demo-cp311-aarch64-venv",
        ],
    );
}

fn cell(id: &str, status: Status, tests: Option<(u32, u32, u32)>) -> CellReport {
    CellReport {
        id: id.to_owned(),
        wheel: String::new(),
        python: String::new(),
        interpreter: String::new(),
        platform: String::new(),
        foreign: false,
        scheme: Some(InstallScheme::Venv),
        status,
        required: false,
        reason: None,
        tests: tests.map(|(passed, failed, skipped)| Tests { passed, failed, skipped }),
        steps: Vec::new(),
        time_secs: 0.0,
        log: None,
    }
}

#[test]
fn results_are_accounted() {
    use Status::{AllowedFailure, Failed, Passed, Skipped};
    type Row<'a> = (&'a str, Status, Option<(u32, u32, u32)>);
    let check = |rows: &[Row<'_>],
                 required: &[&str],
                 allowed: &[&str],
                 max_skipped: Option<u32>,
                 expected: &[Status],
                 complaints: &[&str]| {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let settings = Settings {
            required: texts(required),
            allowed_failures: texts(allowed),
            max_skipped,
            ..Settings::default()
        };
        let cells = rows.iter().map(|(id, status, tests)| cell(id, *status, *tests)).collect();
        let report = judge(cells, &settings).unwrap();
        let found: Vec<Status> = report.cells.iter().map(|cell| cell.status).collect();
        assert_eq!(found, expected, "{rows:?}");
        assert_eq!(report.complaints, complaints, "{rows:?}");
        let good = complaints.is_empty() && !expected.contains(&Failed);
        assert_eq!(report.verdict == Verdict::Good, good, "{rows:?}");
        let totals = report.totals;
        let sum = totals.passed + totals.failed + totals.skipped + totals.allowed_failures;
        assert_eq!(sum as usize, rows.len());
    };
    let some = |passed, failed, skipped| Some((passed, failed, skipped));
    check(&[("a", Passed, None), ("b", Skipped, None)], &[], &[], None, &[Passed, Skipped], &[]);
    check(&[("a", Passed, None), ("b", Failed, None)], &[], &[], None, &[Passed, Failed], &[]);
    check(
        &[("a", Passed, None), ("b", Failed, None)],
        &[],
        &["b"],
        None,
        &[Passed, AllowedFailure],
        &[],
    );
    // A required cell may not fail, even if a wider pattern allows it.
    check(
        &[("a", Passed, None), ("b", Failed, None)],
        &["b"],
        &["*"],
        None,
        &[Passed, Failed],
        &[],
    );
    check(
        &[("a", Passed, None), ("b", Skipped, None)],
        &["b"],
        &[],
        None,
        &[Passed, Skipped],
        &["`b` is required but was skipped: without a reason"],
    );
    check(
        &[("a", Passed, None)],
        &["a", "cp39*"],
        &[],
        None,
        &[Passed],
        &["`cp39*` is required but matches no cell"],
    );
    // Skips of single tests.
    check(&[("a", Passed, some(3, 0, 2))], &[], &[], None, &[Passed], &[]);
    check(&[("a", Passed, some(3, 0, 2))], &[], &[], Some(2), &[Passed], &[]);
    check(&[("a", Passed, some(3, 0, 2))], &[], &[], Some(1), &[Failed], &[]);
    check(
        &[("a", Passed, some(0, 0, 2)), ("b", Passed, None)],
        &[],
        &[],
        None,
        &[Skipped, Passed],
        &[],
    );
    check(
        &[("a", Passed, some(0, 0, 2)), ("b", Passed, None)],
        &["*"],
        &[],
        None,
        &[Skipped, Passed],
        &["`a` is required but was skipped: every test was skipped, all 2"],
    );
    check(&[("a", Passed, some(0, 0, 0))], &[], &[], None, &[Failed], &[]);
    check(&[("a", Skipped, None)], &[], &[], None, &[Skipped], {
        &["no cell passed: nothing was proved"]
    });
    check(&[("a", Failed, None)], &[], &["a"], None, &[AllowedFailure], {
        &["no cell passed: nothing was proved"]
    });
    check(&[], &[], &[], None, &[], &["no cell passed: nothing was proved"]);
}

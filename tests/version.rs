//! `wheelsmith version` before independent judges: cargo, uv, npm, git, `packaging` and `semver`.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::{Sandbox, TestEnv};

/// Files of a project in three languages, all in version 1.2.0. `package.json` has the line ends of
/// Windows, and one `pyproject.toml` begins with a byte order mark.
const FILES: [(&str, &str); 7] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"2\"\n[workspace.package]\n\
         version = \"1.2.0\"\n[workspace.dependencies]\n\
         acme-a = { path = \"crates/a\", version = \"=1.2.0\" }\n",
    ),
    (
        "crates/a/Cargo.toml",
        "[package]\nname = \"acme-a\"\nversion.workspace = true\nedition = \"2021\"\n",
    ),
    (
        "crates/b/Cargo.toml",
        "[package]\nname = \"acme-b\"\nversion.workspace = true\nedition = \"2021\"\n\
         [dependencies]\nacme-a.workspace = true\n",
    ),
    (
        "pyproject.toml",
        "[project]\nname = \"acme\"\nversion = \"1.2.0\"\nrequires-python = \">=3.9\"\n\
         [tool.uv.workspace]\nmembers = [\"pkg\"]\n\
         [tool.uv.sources]\nacme-tool = { workspace = true }\n\
         [dependency-groups]\ndev = [\"acme-tool==1.2.0\"]\n\
         [tool.wheelsmith]\ntargets = [\"x86_64-unknown-linux-gnu\"]\n\
         version = { sites = [\"Cargo.toml\", \"pkg/pyproject.toml\", \"npm/package.json\"] }\n",
    ),
    (
        "pkg/pyproject.toml",
        "\u{feff}[project]\nname = \"acme-tool\"\nversion = \"1.2.0\"\n\
         requires-python = \">=3.9\"\ndependencies = [\"acme==1.2.0\"]\n\
         [tool.uv.sources]\nacme = { workspace = true }\n",
    ),
    (
        "npm/package.json",
        "{\r\n  \"name\": \"@acme/core\",\r\n  \"version\": \"1.2.0\",\r\n  \"dependencies\": {}\r\n}\r\n",
    ),
    (
        "npm/package-lock.json",
        "{\n  \"name\": \"@acme/core\",\n  \"version\": \"1.2.0\",\n  \"lockfileVersion\": 3,\n\
         \x20 \"requires\": true,\n  \"packages\": {\n    \"\": {\n      \"name\": \"@acme/core\",\n\
         \x20     \"version\": \"1.2.0\",\n      \"dependencies\": {}\n    }\n  }\n}\n",
    ),
];

fn run(program: &Path, args: &[&str], dir: &Path) -> String {
    let mut command = Command::new(program);
    command.args(args).current_dir(dir);
    for (name, value) in [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.org")] {
        command.env(name, value).env(name.replace("AUTHOR", "COMMITTER"), value);
    }
    let done = command.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&done.stderr));
    text
}

#[test]
fn lock_files_stay_current() {
    let test = "lock_files_stay_current";
    let Some(env) = TestEnv::find(test) else { return };
    let Some(uv) = env.get("judges/bin/uv", test) else { return };
    let (cargo, git) = (Path::new(env!("CARGO")), Path::new("git"));
    let sandbox = Sandbox::new();
    let dir = sandbox.path();
    for (path, text) in FILES {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for package in ["a", "b"] {
        fs::create_dir_all(dir.join("crates").join(package).join("src")).unwrap();
        fs::write(dir.join("crates").join(package).join("src/lib.rs"), "").unwrap();
    }
    run(cargo, &["generate-lockfile", "--offline"], dir);
    run(&uv, &["lock", "--offline", "--quiet"], dir);
    run(git, &["init", "-q"], dir);
    run(git, &["add", "."], dir);
    run(git, &["commit", "-qm", "1"], dir);

    sandbox
        .expect(0, &["version", "bump", "minor", "--pre", "rc", "--format", "json"])
        .answers(&["\"to\": \"1.3.0-rc.1\""]);
    run(cargo, &["metadata", "--locked", "--offline", "--format-version", "1"], dir);
    run(&uv, &["lock", "--locked", "--offline", "--quiet"], dir);
    let has_npm = Command::new("npm").arg("--version").output().is_ok();
    if has_npm {
        run(Path::new("npm"), &["ci", "--dry-run", "--offline"], &dir.join("npm"));
    } else {
        eprintln!("skipped a part of {test}: there is no npm");
    }
    // Each changed line has a version; nothing else in a file is touched.
    let numstat = run(git, &["diff", "--numstat"], dir);
    let expected = "2\t2\tCargo.lock\n2\t2\tCargo.toml\n2\t2\tnpm/package-lock.json\n\
                    1\t1\tnpm/package.json\n2\t2\tpkg/pyproject.toml\n2\t2\tpyproject.toml\n2\t2\tuv.lock\n";
    assert_eq!(numstat, expected);

    sandbox.expect(0, &["version", "check", "--tag", "refs/tags/v1.3.0-rc.1"]);
    sandbox.expect(2, &["version", "bump", "pre"]).says(&["git reports changed files: Cargo.lock"]);
    // The diff of a dry run is the change.
    run(git, &["commit", "-qam", "2"], dir);
    // The form for people escapes the line ends of Windows.
    let args = ["version", "bump", "release", "--dry-run", "--format", "json"];
    let answer: serde_json::Value = serde_json::from_str(&sandbox.expect(0, &args).stdout).unwrap();
    let diff = answer["diff"].as_str().unwrap();
    assert_eq!(run(git, &["diff", "--numstat"], dir), "");
    fs::write(dir.join(".git/change.diff"), diff).unwrap();
    run(git, &["apply", "--unidiff-zero", ".git/change.diff"], dir);
    sandbox.expect(0, &["version", "check", "--tag", "v1.3.0"]);
}

#[test]
fn packaging_sorts_as_semver_does() {
    let test = "packaging_sorts_as_semver_does";
    let Some(env) = TestEnv::find(test) else { return };
    let Some(python) = env.get("judges/bin/python", test) else { return };
    let chain = [
        "1.2.0-0.dev.2",
        "1.2.0-0.dev.10",
        "1.2.0-alpha.1",
        "1.2.0-alpha.2",
        "1.2.0-beta.1",
        "1.2.0-rc.1",
        "1.2.0-rc.9",
        "1.2.0-rc.10",
        "1.2.0",
        "1.2.1-0.dev.0",
        "1.2.1",
    ];
    let sandbox = Sandbox::new();
    let mut pep440 = Vec::new();
    for version in chain {
        // `[project]` takes the form of PEP 440, so the version comes from a file of its own.
        let project = "[project]\nname = 'a'\ndynamic = ['version']\n\
                       [tool.wheelsmith]\nversion = { from = 'toml' }\n";
        fs::write(sandbox.path().join("pyproject.toml"), project).unwrap();
        fs::write(sandbox.path().join("version.toml"), format!("version = '{version}'\n")).unwrap();
        let shown = sandbox.expect(0, &["version", "show", "--format", "json"]).stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["semver"], version);
        pep440.push(shown["pep440"].as_str().unwrap().to_owned());
    }
    let code = "import sys; from packaging.version import Version as V; v = sys.argv[1:]; \
                assert sorted(v, key=V) == v and [str(V(x)) for x in v] == v, v";
    let mut args = vec!["-c", code];
    args.extend(pep440.iter().map(String::as_str));
    run(&python, &args, sandbox.path());
}

/// A wheel with a program, and a pure package that requires it in the same version: one command
/// raises both, and an installer refuses a pair of two versions.
#[test]
fn two_packages_stay_in_lockstep() {
    let test = "two_packages_stay_in_lockstep";
    if TestEnv::find(test).is_none() {
        return;
    }
    let pure = Sandbox::example("lockstep");
    let dir = pure.path();
    let core = Sandbox::at(&dir.join("core"));
    let git = |args: &[&str]| run(Path::new("git"), args, dir);
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "1"]);
    pure.expect(0, &["version", "bump", "minor"]).answers(&["0.3.0 to 0.4.0"]);
    assert_eq!(
        git(&["diff", "--numstat"]),
        "1\t1\tcore/native/Cargo.lock\n1\t1\tcore/native/Cargo.toml\n1\t1\tcore/pyproject.toml\n\
         2\t2\tpyproject.toml\n1\t1\tsrc/tally/__init__.py\n"
    );
    pure.expect(0, &["version", "check", "--tag", "v0.4.0"]);
    git(&["commit", "-qam", "2"]);

    core.expect(0, &["build", "--target", "host", "--locked", "--out", "../dist"]);
    pure.expect(0, &["build", "--out", "dist"]);
    let pair = ["--find-links", "dist", "--no-index", "--python", "python3"];
    pure.expect(0, &[&["test", "dist/tally-0.4.0-py3-none-any.whl"], &pair[..]].concat());

    pure.expect(0, &["version", "bump", "patch"]);
    pure.expect(0, &["build", "--out", "dist"]);
    let alone =
        pure.expect(1, &[&["test", "dist/tally-0.4.1-py3-none-any.whl"], &pair[..]].concat());
    alone.answers(&["tally-core==0.4.1"]);
}

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
use wheelsmith_core::version::scheme::ReleaseVersion;

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
    let sorted = |versions: &[String]| {
        let code = "import sys; from packaging.version import Version as V; v = sys.argv[1:]; \
                    assert [str(V(x)) for x in v] == v, v; print(' '.join(sorted(v, key=V)))";
        let args: Vec<&str> =
            ["-c", code].into_iter().chain(versions.iter().map(String::as_str)).collect();
        run(&python, &args, sandbox.path()).trim().to_owned()
    };
    assert_eq!(sorted(&pep440), pep440.join(" "));

    // Every pair of the two forms, in the order of npm's own library.
    let Some(semver) = env.get("npm-clients/node_modules/semver", test) else { return };
    let mut pairs = Vec::new();
    for release in ["0.9.10", "1.2.0", "1.2.1", "1.10.0"] {
        pairs.push(release.to_owned());
        for (word, n) in ["0.dev", "alpha", "beta", "rc"]
            .iter()
            .flat_map(|w| [0, 1, 2, 9, 10, 21].map(|n| (w, n)))
        {
            pairs.push(format!("{release}-{word}.{n}"));
        }
    }
    // An order that neither judge keeps.
    pairs.sort_by_key(|version| version.chars().rev().collect::<String>());
    let code = "const { compare } = require(process.argv[1]); \
                console.log(process.argv.slice(2).sort(compare).join(' '))";
    let semver = semver.to_string_lossy();
    let args: Vec<&str> =
        ["-e", code, &semver].into_iter().chain(pairs.iter().map(String::as_str)).collect();
    let by_npm = run(Path::new("node"), &args, sandbox.path());
    let forms = |list: Vec<&str>| -> Vec<String> {
        let form = |version: &&str| ReleaseVersion::parse(version).unwrap().pep440();
        list.iter().map(form).collect()
    };
    let by_packaging = sorted(&forms(pairs.iter().map(String::as_str).collect()));
    assert_eq!(by_packaging, forms(by_npm.split_whitespace().collect()).join(" "));
}

/// The commit reaches C, Rust, Python and npm from git, and from the stamp of a source distribution.
#[test]
fn the_commit_reaches_every_language() {
    let test = "the_commit_reaches_every_language";
    if TestEnv::find(test).is_none() {
        return;
    }
    let sandbox = Sandbox::with(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['wheelsmith']\nbuild-backend = 'wheelsmith'\n\
             [project]\nname = 'demo'\nversion = '1.2rc1'\ndescription = 'Demo'\nlicense = 'MIT'\n\
             [tool.wheelsmith]\ntargets = ['x86_64-unknown-linux-gnu']\n\
             [tool.wheelsmith.commit]\nmodule = 'demo/_build.py'\n\
             [[tool.wheelsmith.npm]]\nname = '@box/demo'\nbin = { said = 'said' }\n\
             [[tool.wheelsmith.component]]\nname = 'said'\nkind = 'c-executable'\n\
             [[tool.wheelsmith.component.sources]]\nfiles = ['said.c']\n\
             define = { COMMIT = '\"{commit}\"', DIRTY = '{dirty}', VERSION = '\"{version}\"' }\n\
             [[tool.wheelsmith.component]]\nname = 'rust'\nkind = 'cargo'\nmanifest = 'rust/Cargo.toml'\n\
             artifacts = [{ bin = 'rust-said' }]\nenv = { COMMIT = '{commit}', DIRTY = '{dirty}' }\n",
        ),
        (
            "said.c",
            "#include <stdio.h>\nint main(void) { printf(\"%s %d %s\\n\", COMMIT, DIRTY, VERSION); }\n",
        ),
        ("src/demo/__init__.py", "from demo._build import COMMIT, DIRTY, VERSION\n"),
        ("rust/Cargo.toml", "[package]\nname = 'rust-said'\nversion = '1.2.0'\nedition = '2021'\n"),
        (
            "rust/Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"rust-said\"\nversion = \"1.2.0\"\n",
        ),
        (
            "rust/src/main.rs",
            "fn main() { println!(\"{} {}\", env!(\"COMMIT\"), env!(\"DIRTY\")) }\n",
        ),
        (".gitignore", "/target\n/dist\n/out\n"),
    ]);
    let dir = sandbox.path();
    let git = |args: &[&str]| run(Path::new("git"), args, dir);
    git(&["init", "-q"]);
    sandbox.expect(2, &["build"]).says(&["does not track `pyproject.toml`", "unknown = "]);
    git(&["add", "."]);
    git(&["commit", "-qm", "1"]);
    let head = git(&["rev-parse", "HEAD"]).trim().to_owned();
    let check = |project: &Sandbox, id: &str, dirty: u8| {
        project.expect(0, &["build", "--locked"]);
        let runtime = project.path().join("target/wheelsmith/x86_64-unknown-linux-gnu/runtime/bin");
        let said = |name: &str| run(&runtime.join(name), &[], project.path());
        assert_eq!(said("said"), format!("{id} {dirty} 1.2.0-rc.1\n"));
        assert_eq!(said("rust-said"), format!("{id} {dirty}\n"));
        let wheel =
            project.dist().into_iter().find(|path| path.extension().is_some_and(|e| e == "whl"));
        let code = "import sys; sys.path.insert(0, sys.argv[1]); import demo; \
                    print(demo.COMMIT, int(demo.DIRTY), demo.VERSION)";
        let wheel = wheel.unwrap().to_string_lossy().into_owned();
        let from_python = run(Path::new("python3"), &["-c", code, &wheel], project.path());
        assert_eq!(from_python, format!("{id} {dirty} 1.2rc1\n"));
        let tarball = "dist/box-demo-1.2.0-rc.1.tgz";
        let json =
            run(Path::new("tar"), &["-xOzf", tarball, "package/package.json"], project.path());
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["gitHead"], if dirty == 1 { format!("{id}-dirty") } else { id.to_owned() });
    };
    check(&sandbox, &head, 0);
    fs::write(dir.join("said.c"), fs::read_to_string(dir.join("said.c")).unwrap() + "\n").unwrap();
    check(&sandbox, &head, 1);

    // A source distribution of the commit, unpacked outside the repository.
    git(&["checkout", "-q", "said.c"]);
    sandbox.expect(0, &["sdist", "--out", "out"]);
    let away = Sandbox::new();
    let sdist = dir.join("out/demo-1.2rc1.tar.gz").to_string_lossy().into_owned();
    run(Path::new("tar"), &["-xzf", &sdist], away.path());
    check(&Sandbox::at(&away.path().join("demo-1.2rc1")), &head, 0);
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

//! Verdicts on published wheels about which other tools are wrong or silent.
//!
//! `WHEELSMITH_TEST_GOLDEN` names the directory for them (220 MB, pinned by digest); pip downloads
//! missing ones from its configured index. Without the variable the test is skipped:
//! `tests/audit.rs` has small wheels with the same faults.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Sandbox, content};
use wheelsmith_core::sys;

/// A wheel and its expected verdict.
struct Golden {
    sha256: &'static str,
    file: &'static str,
    options: &'static [&'static str],
    code: i32,
    verdict: &'static str,
    auditwheel: &'static str,
    /// `CODE FILE` of each error, and a word that its message must contain.
    errors: &'static [(&'static str, &'static str)],
}

const GOLDEN: &[Golden] = &[
    // A program among the data needs libudev; nobody looked at it.
    Golden {
        sha256: "de65e3b77be909edc5fb2383fd04af73a930f6f085c2a03fd33c965061ff815e",
        file: "rerun_sdk-0.41.0-cp311-abi3-manylinux_2_28_x86_64.whl",
        options: &[],
        code: 1,
        verdict: "linux_x86_64",
        auditwheel: "linux_x86_64",
        errors: &[
            ("tag-not-earned -", "manylinux_2_28_x86_64"),
            ("external-library rerun_cli/rerun", "libudev.so.1"),
        ],
    },
    // The wheel was retagged by its name alone.
    Golden {
        sha256: "0875f7a23bd298813240f716c56df44ce72ddb45146589442a38edd0e1f59637",
        file: "torchvision-0.29.2-py3-none-manylinux_2_28_x86_64.whl",
        options: &[
            "--exclude",
            "libc10*.so",
            "--exclude",
            "libtorch*.so",
            "--exclude",
            "libcudart*",
        ],
        code: 1,
        verdict: "manylinux_2_27_x86_64",
        auditwheel: "linux_x86_64",
        errors: &[("tags-differ -", "py3-none-linux_x86_64")],
    },
    // Programs inside a library, one of them with a need of its own.
    Golden {
        sha256: "2061e6a0e725b73fed044decd4c57c3840457ffb1e919bd3e7d381f66f99b34e",
        file: "boxlite-0.10.8-cp312-cp312-manylinux_2_28_x86_64.whl",
        options: &["--deep"],
        code: 1,
        verdict: "linux_x86_64",
        auditwheel: "manylinux_2_28_x86_64",
        errors: &[
            ("tag-not-earned -", "manylinux_2_28_x86_64"),
            (
                "external-library boxlite/boxlite.cpython-312-x86_64-linux-gnu.so@0x3259dae",
                "libcap.so.2",
            ),
        ],
    },
    Golden {
        sha256: "2061e6a0e725b73fed044decd4c57c3840457ffb1e919bd3e7d381f66f99b34e",
        file: "boxlite-0.10.8-cp312-cp312-manylinux_2_28_x86_64.whl",
        options: &[],
        code: 0,
        verdict: "manylinux_2_28_x86_64",
        auditwheel: "manylinux_2_28_x86_64",
        errors: &[],
    },
    Golden {
        sha256: "afc215a365dff032778222aea28c3e2de88d2b4792ab7e2dd94275c33f9fcf55",
        file: "htty_core-0.2.30-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        options: &["--fail-on", "warning"],
        code: 0,
        verdict: "manylinux_2_17_x86_64",
        auditwheel: "manylinux_2_17_x86_64",
        errors: &[],
    },
    // auditwheel does not know musl's library by this name; on hosts with glibc's it fails.
    Golden {
        sha256: "817953730e4a73a09008b010c4a42396cefe799616a22df2ac21d3927b3080cf",
        file: "pydantic_core-2.50.4-cp312-cp312-musllinux_1_1_aarch64.whl",
        options: &[],
        code: 0,
        verdict: "musllinux_1_2_aarch64",
        auditwheel: "linux_aarch64",
        errors: &[],
    },
];

#[test]
fn published_wheels_get_the_right_answer() {
    let Some(dir) = std::env::var_os("WHEELSMITH_TEST_GOLDEN").map(PathBuf::from) else {
        return eprintln!("skipped: WHEELSMITH_TEST_GOLDEN names no directory for the wheels");
    };
    let sandbox = Sandbox::at(&dir);
    for golden in GOLDEN {
        fetch(golden, &dir);
        let options = [&["audit", "--format", "json", golden.file], golden.options].concat();
        let run = sandbox.expect(golden.code, &options);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        let input = &report["inputs"][0];
        assert_eq!(input["verdict"], golden.verdict, "{}", golden.file);
        assert_eq!(input["auditwheel_verdict"]["tag"], golden.auditwheel, "{}", golden.file);
        let findings = input["findings"].as_array().unwrap();
        let errors: Vec<&Value> = findings.iter().filter(|f| f["severity"] == "error").collect();
        let text = |f: &Value| {
            let file = f["file"].as_str().unwrap_or("-");
            format!("{} {file}", f["code"].as_str().unwrap_or_default())
        };
        let shown: Vec<String> = errors.iter().map(|f| text(f)).collect();
        let expected: Vec<&str> = golden.errors.iter().map(|(error, _)| *error).collect();
        assert_eq!(shown, expected, "{}", golden.file);
        for (error, (_, word)) in errors.iter().zip(golden.errors) {
            assert!(error.to_string().contains(word), "no `{word}` in {error}");
        }
    }
}

/// Downloads the wheel unless it is present.
fn fetch(golden: &Golden, dir: &Path) {
    let path = dir.join(golden.file);
    if !path.is_file() {
        fs::create_dir_all(dir).unwrap();
        let parts: Vec<&str> = golden.file.trim_end_matches(".whl").split('-').collect();
        let [name, version, python, abi, platforms] = parts[..] else { panic!("{parts:?}") };
        let python = python.strip_prefix("cp3").unwrap_or("12");
        let wanted = dir.join("requirements.txt");
        let pin = format!("{name}=={version} --hash=sha256:{}\n", golden.sha256);
        fs::write(&wanted, pin).unwrap();
        let interpreter = std::env::var_os("WHEELSMITH_TEST_ENV")
            .map(|env| Path::new(&env).join("judges/bin/python"))
            .filter(|python| python.exists());
        let mut pip = Command::new(interpreter.unwrap_or_else(|| "python3".into()));
        pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--only-binary=:all:", "--require-hashes", "--implementation", "cp"]);
        pip.args(["--python-version", &format!("3.{python}"), "--abi", abi, "--dest"]).arg(dir);
        for platform in platforms.split('.') {
            pip.args(["--platform", platform]);
        }
        content(pip.arg("-r").arg(&wanted));
        fs::remove_file(&wanted).unwrap();
    }
    let (digest, _) = sys::fs::digest(&path).unwrap();
    assert!(digest.to_string().contains(golden.sha256), "`{}` is not what it was", golden.file);
}

//! Tests of lists of digests and their signatures with the programs that make and verify them:
//! sha256sum, minisign, gpg, ssh-keygen, openssl.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::{Run, Sandbox, content, copy};

const WHEEL: &str = "demo-1.0-py3-none-any.whl";
const SDIST: &str = "demo-1.0.tar.gz";
const RELEASE: &str = "demo 1.0";

/// Signed files in `d`, and keys beside it.
struct Signed {
    sandbox: Sandbox,
    fingerprint: String,
}

/// Returns false if a program is missing, and says so.
fn has_programs() -> bool {
    let needed = ["minisign", "gpg", "ssh-keygen", "openssl", "sha256sum"];
    let is_missing = |name: &&&str| Command::new(name).arg("--version").output().is_err();
    let missing: Vec<_> = needed.iter().filter(is_missing).collect();
    let required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
    assert!(!required || missing.is_empty(), "missing: {missing:?}");
    if !missing.is_empty() {
        eprintln!("skipped the tests of signatures: {missing:?} are missing");
    }
    missing.is_empty()
}

impl Signed {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write(&format!("d/{WHEEL}"), "wheel");
        sandbox.write(&format!("d/{SDIST}"), "sdist");
        sandbox.write("wheelsmith.lock", "lock");
        let mut signed = Self { sandbox, fingerprint: String::new() };
        fs::create_dir(signed.path("gpg")).unwrap();
        for name in ["", "other-"] {
            let [minisign, public] = ["minisign.key", "minisign.pub"].map(|n| format!("{name}{n}"));
            signed.tool("minisign", &["-G", "-W", "-s", &minisign, "-p", &public]);
            signed.tool(
                "ssh-keygen",
                &["-q", "-t", "ed25519", "-N", "", "-f", &format!("{name}ssh")],
            );
            let key = format!("{name}ed25519.pem");
            signed.tool("openssl", &["genpkey", "-algorithm", "ed25519", "-out", &key]);
            let public = format!("{name}ed25519.pub");
            signed.tool("openssl", &["pkey", "-in", &key, "-pubout", "-out", &public]);
        }
        let key = fs::read_to_string(signed.path("ssh.pub")).unwrap();
        signed.sandbox.write("allowed", &format!("me {key}"));
        signed.sandbox.write("expired", &format!("me valid-before=\"20200101\" {key}"));
        let other = fs::read_to_string(signed.path("other-ssh.pub")).unwrap();
        signed.sandbox.write("other-allowed", &format!("me {other}"));
        let make = ["--batch", "--passphrase", "", "--quick-gen-key", "me", "ed25519", "sign"];
        signed.tool("gpg", &[&make[..], &["never"]].concat());
        signed.fingerprint = signed.fingerprint_of("me");
        signed.ours(&["sums", "d"]).expect(0);
        signed.sign("d", RELEASE);
        signed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    fn in_env<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.current_dir(self.sandbox.path()).env("GNUPGHOME", self.path("gpg"))
    }

    fn tool(&self, program: &str, args: &[&str]) -> Run {
        content(self.in_env(Command::new(program).args(args)))
    }

    fn ours(&self, args: &[&str]) -> Run {
        Run::of(self.in_env(&mut self.sandbox.command(args)))
    }

    fn fingerprint_of(&self, user: &str) -> String {
        let keys = self.tool("gpg", &["--list-keys", "--with-colons", user]).stdout;
        let line = keys.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    fn sign(&self, dir: &str, release: &str) {
        let args = ["sign", dir, "--release", release, "--minisign", "minisign.key", "--gpg"];
        let more = ["--ssh", "ssh", "--statement", "ed25519.pem", "--input", "wheelsmith.lock"];
        self.ours(&[&args[..], &more].concat()).expect(0);
    }

    /// Verifies `dir` with all keys; `over` are options with other values.
    fn verify(&self, dir: &str, over: &[(&str, &str)]) -> Run {
        let mut options = vec![
            ("--minisign", "minisign.pub"),
            ("--gpg", &self.fingerprint),
            ("--ssh", "allowed"),
            ("--identity", "me"),
            ("--statement", "ed25519.pub"),
            ("--release", RELEASE),
        ];
        for (name, value) in over {
            options.retain(|(own, _)| own != name);
            if !value.is_empty() {
                options.push((name, value));
            }
        }
        let mut args = vec!["verify", dir, "--format", "json"];
        args.extend(options.iter().flat_map(|(name, value)| [*name, *value]));
        self.ours(&args)
    }

    /// Asserts which codes a verification of a changed copy finds.
    fn check(&self, what: &str, change: impl Fn(&Path), over: &[(&str, &str)], expected: &[&str]) {
        let dir = self.path("changed");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        copy(&self.path("d"), &dir);
        change(&dir);
        let run = self.verify("changed", over);
        assert_eq!(codes(&run), expected.iter().copied().collect(), "{what}: {}", run.stdout);
        assert_eq!(run.code, i32::from(!expected.is_empty()), "{what}: {}", run.stderr);
    }
}

fn codes(run: &Run) -> BTreeSet<&str> {
    let codes = run.stdout.split("\"code\": \"").skip(1);
    codes.map(|rest| rest.split('"').next().unwrap()).collect()
}

/// Changes one bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn other_programs_accept_what_is_signed() {
    if !has_programs() {
        return;
    }
    let signed = Signed::new();
    let sums = "d/SHA256SUMS";
    let mut check = Command::new("sha256sum");
    content(check.args(["-c", "--strict", "SHA256SUMS"]).current_dir(signed.path("d")));
    signed
        .tool("minisign", &["-V", "-m", sums, "-p", "minisign.pub"])
        .answers(&["Trusted comment: demo 1.0"]);
    signed.tool("gpg", &["--verify", "d/SHA256SUMS.asc", sums]);
    let line =
        "ssh-keygen -Y verify -f allowed -I me -n wheelsmith -s d/SHA256SUMS.sig < d/SHA256SUMS";
    signed.tool("sh", &["-c", line]);
    // The signature of the statement, by OpenSSL.
    let envelope = fs::read(signed.path("d/SHA256SUMS.dsse.json")).unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
    let bytes = |value: &serde_json::Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let payload = bytes(&envelope["payload"]);
    let kind = envelope["payloadType"].as_str().unwrap();
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    fs::write(signed.path("pae"), [head.as_bytes(), &payload].concat()).unwrap();
    fs::write(signed.path("pae.sig"), bytes(&envelope["signatures"][0]["sig"])).unwrap();
    let args = ["-verify", "-pubin", "-inkey", "ed25519.pub", "-rawin", "-in", "pae", "-sigfile"];
    signed.tool("openssl", &[&["pkeyutl"], &args[..], &["pae.sig"]].concat());
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(statement["subject"].as_array().unwrap().len(), 3);
    let names = &statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["name"];
    assert_eq!(names, "wheelsmith.lock");
    // minisign and statements have the same bytes each time; nothing is listed that is not a file.
    let before = ["minisig", "dsse.json"]
        .map(|end| fs::read(signed.path(&format!("{sums}.{end}"))).unwrap());
    signed.ours(&["sums", "d"]).expect(0).answers(&["2 files, unchanged"]);
    signed.sign("d", RELEASE);
    let after = ["minisig", "dsse.json"]
        .map(|end| fs::read(signed.path(&format!("{sums}.{end}"))).unwrap());
    assert!(before == after);
}

#[test]
fn every_change_has_its_code() {
    if !has_programs() {
        return;
    }
    let signed = Signed::new();
    signed.check("nothing", |_| {}, &[], &[]);
    let each = |dir: &Path| {
        signed.ours(&["sums", dir.to_str().unwrap(), "--each"]).expect(0);
    };
    signed.check("single digests", each, &[], &[]);
    let row = |what: &str, change: &dyn Fn(&Path), expected: &[&str]| {
        signed.check(what, change, &[], expected);
    };
    let at = |name: &'static str| move |dir: &Path| flip(&dir.join(name));
    row("a bit in a file", &at(WHEEL), &["wrong-digest"]);
    row("a missing file", &|dir| fs::remove_file(dir.join(SDIST)).unwrap(), &["missing-file"]);
    row("a further file", &|dir| fs::write(dir.join("x.whl"), "x").unwrap(), &["unlisted-file"]);
    let single = |dir: &Path| fs::write(dir.join("x.whl.sha256.sha256"), "x").unwrap();
    row("a single digest of no file", &single, &["unlisted-file"]);
    row("a directory", &|dir| fs::create_dir(dir.join("x")).unwrap(), &["unlisted-file"]);
    let swap = |dir: &Path| {
        fs::rename(dir.join(WHEEL), dir.join("x")).unwrap();
        fs::rename(dir.join(SDIST), dir.join(WHEEL)).unwrap();
        fs::rename(dir.join("x"), dir.join(SDIST)).unwrap();
    };
    row("two files swapped", &swap, &["swapped-file"]);
    let single = |dir: &Path| {
        each(dir);
        flip(&dir.join(format!("{WHEEL}.sha256")));
    };
    row("a bit in a single digest", &single, &["wrong-digest"]);
    let forge = |dir: &Path| {
        fs::write(dir.join(WHEEL), "other").unwrap();
        signed.ours(&["sums", dir.to_str().unwrap()]).expect(0);
    };
    row("a new list", &forge, &["bad-signature", "statement-mismatch"]);
    row(
        "a list in another form",
        &|dir| replace(&dir.join("SHA256SUMS"), "  ", " "),
        &["bad-sums"],
    );
    row("no list", &|dir| fs::remove_file(dir.join("SHA256SUMS")).unwrap(), &["bad-sums"]);
    for name in ["SHA256SUMS.minisig", "SHA256SUMS.asc", "SHA256SUMS.sig", "SHA256SUMS.dsse.json"] {
        row(name, &at(name), &["bad-signature"]);
        row(name, &|dir| fs::remove_file(dir.join(name)).unwrap(), &["unsigned"]);
    }
    let comment = |dir: &Path| replace(&dir.join("SHA256SUMS.minisig"), "demo 1.0", "demo 1.1");
    row("a changed comment", &comment, &["bad-signature"]);
    let statement =
        |dir: &Path| replace(&dir.join("SHA256SUMS.dsse.json"), "\"sig\":\"", "\"sig\":\"AAAA");
    row("another signature in the statement", &statement, &["bad-signature"]);

    let key = |option: &str, value: &str, expected: &str| {
        signed.check(value, |_| {}, &[(option, value)], &[expected]);
    };
    key("--minisign", "other-minisign.pub", "wrong-key");
    key("--gpg", &"0".repeat(40), "wrong-key");
    key("--ssh", "other-allowed", "wrong-key");
    key("--statement", "other-ed25519.pub", "wrong-key");
    key("--ssh", "expired", "expired-key");
    key("--release", "demo 1.1", "wrong-release");

    let past = "--faked-system-time=20200101T000000!";
    let make = ["--batch", past, "--passphrase", "", "--quick-gen-key", "old", "ed25519", "sign"];
    signed.tool("gpg", &[&make[..], &["1y"]].concat());
    let old = signed.fingerprint_of("old");
    let sign = |dir: &Path| {
        let [list, to] = ["SHA256SUMS", "SHA256SUMS.asc"].map(|name| dir.join(name));
        let (list, to) = (list.to_str().unwrap(), to.to_str().unwrap());
        let args = ["--batch", "--yes", past, "--armor", "-u", &old, "-o", to, "-b", list];
        signed.tool("gpg", &args);
    };
    signed.check("an expired key", sign, &[("--gpg", &old)], &["expired-key"]);

    // The list and the signatures of 1.0 beside the files of 1.1.
    let newer = |dir: &Path| {
        fs::remove_file(dir.join(WHEEL)).unwrap();
        fs::write(dir.join("demo-1.1-py3-none-any.whl"), "newer").unwrap();
    };
    let expected = ["missing-file", "unlisted-file", "wrong-release"];
    signed.check("an old list", newer, &[("--release", "demo 1.1")], &expected);
    // SSH alone cannot prove a release.
    let ssh = [("--minisign", ""), ("--gpg", ""), ("--statement", "")];
    signed.check("SSH alone", |_| {}, &ssh, &["wrong-release"]);
    let ssh = [&ssh[..], &[("--release", "")]].concat();
    signed.check("SSH alone, any release", |_| {}, &ssh, &[]);
}

#[test]
fn digests_alone_and_bundles_are_named_as_such() {
    if !has_programs() {
        return;
    }
    let signed = Signed::new();
    signed.ours(&["verify", "d"]).expect(1).answers(&["unsigned"]);
    let run = signed.ours(&["verify", "d", "--digests-only"]).expect(0);
    run.answers(&["may have changed the list", "2 files agree", "no key was given"]);
    signed.ours(&["verify", "d", "--gpg", "0123ABCD"]).expect(2).says(&["key ids can be forged"]);
    let bundle = |digest: &str| {
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"x","subject":[{{"name":"{WHEEL}","digest":{{"sha256":"{digest}"}}}}]}}"#
        );
        format!(
            r#"{{"mediaType":"x","dsseEnvelope":{{"payloadType":"application/vnd.in-toto+json","payload":"{}","signatures":[{{"sig":""}}]}}}}"#,
            STANDARD.encode(statement)
        )
    };
    let sums = fs::read_to_string(signed.path("d/SHA256SUMS")).unwrap();
    let listed = sums.lines().find(|line| line.ends_with(WHEEL)).unwrap()[..64].to_owned();
    let put = |text: String| {
        move |dir: &Path| fs::write(dir.join(format!("{WHEEL}.sigstore.json")), &text).unwrap()
    };
    signed.check("a bundle", put(bundle(&listed)), &[], &[]);
    let other = put(bundle(&"0".repeat(64)));
    signed.check("a bundle of another file", other, &[], &["unlisted-file"]);
    let text = bundle(&listed);
    for name in ["evil.whl.sigstore", &format!("{SDIST}.sigstore.json")] {
        let put = |dir: &Path| fs::write(dir.join(name), &text).unwrap();
        signed.check(name, put, &[], &["unlisted-file"]);
    }
    // A list of sha256sum, in its other form, that names a file with a single digest.
    signed.sandbox.write("other/a.whl", "a");
    let list = "sha256sum -b a.whl > a.whl.sha256 && sha256sum -b * > ../l && mv ../l SHA256SUMS";
    content(Command::new("sh").args(["-c", list]).current_dir(signed.path("other")));
    signed.sign("other", "100%n 1.0");
    let run = signed.verify("other", &[("--release", "100%n 1.0")]).expect(0);
    assert!(codes(&run).is_empty(), "{}", run.stdout);
    // What cannot be read is no finding.
    for (args, expected) in [
        (&["verify", "nope", "--digests-only"][..], "`nope`"),
        (&["verify", "d", "--ssh", "gpg", "--identity", "me"], "`gpg`"),
        (&["verify", "d", "--digests-only", "--release", RELEASE], "cannot be used with"),
    ] {
        signed.ours(args).expect(2).says(&[expected]);
    }
    // A list that does not match the files is not signed.
    fs::write(signed.path("d/new"), "x").unwrap();
    let args = ["sign", "d", "--release", RELEASE, "--minisign", "minisign.key"];
    signed.ours(&args).expect(2).says(&["does not match", "wheelsmith sums"]);
    signed.ours(&["sign", "d", "--release", RELEASE]).expect(2).says(&["--minisign"]);
}

//! First inputs of the fuzzer and the mutator: the fixtures of `testdata/`, and files made from
//! them.

use std::io::{Cursor, Write as _};
use std::path::Path;

use wheelsmith_core::metadata::{EntryPoints, Metadata, ProjectFiles, ProjectTable};
use wheelsmith_core::name::Digest;
use wheelsmith_core::store::{Body, FileKind, Key, Label, Mode, Set, Store, StoredFile};
use wheelsmith_core::sys::{Cancel, Env, Host};
use wheelsmith_core::wheel::{self, Compression, Entry, Options, Wheel};

use super::targets::WHEEL;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
const WHEEL_TEXT: &str = "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: false\n\
    Tag: cp312-abi3-manylinux_2_17_x86_64\nTag: cp312-abi3-manylinux2014_x86_64\n";
const REGISTRY_PAGE: &str = r#"{"files":[{"filename":"a-1.tar.gz","hashes":{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"size":1,"upload-time":"2026-01-31T00:00:00Z","yanked":"bad"}]}"#;
const CONFIGURATION: &str = r#"[project]
name = "demo"
version = "1.0.2rc1"
description = "A demonstration"
requires-python = ">=3.9"
license = "MIT OR Apache-2.0"
dependencies = ["numpy >= 2; python_version > '3.9'", "a[b] @ https://example.org/a.whl"]
keywords = ["demo"]
authors = [{ name = "Ä. Nother", email = "a@example.org" }]
scripts = { demo = "demo:main" }
urls = { Home = "https://example.org" }

[tool.wheelsmith]
targets = ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-gnu"]
glibc = "2.17"

[[tool.wheelsmith.component]]
name = "helper"
kind = "cargo"
source = { path = "helper" }
artifacts = [{ bin = "helper" }]

[[tool.wheelsmith.component]]
name = "demo"
kind = "c-shared"
source = { path = "native" }
soname = "libdemo.so.1"
sources = [{ files = ["src/*.c"], define = { DEBUG = false, LEVEL = "3" }, flags = ["-Wall"] }]

[[tool.wheelsmith.wheel]]
into = "demo/_runtime"
include = ["demo/**"]

[tool.wheelsmith.target.x86_64-unknown-linux-gnu]
glibc = "2.28"
toolchain = "zig"

[tool.wheelsmith.audit]
policy = "manylinux_2_17"
exclude = ["libcuda.so.*"]
fail-on = "warning"

[[tool.wheelsmith.audit.waivers]]
code = "external-library"
file = "demo/**"
reason = "the driver brings it"
until = "2031-01-01"
"#;

/// Returns the seeds of a target by name.
pub fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "elf" => [fixtures("elf", ""), fixtures("extension", "so")].concat(),
        "macho" => [fixtures("macho", ""), fixtures("extension", "dylib")].concat(),
        "pe" => [fixtures("pe", ""), fixtures("extension", "dll")].concat(),
        "archive" => libraries(),
        "wasm" => vec![
            named("core", b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0"),
            named("component", b"\0asm\x0d\0\x01\0"),
            named(
                "dynamic",
                b"\0asm\x01\0\0\0\0\x1c\x08dylink.0\x01\x04\0\0\0\0\x02\x0b\x02\x04a.so\x05bb.so",
            ),
        ],
        "wheel" | "existing" => archives(),
        "check" => [archives(), packages()].concat(),
        "zip_agrees" => zips(),
        "judge" => judged(),
        "source" => sources(),
        "patch" => {
            let mut seeds =
                [fixtures("elf", ""), fixtures("macho", ""), fixtures("pe", "")].concat();
            for (at, (_, bytes)) in (0_u8..).zip(&mut seeds) {
                bytes.extend([at, at.wrapping_mul(7), 0, at / 2, at % 4, at % 3, 9, 0]);
            }
            seeds
        }
        "config" => {
            let example =
                |name: &str| (name.to_owned(), read(&format!("../examples/{name}/pyproject.toml")));
            vec![named("config", CONFIGURATION), example("tinybpf"), example("hostinfo")]
        }
        "wheel_text" => {
            let names = ["demo/lib/libx.so.1", "py2.py3-none-any", "macosx_11_0_universal2"];
            vec![
                named("wheel", WHEEL_TEXT),
                named("names", [&[WHEEL][..], &names].concat().join("\n")),
            ]
        }
        "registry" => vec![
            named("json", REGISTRY_PAGE),
            named("html", "<html><a href=\"../a#sha256=00\" data-yanked>a-1.tar.gz</a></html>"),
            named(
                "npm",
                r#"{"versions":{"1.0.0":{"dist":{"integrity":"sha512-AA=="}}},"dist-tags":{"latest":"1.0.0"}}"#,
            ),
            named(
                "row",
                format!(
                    "{{\"name\":\"a\",\"vers\":\"1.0.0+x\",\"cksum\":\"{}\"}}\n",
                    "0".repeat(64)
                ),
            ),
            named("errors", r#"{"errors":[{"detail":"crate exists"}]}"#),
            named("page", "Sun, 06 Nov 1994 08:49:37 GMT\n<html><h1>409</h1>File exists</html>"),
            named(
                "manifest",
                "[package]\nname = 'a'\nversion = '1.0.0'\n[target.'cfg(unix)'.dependencies]\nb = '1'\n",
            ),
        ],
        "sums" => vec![
            named("list", format!("{0}  a.whl\n{0} *b.whl\n", "0".repeat(64))),
            named(
                "envelope",
                r#"{"payload":"e30=","payloadType":"x","signatures":[{"keyid":"a","sig":"AA=="}]}"#,
            ),
        ],
        "store" => stored(),
        "tree" => [
            fixtures("elf", ""),
            libraries(),
            vec![
                named("script", "#!/p/bin/python3 -E\n'a'\nfrom __future__ import x\n"),
                named("shell", "#!/bin/sh\nx='/p' y=\"$(echo \"/p\")\" # /p\ncat <<E\n/p\nE\n"),
                named("literal", "build_time_vars = {'A': '/p -I/p'\n ' \\x41', 'B': 1}\n"),
                named("variables", "prefix=/p\nCC=/b/bin/cc -L/b /p/lib\n"),
                named("cmake", "set(A \"/p/lib\")\n"),
            ],
        ]
        .concat(),
        "hook" => vec![
            named("plain", "import os\n"),
            named("doc", "#!/usr/bin/python\n# coding: latin-1\nr'''Doc.\n'''; x = 1\n"),
            named(
                "future",
                "\"\"\"Doc.\"\"\"\r\nfrom __future__ import (\r\n    annotations,\r\n)\r\nx\r\n",
            ),
            named("joined", "'a' \"b\" \\\n  'c'\nfrom __future__ import division; import os\n"),
        ],
        _ => Vec::new(),
    }
}

/// Returns a set, and a bundle with the set, its file and references to it.
fn stored() -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().expect("a directory");
    let root = dir.path().join("store");
    let host = Host::quiet(Env::default());
    let store = Store::init_with(&root.to_string_lossy(), &host).expect("an empty directory");
    let label = |text: &str| text.parse::<Label>().expect("a label");
    let mut set = Set::new(label("demo"), label("1.0"), label("any"));
    let file = dir.path().join("demo-1.0.tar.gz");
    std::fs::write(&file, "content").expect("a file");
    set.files.push(StoredFile {
        path: "demo-1.0.tar.gz".parse().expect("a path"),
        sha256: Digest::of("content"),
        size_bytes: 7,
        mode: Mode::Plain,
        kind: FileKind::Archive,
        target: None,
        verdict: None,
        aliases: Vec::new(),
    });
    store.put_blob(&Body::bytes(b"content")).expect("a file");
    let id = store.put_manifest(&set).expect("a set");
    let pin = Key::pin(&label("kept"));
    store.refer(&pin, &id).expect("a reference");
    let bundle = dir.path().join("bundle.tar");
    store.export(&[pin], &[], &bundle).expect("a bundle");
    let bundle = std::fs::read(&bundle).expect("a bundle");
    vec![named("set", set.to_json()), named("bundle", bundle)]
}

fn named(name: &str, bytes: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.to_owned(), bytes.as_ref().to_vec())
}

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(TESTDATA).join(path);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns the binaries in a directory of fixtures, those of one extension or all.
fn fixtures(dir: &str, extension: &str) -> Vec<(String, Vec<u8>)> {
    let list = std::fs::read_dir(Path::new(TESTDATA).join(dir)).expect("testdata");
    let paths = list.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_wanted = |path: &Path| {
        let own = path.extension().unwrap_or_default();
        path.is_file() && own != "sh" && (extension.is_empty() || own == extension)
    };
    let mut names: Vec<String> = paths
        .filter(|path| is_wanted(path))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), read(&format!("{dir}/{name}")))).collect()
}

fn libraries() -> Vec<(String, Vec<u8>)> {
    let member = |name: &str, bytes: &[u8]| {
        let size = bytes.len();
        let mut out =
            format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644).into_bytes();
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(2), b'\n');
        out
    };
    let object = member("a.o/", &read("elf/bpf.o"));
    vec![
        named("object", [b"!<arch>\n", &object[..]].concat()),
        named("table", [b"!<arch>\n", &member("/", b"odd")[..], &object].concat()),
        named("foreign", [b"!<arch>\n", &member("a.o/", &read("macho/object.o"))[..]].concat()),
    ]
}

/// Wheels, tar archives, packed files.
fn archives() -> Vec<(String, Vec<u8>)> {
    let library = read("elf/x86_64.so");
    let plain =
        made(Compression::Store, &[("demo/_demo.abi3.so", &library), ("demo/x.py", b"x = 1\n")]);
    let nested =
        made(Compression::Default, &[("demo/data.zip", &plain), ("demo/lib.so", &library)]);
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in [("demo/lib.so", &library), ("demo/demo.whl", &nested)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, path, &bytes[..]).expect("memory");
    }
    let tar = builder.into_inner().expect("memory");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar).expect("memory");
    let embedded = [b"begin".as_slice(), &library, &plain].concat();
    vec![
        named("stored.whl", &plain),
        named("nested.whl", nested),
        named("embedded.whl", made(Compression::Fast, &[("demo/data.bin", &embedded)])),
        named("empty.whl", made(Compression::Store, &[])),
        named("demo.tar.gz", encoder.finish().expect("memory")),
        named("demo.tar", tar),
        named("embedded.bin", embedded),
    ]
}

/// An npm package and a crate, which are not compressed, so that changes reach their manifests.
fn packages() -> Vec<(String, Vec<u8>)> {
    let library = read("elf/aarch64.so");
    let json =
        br#"{"name": "demo", "version": "1.0.0", "bin": "a.js", "main": "b", "os": ["linux"],
        "cpu": ["!x64"], "libc": "glibc", "scripts": {"install": "x"}, "exports": {".": ["./*.js"]},
        "optionalDependencies": {"demo-linux-x64": "^1", "c": "file:c"}}"#;
    let toml = b"[package]\nname = 'demo'\nversion = '1.0.0'\nlicense = 'MIT/Beer'\nbuild = 'b.rs'\n\
        keywords = ['a b']\n[target.x.dependencies]\na = { path = 'a' }\nb = '*'\nc = { version = '1' }\n";
    let script = b"fn main() { cc::Build::new().file(\"a.c\"); include_str!(\"../b\") }\n";
    let tar = |rows: &[(&str, &[u8])]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in rows {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *bytes).expect("memory");
        }
        builder.into_inner().expect("memory")
    };
    vec![
        named("npm", tar(&[("package/package.json", json), ("package/lib/a.so", &library)])),
        named("crate", tar(&[("demo-1.0/Cargo.toml", toml), ("demo-1.0/b.rs", script)])),
    ]
}

/// Archives of sources: with links, and one for each compression.
fn sources() -> Vec<(String, Vec<u8>)> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o755);
    builder.append_data(&mut header, "demo/a.c", &b"a\n"[..]).expect("memory");
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_entry_type(kind);
        let name = format!("demo/{kind:?}.c");
        let target = if kind.is_symlink() { "a.c" } else { "demo/a.c" };
        builder.append_link(&mut header, name, target).expect("memory");
    }
    let tar = builder.into_inner().expect("memory");
    let mut seeds = archives();
    for (name, program) in [("xz", "xz"), ("bz2", "bzip2"), ("zst", "zstd")] {
        seeds.extend(
            packed_by(program, &tar).map(|packed| named(&format!("source.tar.{name}"), packed)),
        );
    }
    seeds.push(named("source.tar", tar));
    seeds
}

/// Compresses bytes with a program of this machine; `None` if it has none.
fn packed_by(program: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let dir = tempfile::tempdir().ok()?;
    let file = dir.path().join("in");
    std::fs::write(&file, bytes).ok()?;
    let packed = std::process::Command::new(program).arg("-c").arg(&file).output().ok()?;
    packed.status.success().then_some(packed.stdout)
}

fn made(compression: Compression, files: &[(&str, &[u8])]) -> Vec<u8> {
    let project: ProjectTable =
        toml::from_str("name = 'demo'\nversion = '1.0'").expect("a project");
    let metadata = Metadata::new(&project, ProjectFiles::default()).expect("metadata");
    let entries =
        files.iter().map(|(path, bytes)| Entry::bytes(path.parse().expect("a path"), *bytes));
    let filename = WHEEL.parse().expect("a name");
    let wheel = Wheel::new(filename, &metadata, &EntryPoints::default(), entries.collect());
    let mut archive = Cursor::new(Vec::new());
    let options = Options { compression, ..Options::default() };
    wheel::write(&wheel.expect("a wheel"), &mut archive, &options, &Cancel::default())
        .expect("memory");
    archive.into_inner()
}

/// Parts of a zip archive.
#[derive(Clone, Copy, Default)]
struct ZipEntry<'a> {
    name: &'a str,
    content: &'a [u8],
    is_deflated: bool,
    flags: u16,
    /// Extra fields of both headers.
    extra: &'a [u8],
    /// True if the sizes are in a zip64 field.
    is_wide: bool,
    /// Mark before the data descriptor, if flag 3 is set.
    mark: &'a [u8],
    /// Bytes that the packed content has after its end.
    slack: &'a [u8],
}

/// Small archives of all forms. Those whose name begins with `odd` are ambiguous.
fn zips() -> Vec<(String, Vec<u8>)> {
    let text = b"text that is repeated, text that is repeated".as_slice();
    let stored = ZipEntry { name: "a/b.py", content: b"x = 1\n", ..ZipEntry::default() };
    let deflated =
        ZipEntry { name: "a/text", content: text, is_deflated: true, ..ZipEntry::default() };
    let folder = ZipEntry { name: "a/", ..ZipEntry::default() };
    let streamed = ZipEntry { flags: 8, mark: b"PK\x07\x08", ..deflated };
    let wide = ZipEntry { is_wide: true, ..deflated };
    let plain = zip(&[folder, stored, deflated], b"");
    // A data descriptor, and an entry that the directory does not list. The data descriptor to which
    // the directory points is its content.
    let hidden = |content: &[u8]| {
        let archive = zip(&[ZipEntry { name: "hidden", content, ..ZipEntry::default() }], b"");
        archive[..30 + "hidden".len() + content.len()].to_vec()
    };
    let before = descriptor(&streamed);
    let size = before.len() + hidden(b"").len();
    let after = descriptor(&ZipEntry { slack: &vec![0; size], ..streamed });
    let slack = [&before[..], &hidden(&after)[..size - before.len()]].concat();
    let other_name = [b"\x75\x70\x06\0\x01", &crc(b"a/b.py").to_le_bytes()[..], b"c"].concat();
    let end = plain[plain.len() - 22..].to_vec();
    vec![
        named("plain", &plain),
        named("comment", zip(&[stored, deflated], b"made by hand")),
        named("prefix", [b"#!/bin/sh\n", &plain[..]].concat()),
        named("streamed", zip(&[streamed, stored], b"")),
        named("unmarked", zip(&[ZipEntry { mark: b"", ..streamed }, stored], b"")),
        named("wide", zip(&[wide, stored, ZipEntry { name: "w", flags: 8, ..wide }], b"")),
        named("names", zip(&[ZipEntry { name: "ä/ö", flags: 0x800, ..stored }, stored], b"")),
        named("unused", zip(&[ZipEntry { slack: b"unused", ..deflated }, stored], b"")),
        named("empty", zip(&[], b"")),
        named("odd-slack", zip(&[ZipEntry { slack: &slack, ..streamed }, stored], b"")),
        named("odd-twice", zip(&[stored, ZipEntry { content: b"x = 2\n", ..stored }], b"")),
        named("odd-name", zip(&[ZipEntry { extra: &other_name, ..stored }, deflated], b"")),
        named("odd-ends", zip(&[stored, deflated], &end)),
        named("odd-two", [&plain[..], &zip(&[deflated], b"")].concat()),
        named("odd-hidden", [hidden(b"x"), plain.clone()].concat()),
    ]
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

impl ZipEntry<'_> {
    fn packed(&self) -> Vec<u8> {
        if !self.is_deflated {
            return [self.content, self.slack].concat();
        }
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(self.content).expect("memory");
        [&encoder.finish().expect("memory"), self.slack].concat()
    }

    /// CRC and the two sizes, of four bytes each or marks of zip64, and the extra fields.
    fn fields(&self, packed_bytes: usize) -> (Vec<u8>, Vec<u8>) {
        let sizes = [packed_bytes, self.content.len()].map(|size| size as u64);
        let wide = [&[1, 0, 16, 0][..], &sizes[1].to_le_bytes(), &sizes[0].to_le_bytes()].concat();
        let mut fields = crc(self.content).to_le_bytes().to_vec();
        for size in sizes {
            let size = u32::try_from(size).ok().filter(|_| !self.is_wide).unwrap_or(u32::MAX);
            fields.extend(size.to_le_bytes());
        }
        let wide: &[u8] = if self.is_wide { &wide } else { b"" };
        (fields, [wide, self.extra].concat())
    }
}

fn descriptor(entry: &ZipEntry<'_>) -> Vec<u8> {
    [entry.mark, &entry.fields(entry.packed().len()).0].concat()
}

fn zip(entries: &[ZipEntry<'_>], comment: &[u8]) -> Vec<u8> {
    let u16s = |numbers: &[usize]| -> Vec<u8> {
        numbers.iter().flat_map(|&n| u16::try_from(n).expect("small").to_le_bytes()).collect()
    };
    let u32s = |numbers: &[usize]| -> Vec<u8> {
        numbers.iter().flat_map(|&n| u32::try_from(n).expect("small").to_le_bytes()).collect()
    };
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let (at, packed) = (out.len(), entry.packed());
        let (fields, extra) = entry.fields(packed.len());
        let method = if entry.is_deflated { 8 } else { 0 };
        let lengths = u16s(&[entry.name.len(), extra.len()]);
        let fixed = u16s(&[entry.flags.into(), method, 0, 33]);
        let texts = [entry.name.as_bytes(), &extra].concat();
        // Before a data descriptor there are zeros, or the marks of zip64.
        let mut local = fields.clone();
        if entry.flags & 8 != 0 {
            local[..4].fill(0);
            local[4..].fill(if entry.is_wide { 0xff } else { 0 });
        }
        out.extend([b"PK\x03\x04\x14\0", &fixed[..], &local, &lengths, &texts, &packed].concat());
        if entry.flags & 8 != 0 {
            let sizes = [packed.len(), entry.content.len()].map(|size| size as u64);
            let wide = [&fields[..4], &sizes.map(u64::to_le_bytes).concat()].concat();
            out.extend([entry.mark, if entry.is_wide { &wide } else { &fields }].concat());
        }
        directory.extend([b"PK\x01\x02\x14\x03\x14\0", &fixed[..], &fields, &lengths].concat());
        directory.extend([u16s(&[0, 0, 0]), u32s(&[0o100_644 << 16, at])].concat());
        directory.extend(&texts);
    }
    let (at, count) = (out.len(), entries.len());
    out.extend(&directory);
    if entries.iter().any(|entry| entry.is_wide) {
        let end = out.len();
        let u64s = |numbers: [usize; 4]| numbers.map(|n| (n as u64).to_le_bytes()).concat();
        out.extend([b"PK\x06\x06\x2c\0\0\0\0\0\0\0", &u16s(&[45, 45])[..]].concat());
        out.extend([&u32s(&[0, 0])[..], &u64s([count, count, directory.len(), at])].concat());
        out.extend(
            [b"PK\x06\x07\0\0\0\0", &(end as u64).to_le_bytes()[..], &[1, 0, 0, 0]].concat(),
        );
    }
    out.extend([b"PK\x05\x06", &u16s(&[0, 0, count, count])[..]].concat());
    out.extend([u32s(&[directory.len(), at]), u16s(&[comment.len()])].concat());
    out.extend(comment);
    out
}

fn judged() -> Vec<(String, Vec<u8>)> {
    let framed = |name: &str, policy: &str, exclude: &str, files: &[&str]| {
        let mut parts: Vec<Vec<u8>> = [name, WHEEL_TEXT, policy, exclude].map(Into::into).to_vec();
        for file in files {
            parts.extend([format!("demo/{file}").into_bytes(), read(file)]);
        }
        let framed = parts.iter().flat_map(|part| {
            let length = u32::try_from(part.len()).unwrap_or_default().to_le_bytes();
            [length.to_vec(), part.clone()].concat()
        });
        framed.collect::<Vec<u8>>()
    };
    let mac = "demo-1.0-cp312-cp312-macosx_11_0_universal2.whl";
    let windows = "demo-1.0-cp312-cp312-win_amd64.whl";
    vec![
        named(
            "linux",
            framed(WHEEL, "", "", &["elf/x86_64.so", "elf/runpath.so", "elf/too-new.so"]),
        ),
        named(
            "musl",
            framed(WHEEL, "musllinux_1_2", "libm*", &["elf/musl.so", "extension/stable.so"]),
        ),
        named(
            "linux-32",
            framed(WHEEL, "manylinux_2_28", "", &["elf/armv7l.so", "elf/versioned.so"]),
        ),
        named("mac", framed(mac, "", "", &["macho/universal.dylib", "macho/loader-path.dylib"])),
        named(
            "windows",
            framed(windows, "", "", &["pe/x64.dll", "pe/user.dll", "extension/python3.dll"]),
        ),
    ]
}

//! First inputs of the fuzzer and the mutator: the fixtures of `testdata/`, and files made from
//! them.

use std::io::{Cursor, Write as _};
use std::path::Path;

use wheelsmith_core::metadata::{EntryPoints, Metadata, ProjectFiles, ProjectTable};
use wheelsmith_core::sys::Cancel;
use wheelsmith_core::wheel::{self, Compression, Entry, Options, Wheel};

use super::targets::WHEEL;

const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
const WHEEL_TEXT: &str = "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: false\n\
    Tag: cp312-abi3-manylinux_2_17_x86_64\nTag: cp312-abi3-manylinux2014_x86_64\n";
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
        "wheel" | "existing" | "check" => archives(),
        "judge" => judged(),
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

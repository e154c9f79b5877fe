//! Fetches zig: a fixed version of the package `ziglang`, verified by its SHA-256, through uv or
//! pip. The installer uses its own registry settings and credentials.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use crate::sys::{Command, Host, Lock, Task, fs};

use super::Error;
use super::zig_version::{ZIG_VERSION, Zig};

/// Published file of [`ZIG_VERSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZigWheel {
    /// Operating system of the host, as Rust names it.
    pub os: &'static str,
    /// Processor of the host, as Rust names it.
    pub arch: &'static str,
    /// Digest of the wheel, from the package's `simple` page.
    pub sha256: &'static str,
}

const fn wheel(os: &'static str, arch: &'static str, sha256: &'static str) -> ZigWheel {
    ZigWheel { os, arch, sha256 }
}

/// Wheels of [`ZIG_VERSION`] by host. One Linux wheel serves glibc and musl; this version has none
/// for Windows.
#[rustfmt::skip]
pub static ZIG_WHEELS: &[ZigWheel] = &[
    wheel("linux", "aarch64", "d2804f94f54f7fcf8169f4b212a619ad688a4e2e6592e976f0cf2e58e2cd8af3"),
    wheel("linux", "arm", "2f1506fbd4080ae55c7f3c5abe99cce226e563827f50e8f143e36decc615310f"),
    wheel("linux", "x86", "81e3057db80fb459d1ab13c3db13dbcb1e99e91c36281661831d1916eba924de"),
    wheel("linux", "x86_64", "97079827064a7492cce5541ceb438ae8003ce1e54e399676da2d62fb7a5dc08b"),
    wheel("macos", "aarch64", "87274af689c4128051b26c80f6f676757e0a81c2fdc137fd8b5679e928e4bc4f"),
    wheel("macos", "x86_64", "4d910f0e363ddb60a6b8ddb55235617797a8ccbcb6c5c7132a949d9f833eea42"),
];

/// Approximate size of the unpacked package, in bytes, for progress.
const UNPACKED_BYTES: u64 = 411_000_000;

fn dir(cache: &Path) -> PathBuf {
    cache.join("tools").join(format!("zig-{ZIG_VERSION}"))
}

fn program(dir: &Path) -> PathBuf {
    dir.join("ziglang").join(if cfg!(windows) { "zig.exe" } else { "zig" })
}

/// Returns the zig in `cache`, if it was fetched before. Only a complete zig is stored there, so it
/// is not run to determine its version.
pub(super) fn fetched(cache: &Path) -> Option<Zig> {
    let program = program(&dir(cache));
    fs::metadata(&program).is_ok().then(|| Zig { program, version: ZIG_VERSION.to_owned() })
}

/// Fetches zig into `cache`. One of several processes fetches it, and the others wait.
pub(super) fn fetch(host: &Host, cache: &Path) -> Result<Zig, Error> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let wheel = ZIG_WHEELS.iter().find(|wheel| wheel.os == os && wheel.arch == arch);
    let wheel = wheel.ok_or_else(|| Error::NoZigForHost { host: format!("{os} {arch}") })?;
    let dir = dir(cache);
    let tools = cache.join("tools");
    let lock = tools.join(format!("zig-{ZIG_VERSION}.lock"));
    let acquired = Lock::acquire(&lock, &host.cancel).map_err(Error::io("lock", &lock))?;
    let _lock = acquired.ok_or(Error::Cancelled)?;
    if let Some(zig) = fetched(cache) {
        return Ok(zig);
    }
    fs::sweep(&tools).map_err(Error::io("tidy", &tools))?;
    let installers = installers(host);
    let mut failure = None;
    for installer in &installers {
        match install(host, installer, wheel, &dir) {
            Ok(()) => {
                return fetched(cache).ok_or_else(|| Error::Io {
                    doing: "find zig in",
                    path: dir,
                    source: std::io::ErrorKind::NotFound.into(),
                });
            }
            // The error of the preferred installer is reported.
            Err(error) => failure = failure.or(Some(error)),
        }
        if host.cancel.is_cancelled() {
            break;
        }
    }
    Err(failure.unwrap_or(Error::NoInstaller))
}

struct Installer {
    name: String,
    program: PathBuf,
    args: Vec<&'static str>,
}

/// Returns the installers of wheels, fastest first. A Python without pip fails quickly, and the
/// next is tried.
fn installers(host: &Host) -> Vec<Installer> {
    let rows: [(&str, &[&str]); 3] = [
        ("uv", &["pip", "install"]),
        ("python3", &["-m", "pip", "install", "--disable-pip-version-check"]),
        ("python", &["-m", "pip", "install", "--disable-pip-version-check"]),
    ];
    let found = rows.into_iter().filter_map(|(name, args)| {
        let program = host.env.find_program(name)?;
        let name = if name == "uv" { "`uv`".to_owned() } else { format!("the pip of `{name}`") };
        Some(Installer { name, program, args: args.to_vec() })
    });
    found.collect()
}

fn install(host: &Host, installer: &Installer, wheel: &ZigWheel, dir: &Path) -> Result<(), Error> {
    let doing = "write into";
    let unfinished = fs::UnfinishedDir::create(dir).map_err(Error::io(doing, dir))?;
    // Beside the unpacked files, so that the progress of pip's download can be measured.
    let scratch =
        fs::UnfinishedDir::create(&dir.with_extension("scratch")).map_err(Error::io(doing, dir))?;
    let requirements = scratch.path().join("requirements.txt");
    let line = format!("ziglang=={ZIG_VERSION} --hash=sha256:{}\n", wheel.sha256);
    fs::write_atomic(&requirements, line.as_bytes()).map_err(Error::io("write", &requirements))?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut command = Command::new(&installer.program, scratch.path(), &host.env)
        .args(installer.args.iter().copied())
        .args(["--no-deps", "--require-hashes", "--only-binary", ":all:"])
        .args(["--target".to_owned(), text(unfinished.path())])
        .args(["-r".to_owned(), text(&requirements)])
        .env("TMPDIR", text(scratch.path()));
    // uv downloads into its cache; a temporary one shows its progress.
    command
        .env
        .entry("UV_CACHE_DIR".to_owned())
        .or_insert_with(|| text(&scratch.path().join("uv")));
    let task = host.task(format!("fetch zig {ZIG_VERSION}"), UNPACKED_BYTES);
    let result = watched(&task, &[unfinished.path(), scratch.path()], || command.run(host));
    result.map_err(|error| Error::Install {
        installer: installer.name.clone(),
        source: Box::new(error),
    })?;
    unfinished.finish().map_err(Error::io("rename to", dir))?;
    task.finish(format!("with {}, sha256 checked", installer.name));
    Ok(())
}

/// Runs `work` and meanwhile reports the number of bytes below `dirs`.
fn watched<T: Send>(task: &Task, dirs: &[&Path], work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        let worker = scope.spawn(move || {
            let result = work();
            drop(done);
            result
        });
        let mut seen = 0;
        while ended.recv_timeout(Duration::from_secs(1)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = dirs.iter().map(|dir| size(dir)).sum::<u64>().min(UNPACKED_BYTES);
            // While files are moved, the number may be smaller for a moment.
            if now > seen {
                task.advance(now - seen, format!("{} MB", now / 1_000_000));
                seen = now;
            }
        }
        match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Returns the number of bytes below a directory. Files may appear and vanish meanwhile.
fn size(dir: &Path) -> u64 {
    let files = fs::walk(dir).unwrap_or_default();
    files.iter().filter_map(|file| Some(fs::metadata(&file.path).ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Env;

    #[test]
    fn every_wheel_is_pinned_by_a_digest() {
        for wheel in ZIG_WHEELS {
            let digest = wheel.sha256;
            assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        }
        let hosts: Vec<_> = ZIG_WHEELS.iter().map(|wheel| (wheel.os, wheel.arch)).collect();
        assert!(hosts.is_sorted_by(|a, b| a < b));
    }

    /// Returns a host with an installer that runs `script`.
    #[cfg(unix)]
    fn fake_uv(dir: &Path, script: &str) -> Host {
        let bin = dir.join("bin");
        let uv = bin.join("uv");
        fs::write_program(&uv, format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        let mut env = Env::default();
        env.set("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        Host::quiet(env)
    }

    #[test]
    #[cfg(unix)]
    fn zig_appears_whole_or_not_at_all() {
        let temp = fs::temp_dir().unwrap();
        let cache = temp.path().join("cache");
        let failing = fake_uv(temp.path(), "mkdir -p \"$8/ziglang\"; echo no route >&2; exit 2");
        let mut env = failing.env.clone();
        env.set("PATH", temp.path().join("bin").to_str().unwrap());
        let failing = Host::quiet(env);
        let error = fetch(&failing, &cache).unwrap_err();
        assert!(error.to_string().ends_with("with `uv`"), "{error}");
        assert!(error.hint().is_some());
        let left: Vec<String> =
            fs::walk(&cache).unwrap().into_iter().map(|file| file.relative).collect();
        assert_eq!(left, [format!("tools/zig-{ZIG_VERSION}.lock")]);

        let script = "while [ \"$1\" != --target ]; do shift; done\n\
            mkdir \"$2/ziglang\" && grep -c 'ziglang==.* --hash=sha256:' \"$4\" >\"$2/ziglang/zig\"";
        let host = fake_uv(temp.path(), script);
        let zig = fetch(&host, &cache).unwrap();
        assert_eq!(fs::read_to_string(&zig.program).unwrap(), "1\n");
        assert_eq!(fetched(&cache), Some(zig.clone()));
        // It is not fetched again: this installer would fail.
        assert_eq!(fetch(&failing, &cache).unwrap(), zig);
    }

    #[test]
    fn without_an_installer_there_is_a_hint() {
        let temp = fs::temp_dir().unwrap();
        let error = fetch(&Host::quiet(Env::default()), temp.path()).unwrap_err();
        assert!(matches!(error, Error::NoInstaller | Error::NoZigForHost { .. }));
        assert!(error.hint().is_some());
    }
}

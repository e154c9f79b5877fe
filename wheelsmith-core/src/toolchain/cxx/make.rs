//! Compiles the shared C++ runtime into the user's cache.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::name::Digest;
use crate::sys::{Command, Host, Lock, ProcessError, fs};
use crate::toolchain::{Error, Tool, Toolchain, zig};

use super::recipe::{self, Unit};
use super::{LINK_NAME, SharedCxx};

/// Name of the description beside the library.
const ABOUT: &str = "about.json";

/// Description of the library in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    /// Sha256 of the library.
    sha256: Digest,
    /// Version of libc++.
    version: Option<String>,
}

impl SharedCxx {
    fn about(&self) -> Option<About> {
        serde_json::from_slice(&fs::read(self.dir.join(ABOUT)).ok()?).ok()
    }

    /// Returns the version of libc++ of a compiled library, if it is known.
    pub fn version(&self) -> Option<String> {
        self.about()?.version
    }

    /// Returns the licences of a compiled library.
    pub fn licenses(&self) -> Vec<PathBuf> {
        let paths = recipe::LICENSES.iter().map(|(_, name)| self.dir.join(name));
        paths.filter(|path| path.is_file()).collect()
    }

    /// True if the library is in the cache and undamaged.
    fn is_made(&self) -> bool {
        let digest = fs::digest(&self.library()).ok().map(|(digest, _)| digest);
        digest.is_some() && self.about().map(|about| about.sha256) == digest
    }
}

/// Compiles `shared`, unless it is in the cache.
///
/// # Errors
/// Returns an error if zig's package lacks its sources, or the compiler fails.
pub fn make(host: &Host, toolchain: &Toolchain, shared: &SharedCxx) -> Result<(), Error> {
    if shared.is_made() {
        return Ok(());
    }
    let io = |doing| Error::io(doing, &shared.dir);
    let lock = shared.dir.with_extension("lock");
    let lock = Lock::acquire(&lock, &host.cancel).map_err(io("lock"))?;
    let _lock = lock.ok_or(Error::Cancelled)?;
    if shared.is_made() {
        return Ok(());
    }
    if let Some(parent) = shared.dir.parent() {
        fs::sweep(parent).map_err(io("prepare"))?;
    }
    let unfinished = fs::UnfinishedDir::create(&shared.dir).map_err(io("create"))?;
    let library = unfinished.path().join(&shared.file);
    let scratch = fs::temp_dir().map_err(io("create a temporary directory for"))?;
    let work = Work {
        host,
        toolchain,
        lib: zig::lib_dir(host, &toolchain.cc.program)?,
        objects: scratch.path().to_owned(),
    };
    let objects = work.compile()?;
    work.link(&objects, &shared.file, &library)?;
    let config = fs::read_to_string(work.lib.join("libcxx/include/__config")).unwrap_or_default();
    let (sha256, _) = fs::digest(&library).map_err(io("read"))?;
    let about = About { sha256, version: recipe::version(&config) };
    let text = serde_json::to_vec(&about).map_err(|e| io("write")(e.into()))?;
    let write = |name: &str, bytes: &[u8]| {
        fs::write_atomic(&unfinished.path().join(name), bytes).map(drop).map_err(io("write"))
    };
    for (from, name) in recipe::LICENSES {
        let path = work.lib.join(from);
        write(name, &fs::read(&path).map_err(Error::io("read", &path))?)?;
    }
    write(ABOUT, &text)?;
    let link = unfinished.path().join(format!("lib{LINK_NAME}.so"));
    fs::symlink(&shared.file, &link).map_err(io("write"))?;
    unfinished.finish().map_err(io("write"))
}

struct Work<'a> {
    host: &'a Host,
    toolchain: &'a Toolchain,
    /// zig's `lib`.
    lib: PathBuf,
    /// Directory of the objects.
    objects: PathBuf,
}

impl Work<'_> {
    /// Compiles every source, and returns the objects in order.
    fn compile(&self) -> Result<Vec<PathBuf>, Error> {
        let mut units = Vec::new();
        for dir in recipe::SOURCES {
            let root = self.lib.join(dir);
            for file in fs::walk(&root).map_err(Error::io("read", &root))? {
                units.extend(recipe::unit(self.toolchain, &format!("{dir}/{}", file.relative)));
            }
        }
        let label = format!("compile the C++ runtime for {}, once", self.toolchain.target);
        let task = self.host.task(label, units.len() as u64);
        let compiled = self.host.jobs.try_map(&self.host.cancel, &units, |unit| {
            self.compile_one(unit)?;
            task.advance(1, &unit.source);
            Ok::<(), Error>(())
        })?;
        if compiled.is_none() {
            return Err(Error::Cancelled);
        }
        task.finish("done");
        Ok(units.iter().map(|unit| self.object(unit)).collect())
    }

    fn object(&self, unit: &Unit) -> PathBuf {
        self.objects.join(format!("{}.o", unit.source.replace('/', "_")))
    }

    fn compile_one(&self, unit: &Unit) -> Result<(), Error> {
        let tool = if unit.is_cxx { &self.toolchain.cxx } else { &self.toolchain.cc };
        // The sources are named relative to the working directory, which is zig's `lib`.
        let command = self.command(tool).args(unit.args.iter().cloned()).args(["-c", "-o"]);
        let command = command.arg(self.object(unit).to_string_lossy()).arg(&unit.source);
        self.run(&command)
    }

    /// Links by the C compiler: the C++ compiler adds its own runtime.
    fn link(&self, objects: &[PathBuf], soname: &str, output: &Path) -> Result<(), Error> {
        let script = self.objects.join("version.map");
        let text = recipe::version_script(&recipe::digest(self.toolchain));
        fs::write(&script, text).map_err(Error::io("write", &script))?;
        let command = self
            .command(&self.toolchain.cc)
            .args(recipe::link_args(self.toolchain, soname))
            .arg(format!("-Wl,--version-script={}", script.display()))
            .arg("-o")
            .arg(output.to_string_lossy())
            .args(objects.iter().map(|object| object.to_string_lossy().into_owned()));
        let _token = self.host.jobs.acquire().map_err(Error::io("link", output))?;
        self.run(&command)
    }

    fn command(&self, tool: &Tool) -> Command {
        tool.command(&self.lib, &self.host.env)
    }

    fn run(&self, command: &Command) -> Result<(), Error> {
        command.run(self.host).map(drop).map_err(|source| match source {
            ProcessError::Cancelled => Error::Cancelled,
            source => Error::CxxRuntime { target: self.toolchain.target, source: Box::new(source) },
        })
    }
}

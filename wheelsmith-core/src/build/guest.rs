//! Toolchain of components with `libc = "musl"` beside files for glibc.

use std::path::{Path, PathBuf};

use super::{Error, Setting};
use crate::config::Component;
use crate::name::Target;
use crate::plan::TargetPlan;
use crate::sys::Host;
use crate::toolchain::{self, Request, Toolchain, ToolchainKind, Wrappers};

/// Plan, toolchain and build directory of the components of another C library.
#[derive(Debug)]
pub struct Guest {
    plan: TargetPlan,
    toolchain: Toolchain,
    wrappers: Wrappers,
    work: PathBuf,
}

impl Guest {
    /// Locates the toolchain for the components of `plan` that are for musl; `None` if there are
    /// none, or the target itself is for musl. `work` is the build directory of the target, `program`
    /// the running program.
    ///
    /// # Errors
    /// Returns an error if there is no musl for the target's processor, or no toolchain.
    pub fn locate(
        host: &Host,
        plan: &TargetPlan,
        request: &Request<'_>,
        (work, program): (&Path, &Path),
    ) -> Result<Option<Self>, Error> {
        let is_its = |component: &Component| component.is_guest(plan.target);
        let mut guests = plan.components.iter().filter(|one| is_its(&one.component));
        let Some(first) = guests.next() else { return Ok(None) };
        let target = musl(plan.target).ok_or_else(|| Error::NoMusl {
            component: first.component.name.clone(),
            target: plan.target,
        })?;
        let work = work.join("musl");
        let kind = match plan.toolchain {
            ToolchainKind::Auto => ToolchainKind::Auto,
            // Compilers of a distribution are for its own C library.
            _ => ToolchainKind::Zig,
        };
        let request = Request { kind, target, sysroot: None, ..*request };
        let toolchain = toolchain::locate(host, &request).map_err(Error::Toolchain)?;
        let wrappers = Wrappers::for_cargo(&toolchain, &work, program);
        let plan = TargetPlan { target, toolchain: kind, sysroot: None, ..plan.clone() };
        Ok(Some(Self { plan, toolchain, wrappers, work }))
    }

    /// Writes the scripts of its compilers.
    ///
    /// # Errors
    /// Returns an error if a file cannot be written.
    pub fn write_wrappers(&self) -> Result<(), Error> {
        self.wrappers.write().map_err(Error::Toolchain)
    }

    /// Returns the context of its components, beside `main`.
    pub fn setting<'a>(&'a self, main: &Setting<'a>) -> Setting<'a> {
        Setting {
            plan: &self.plan,
            toolchain: &self.toolchain,
            wrappers: &self.wrappers,
            work: &self.work,
            ..*main
        }
    }
}

/// Returns the target of the same processor with musl.
fn musl(target: Target) -> Option<Target> {
    let (start, end) = target.triple().rsplit_once("-gnu")?;
    format!("{start}-musl{end}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_processor_has_its_musl() {
        let check = |target: &str, expected: Option<&str>| {
            let musl = musl(target.parse().unwrap()).map(|target| target.to_string());
            assert_eq!(musl.as_deref(), expected, "{target}");
        };
        check("x86_64-unknown-linux-gnu.2.28", Some("x86_64-unknown-linux-musl"));
        check("armv7-unknown-linux-gnueabihf", Some("armv7-unknown-linux-musleabihf"));
        check("x86_64-unknown-linux-musl", None);
        check("aarch64-apple-darwin", None);
    }
}

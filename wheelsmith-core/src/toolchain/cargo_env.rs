//! Environment variables that name a toolchain.

use std::collections::BTreeMap;
use std::path::Path;

use crate::name::Floor;

use super::{Toolchain, Wrappers};

/// Returns the variables of `cargo build --target`: the linker, and the compilers for build scripts
/// that use the `cc` crate. Both rustc and the `cc` crate then compile for the toolchain's floor.
///
/// Build scripts and procedural macros run on the host and use the host's compilers.
pub fn env_for_cargo(toolchain: &Toolchain, wrappers: &Wrappers) -> BTreeMap<String, String> {
    let target = &toolchain.target;
    let under = target.triple().replace('-', "_");
    let mut env = BTreeMap::from([
        (format!("CARGO_TARGET_{}_LINKER", target.env_name()), text(&wrappers.linker)),
        (format!("CC_{under}"), text(&wrappers.cc)),
        (format!("CXX_{under}"), text(&wrappers.cxx)),
        (format!("AR_{under}"), text(&wrappers.ar)),
        (format!("RANLIB_{under}"), text(&wrappers.ranlib)),
    ]);
    // Without it rustc and the `cc` crate use different default minima, and zig uses a newer one.
    if let Floor::MacOs(min) = target.floor() {
        env.insert("MACOSX_DEPLOYMENT_TARGET".to_owned(), min.to_string());
    }
    env
}

/// Returns the variables of `configure` and `make`. They name all tools, because a tool that is not
/// named is searched for, and the result may belong to another target.
pub fn env_for_configure(toolchain: &Toolchain, wrappers: &Wrappers) -> BTreeMap<String, String> {
    let mut env = BTreeMap::from(
        [
            ("CC", &wrappers.cc),
            ("CXX", &wrappers.cxx),
            ("AR", &wrappers.ar),
            ("RANLIB", &wrappers.ranlib),
            // The compiler links; a separate `ld` would use the paths of another libc.
            ("LD", &wrappers.cc),
        ]
        .map(|(name, path)| (name.to_owned(), text(path))),
    );
    for (name, tool) in [("NM", &toolchain.nm), ("STRIP", &toolchain.strip)] {
        // `:` does nothing, and succeeds. Stripping is decided at link time.
        let program = tool.as_ref().map_or_else(|| ":".to_owned(), |tool| text(&tool.program));
        env.insert(name.to_owned(), program);
    }
    if let Floor::MacOs(min) = toolchain.target.floor() {
        env.insert("MACOSX_DEPLOYMENT_TARGET".to_owned(), min.to_string());
    }
    env
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain::tests::zig_for;

    fn example(target: &str) -> (Toolchain, Wrappers) {
        let toolchain = zig_for(target);
        let wrapper = |name: &str| Path::new("/w").join(name);
        let [cc, cxx, ar, ranlib, linker] = ["cc", "c++", "ar", "ranlib", "linker"].map(wrapper);
        (toolchain, Wrappers { cc, cxx, ar, ranlib, linker, scripts: Vec::new() })
    }

    #[test]
    fn cargo_is_told_of_every_tool() {
        let (toolchain, wrappers) = example("aarch64-unknown-linux-gnu");
        let env = env_for_cargo(&toolchain, &wrappers);
        let pairs: Vec<String> = env.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(
            pairs,
            [
                "AR_aarch64_unknown_linux_gnu=/w/ar",
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=/w/linker",
                "CC_aarch64_unknown_linux_gnu=/w/cc",
                "CXX_aarch64_unknown_linux_gnu=/w/c++",
                "RANLIB_aarch64_unknown_linux_gnu=/w/ranlib",
            ]
        );
    }

    #[test]
    fn macos_has_one_minimum() {
        let check = |target: &str, minimum: Option<&str>| {
            let (toolchain, wrappers) = example(target);
            let name = "MACOSX_DEPLOYMENT_TARGET";
            let cargo = env_for_cargo(&toolchain, &wrappers);
            assert_eq!(cargo.get(name).map(String::as_str), minimum);
            let configure = env_for_configure(&toolchain, &wrappers);
            assert_eq!(configure.get(name).map(String::as_str), minimum);
        };
        check("aarch64-apple-darwin", Some("11.0"));
        check("x86_64-apple-darwin", Some("10.12"));
        check("x86_64-apple-darwin.13.3", Some("13.3"));
        check("x86_64-unknown-linux-gnu", None);
    }

    #[test]
    fn configure_looks_for_nothing_itself() {
        let (toolchain, wrappers) = example("aarch64-unknown-linux-gnu");
        let env = env_for_configure(&toolchain, &wrappers);
        let names: Vec<&str> = env.keys().map(String::as_str).collect();
        assert_eq!(names, ["AR", "CC", "CXX", "LD", "NM", "RANLIB", "STRIP"]);
        assert_eq!((env["STRIP"].as_str(), env["NM"].as_str()), (":", "/b/llvm-nm"));
    }
}

//! Paths where the files of a wheel are installed, and directories that `$ORIGIN` stands for.

/// Returns the installed path of a file of the wheel: below `site` (the directory that Python
/// imports from) or below `prefix` (of the environment). The relative path between the two differs
/// between systems, so no path leads from one to the other.
///
/// Source: binary distribution format specification, "The .data directory".
pub(crate) fn installed(path: &str) -> String {
    let data = path.split_once(".data/").filter(|(name, _)| !name.contains('/'));
    match data.and_then(|(_, rest)| rest.split_once('/')) {
        Some(("purelib" | "platlib", rest)) => format!("site/{rest}"),
        Some(("scripts", rest)) => format!("prefix/bin/{rest}"),
        Some(("data", rest)) => format!("prefix/{rest}"),
        _ => format!("site/{path}"),
    }
}

/// Returns the directory that an entry of RPATH or RUNPATH stands for in the file at `place`;
/// `None` if it is outside what the wheel installs.
pub(crate) fn directory(entry: &str, place: &str) -> Option<String> {
    let rest = entry.strip_prefix("$ORIGIN").or_else(|| entry.strip_prefix("${ORIGIN}"))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = place.split('/').collect();
    parts.pop();
    below(parts, rest)
}

/// Resolves `rest` relative to a directory; `None` if the result is outside what the wheel
/// installs.
pub(super) fn below<'a>(mut directory: Vec<&'a str>, rest: &'a str) -> Option<String> {
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            // The content of the directories above the root is unknown.
            ".." if directory.len() < 2 => return None,
            ".." => {
                directory.pop();
            }
            part => directory.push(part),
        }
    }
    Some(directory.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_land_where_the_installer_puts_them() {
        let check = |path: &str, place: &str| assert_eq!(installed(path), place);
        check("pkg/lib/libx.so", "site/pkg/lib/libx.so");
        check("demo-1.0.data/platlib/pkg/x.so", "site/pkg/x.so");
        check("demo-1.0.data/purelib/x.so", "site/x.so");
        check("demo-1.0.data/scripts/run", "prefix/bin/run");
        check("demo-1.0.data/data/lib/libx.so", "prefix/lib/libx.so");
        check("demo-1.0.data/headers/x.h", "site/demo-1.0.data/headers/x.h");
        check("pkg/x.data/scripts/run", "site/pkg/x.data/scripts/run");
    }

    #[test]
    fn origin_is_the_directory_of_the_file() {
        let check = |entry: &str, expected: Option<&str>| {
            assert_eq!(directory(entry, "site/pkg/bin/run").as_deref(), expected, "{entry}");
        };
        check("$ORIGIN", Some("site/pkg/bin"));
        check("${ORIGIN}/../lib", Some("site/pkg/lib"));
        check("$ORIGIN/../../pkg.libs", Some("site/pkg.libs"));
        check("$ORIGIN/../..", Some("site"));
        check("$ORIGIN/../../..", None);
        check("$ORIGIN/../../../prefix", None);
        check("$ORIGIN/../../../site", None);
        check("$ORIGIN/../../../../..", None);
        check("$ORIGINAL", None);
        check("/usr/lib", None);
        check("lib", None);
        check("", None);
    }
}

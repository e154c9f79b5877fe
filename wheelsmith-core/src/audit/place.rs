//! Where the files of a wheel land, and where `$ORIGIN` leads from there.

/// The place of a wheel's file once it is installed: below `site` (the directory that Python imports
/// from) or below `prefix` (of the environment). How one lies from the other differs between
/// systems, so that no path leads across.
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

/// The directory that an entry of RPATH or RUNPATH means for the file at `place`; nothing when the
/// loader would look outside what the wheel installs.
pub(crate) fn directory(entry: &str, place: &str) -> Option<String> {
    let rest = entry.strip_prefix("$ORIGIN").or_else(|| entry.strip_prefix("${ORIGIN}"))?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = place.split('/').collect();
    parts.pop();
    below(parts, rest)
}

/// `rest` as seen from a directory; nothing when that leaves what the wheel installs.
pub(super) fn below<'a>(mut directory: Vec<&'a str>, rest: &'a str) -> Option<String> {
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            // Above the root of the place lies whatever the user has there.
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

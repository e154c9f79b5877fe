//! The files of `.dist-info` that we make, all but `RECORD`.

use std::fmt::Write as _;

use super::{EntryPoints, Metadata};
use crate::name::{PlatformTag, WheelFilename};

/// Path below `.dist-info`, content; sorted by path.
pub(super) fn files(
    filename: &WheelFilename,
    metadata: &Metadata,
    entry_points: &EntryPoints,
) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("METADATA".to_owned(), metadata.render().into_bytes()),
        ("WHEEL".to_owned(), wheel(filename).into_bytes()),
    ];
    if !entry_points.is_empty() {
        files.push(("entry_points.txt".to_owned(), entry_points.render().into_bytes()));
    }
    for (path, text) in metadata.license_files() {
        files.push((format!("licenses/{path}"), text.clone().into_bytes()));
    }
    files.sort();
    files
}

/// `WHEEL`: version of the format, who made it, the tags.
fn wheel(filename: &WheelFilename) -> String {
    let pure = filename.platforms == [PlatformTag::Any];
    let mut out = format!(
        "Wheel-Version: 1.0\nGenerator: wheelsmith {}\nRoot-Is-Purelib: {pure}\n",
        env!("CARGO_PKG_VERSION"),
    );
    for tag in filename.expanded_tags() {
        let _ = writeln!(out, "Tag: {tag}");
    }
    if let Some(build) = &filename.build {
        let _ = writeln!(out, "Build: {build}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheel_names_each_tag_once() {
        let check = |filename: &str, rest: &str| {
            let text = wheel(&filename.parse().unwrap());
            let version = env!("CARGO_PKG_VERSION");
            let head = format!("Wheel-Version: 1.0\nGenerator: wheelsmith {version}\n");
            assert_eq!(text, head + rest);
        };
        check("d-1-py3-none-any.whl", "Root-Is-Purelib: true\nTag: py3-none-any\n");
        check(
            "d-1-7x-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "Root-Is-Purelib: false\nTag: py3-none-manylinux2014_x86_64\n\
             Tag: py3-none-manylinux_2_17_x86_64\nBuild: 7x\n",
        );
    }
}

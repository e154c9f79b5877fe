//! The way from one file of a wheel to another, once both are installed.

use crate::name::WheelPath;

/// How to get from the directory of `from` to `to`, both paths from the same root: `../../x.libs`;
/// empty when they are the same.
pub(super) fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (mut from, to) = (parts(from), parts(to));
    from.pop();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// `base`, or `base/rest` when there is a rest.
pub(super) fn join(base: &str, rest: &str) -> String {
    if rest.is_empty() { base.to_owned() } else { format!("{base}/{rest}") }
}

/// The packages and modules at the top of a wheel whose files are given: no `.dist-info`, no
/// `.data`, no `.libs`.
pub(super) fn packages<'a>(paths: impl Iterator<Item = &'a WheelPath>) -> Vec<&'a str> {
    let mut tops: Vec<&str> = paths
        .filter_map(|path| path.as_str().split_once('/'))
        .map(|(top, _)| top)
        .filter(|top| !top.contains('.'))
        .collect();
    tops.sort_unstable();
    tops.dedup();
    tops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_file_to_directory() {
        let check = |from: &str, to: &str, expected: &str| assert_eq!(relative(from, to), expected);
        check("pkg/sub/x.so", "pkg.libs", "../../pkg.libs");
        check("x.so", "pkg.libs", "pkg.libs");
        check("pkg.libs/a.so", "pkg.libs", "");
        check("pkg/x.so", "pkg/.dylibs", ".dylibs");
        check("pkg/a/x.so", "pkg/b/y.so", "../b/y.so");
    }
}

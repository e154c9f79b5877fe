//! Paths from one file of a wheel to another after installation.

/// Returns the path from the directory of `from` to `to`, both relative to the same root:
/// `../../x.libs`; empty if they are the same.
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

/// Returns `base/rest`, or `base` if `rest` is empty.
pub(super) fn join(base: &str, rest: &str) -> String {
    if rest.is_empty() { base.to_owned() } else { format!("{base}/{rest}") }
}

/// Returns the top-level packages among installed paths (`site/demo/x.so`), without `.dist-info`
/// and `.libs`.
pub(super) fn packages(places: &[String]) -> Vec<&str> {
    let mut tops: Vec<&str> = places
        .iter()
        .filter_map(|place| place.strip_prefix("site/")?.split_once('/'))
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

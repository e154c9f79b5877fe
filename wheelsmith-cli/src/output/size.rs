//! Output of `wheelsmith size`.

use serde_json::{Value, json};
use wheelsmith_core::size::{
    Comparison, FileSize, Growth, Limit, PackageSize, Saving, SavingKind, SizeReport,
};

use super::human::{self, BOLD, DIM, GREEN, RED, YELLOW};
use super::json::SCHEMA;
use super::text::Text;

/// Measured packages.
pub(crate) struct Sizes {
    pub(crate) report: SizeReport,
    /// Growth since a previous build, if there is one.
    pub(crate) comparison: Option<Comparison>,
    /// Names of packages that grew by more than the limit.
    pub(crate) over: Vec<(String, Limit)>,
}

pub(super) fn human(sizes: &Sizes, top: usize) -> Text {
    let mut text = Text::new();
    for package in &sizes.report.packages {
        self::package(&mut text, package, top);
    }
    if let [_, _, ..] = &sizes.report.packages[..] {
        let (count, all) = (sizes.report.packages.len(), human::size(sizes.report.size_bytes()));
        let _ = writeln!(text, "{BOLD}{count} packages{BOLD:#}  {all}");
    }
    savings(&mut text, &sizes.report.savings);
    if let Some(comparison) = &sizes.comparison {
        compared(&mut text, comparison, top);
    }
    for (name, limit) in &sizes.over {
        let _ = writeln!(text, "{RED}error{RED:#}: {name} grew by more than {limit}");
    }
    text
}

fn package(text: &mut Text, package: &PackageSize, top: usize) {
    let (size, unpacked) = (human::size(package.size_bytes), human::size(package.unpacked_bytes));
    let name = package.path.display();
    let _ = writeln!(text, "{BOLD}{name}{BOLD:#}  {size}, unpacked {unpacked}");
    let all = package.overhead_bytes().map_or(package.unpacked_bytes, |_| package.size_bytes);
    for file in package.files.iter().take(top) {
        let share = 100.0 * file.weight() as f64 / all.max(1) as f64;
        let unpacked = human::size(file.size_bytes);
        let _ = match file.packed_bytes {
            Some(packed) => {
                let packed = human::size(packed);
                writeln!(
                    text,
                    "  {share:5.1} %  {packed:>9}  {DIM}{unpacked:>9}{DIM:#}  {}",
                    file.path
                )
            }
            None => writeln!(text, "  {share:5.1} %  {unpacked:>9}  {}", file.path),
        };
    }
    if let Some(rest) = package.files.get(top..).filter(|rest| !rest.is_empty()) {
        let bytes = human::size(rest.iter().map(FileSize::weight).sum());
        let _ = writeln!(text, "  {DIM}and {} more files, {bytes}{DIM:#}", rest.len());
    }
    savings(text, &package.savings);
    for found in &package.unexamined {
        let (path, reason) = (&found.path, &found.reason);
        let _ = writeln!(text, "  {YELLOW}not examined{YELLOW:#}: {path}: {reason}");
    }
}

fn savings(text: &mut Text, savings: &[Saving]) {
    for saving in savings {
        let bytes = human::size(saving.packed_bytes.unwrap_or(saving.size_bytes));
        let first = saving.paths.first().map_or("", String::as_str);
        let count = saving.paths.len();
        let what = match saving.kind {
            SavingKind::Duplicates => format!("one copy instead of {count} of {first}"),
            SavingKind::Strip if count == 1 => format!("strip {first}"),
            SavingKind::Strip => format!("strip {count} files, above all {first}"),
            SavingKind::StableAbi if saving.for_each_python => {
                "for each further Python, if the modules use the stable ABI".to_owned()
            }
            SavingKind::StableAbi => {
                format!("one wheel instead of {count}, if the modules use the stable ABI")
            }
            SavingKind::SplitRuntime if saving.for_each_python => {
                format!(
                    "for each further Python, with a wheel of its own for {}",
                    files(first, count)
                )
            }
            SavingKind::SplitRuntime => format!("a wheel of its own for {}", files(first, count)),
            _ => saving.kind.to_string(),
        };
        let _ = writeln!(text, "  {GREEN}would save{GREEN:#} {bytes}: {what}");
    }
}

fn files(first: &str, count: usize) -> String {
    match count {
        1 => first.to_owned(),
        2 => format!("{first} and 1 more file"),
        _ => format!("{first} and {} more files", count - 1),
    }
}

fn compared(text: &mut Text, comparison: &Comparison, top: usize) {
    for growth in &comparison.packages {
        let Growth { name, before, after, files, .. } = growth;
        let (old, new) = (human::size(*before), human::size(*after));
        let change = change(*before, *after);
        let _ = writeln!(text, "{BOLD}{name}{BOLD:#}  {old} to {new}: {change}");
        for file in files.iter().take(top) {
            let path = &file.path;
            let _ = match (file.before, file.after) {
                (None, after) => {
                    writeln!(
                        text,
                        "  {GREEN}+{GREEN:#} {path}  {}",
                        human::size(after.unwrap_or(0))
                    )
                }
                (Some(before), None) => {
                    writeln!(text, "  {RED}-{RED:#} {path}  {}", human::size(before))
                }
                (Some(before), Some(after)) => {
                    writeln!(text, "  {YELLOW}~{YELLOW:#} {path}  {}", self::change(before, after))
                }
            };
        }
        if files.len() > top {
            let _ = writeln!(text, "  {DIM}and {} more files{DIM:#}", files.len() - top);
        }
    }
    for (sign, names) in [("+", &comparison.added), ("-", &comparison.removed)] {
        for name in names {
            let _ = writeln!(text, "{YELLOW}{sign}{YELLOW:#} {name}  not compared");
        }
    }
}

/// Returns a difference: `+12 B (+0.3 %)`.
fn change(before: u64, after: u64) -> String {
    let (sign, size) =
        (if after < before { "-" } else { "+" }, human::size(before.abs_diff(after)));
    if before == 0 {
        return format!("{sign}{size}");
    }
    let percent = 100.0 * before.abs_diff(after) as f64 / before as f64;
    format!("{sign}{size} ({sign}{percent:.1} %)")
}

pub(super) fn json(sizes: &Sizes) -> Value {
    let mut value = json!(sizes.report);
    value["schema"] = json!(SCHEMA);
    value["size_bytes"] = json!(sizes.report.size_bytes());
    value["comparison"] = json!(sizes.comparison);
    value["over_limit"] = json!(sizes.over.iter().map(|(name, _)| name).collect::<Vec<_>>());
    value
}

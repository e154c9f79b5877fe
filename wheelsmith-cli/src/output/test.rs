//! Output of `wheelsmith test`: a table for people, JSON, JUnit XML, Markdown.

use std::fmt::Write as _;
use std::path::Path;

use anstyle::Style;
use wheelsmith_core::testing::{CellReport, Report, Status, Verdict};

use super::human::{BOLD, DIM, GREEN, RED, YELLOW};
use super::report::escape::{Markdown, Markup};
use super::text::Text;

/// Format of a report file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TestForm {
    Json,
    Junit,
    Markdown,
}

impl TestForm {
    /// Returns the format for the end of a file name.
    pub(crate) fn of(path: &Path) -> anyhow::Result<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("json") => Ok(Self::Json),
            Some("xml") => Ok(Self::Junit),
            Some("md") => Ok(Self::Markdown),
            _ => anyhow::bail!(
                "cannot write `{}`: the name must end with `.json`, `.xml` \
                 (JUnit) or `.md`",
                path.display()
            ),
        }
    }

    pub(crate) fn render(self, report: &Report) -> anyhow::Result<String> {
        Ok(match self {
            Self::Json => json(report)?,
            Self::Junit => junit(report),
            Self::Markdown => markdown(report),
        })
    }
}

pub(super) fn json(report: &Report) -> serde_json::Result<String> {
    Ok(format!("{:#}\n", serde_json::to_value(report)?))
}

/// Cells of a wheel: a row for each Python, a column for each way to install.
struct Table<'r> {
    wheel: &'r str,
    schemes: Vec<String>,
    rows: Vec<Row<'r>>,
}

struct Row<'r> {
    label: String,
    cells: Vec<Option<&'r CellReport>>,
}

/// Returns a table for each wheel, in the order of the report.
fn tables(report: &Report) -> Vec<Table<'_>> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    for cell in &report.cells {
        let at = tables.iter().position(|table| table.wheel == cell.wheel).unwrap_or_else(|| {
            tables.push(Table { wheel: &cell.wheel, schemes: Vec::new(), rows: Vec::new() });
            tables.len() - 1
        });
        let schemes = &mut tables[at].schemes;
        if !schemes.contains(&scheme(cell)) {
            schemes.push(scheme(cell));
        }
    }
    for table in &mut tables {
        for cell in report.cells.iter().filter(|cell| cell.wheel == table.wheel) {
            let column = table.schemes.iter().position(|name| *name == scheme(cell)).unwrap_or(0);
            let label = label(cell);
            let is_free = |row: &&mut Row<'_>| row.label == label && row.cells[column].is_none();
            if let Some(row) = table.rows.iter_mut().find(is_free) {
                row.cells[column] = Some(cell);
                continue;
            }
            let mut cells = vec![None; table.schemes.len()];
            cells[column] = Some(cell);
            table.rows.push(Row { label, cells });
        }
    }
    tables
}

fn scheme(cell: &CellReport) -> String {
    cell.scheme.map_or_else(|| "old libc".to_owned(), |scheme| scheme.to_string())
}

fn label(cell: &CellReport) -> String {
    let emulated = if cell.foreign && cell.scheme.is_some() { ", foreign" } else { "" };
    format!("{} ({}{emulated})", cell.python, cell.platform)
}

fn word(cell: &CellReport) -> String {
    match cell.status {
        Status::Skipped => "skipped".to_owned(),
        Status::Passed => format!("passed {:.1} s", cell.time_secs),
        Status::Failed => format!("FAILED {:.1} s", cell.time_secs),
        Status::AllowedFailure => format!("failed (allowed) {:.1} s", cell.time_secs),
    }
}

fn style(cell: &CellReport) -> Style {
    match cell.status {
        Status::Passed => GREEN,
        Status::Failed => RED,
        Status::Skipped if cell.required => RED,
        Status::Skipped | Status::AllowedFailure => YELLOW,
    }
}

pub(super) fn human(report: &Report) -> Text {
    let mut text = Text::new();
    for Table { wheel, schemes, rows } in tables(report) {
        let _ = writeln!(text, "{BOLD}{wheel}{BOLD:#}");
        let first = rows.iter().map(|row| row.label.len()).max().unwrap_or(0);
        let width = |column: usize| {
            let words =
                rows.iter().filter_map(|row| row.cells[column].map(|cell| word(cell).len()));
            words.chain([schemes[column].len()]).max().unwrap_or(0)
        };
        let mut header = format!("  {:first$}", "python");
        for (column, scheme) in schemes.iter().enumerate() {
            let _ = write!(header, "  {scheme:0$}", width(column));
        }
        let _ = writeln!(text, "{DIM}{}{DIM:#}", header.trim_end());
        for Row { label, cells } in &rows {
            let mut line = format!("  {label:first$}");
            for (column, cell) in cells.iter().enumerate() {
                let _ = match cell {
                    Some(cell) => {
                        let style = style(cell);
                        let word = word(cell);
                        let pad = width(column) - word.len();
                        write!(line, "  {style}{word}{style:#}{:pad$}", "")
                    }
                    None => write!(line, "  {:1$}", "", width(column)),
                };
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    for cell in &report.cells {
        if cell.status == Status::Passed {
            continue;
        }
        let style = style(cell);
        let reason = cell.reason.as_deref().unwrap_or_default();
        let (first, rest) = reason.split_once('\n').unwrap_or((reason, ""));
        let word = cell.status.as_str();
        let _ = writeln!(text, "{style}{word}{style:#} {}: {first}", cell.id);
        for line in rest.lines() {
            let _ = writeln!(text, "    {DIM}{line}{DIM:#}");
        }
        if let Some(log) = &cell.log {
            let _ = writeln!(text, "    log: {log}");
        }
    }
    for complaint in &report.complaints {
        let _ = writeln!(text, "{RED}error{RED:#}: {complaint}");
    }
    let style = if report.verdict == Verdict::Good { GREEN } else { RED };
    let _ = writeln!(text, "{style}{}{style:#}", totals(report));
    text
}

fn totals(report: &Report) -> String {
    let totals = report.totals;
    let mut parts = vec![format!("{} passed", totals.passed)];
    let more = [
        (totals.failed, "failed"),
        (totals.allowed_failures, "failed and may"),
        (totals.skipped, "skipped"),
    ];
    parts.extend(more.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")));
    let tests: u32 = report.cells.iter().filter_map(|cell| cell.tests).map(|t| t.skipped).sum();
    if tests > 0 {
        parts.push(format!("skipped tests: {tests}"));
    }
    parts.join(", ")
}

pub(super) fn markdown(report: &Report) -> String {
    let verdict = if report.verdict == Verdict::Good { "passed" } else { "failed" };
    let mut text = format!("## Wheels {verdict}: {}\n", totals(report));
    for Table { wheel, schemes, rows } in tables(report) {
        let _ = writeln!(text, "\n### {}\n", Markdown(wheel));
        let _ = writeln!(text, "| Python | {} |", schemes.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(schemes.len()));
        for Row { label, cells } in rows {
            let words = cells.iter().map(|cell| cell.map(word).unwrap_or_default());
            let words: Vec<String> = words.map(|word| Markdown(&word).to_string()).collect();
            let _ = writeln!(text, "| {} | {} |", Markdown(&label), words.join(" | "));
        }
    }
    let mut list: Vec<String> =
        report.complaints.iter().map(|text| Markdown(text).to_string()).collect();
    for cell in report.cells.iter().filter(|cell| cell.status != Status::Passed) {
        let reason = cell.reason.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        let (id, word) = (Markdown(&cell.id), cell.status.as_str());
        list.push(format!("**{id}** {word}: {}", Markdown(reason)));
    }
    if !list.is_empty() {
        text.push('\n');
        for line in list {
            let _ = writeln!(text, "* {line}");
        }
    }
    text
}

/// Renders a suite for each wheel, a case for each cell, and one case for other problems.
pub(super) fn junit(report: &Report) -> String {
    let mut suites = String::new();
    let mut all = [0; 3];
    for Table { wheel, rows, .. } in tables(report) {
        let cells: Vec<&CellReport> =
            rows.into_iter().flat_map(|row| row.cells).flatten().collect();
        let count = |end: fn(&CellReport) -> bool| cells.iter().filter(|cell| end(cell)).count();
        let (failures, skipped) =
            (count(is_failure), count(|cell| !is_failure(cell) && is_skip(cell)));
        let time: f64 = cells.iter().map(|cell| cell.time_secs).sum();
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" \
             skipped=\"{skipped}\" time=\"{time:.3}\">",
            Markup(wheel),
            cells.len(),
        );
        for cell in &cells {
            case(&mut suites, wheel, cell);
        }
        suites.push_str("  </testsuite>\n");
        for (total, n) in all.iter_mut().zip([cells.len(), failures, skipped]) {
            *total += n;
        }
    }
    if !report.complaints.is_empty() {
        let text = report.complaints.join("\n");
        let _ = write!(
            suites,
            "  <testsuite name=\"accounting\" tests=\"1\" failures=\"1\" errors=\"0\" \
             skipped=\"0\" time=\"0\">\n    <testcase classname=\"accounting\" name=\"complaints\" \
             time=\"0\">\n      <failure message=\"{}\" type=\"accounting\">{}</failure>\n    \
             </testcase>\n  </testsuite>\n",
            Markup(&report.complaints[0]),
            Markup(&text)
        );
        all[0] += 1;
        all[1] += 1;
    }
    let [tests, failures, skipped] = all;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"wheelsmith test\" \
         tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">\n{suites}\
         </testsuites>\n"
    )
}

fn is_failure(cell: &CellReport) -> bool {
    cell.status == Status::Failed
}

fn is_skip(cell: &CellReport) -> bool {
    matches!(cell.status, Status::Skipped | Status::AllowedFailure)
}

fn case(out: &mut String, wheel: &str, cell: &CellReport) {
    let (class, name, time) = (Markup(wheel), Markup(&cell.id), cell.time_secs);
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{time:.3}\"");
    let reason = cell.reason.as_deref().unwrap_or_default();
    let first = Markup(reason.lines().next().unwrap_or_default());
    let _ = match cell.status {
        Status::Passed => writeln!(out, "/>"),
        Status::Failed => writeln!(
            out,
            ">\n      <failure message=\"{first}\" type=\"failed\">{}</failure>\n    </testcase>",
            Markup(reason)
        ),
        Status::Skipped | Status::AllowedFailure => {
            let kind = if cell.status == Status::Skipped { "" } else { "failed, and may: " };
            writeln!(out, ">\n      <skipped message=\"{kind}{first}\"/>\n    </testcase>")
        }
    };
}

#[cfg(test)]
mod tests {
    use wheelsmith_core::testing::{InstallScheme, Settings, judge};

    use super::*;

    fn report() -> Report {
        let cell = |python: &str, scheme: InstallScheme, status: Status, reason: Option<&str>| {
            CellReport {
                id: format!("demo-{python}-{scheme}"),
                wheel: "demo-1.0-py3-none-any.whl".to_owned(),
                python: python.to_owned(),
                interpreter: String::new(),
                platform: "x86_64".to_owned(),
                foreign: false,
                scheme: Some(scheme),
                status,
                required: false,
                reason: reason.map(str::to_owned),
                tests: None,
                steps: Vec::new(),
                time_secs: 1.25,
                log: None,
            }
        };
        let cells = vec![
            cell("3.9", InstallScheme::Venv, Status::Passed, None),
            cell(
                "3.9",
                InstallScheme::User,
                Status::Failed,
                Some("smoke: exit status 1\n<boom> & more"),
            ),
            cell(
                "3.8",
                InstallScheme::Venv,
                Status::Skipped,
                Some("the wheel requires Python >=3.9"),
            ),
        ];
        let settings = Settings { required: vec!["*-3.8-*".to_owned()], ..Settings::default() };
        judge(cells, &settings).unwrap()
    }

    #[test]
    fn people_see_a_matrix() {
        let text = anstream::adapter::strip_str(human(&report()).as_str()).to_string();
        assert_eq!(
            text,
            "demo-1.0-py3-none-any.whl\n  \
             python        venv          user\n  \
             3.9 (x86_64)  passed 1.2 s  FAILED 1.2 s\n  \
             3.8 (x86_64)  skipped\n\
             failed demo-3.9-user: smoke: exit status 1\n    <boom> & more\n\
             skipped demo-3.8-venv: the wheel requires Python >=3.9\n\
             error: `demo-3.8-venv` is required but was skipped: the wheel requires Python >=3.9\n\
             1 passed, 1 failed, 1 skipped\n"
        );
    }

    #[test]
    fn other_forms_say_the_same() {
        let xml = junit(&report());
        assert!(xml.contains("tests=\"4\" failures=\"2\" errors=\"0\" skipped=\"1\""), "{xml}");
        assert!(xml.contains("smoke: exit status 1\n&lt;boom&gt; &amp; more</failure>"), "{xml}");
        let text = markdown(&report());
        assert!(text.contains("\n| Python | venv | user |\n|---|---|---|\n"), "{text}");
        assert!(text.contains("| 3.9 (x86&#95;64) | passed 1.2 s | FAILED 1.2 s |"), "{text}");
        let check = |path: &str, form: Option<TestForm>| {
            assert_eq!(TestForm::of(Path::new(path)).ok(), form, "{path}");
        };
        check("a/b.json", Some(TestForm::Json));
        check("b.xml", Some(TestForm::Junit));
        check("b.md", Some(TestForm::Markdown));
        check("b.html", None);
    }
}

//! Judges the results of cells. Every skip is counted.

use globset::{Glob, GlobMatcher};

use super::{CellReport, Error, Report, Settings, Status, Totals, Verdict};

/// Version of the report's format.
const SCHEMA: u32 = 2;

/// Patterns of cells.
struct Patterns(Vec<(String, GlobMatcher)>);

impl Patterns {
    fn new(patterns: &[String]) -> Result<Self, Error> {
        let compile = |pattern: &String| match Glob::new(pattern) {
            Ok(glob) => Ok((pattern.clone(), glob.compile_matcher())),
            Err(e) => Err(Error::Pattern { pattern: pattern.clone(), why: e.kind().to_string() }),
        };
        patterns.iter().map(compile).collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(_, glob)| glob.is_match(id))
    }
}

/// Judges `cells`, whose status is what happened, by the rules of `settings`.
///
/// * A cell that skips more tests than `max_skipped` fails, and so does one whose test command ran
///   no test. A cell whose every test was skipped counts as skipped.
/// * A failed cell that `allowed_failures` names is allowed to fail, unless it is required.
/// * A required cell that was skipped is a complaint, and so is a pattern in `required` that matches
///   no cell: otherwise a cell could disappear silently.
/// * A run in which no cell passed is not good.
///
/// # Errors
/// A pattern is invalid.
pub fn judge(cells: Vec<CellReport>, settings: &Settings) -> Result<Report, Error> {
    let required = Patterns::new(&settings.required)?;
    let allowed = Patterns::new(&settings.allowed_failures)?;
    let mut report = Report {
        schema: SCHEMA,
        verdict: Verdict::Good,
        totals: Totals::default(),
        complaints: Vec::new(),
        cells,
    };
    for cell in &mut report.cells {
        cell.required |= required.has(&cell.id);
        count_tests(cell, settings.max_skipped);
        if cell.status == Status::Failed && !cell.required && allowed.has(&cell.id) {
            cell.status = Status::AllowedFailure;
        }
        let totals = &mut report.totals;
        *match cell.status {
            Status::Passed => &mut totals.passed,
            Status::Failed => &mut totals.failed,
            Status::Skipped => &mut totals.skipped,
            Status::AllowedFailure => &mut totals.allowed_failures,
        } += 1;
        if cell.required && cell.status == Status::Skipped {
            let reason = cell.reason.as_deref().unwrap_or("without a reason");
            let text = format!("`{}` is required but was skipped: {reason}", cell.id);
            report.complaints.push(text);
        }
    }
    for (pattern, glob) in &required.0 {
        if !report.cells.iter().any(|cell| glob.is_match(&cell.id)) {
            report.complaints.push(format!("`{pattern}` is required but matches no cell"));
        }
    }
    if report.totals.passed == 0 && report.totals.failed == 0 {
        report.complaints.push("no cell passed: nothing was proved".to_owned());
    }
    if report.totals.failed > 0 || !report.complaints.is_empty() {
        report.verdict = Verdict::Bad;
    }
    Ok(report)
}

fn count_tests(cell: &mut CellReport, max_skipped: Option<u32>) {
    let (Status::Passed, Some(tests)) = (cell.status, cell.tests) else { return };
    let skipped = tests.skipped;
    if tests.none() {
        cell.status = Status::Failed;
        cell.reason = Some("the test command ran no test".to_owned());
    } else if max_skipped.is_some_and(|most| skipped > most) {
        let most = max_skipped.unwrap_or_default();
        cell.status = Status::Failed;
        cell.reason = Some(format!("skipped tests: {skipped}; at most {most} may be"));
    } else if tests.all_skipped() {
        cell.status = Status::Skipped;
        cell.reason = Some(format!("every test was skipped, all {skipped}"));
    }
}

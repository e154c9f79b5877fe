//! Reads the numbers of tests from the output of test programs.

use serde::Serialize;

/// Numbers of tests in a cell, as its test command reports them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tests {
    /// Passed, including expected failures.
    pub passed: u32,
    /// Failed, including errors.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
}

impl Tests {
    /// Parses the last summary of pytest or unittest in `output`; `None` if there is none.
    pub fn of(output: &str) -> Option<Self> {
        let lines: Vec<String> = output.lines().map(plain).collect();
        (0..lines.len())
            .rev()
            .find_map(|at| pytest(&lines[at]).or_else(|| unittest(&lines[at], &lines[at + 1..])))
    }

    /// True if there were tests and every one of them was skipped.
    pub fn all_skipped(self) -> bool {
        self.skipped > 0 && self.passed + self.failed == 0
    }

    /// True if there was no test.
    pub fn none(self) -> bool {
        self == Self::default()
    }
}

/// Removes colours and frames from a line.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text.trim_matches(|c: char| c == '=' || c.is_whitespace()).to_owned()
}

/// Parses `3 passed, 1 skipped in 0.12s` or `no tests ran in 0.01s`.
fn pytest(line: &str) -> Option<Tests> {
    let (counts, time) = line.rsplit_once(" in ")?;
    let time = time.split_whitespace().next()?;
    time.strip_suffix('s')?.parse::<f64>().ok()?;
    if counts == "no tests ran" {
        return Some(Tests::default());
    }
    let mut tests = Tests::default();
    for part in counts.split(", ") {
        let (number, word) = part.split_once(' ')?;
        let number: u32 = number.parse().ok()?;
        match word {
            "passed" | "xfailed" | "xpassed" => tests.passed += number,
            "failed" | "error" | "errors" => tests.failed += number,
            "skipped" => tests.skipped += number,
            "deselected" | "warning" | "warnings" | "rerun" => {}
            _ => return None,
        }
    }
    Some(tests)
}

/// Parses `Ran 5 tests in 0.001s`, and the verdict on a later line: `OK (skipped=2)`.
fn unittest(line: &str, after: &[String]) -> Option<Tests> {
    let ran = line.strip_prefix("Ran ")?;
    let (number, rest) = ran.split_once(' ')?;
    if !rest.starts_with("test") || !rest.contains(" in ") {
        return None;
    }
    let ran: u32 = number.parse().ok()?;
    let verdict = after.iter().find(|line| !line.is_empty()).map_or("", String::as_str);
    let counts = verdict.split_once('(').map_or("", |(_, counts)| counts);
    let count = |word: &str| {
        let counts = counts.trim_end_matches(')').split(", ");
        let named = counts.filter_map(|part| part.split_once('=')).find(|(name, _)| *name == word);
        named.and_then(|(_, number)| number.parse::<u32>().ok()).unwrap_or(0)
    };
    let (failed, skipped) = (count("failures") + count("errors"), count("skipped"));
    Some(Tests { passed: ran.saturating_sub(failed + skipped), failed, skipped })
}

#[cfg(test)]
mod tests {
    use super::Tests;

    #[test]
    fn summaries_are_read() {
        let check = |output: &str, expected: Option<(u32, u32, u32)>| {
            let tests = Tests::of(output).map(|t| (t.passed, t.failed, t.skipped));
            assert_eq!(tests, expected, "{output}");
        };
        check("", None);
        check("all good in the end", None);
        check("took 3 in 4s", None);
        check("....\n4 passed in 0.12s\n", Some((4, 0, 0)));
        check("==== 3 passed, 1 skipped, 2 warnings in 1.50s ====", Some((3, 0, 1)));
        check("= 1 failed, 2 errors, 1 xfailed in 61.0s (0:01:01) =", Some((1, 3, 0)));
        check("\u{1b}[33m== \u{1b}[33m\u{1b}[1m2 skipped\u{1b}[0m in 0.01s ==", Some((0, 0, 2)));
        check("no tests ran in 0.00s", Some((0, 0, 0)));
        check("Ran 5 tests in 0.001s\n\nOK\n", Some((5, 0, 0)));
        check("Ran 5 tests in 0.001s\n\nOK (skipped=2)\n", Some((3, 0, 2)));
        check("Ran 1 test in 0.1s\n\nFAILED (errors=1)\n", Some((0, 1, 0)));
        check("Ran 6 tests in 1s\n\nFAILED (failures=1, errors=1, skipped=1)", Some((3, 2, 1)));
        check("Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", Some((0, 0, 0)));
        // If one command runs several programs, the last summary counts.
        check("1 passed in 0.1s\nRan 2 tests in 0.1s\n\nOK\nbye", Some((2, 0, 0)));
    }
}

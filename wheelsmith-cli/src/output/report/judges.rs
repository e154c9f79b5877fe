//! Tests of the formats with independent tools: schemas, parsers, a browser. A tool that
//! `scripts/test-env.sh` did not install is reported and skipped; in CI that is a failure.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests are a world of their own"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use wheelsmith_core::audit::Report;

use super::sample::{checked, many, report};
use super::{html, junit, sarif};

/// Returns the path of an installed tool; `None` skips the test.
fn prepared(relative: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("WHEELSMITH_TEST_ENV").map(PathBuf::from);
    let program = dir.map(|dir| dir.join(relative)).filter(|path| path.exists());
    if program.is_none() {
        let is_required = std::env::var_os("WHEELSMITH_TEST_REQUIRE").is_some();
        assert!(!is_required, "`{relative}` was not prepared");
        eprintln!("skipped: `{relative}` was not prepared by scripts/test-env.sh");
    }
    program
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs a tool on a file that contains `text`, its last argument. The tool must accept the file.
fn check(judge: &str, args: &[&str], text: &str, suffix: &str) {
    let Some(judge) = prepared(&format!("judges/bin/{judge}")) else { return };
    let file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let output =
        Command::new(judge).args(args).arg(file.path()).current_dir(repository()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn sarif_is_what_its_schema_says() {
    // One pattern of the schema has an unescaped bracket, which JavaScript does not accept.
    let regex = ["--regex-variant", "python"];
    let schema = [&regex[..], &["--schemafile", "testdata/schemas/sarif-2.1.0.json"]].concat();
    check("check-jsonschema", &schema, &sarif::render(&report()), ".json");
    check("check-jsonschema", &schema, &sarif::render(&many()), ".json");
    check("check-jsonschema", &schema, &sarif::render(&checked()), ".json");
    let empty = Report::new(Vec::new());
    check("check-jsonschema", &schema, &sarif::render(&empty), ".json");
}

#[test]
fn json_is_what_its_schema_says() {
    let schema = ["--schemafile", "docs/reference/audit.schema.json"];
    for report in [report(), many()] {
        let text = serde_json::to_string(&report).unwrap();
        check("check-jsonschema", &schema, &text, ".json");
    }
    let schema = ["--schemafile", "docs/reference/check.schema.json"];
    let text = serde_json::to_string(&checked()).unwrap();
    check("check-jsonschema", &schema, &text, ".json");
}

#[test]
fn junit_is_what_its_schema_says() {
    let (report, many, checked) = (report(), many(), checked());
    for xml in [junit::render(&report), junit::render(&many), junit::render(&checked)] {
        let schema = ["--schema", "testdata/schemas/junit-10.xsd"];
        check("xmlschema-validate", &schema, &xml, ".xml");
        let read = "import sys, junitparser\n\
                    for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):\n    \
                        cases = list(suite)\n    \
                        failed = [c for c in cases if any(isinstance(r, junitparser.Failure) for r in c.result)]\n    \
                        assert (len(cases), len(failed)) == (suite.tests, suite.failures), suite.name";
        check("python", &["-c", read], &xml, ".xml");
    }
}

/// Page that shows the report in frames of the width of a phone and of a desktop, measures both,
/// and lists the problems.
const LOOK: &str = r#"<!doctype html><meta charset="utf-8"><body><script>
const page = PAGE;
const problems = [];
const inside = (box, view) => box.x >= view.x - 1 && box.y >= view.y - 1
  && box.x + box.width <= view.x + view.width + 1 && box.y + box.height <= view.y + view.height + 1;
function measure(doc, width) {
  const say = (text) => problems.push(`${width}: ${text}`);
  const wide = doc.documentElement.scrollWidth;
  if (wide > width) say(`it is ${wide} wide`);
  for (const svg of doc.querySelectorAll("svg")) {
    if (svg.getBoundingClientRect().width === 0) continue;
    const view = svg.viewBox.baseVal;
    for (const part of svg.querySelectorAll("rect, text, path")) {
      if (!inside(part.getBBox(), view)) say(`${part.outerHTML} lies outside`);
    }
    const rects = [...svg.querySelectorAll(".node rect")].map((r) => r.getBBox());
    rects.forEach((a, n) => rects.slice(0, n).forEach((b) => {
      if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height)
        say(`nodes overlap at ${a.x} ${a.y}`);
    }));
    for (const node of svg.querySelectorAll(".node")) {
      const [text, rect] = ["text", "rect"].map((name) => node.querySelector(name).getBBox());
      if (text.width > rect.width) say(`${node.textContent} is wider than its box`);
    }
  }
  const nodes = doc.querySelectorAll(".node").length;
  if (nodes === 0) say("no nodes are drawn");
  const row = doc.querySelector("tr.error");
  const shown = () => doc.defaultView.getComputedStyle(row).display !== "none";
  if (!shown()) say("errors are hidden");
  doc.querySelectorAll(".show-error").forEach((box) => { box.checked = false; });
  if (shown()) say("errors are not filtered");
  doc.querySelectorAll(".show-error").forEach((box) => { box.checked = true; });
  const search = doc.querySelector("input[type=search]:not([hidden])");
  if (!search) { say("there is no search: the script did not run"); return; }
  search.value = "no such text";
  search.dispatchEvent(new Event("input"));
  if (!search.closest(".findings").querySelector("tbody tr").hidden) say("the search finds nothing out");
}
let left = 2;
for (const width of [390, 1280]) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:1000px;border:0`;
  frame.onload = () => {
    try { measure(frame.contentDocument, width); } catch (error) { problems.push(String(error)); }
    left -= 1;
    if (left === 0) document.title = `looked: ${JSON.stringify(problems)}`;
  };
  frame.srcdoc = page;
  document.body.append(frame);
}
</script>"#;

#[test]
fn the_page_is_right_in_a_browser() {
    let Some(browser) = prepared("tools/chromium") else { return };
    for report in [report(), many()] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("look.html");
        let page = serde_json::to_string(&html::render(&report)).unwrap().replace('<', "\\u003c");
        std::fs::write(&file, LOOK.replace("PAGE", &page)).unwrap();
        let output = Command::new(&browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let seen = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        let title =
            seen.split_once("<title>looked: ").and_then(|(_, rest)| rest.split_once("</title>"));
        let (problems, _) = title.unwrap_or_else(|| panic!("the page did not report: {said}"));
        assert_eq!(problems, "[]");
        // Console messages of the page, including script errors and violations of the policy.
        let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
        assert!(console.is_empty(), "{console:#?}");
    }
}

#![allow(clippy::disallowed_methods, reason = "tests are a world of their own")]

use super::sample::{HOSTILE, checked, report, wheel};
use super::{github, html, junit, sarif};

#[test]
fn annotations_are_single_lines_and_say_where() {
    let text = github::render(&report());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| {
        ["::error title=", "::warning title=", "::notice title="]
            .iter()
            .any(|s| line.starts_with(s))
    }));
    assert!(!text.contains('\r'));
    let kind = |line: &&str| line.split(' ').next().unwrap_or_default().to_owned();
    let mut kinds: Vec<String> = lines.iter().map(kind).collect();
    kinds.dedup();
    assert_eq!(kinds, ["::error", "::warning", "::notice"], "errors come first, notes last");
    let file = "file=dist/hostile-2.0-py3-none-manylinux_2_17_x86_64.whl";
    let expected = format!("::error title=symbol-too-new,{file}::");
    let line = lines.iter().find(|line| line.starts_with(&expected)).expect(&expected);
    assert!(line.contains("100%25 <new>, it's: a, b%0D%0Aand c%0Ahelp: "), "{line}");
    assert!(line.contains("%250A::error"), "a `%0A` of the name stays one: {line}");
    assert!(!text.contains("external-library,file=dist/hostile"), "what is waived is not shown");
    assert!(text.contains(
        "::error title=could not be judged,file=dist/broken-1.0-py3-none-win_amd64.whl::"
    ));
}

#[test]
fn properties_of_annotations_are_escaped() {
    let mut report = report();
    report.inputs[0].path = "a,b:c%d\n.whl".to_owned();
    assert!(github::render(&report).contains(",file=a%2Cb%3Ac%25d%0A.whl::"));
}

#[test]
fn the_summary_is_a_table_and_details() {
    let text = github::summary(&report());
    assert!(text.starts_with("## ⛔ wheelsmith audit: "), "{text}");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    for row in rows.iter().filter(|row| !row.starts_with("| |")) {
        let columns = row.matches('|').count();
        assert!(columns == 7 || columns == 5, "{row}");
    }
    assert!(!text.contains("<script"), "names stay text");
    assert!(!text.contains('@'), "nobody is called");
    assert!(
        text.contains("<em>waived: the &#60;i&#62;host&#60;&#47;i&#62;")
            || text.contains("waived: the &#60;i&#62;host")
    );
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
}

#[test]
fn a_long_summary_is_cut() {
    let mut report = report();
    let finding = report.inputs[1].findings[0].clone();
    report.inputs[0].findings = vec![finding; 5000];
    let text = github::summary(&report);
    assert!(text.len() < 1_000_000, "{}", text.len());
    assert!(text.contains(" more\n"));
}

#[test]
fn every_file_is_a_test_case() {
    let text = junit::render(&report());
    for part in [
        "<testsuite name=\"dist/demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl\" tests=\"8\"",
        "name=\"demo/lib/libplain.so\"",
        "<failure message=\"it claims `manylinux_2_17_x86_64`\" type=\"tag-not-earned\">",
        "<error message=\"cannot read `dist/broken-1.0-py3-none-win_amd64.whl`: it is &lt;cut&gt; short\"",
        "<property name=\"verdict\" value=\"",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("<script"));
    // An error that counts is not skipped because another one is waived.
    assert!(!text.contains("<skipped"));
    let mut report = report();
    report.inputs[1].findings.retain(|finding| finding.waived.is_some());
    let text = junit::render(&report);
    let skipped = "<skipped message=\"waived: external-library: the &lt;i&gt;host&lt;/i&gt;";
    assert!(text.contains(skipped), "{text}");
}

#[test]
fn sarif_names_rules_places_and_suppressions() {
    let log: serde_json::Value = serde_json::from_str(&sarif::render(&report())).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    for result in results {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
    }
    let waived: Vec<_> = results.iter().filter(|r| r.get("suppressions").is_some()).collect();
    assert_eq!(waived.len(), 1);
    assert_eq!(waived[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], HOSTILE);
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let prints =
        results.iter().map(|r| r["partialFingerprints"]["wheelsmith/v1"].as_str().unwrap());
    let mut prints: Vec<&str> = prints.collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), results.len(), "each result has its own");
}

#[test]
fn fingerprints_outlive_a_release() {
    let prints = |version: &str| {
        let name = format!("demo-{version}-cp312-cp312-manylinux_2_17_x86_64.whl");
        let file = include_bytes!("../../../../testdata/elf/too-new.so").as_slice();
        let input = wheel(&name, &[("demo/new.so", file)]);
        let report = wheelsmith_core::audit::Report::new(vec![input]);
        let log: serde_json::Value = serde_json::from_str(&sarif::render(&report)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.into_iter().map(|r| r["partialFingerprints"].clone()).collect::<Vec<_>>()
    };
    assert!(!prints("1.0").is_empty());
    assert_eq!(prints("1.0"), prints("2.0"));
}

#[test]
fn names_never_become_markup() {
    let page = html::render(&report());
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    assert!(!page.contains('\u{202e}'));
    // The page loads nothing.
    for word in ["http:", "https:", "src=\"", "url(", "@import", "<link"] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_page_shows_who_needs_whom() {
    let page = html::render(&report());
    for part in ["class=\"node missing\"", "class=\"edge missing\"", "class=\"node promised\""] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_check_has_every_form() {
    let report = checked();
    let text = github::summary(&report);
    assert!(text.starts_with("## ⛔ wheelsmith check: 2 errors\n"), "{text}");
    assert!(text.contains("| <code>demo-1.0.tar.gz</code> | accepted | no findings |"), "{text}");
    assert!(github::render(&report).contains("::error title=local-version,file=dist/demo-1.0"));
    let page = html::render(&report);
    assert!(page.contains("It would be refused.") && page.contains("wheelsmith check"), "{page}");
    assert!(!page.contains("<script>alert"));
    assert!(junit::render(&report).contains("<property name=\"verdict\" value=\"accepted\"/>"));
    let log: serde_json::Value = serde_json::from_str(&sarif::render(&report)).unwrap();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);
}

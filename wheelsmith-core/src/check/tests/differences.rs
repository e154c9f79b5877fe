//! Compares `check` with other tools for small variants of metadata. The docs contain a table of
//! the differences with their reasons; `UPDATE=1` writes it.
#![allow(clippy::disallowed_methods, reason = "tests run other programs")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::Wheel;
use super::peers::{ROOT, python};
use crate::finding::Severity;

const BEGIN: &str = "<!-- differences: made by a test -->\n";
const END: &str = "<!-- end of differences -->\n";

/// Values of a field, each tested alone. A value of several lines adds further fields.
const VARIANTS: &[(&str, &[&str])] = &[
    (
        "Metadata-Version",
        &[
            "1.0", "1.1", "1.2", "2.0", "2.1", "2.2", "2.3", "2.5", "2.6", "2.7", "3.0", "2",
            "2.10", "v2.1", "",
        ],
    ),
    ("Name", &["demo", "Demo", "DEMO", "de.mo", "demo ", "-demo", "demo-", "", "démo", "demo_"]),
    (
        "Version",
        &[
            "1",
            "1.0.0",
            "v1.0",
            "1.0+local",
            "1.0a0",
            "1.0-0",
            "0!1.0",
            "1!1.0",
            "1.0.post0",
            "",
            "1.0.0.0.0",
            " 1.0",
            "one",
            "1..0",
        ],
    ),
    (
        "Summary",
        &[
            "",
            "x",
            "two\n        lines",
            "tab\there",
            "vertical\u{b}tab",
            "next\u{85}line",
            "separator\u{2028}line",
            "ümlaut",
            "=?utf-8?q?x?=",
            "UNKNOWN",
        ],
    ),
    ("Keywords", &["", "a,b", "a b", ",", "a,,b", "ü"]),
    ("Platform", &["any", "", "UNKNOWN"]),
    (
        "Author-email",
        &[
            "a@example.org",
            "A B <a@example.org>",
            "\"B, A\" <a@example.org>",
            "a@example.org, b@example.org",
            "a@example.org, b",
            "A B",
            "a@b",
            "a@localhost",
            "a@example.test",
            "a@example.invalid",
            "a@-example.org",
            "a@example-.org",
            "a..b@example.org",
            ".a@example.org",
            "a+b@example.org",
            "zoë@exämple.org",
            "Zoë <z@example.org>",
            "a@example.org.",
            "a b@example.org",
            "<a@example.org>",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@exa_mple.org",
            "UNKNOWN",
            "",
            "a@example.local",
            "'a'@example.org",
            "\"a b\"@example.org",
            "a@xn--exmple-cua.org",
            "a at example.org",
            "A <a@example.org> (he)",
            "a@example.org;b@example.org",
        ],
    ),
    (
        "License-Expression",
        &[
            "MIT",
            "mit",
            "MIT OR Apache-2.0",
            "mit or apache-2.0",
            "(MIT)",
            "((MIT))",
            "MIT AND (BSD-3-Clause OR ISC)",
            "GPL-2.0",
            "GPL-2.0+",
            "GPL-2.0-only",
            "Apache-2.0+",
            "GPL-2.0-or-later WITH Classpath-exception-2.0",
            "MIT WITH MIT",
            "MIT WITH",
            "WITH MIT",
            "MIT OR",
            "OR MIT",
            "MIT MIT",
            "MIT Apache-2.0",
            "MIT/Apache-2.0",
            "MIT, ISC",
            "LicenseRef-Foo",
            "licenseref-foo",
            "LicenseRef-",
            "LicenseRef-a_b",
            "LicenseRef-a+",
            "DocumentRef-x:LicenseRef-y",
            "NONE",
            "NOASSERTION",
            "Proprietary",
            "BSD",
            "Unknown",
            "()",
            "(MIT",
            "MIT)",
            "MIT AND AND ISC",
            "(MIT) WITH Classpath-exception-2.0",
            "Classpath-exception-2.0",
            "MIT WITH Unknown-exception",
            "AdditionRef-x",
            "MIT WITH AdditionRef-x",
            "0BSD",
            "eCos-2.0",
            "EUPL-1.2",
            "MIT+",
            "MIT-0 AND Zlib",
            "mIt oR iSc",
            "MIT\tOR\tISC",
            "Nunit",
            "Net-SNMP",
            "GFDL-1.3-no-invariants-or-later",
        ],
    ),
    (
        "License-File",
        &[
            "LICENSE",
            "COPYING",
            "./LICENSE",
            "../LICENSE",
            "/LICENSE",
            "a\\LICENSE",
            "LICEN*",
            "C:LICENSE",
            "a//LICENSE",
            "LICENSE/",
            "a/../LICENSE",
            "",
            "LICENSE\nLicense-File: LICENSE",
        ],
    ),
    (
        "Requires-Python",
        &[
            "",
            ">=3.8",
            ">=3.8,",
            ",>=3.8",
            ">=3.8,,<4",
            ">= 3.8 , < 4",
            ">=3.8 <4",
            "3.8",
            "==3.8",
            "===3.8",
            "===three",
            "~=3",
            "~=3.8",
            "==3.*",
            ">=3.*",
            "!=3.1.*",
            ">3.*",
            "=>3.8",
            "=3.8",
            ">=3.8;",
            "(>=3.8)",
            ">=3.8.dev0",
            ">=3.8+local",
            "==3.8+local",
            "<4.0a1",
            ">=3.8 and <4",
            ">=v3.8",
            "≥3.8",
            ">=3.8\n Foo",
            "*",
            "==3.8.*,",
            "==3.8.0.*",
            "==3.8a1.*",
            ">=1!3",
        ],
    ),
    (
        "Requires-Dist",
        &[
            "a",
            "A.b_c",
            "a >=1",
            "a(>=1)",
            "a (>=1)",
            "a (>=1,)",
            "a>=1,",
            "a>=1,<2,",
            "a,>=1",
            "a>=1,,<2",
            "a >= 1 , < 2",
            "a>=1 <2",
            "a ()",
            "a==1.*",
            "a>=1.*",
            "a~=1",
            "a~=1.0",
            "a===x",
            "a===1.0-custom",
            "a === 1.0 ; os_name=='nt'",
            "a<1a1",
            "a!=1.0+x",
            "a>1.0+x",
            "a[b]",
            "a[b,c]",
            "a[b,]",
            "a[,b]",
            "a[]",
            "a [ b ]",
            "a[b-]",
            "a[b]>=1;os_name=='nt'",
            "a; os_name == 'nt'",
            "a ;os_name=='nt'",
            "a; os.name == 'nt'",
            "a; sys.platform == 'win32'",
            "a; python_implementation == 'CPython'",
            "a; platform.python_implementation == 'PyPy'",
            "a; platform.machine == 'x'",
            "a; platform.system == 'x'",
            "a; python_version >= '3'",
            "a; python_version >= 3",
            "a; python_version in '3.8 3.9'",
            "a; python_version not in '3.8'",
            "a; python_version not  in '3.8'",
            "a; 'x' == 'x'",
            "a; os_name == os_name",
            "a; extra == 'fast'",
            "a; extra == \"Fast_Mode\"",
            "a; extra in 'x'",
            "a; 'x' in extras",
            "a; dependency_groups == 'x'",
            "a; os_name",
            "a; os_name == ",
            "a;",
            "a; (os_name == 'nt')",
            "a; ((os_name == 'nt') or sys_platform == 'x') and python_version > '3'",
            "a; os_name == 'nt' and",
            "a; os_name == 'nt' xor os_name == 'x'",
            "a; not os_name == 'nt'",
            "a; os_name === 'nt'",
            "a; os_name ~= 'nt'",
            "a; python_version ~= '3.8'",
            "a; python_full_version < '3.11.0a7'",
            "a; implementation_version > '1'",
            "a; unknown == 'x'",
            "a; os_name == 'it''s'",
            "a; os_name == \"a'b\"",
            "a; OS_NAME == 'nt'",
            "a; os_name == 'nt' OR os_name == 'x'",
            "a @ https://example.org/a.whl",
            "a@https://example.org/a.whl",
            "a @ file:///a.whl",
            "a @ git+https://example.org/a@v1",
            "a @ https://example.org/a.whl ; os_name == 'nt'",
            "a @ https://example.org/a.whl; os_name == 'nt'",
            "a @ a.whl",
            "a @",
            "a @ https://u:p@example.org/a.whl",
            "https://example.org/a.whl",
            "a b",
            "-a",
            "a-",
            "a-; os_name=='nt'",
            "_a",
            "a.",
            "",
            "ä",
            "a # comment",
            "a>1 ; python_version<'3' # x",
            "a; python_version < '3' , os_name == 'nt'",
            "a <2,>=1",
            "a > 1, != 1.5",
            "a==1",
            "a=1",
            "a=>1",
            "a>=1.0.post1,<2.dev0",
            "a>=2013b",
            "a>=1.0-SNAPSHOT",
            "a==1.0.0-1",
            "a>= '1.0'",
            "a>=\"1.0\"",
            "a; python_version<'2.7' or (python_version>'3' and python_version<'3.3')",
        ],
    ),
    (
        "Provides-Extra",
        &[
            "fast",
            "Fast",
            "fast_mode",
            "fast.mode",
            "fast mode",
            "-fast",
            "fast-",
            "",
            "fast\nProvides-Extra: fast",
            "fast\nProvides-Extra: FAST",
            "fäst",
            "a--b",
        ],
    ),
    ("Provides-Dist", &["a", "a (1.0)", "a==1", "a @ https://example.org/a.whl", "a b"]),
    ("Obsoletes-Dist", &["a", "a<1", "a (<1)", "a 1"]),
    ("Requires", &["a", ""]),
    ("Requires-External", &["C", "libpng (>=1.5)", "any text"]),
    (
        "Project-URL",
        &[
            "Source, https://example.org",
            "Source,https://example.org",
            "Source , https://example.org",
            "https://example.org",
            ", https://example.org",
            "Source,",
            "Source, example.org",
            "Source, ftp://example.org",
            "Source, HTTPS://example.org",
            "Source, https://",
            "Source, https:example.org",
            "Source, https:///x",
            "Source, https://example.org/a b",
            "Source, https://example.org/ü",
            "Source, https://exämple.org",
            "Source, https://example.org/%zz",
            "Source, https://example.org/<x>",
            "Source, https://example.org:99999",
            "Source, https://example.org:x",
            "Source, https://user@example.org",
            "Source, https://[::1]/",
            "Source, https://[x]/",
            "Source, mailto:a@example.org",
            "12345678901234567890123456789012, https://example.org",
            "123456789012345678901234567890123, https://example.org",
            "A, B, https://example.org",
            "Source, https://example.org\nProject-URL: Source, https://example.net",
            "Source, https://example.org\nProject-URL: source, https://example.net",
            "Source, https://example.org/?a={b}",
            "Source, https://example.org/#x y",
            "Ünï, https://example.org",
            "Source, https://example.org/a|b",
            "Source, https://example.org/\"",
            "Source, UNKNOWN",
            "Source, https://ex ample.org",
            "Source, http://localhost",
            "Source, http://a_b.example.org",
        ],
    ),
    ("Home-page", &["https://example.org", "example.org", "", "UNKNOWN", "ftp://example.org"]),
    ("Download-URL", &["https://example.org", "x", ""]),
    (
        "Description-Content-Type",
        &[
            "text/markdown",
            "text/plain",
            "text/x-rst",
            "text/rst",
            "text/html",
            "Text/Markdown",
            "TEXT/PLAIN",
            "text/markdown;charset=UTF-8",
            "text/markdown; charset=utf-8",
            "text/markdown; charset=utf8",
            "text/markdown; charset=\"UTF-8\"",
            "text/markdown; charset=latin-1",
            "text/markdown; variant=GFM",
            "text/markdown; variant=gfm",
            "text/markdown; variant=CommonMark",
            "text/markdown; variant=x",
            "text/markdown; variant=\"GFM\"",
            "text/markdown; charset=UTF-8; variant=GFM",
            "text/markdown; foo=bar",
            "text/markdown;",
            "text/markdown; charset",
            "text/markdown; charset=",
            "text/markdown variant=GFM",
            "text/plain; variant=x",
            "text/x-rst; charset=UTF-8",
            "markdown",
            "",
            "text/markdown, text/plain",
            "text/markdown; CHARSET=UTF-8",
            "text/markdown ; charset=UTF-8",
            "text/markdown; charset=UTF-8;",
            "UNKNOWN",
            "text / markdown",
            "text/markdown (x)",
        ],
    ),
    (
        "Dynamic",
        &[
            "Summary",
            "summary",
            "Name",
            "Version",
            "Metadata-Version",
            "Requires-Dist",
            "Home-page",
            "Download-URL",
            "Foo",
            "",
            "License-File",
            "Dynamic",
            "Summary\nDynamic: Summary",
            "Provides",
            "Classifier",
            "Description",
        ],
    ),
    (
        "Import-Name",
        &[
            "demo",
            "demo.run",
            "demo; private",
            "demo ; private",
            "demo;private",
            "demo; public",
            "de-mo",
            "class",
            "demo.class",
            "",
            "1demo",
            "dëmo",
            "demo\nImport-Name: demo",
            "demo.",
            ".demo",
            "demo;",
            "_demo",
            "demo\nImport-Name: demo.run",
            "demo\nImport-Namespace: demo",
            "print",
            "match",
        ],
    ),
    ("Import-Namespace", &["de", "", "de.mo", "de; private", "de-mo"]),
    ("License", &["", "MIT", "MIT\n        more"]),
    ("Colour", &["red"]),
    ("Home-Page", &["https://example.org"]),
    ("name", &["demo"]),
    ("Description", &["", "x"]),
    ("Maintainer-email", &["a@example.org", "x"]),
    ("Supported-Platform", &["linux"]),
    ("Author", &["A", "", "ü"]),
    ("X-Extra", &["x"]),
];

/// Intended differences: field, value, reason.
const REASONS: &[(&str, &str, &str)] = &[
    ("Requires-Python", ",>=3.8", "only uv refuses an item without a version: a warning"),
    ("Requires-Python", ">=3.8,,<4", "only uv refuses an item without a version: a warning"),
    ("Requires-Python", "===three", "only uv requires a version after `===`: a warning"),
    ("Requires-Dist", "a ()", "only uv refuses empty parentheses, which old tools wrote"),
    ("Requires-Dist", "a===x", "only uv requires a version after `===`: a warning"),
    ("Requires-Dist", "a===1.0-custom", "only uv requires a version after `===`: a warning"),
    (
        "Requires-Dist",
        "a; 'x' == 'x'",
        "the pip of this table fails when it compares two texts; later ones do not",
    ),
    (
        "Requires-Dist",
        "a; 'x' in extras",
        "a marker of lock files, which the pip of this table does not know",
    ),
    (
        "Requires-Dist",
        "a; dependency_groups == 'x'",
        "a marker of lock files; the index accepts it",
    ),
    ("Requires-Dist", "a; os_name === 'nt'", "no tool writes it; the index accepts it"),
    ("Requires-Dist", "a; os_name ~= 'nt'", "it is not defined for texts; the index accepts it"),
];

#[test]
fn differences_from_other_tools_have_reasons() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (mut rows, mut own) = (Vec::new(), Vec::new());
    for (field, values) in VARIANTS {
        for value in *values {
            let wheel = variant(field, value);
            let place = dir.path().join(rows.len().to_string());
            std::fs::create_dir(&place).unwrap();
            std::fs::write(place.join(&wheel.filename), wheel.bytes()).unwrap();
            let checked = super::checked(&wheel.filename, wheel.bytes(), &wheel.options);
            let errors = checked.findings.iter().filter(|f| f.severity == Severity::Error);
            own.push(errors.map(|f| f.code.as_str()).next());
            rows.push((*field, *value));
        }
    }
    let script = Path::new(ROOT).join("tests/judges/see_metadata.py");
    let output = Command::new(python).arg(script).arg(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: BTreeMap<usize, BTreeMap<String, Option<String>>> =
        serde_json::from_slice(&output.stdout).unwrap();
    let (mut table, mut unexplained, mut used) = (String::new(), String::new(), 0);
    for (at, (field, value)) in rows.iter().enumerate() {
        let answers = &answers[&at];
        let refuses = |judge: &str| answers.get(judge).is_some_and(Option::is_some);
        let is_told = answers.contains_key("index");
        let is_different = (is_told && refuses("index") != own[at].is_some())
            || (own[at].is_none() && (refuses("pip") || refuses("uv")));
        if !is_different {
            continue;
        }
        let reason = REASONS.iter().find(|(f, v, _)| f == field && v == value);
        let cell = |refuses: bool| if refuses { "refuses" } else { "–" };
        let shown = value.escape_debug().to_string().replace('|', "\\|");
        let cells = ["index", "pip", "uv"].map(|judge| cell(refuses(judge))).join(" | ");
        let words = reason.map_or("?", |(.., reason)| reason);
        let line =
            format!("| `{field}: {shown}` | {} | {cells} | {words} |\n", cell(own[at].is_some()));
        if reason.is_none() {
            let _ = writeln!(unexplained, "{line}  {:?} {answers:?}", own[at]);
        }
        used += usize::from(reason.is_some());
        table += &line;
    }
    assert!(unexplained.is_empty(), "of {} variants:\n{unexplained}", rows.len());
    assert_eq!(used, REASONS.len(), "a difference of `REASONS` is gone:\n{table}");
    let head = "| field | `check` | index | pip | uv | reason |\n|---|---|---|---|---|---|\n";
    let page = Path::new(ROOT).join("docs/reference/check-peers.md");
    let old = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = old.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let new = format!("{before}{BEGIN}{head}{table}{END}{after}");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&page, new).unwrap();
    } else {
        assert!(old == new, "the table of differences is not current; it would be:\n{new}");
    }
}

/// Returns a good wheel in which `field` has this value.
fn variant(field: &str, value: &str) -> Wheel {
    let mut wheel = Wheel::good();
    let text = match field {
        "Metadata-Version" => "Metadata-Version: X\nName: demo\nVersion: 1.0\nSummary: x\n\nx\n",
        "Import-Name" | "Import-Namespace" => {
            "Metadata-Version: 2.5\nName: demo\nVersion: 1.0\nSummary: x\n\nx\n"
        }
        // The wheel has a licence file that is not listed, which is a warning.
        _ => "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: x\n\nx\n",
    };
    wheel.metadata = text.to_owned();
    if field == "License" {
        wheel.metadata = text.replacen('\n', "\nLicense-Expression: MIT\n", 1);
    }
    wheel.field(field, value);
    wheel
}

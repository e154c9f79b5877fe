use super::*;

fn new(text: &str) -> Result<Metadata, Error> {
    let project: ProjectTable = toml::from_str(text).unwrap();
    let readme =
        project.readme_file().map(|_| b"\xef\xbb\xbf# Demo\r\n\r\nIt is fr\xc3\xbch.".to_vec());
    let licenses = vec![
        ("NOTICE".parse().unwrap(), b"n".to_vec()),
        ("LICENSES/a.txt".parse().unwrap(), "\u{a9}".as_bytes().to_vec()),
    ];
    Metadata::new(&project, ProjectFiles { readme, licenses })
}

#[test]
fn every_field_is_written() {
    let metadata = new(r#"
name = "Demo.Pkg"
version = "v1.0-ALPHA.2+Ubuntu-1"
description = "  Früh am Morgen "
readme = "README.md"
requires-python = ">= 3.9, <4"
license = "mit or (apache-2.0 with LLVM-EXCEPTION and licenseref-My.Own)"
authors = [{ name = "Ada L." , email = "ada@example.org" }, { name = "Bo" }, { email = "c@d.e" }]
maintainers = [{ name = "Zoë", email = "z.o+e@example.org" }]
keywords = ["elf", "so on"]
classifiers = ["Programming Language :: Python", "Programming Language :: Python"]
dependencies = ["numpy >=1.2 ; python_version < '3.12'"]
urls = { Source = "https://example.org/x", "Bug Tracker" = "http://example.org:80/" }
optional-dependencies = { Dev_Tools = ["pytest", "tomli; os_name == 'a' or os_name == 'b'"], none = [] }
"#)
    .unwrap();
    assert_eq!(
        metadata.render(),
        "Metadata-Version: 2.4
Name: Demo.Pkg
Version: 1.0a2+ubuntu.1
Summary: Früh am Morgen
Keywords: elf,so on
Author: Bo
Author-email: \"Ada L.\" <ada@example.org>, c@d.e
Maintainer-email: Zoë <z.o+e@example.org>
License-Expression: MIT OR (Apache-2.0 WITH LLVM-exception AND LicenseRef-My.Own)
License-File: LICENSES/a.txt
License-File: NOTICE
Classifier: Programming Language :: Python
Requires-Python: >=3.9,<4
Requires-Dist: numpy>=1.2; python_version < '3.12'
Provides-Extra: dev-tools
Requires-Dist: pytest; extra == 'dev-tools'
Requires-Dist: tomli; (os_name == 'a' or os_name == 'b') and extra == 'dev-tools'
Provides-Extra: none
Project-URL: Bug Tracker, http://example.org:80/
Project-URL: Source, https://example.org/x
Description-Content-Type: text/markdown

# Demo

It is früh.
"
    );
    let python = "cp39-abi3".parse().unwrap();
    let platforms = ["manylinux_2_17_x86_64", "manylinux2014_x86_64"];
    let platforms = platforms.map(|tag| tag.parse().unwrap()).to_vec();
    let name = metadata.filename(python, platforms).to_string();
    let tags = "cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64";
    assert_eq!(name, format!("demo_pkg-1.0a2+ubuntu.1-{tags}.whl"));
}

/// Returns the metadata of a project with `text` after name and version, and without licence files.
fn bare(text: &str) -> Metadata {
    let project = toml::from_str(&format!("name = 'd'\nversion = '1'\n{text}")).unwrap();
    Metadata::new(&project, ProjectFiles::default()).unwrap()
}

#[test]
fn the_version_is_the_lowest_that_has_every_field() {
    let check = |text: &str, wheel: &str, sdist: &str| {
        let metadata = bare(text);
        let first = |text: String| text.lines().next().unwrap().to_owned();
        assert_eq!(first(metadata.render()), format!("Metadata-Version: {wheel}"), "{text}");
        let rendered = first(metadata.render_for_sdist(&[]));
        assert_eq!(rendered, format!("Metadata-Version: {sdist}"), "{text}");
    };
    // A source distribution lists the fields that a wheel may change: PEP 643.
    check("", "2.1", "2.2");
    check("license = { text = 'free' }", "2.1", "2.2");
    check("optional-dependencies = { dev = ['a'] }", "2.1", "2.2");
    check("optional-dependencies = { dev-tools = ['a'] }", "2.3", "2.3");
    check("optional-dependencies = { Dev_Tools = ['a'] }", "2.3", "2.3");
    check("license = 'MIT'", "2.4", "2.4");
    check("license = 'MIT'\noptional-dependencies = { a-b = [] }", "2.4", "2.4");
    check("import-names = []", "2.5", "2.5");
    check("license = 'MIT'\nimport-namespaces = ['a']", "2.5", "2.5");
    // `new` tests licence files.
    assert!(
        new("name = 'd'\nversion = '1'").unwrap().render().starts_with("Metadata-Version: 2.4\n")
    );
    let dynamic = bare("").render_for_sdist(&["License-File"]);
    assert_eq!(dynamic, "Metadata-Version: 2.2\nName: d\nVersion: 1\nDynamic: License-File\n");
}

#[test]
fn fields_are_written_as_readers_expect_them() {
    let check = |text: &str, lines: &[&str]| {
        let rendered = new(&format!("name = 'd'\nversion = '1'\n{text}")).unwrap().render();
        let found: Vec<&str> = rendered
            .lines()
            .filter(|line| !["Name", "Version", "License-F"].iter().any(|p| line.starts_with(p)))
            .collect();
        assert_eq!(found, lines);
    };
    check("import-names = []", &["Metadata-Version: 2.5", "Import-Name:"]);
    check(
        "import-names = ['a.b', 'a._c ; private']\nimport-namespaces = ['a']",
        &[
            "Metadata-Version: 2.5",
            "Import-Name: a.b",
            "Import-Name: a._c; private",
            "Import-Namespace: a",
        ],
    );
    check(
        "license = { text = \"one\\n\\n  two\" }",
        &["Metadata-Version: 2.4", "License: one", "        ", "          two"],
    );
    check(
        "readme = { text = 'x', content-type = 'Text/Markdown; variant=GFM;charset=utf-8' }",
        &[
            "Metadata-Version: 2.4",
            "Description-Content-Type: text/markdown; variant=GFM; charset=UTF-8",
            "",
            "x",
        ],
    );
}

#[test]
fn expressions_are_spelt_as_the_list_has_them() {
    let check = |text: &str, expression: &str| {
        let metadata = new(&format!("name = 'd'\nversion = '1'\nlicense = '{text}'")).unwrap();
        assert_eq!(metadata.license_expression(), Some(expression));
    };
    check("mit", "MIT");
    check("(mit)", "(MIT)");
    check("gpl-2.0-OR-later", "GPL-2.0-or-later");
    check("gpl-2.0+", "GPL-2.0+");
    check("Apache-2.0+ and  0bsd", "Apache-2.0+ AND 0BSD");
    check("LICENSEREF-Proprietary", "LicenseRef-Proprietary");
}

#[test]
fn errors_name_the_key() {
    let check = |text: &str, error: &str| {
        let found = new(&format!("name = 'd'\n{text}")).unwrap_err().to_string();
        assert!(found.starts_with(error), "{found}");
    };
    check("", "`project.version` is missing");
    check("version = 'x'", "`project.version` is `x`: ");
    check("dynamic = ['version']", "`project.dynamic` names `version`, and nothing here");
    check(
        "version = '1'\ndynamic = ['version']",
        "`project.dynamic` names `version`, which is given",
    );
    let check = |text: &str, error: &str| check(&format!("version = '1'\n{text}"), error);
    check("description = \"a\\nb\"", "`project.description` has a line break");
    check(
        &format!("description = '{}'", "x".repeat(513)),
        "`project.description` has 513 characters",
    );
    check("requires-python = '3.9'", "`project.requires-python` is `3.9`: ");
    check("license = 'Apache 2'", "`project.license` has `Apache`, which SPDX does not list");
    check("license = 'NOASSERTION'", "`project.license` has `NOASSERTION`, which SPDX does not");
    check("license = 'MIT OR'", "`project.license` is `MIT OR`, which is not an SPDX expression");
    check("license = 'MIT Apache-2.0'", "`project.license` is `MIT Apache-2.0`, which is no");
    check("license = '(MIT'", "`project.license` is `(MIT`, which is no");
    check("license = 'LLVM-exception'", "`project.license` is `LLVM-exception`, which is no");
    check("license = ''", "`project.license` is ``, which is not an SPDX expression");
    check("license = 'LicenseRef-a/b'", "`project.license` has `LicenseRef-a/b`");
    check("license = {}", "`project.license` needs either `file` or `text`");
    check("license = { text = 'x' }\nlicense-files = []", "`project.license` is a table, which");
    check(
        "license = 'MIT'\nclassifiers = ['License :: OSI Approved :: MIT License']",
        "`project.classifiers` has `License :: OSI Approved :: MIT License` beside an expression",
    );
    check("classifiers = ['A ::B']", "`project.classifiers` has `A ::B`: its parts");
    check("readme = 'README'", "`project.readme` names `README`, whose suffix");
    check("readme = { text = 'x' }", "`project.readme` needs `content-type`");
    check(
        "readme = { file = 'x', content-type = 'text/html' }",
        "`project.readme` has the content-type",
    );
    check("authors = [{}]", "`project.authors` has somebody without");
    check("authors = [{ name = 'a, b' }]", "`project.authors` has `a, b`");
    check("maintainers = [{ email = 'a b@c' }]", "`project.maintainers` has `a b@c`, which is no");
    check("keywords = ['a,b']", "`project.keywords` has `a,b`");
    check("urls = { a = 'example.org' }", "`project.urls.a` is `example.org`, which is no");
    check(&format!("urls.{} = 'http://x'", "a".repeat(33)), "`project.urls.aaaaa");
    check("dependencies = ['a b']", "`project.dependencies` has `a b`: ");
    check("optional-dependencies = { 'a b' = [] }", "`project.optional-dependencies.a b` `a b` is");
    check(
        "optional-dependencies = { a_b = [], A-b = [] }",
        "`project.optional-dependencies.a_b` is repeated",
    );
    check("import-names = ['a.b']", "`project.import-names` has `a.b`, but `a` is in neither");
    check("import-names = ['a-b']", "`project.import-names` has `a-b`, which cannot");
    check("import-names = ['a; public']", "`project.import-names` has `a; public`: only");
    check("import-names = ['a']\nimport-namespaces = ['a']", "`project.import-namespaces` has `a`");
}

#[test]
fn licence_files_are_text() {
    let project: ProjectTable = toml::from_str("name = 'd'\nversion = '1'").unwrap();
    let licenses = vec![("LICENSE".parse().unwrap(), vec![0xff])];
    let error = Metadata::new(&project, ProjectFiles { readme: None, licenses }).unwrap_err();
    let words = "`project.license-files` matches `LICENSE`, which is not UTF-8 text";
    assert_eq!(error.to_string(), words);
}

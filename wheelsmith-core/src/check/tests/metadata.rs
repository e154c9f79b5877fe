use super::Row;
use crate::finding::Code;

#[test]
fn fields() {
    super::check(ROWS);
}

pub(super) const ROWS: &[Row] = &[
    (&[Code::MetadataSyntax], |w| w.metadata = w.metadata.replacen('\n', "\nno field\n", 1)),
    (&[Code::MetadataSyntax], |w| w.metadata = format!("\u{feff}{}", w.metadata)),
    (&[Code::MissingField], |w| w.metadata = w.metadata.replace("Name: demo\n", "")),
    (&[Code::MissingField], |w| w.metadata = w.metadata.replace("Version: 1.0\n", "")),
    (&[Code::DuplicateField], |w| {
        w.metadata = w.metadata.replacen('\n', "\nSummary: another\n", 1);
    }),
    (&[Code::UnknownField], |w| w.field("Colour", "red")),
    (&[Code::MetadataVersion], |w| w.field("Metadata-Version", "2.6")),
    (&[Code::MetadataVersion, Code::FieldTooNew], |w| w.field("Metadata-Version", "2.0")),
    (&[Code::DuplicateField], |w| w.field("Description", "another")),
    (&[Code::FieldTooNew], |w| w.field("Metadata-Version", "2.3")),
    (&[Code::FieldTooNew], |w| w.field("Import-Name", "demo")),
    (&[Code::BadVersion], |w| w.field("Version", "one")),
    (&[Code::LicenseExpression], |w| w.field("License-Expression", "Free as in beer")),
    (&[Code::LicenseExpression], |w| w.field("License-Expression", "mit or apache-2.0")),
    (&[], |w| w.field("License-Expression", "MIT OR (Apache-2.0 AND BSD-3-Clause)")),
    (&[], |w| w.field("License-Expression", "LicenseRef-Own")),
    (&[Code::LicenseTwice], |w| w.field("License", "MIT")),
    (&[Code::LicenseClassifier], |w| {
        w.field("Classifier", "License :: OSI Approved :: MIT License");
    }),
    (&[Code::LicenseFile, Code::UnlistedLicense], |w| w.field("License-File", "COPYING")),
    (&[Code::LicenseFile, Code::UnlistedLicense], |w| w.field("License-File", "../LICENSE")),
    (&[Code::LicenseEncoding], |w| w.entry("LICENSE").content = b"\xff\xfe".into()),
    (&[Code::ImportName], |w| {
        w.field("Metadata-Version", "2.5");
        w.field("Import-Name", "de-mo");
    }),
    (&[Code::ImportName], |w| {
        w.field("Metadata-Version", "2.5");
        w.field("Import-Name", "demo.run");
    }),
    (&[], |w| {
        w.field("Metadata-Version", "2.5");
        w.field("Import-Name", "demo");
        w.field("Import-Namespace", "de");
    }),
    (&[Code::ImportName], |w| {
        w.field("Metadata-Version", "2.5");
        w.field("Import-Name", "class");
    }),
    (&[Code::BadRequirement], |w| w.field("Requires-Dist", "numpy >> 2")),
    (&[], |w| w.field("Requires-Dist", "numpy>=1,; python_implementation == 'CPython'")),
    (&[], |w| w.field("Requires-Python", ">=3.8,")),
    (&[Code::UrlRequirement], |w| {
        w.field("Requires-Dist", "numpy @ https://example.org/numpy.whl");
    }),
    (&[Code::ExtraName], |w| w.field("Provides-Extra", "Fast_Mode")),
    (&[Code::RequiresPython], |w| w.field("Requires-Python", "3.9 or newer")),
    (&[Code::UnknownClassifier], |w| w.field("Classifier", "Topic :: Nonsense")),
    // Projects use it so that the index refuses the upload.
    (&[Code::UnknownClassifier], |w| w.field("Classifier", "Private :: Do Not Upload")),
    (&[Code::DeprecatedClassifier], |w| w.field("Classifier", "Natural Language :: Ukranian")),
    (&[Code::BadSummary], |w| w.field("Summary", &"long ".repeat(200))),
    (&[Code::BadSummary], |w| w.field("Summary", "two\n        lines")),
    (&[Code::BadEmail], |w| w.field("Author-email", "Ada at example")),
    (&[Code::BadEmail], |w| w.field("Author-email", "ada@localhost")),
    (&[Code::BadEmail], |w| w.field("Author-email", "ada@example.org, bob")),
    (&[], |w| w.field("Author-email", "Zoë <zoë@exämple.org>")),
    (&[], |w| w.field("Author-email", "\"Example, Ada\" <ada@example.org>, bob@example.org")),
    (&[Code::BadUrl], |w| w.field("Project-URL", "https://example.org")),
    (&[Code::BadUrl], |w| w.field("Project-URL", "Source, example.org")),
    (&[Code::BadUrl], |w| {
        w.field("Project-URL", &format!("{}, https://example.org", "a".repeat(33)));
    }),
    (&[Code::BadUrl], |w| {
        w.metadata = w.metadata.replacen(
            "Project-URL: Source",
            "Project-URL: Source, https://example.net\nProject-URL: Source",
            1,
        );
    }),
    (&[Code::LegacyUrl], |w| w.field("Home-page", "https://example.org")),
    (&[Code::DescriptionType], |w| w.field("Description-Content-Type", "text/html")),
    (&[Code::DescriptionType], |w| {
        w.field("Description-Content-Type", "text/plain; charset=latin-1");
    }),
    (&[], |w| {
        w.field("Description-Content-Type", "text/markdown; charset=UTF-8; variant=GFM");
    }),
    (&[Code::NoDescription], |w| w.metadata = w.metadata.replace("# demo\n", "")),
    (&[Code::NoDescription], |w| {
        w.metadata = w.metadata.replace("Description-Content-Type: text/markdown\n", "");
    }),
    (&[Code::BadDynamic], |w| w.field("Dynamic", "Name")),
];

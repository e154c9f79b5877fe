//! Whole stories of the command line: what is typed, what is printed, how it ends. They are the
//! files in `stories/`, to be edited; `TRYCMD=overwrite` writes what the program says now.

#[test]
fn stories() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("WHEELSMITH_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .case("../tests/stories/*.trycmd");
}

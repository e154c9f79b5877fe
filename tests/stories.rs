//! Stories of the command line: commands, their output and exit code, in the files of `stories/`.
//! `TRYCMD=overwrite` writes the current output into them.

#[test]
fn stories() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("WHEELSMITH_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
        .case("../tests/stories/*.trycmd");
}

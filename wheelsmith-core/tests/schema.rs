//! The committed JSON schemas match the types. `UPDATE=1 cargo test --all-features schema` updates
//! them.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests are a world of their own"
)]

use std::path::Path;

#[test]
fn the_committed_schemas_are_current() {
    check("config.schema.json", &wheelsmith_core::config::schema());
    check("audit.schema.json", &wheelsmith_core::audit::schema());
    check("check.schema.json", &wheelsmith_core::check::schema());
    check("test.schema.json", &wheelsmith_core::testing::schema());
    check("store-set.schema.json", &wheelsmith_core::store::schema());
    check("store-reference.schema.json", &wheelsmith_core::store::reference_schema());
    check("store-release.schema.json", &wheelsmith_core::store::release_schema());
    check("store-channel.schema.json", &wheelsmith_core::store::channel_schema());
}

fn check(name: &str, schema: &serde_json::Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(name);
    let text = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "`{}` is not current: run with UPDATE=1", path.display());
}

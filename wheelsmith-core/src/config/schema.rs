//! JSON schema of the configuration, for editors.

/// Returns the JSON schema of `pyproject.toml` as wheelsmith reads it, generated from the types.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(super::tables::FileTable).to_value()
}

//! The JSON schema of the configuration, for editors.

/// The JSON schema of `pyproject.toml` as wheelsmith reads it, made from the types that read it.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(super::tables::FileTable).to_value()
}

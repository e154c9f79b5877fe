//! JavaScript of the main package: the loader, and the commands.

use super::PlatformRow;

/// File name of the loader.
pub(super) const MODULE: &str = "runtime.js";

/// Main module of a package whose runtime has an addon.
pub(super) const ADDON: &str =
    "\"use strict\";\n\nmodule.exports = require(\"./runtime.js\").addon();\n";

/// TypeScript declarations of the loader.
pub(super) const TYPES: &str = include_str!("runtime.d.ts");

/// Text of the loader, with placeholders.
const LOADER: &str = include_str!("runtime.js");

/// Returns the loader of the package `name`.
pub(super) fn module(name: &str, version: &str, rows: &[PlatformRow]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| format!("  {},\n", serde_json::to_string(row).expect("strings are JSON")))
        .collect();
    LOADER
        .replace("\"{{name}}\"", &quoted(name))
        .replace("\"{{version}}\"", &quoted(version))
        .replace("[/* packages */]", &format!("[\n{}]", rows.concat()))
}

/// Returns the path of the file of a command.
pub(super) fn command_path(command: &str) -> String {
    format!("bin/{command}.js")
}

/// Returns the file of a command.
pub(super) fn command(command: &str) -> String {
    format!(
        "#!/usr/bin/env node\n\"use strict\";\n\nrequire(\"../{MODULE}\").run({});\n",
        quoted(command)
    )
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

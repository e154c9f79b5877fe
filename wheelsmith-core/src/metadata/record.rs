//! `RECORD`: all files of a wheel with their digests and sizes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::name::{Digest, WheelPath};

/// Row of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Path in the wheel.
    pub path: WheelPath,
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Size of the content in bytes.
    pub size_bytes: u64,
}

/// Files of a wheel in the order of the archive, without `RECORD` itself.
///
/// Source: "recording installed projects" and binary distribution format specifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Rows of the files.
    pub rows: Vec<Row>,
    /// Path of `RECORD` itself, which is listed last, without digest and size.
    pub path: WheelPath,
}

impl Record {
    /// Returns the text: CSV with `,`, `"` and line feeds.
    pub fn render(&self) -> String {
        let mut out = String::with_capacity(self.rows.len() * 100);
        for Row { path, digest, size_bytes } in &self.rows {
            quote(&mut out, path.as_str());
            let digest = URL_SAFE_NO_PAD.encode(digest.as_bytes());
            let _ = writeln!(out, ",sha256={digest},{size_bytes}");
        }
        quote(&mut out, self.path.as_str());
        out.push_str(",,\n");
        out
    }
}

fn quote(out: &mut String, field: &str) {
    if field.contains([',', '"']) {
        let _ = write!(out, "\"{}\"", field.replace('"', "\"\""));
    } else {
        out.push_str(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_csv() {
        let row = |path: &str| Row {
            path: path.parse().unwrap(),
            digest: Digest::of(b"x"),
            size_bytes: 1,
        };
        let record = Record {
            rows: vec![row("a b.py"), row("a,b.txt"), row("say \"hi\""), row("ü")],
            path: "d-1.dist-info/RECORD".parse().unwrap(),
        };
        let rest = ",sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n";
        let expected = ["a b.py", "\"a,b.txt\"", "\"say \"\"hi\"\"\"", "ü"]
            .map(|field| format!("{field}{rest}"))
            .concat();
        assert_eq!(record.render(), expected + "d-1.dist-info/RECORD,,\n");
    }
}

//! `RECORD`: all files of a wheel with their digests and sizes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::name::{Digest, WheelPath};

/// Text of `RECORD`, which has a row for each file in the order of the archive: CSV with `,`, `"` and
/// line feeds.
///
/// Source: "recording installed projects" and binary distribution format specifications.
#[derive(Debug, Default)]
pub(crate) struct Record(String);

impl Record {
    /// Adds the row of one file.
    pub(crate) fn add(&mut self, path: &WheelPath, digest: &Digest, size_bytes: u64) {
        quote(&mut self.0, path.as_str());
        self.0.push_str(",sha256=");
        URL_SAFE_NO_PAD.encode_string(digest.as_bytes(), &mut self.0);
        let _ = writeln!(self.0, ",{size_bytes}");
    }

    /// Adds the row of `RECORD` itself, which has no digest and size, and returns the text.
    pub(crate) fn finish(mut self, path: &WheelPath) -> String {
        quote(&mut self.0, path.as_str());
        self.0.push_str(",,\n");
        self.0
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
        let mut record = Record::default();
        for path in ["a b.py", "a,b.txt", "say \"hi\"", "ü"] {
            record.add(&path.parse().unwrap(), &Digest::of(b"x"), 1);
        }
        let text = record.finish(&"d-1.dist-info/RECORD".parse().unwrap());
        let rest = ",sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n";
        let expected = ["a b.py", "\"a,b.txt\"", "\"say \"\"hi\"\"\"", "ü"]
            .map(|field| format!("{field}{rest}"))
            .concat();
        assert_eq!(text, expected + "d-1.dist-info/RECORD,,\n");
    }
}

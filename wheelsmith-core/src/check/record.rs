//! Compares RECORD with the files (recording installed projects; binary distribution format).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Finding, Severity};
use crate::metadata::recorded_digest::Algorithm;
use crate::metadata::rows::Rows;
use crate::name::WheelPath;

/// Limit of the number of rows, above the number of entries that an archive may have.
const MOST_ROWS: usize = 150_000;

/// Judges the file.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    for name in ["RECORD.jws", "RECORD.p7s"] {
        if let Some(file) = contents.dist_file(name) {
            out.file(Code::RecordSignature, &file.entry.path, "it is a signature of RECORD");
        }
    }
    let Some(file) = contents.dist_file("RECORD") else { return };
    let Some(bytes) = file.kept() else { return };
    let path = &file.entry.path;
    let Ok(text) = std::str::from_utf8(bytes) else {
        out.file(Code::RecordSyntax, path, "it is not UTF-8");
        return;
    };
    // Text from the row on, by path: there may be many rows.
    let mut rows: BTreeMap<Cow<'_, str>, &str> = BTreeMap::new();
    let mut directories = 0_usize;
    let mut lines = Rows(text);
    let mut count = 0;
    loop {
        let start = lines.0;
        let Some(row) = lines.next_row() else { break };
        count += 1;
        if count > MOST_ROWS {
            out.file(Code::RecordSyntax, path, format!("it has more than {MOST_ROWS} lines"));
            break;
        }
        let row = match row {
            Ok(row) if row.len() == 3 => row,
            Ok(row) if row == [""] => continue,
            Ok(row) => {
                let shown: String = row.join(",").chars().take(120).collect();
                let message = format!("`{shown}` has {} fields, not three", row.len());
                out.file(Code::RecordSyntax, path, message);
                continue;
            }
            Err(why) => {
                out.file(Code::RecordSyntax, path, why);
                break;
            }
        };
        let name = row.into_iter().next().unwrap_or_default();
        // Installers ignore such rows, as they ignore directory entries.
        if name.strip_suffix('/').is_some_and(|name| name.parse::<WheelPath>().is_ok()) {
            directories += 1;
            continue;
        }
        if name.contains('\\') || name.parse::<WheelPath>().is_err() {
            out.file(Code::RecordSyntax, path, format!("`{name}` is not a path with `/`"));
            continue;
        }
        match rows.entry(name) {
            Entry::Vacant(place) => drop(place.insert(start)),
            Entry::Occupied(mut other) => {
                let message = format!("`{}` is listed twice", other.key());
                out.file(Code::RecordDuplicate, path, message);
                other.insert(start);
            }
        }
    }
    if text.contains('\r') {
        out.file(Code::RecordForm, path, "its lines end with CR and LF");
    }
    if directories > 0 {
        let message = format!("it lists {directories} directories, but only files belong there");
        out.file(Code::RecordForm, path, message);
    }
    compare(contents, path, &rows, out);
}

fn compare(
    contents: &Contents<'_>,
    record: &WheelPath,
    rows: &BTreeMap<Cow<'_, str>, &str>,
    out: &mut Findings,
) {
    for member in contents.files() {
        let path = &member.entry.path;
        let inner = contents.in_dist_info(member);
        let is_signature = matches!(inner, Some("RECORD.jws" | "RECORD.p7s"));
        let Some([digest, size]) = rows.get(path.as_str()).and_then(|text| digest_and_size(text))
        else {
            if !is_signature {
                out.file(Code::RecordMissing, path, "RECORD does not list it");
            }
            continue;
        };
        if inner == Some("RECORD") {
            if !digest.is_empty() || !size.is_empty() {
                out.file(Code::RecordSyntax, path, "it lists itself with a digest or size");
            }
            continue;
        }
        if is_signature {
            // `installer` refuses such a wheel.
            let message = "RECORD lists its own signature";
            out.file_as(Severity::Error, Code::RecordSignature, path, message);
            continue;
        }
        if member.content.is_none() {
            continue;
        }
        if let Err(why) = judge(&digest, |algorithm| contents.digest_by(member, algorithm)) {
            match why {
                DigestError::Form(why) => out.file(Code::RecordDigest, path, why),
                DigestError::Digest(own) => {
                    let evidence = [format!("RECORD: {digest}"), format!("file: {own}")];
                    let message = "its digest differs from RECORD";
                    out.push(Finding::new(Code::RecordMismatch, path, message).because(evidence));
                }
            }
        }
        let size_bytes = member.entry.header.size_bytes;
        if size != size_bytes.to_string() {
            let message = format!("RECORD says `{size}` bytes, it has {size_bytes}");
            out.file(Code::RecordSize, path, message);
        }
    }
    for name in rows.keys() {
        if contents.file(name).is_some() {
            continue;
        }
        let is_signature = ["RECORD.jws", "RECORD.p7s"].iter().any(|own| {
            contents.dist_info.as_ref().is_some_and(|dir| *name == format!("{dir}/{own}"))
        });
        if is_signature {
            let message = format!("it lists its own signature `{name}`");
            out.file_as(Severity::Error, Code::RecordSignature, record, message);
        } else {
            out.file(Code::RecordAbsent, record, format!("it lists `{name}`, which is missing"));
        }
    }
}

/// Returns digest and size in the first row of `text`.
fn digest_and_size(text: &str) -> Option<[Cow<'_, str>; 2]> {
    let [_, digest, size] = Rows(text).next_row()?.ok()?.try_into().ok()?;
    Some([digest, size])
}

enum DigestError {
    Form(String),
    /// Digest of the file, as `RECORD` would state it.
    Digest(String),
}

/// Compares a digest of RECORD with that of the file. `digest_by` computes it.
fn judge(
    stated: &str,
    digest_by: impl Fn(Algorithm) -> Option<Vec<u8>>,
) -> Result<(), DigestError> {
    let form = |why: &str| Err(DigestError::Form(why.to_owned()));
    let Some((algorithm, text)) = Algorithm::split(stated) else {
        let why = stated.split_once('=').map_or_else(
            || "RECORD has no digest for it".to_owned(),
            |(other, _)| format!("RECORD has a `{other}` digest for it"),
        );
        return Err(DigestError::Form(why));
    };
    match URL_SAFE_NO_PAD.decode(text) {
        Ok(bytes) if bytes.len() == algorithm.hasher().output_size() => {
            // A file whose other digest cannot be computed was read once already.
            let own = digest_by(algorithm).unwrap_or_default();
            if *own == *bytes {
                return Ok(());
            }
            let own = URL_SAFE_NO_PAD.encode(&own);
            Err(DigestError::Digest(format!("{}={own}", algorithm.name())))
        }
        Ok(_) => form("the digest in RECORD has the wrong length"),
        Err(_) if text.ends_with('=') => form("the digest in RECORD is padded with `=`"),
        Err(_) => form("the digest in RECORD is not URL-safe base64"),
    }
}

//! Compares RECORD with the files (recording installed projects; binary distribution format).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::findings::Findings;
use super::parsed::Contents;
use crate::finding::{Code, Finding, Severity};
use crate::metadata::rows::Rows;
use crate::name::WheelPath;

/// Limit of the number of rows, above the number of entries that an archive may have.
const MOST_ROWS: usize = 150_000;

/// Judges the file.
pub(super) fn check(contents: &Contents<'_>, out: &mut Findings) {
    for name in ["RECORD.jws", "RECORD.p7s"] {
        if let Some(file) = contents.dist_file(name) {
            out.file(Code::RecordSignature, &file.path, "it is a signature of RECORD");
        }
    }
    let Some(file) = contents.dist_file("RECORD") else { return };
    let Some(bytes) = file.kept() else { return };
    let path = &file.path;
    let Ok(text) = std::str::from_utf8(bytes) else {
        out.file(Code::RecordSyntax, path, "it is not UTF-8");
        return;
    };
    let mut rows: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut directories = 0_usize;
    let mut lines = Rows(text);
    let mut count = 0;
    while let Some(row) = lines.next_row() {
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
        let [name, digest, size] = <[String; 3]>::try_from(row).unwrap_or_default();
        // Installers ignore such rows, as they ignore directory entries.
        if name.strip_suffix('/').is_some_and(|name| name.parse::<WheelPath>().is_ok()) {
            directories += 1;
            continue;
        }
        if name.contains('\\') || name.parse::<WheelPath>().is_err() {
            out.file(Code::RecordSyntax, path, format!("`{name}` is not a path with `/`"));
            continue;
        }
        if rows.insert(name.clone(), (digest, size)).is_some() {
            out.file(Code::RecordDuplicate, path, format!("`{name}` is listed twice"));
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
    rows: &BTreeMap<String, (String, String)>,
    out: &mut Findings,
) {
    for member in contents.files() {
        let path = &member.path;
        let inner = contents.in_dist_info(member);
        let is_signature = matches!(inner, Some("RECORD.jws" | "RECORD.p7s"));
        let Some((digest, size)) = rows.get(path.as_str()) else {
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
        let Some(content) = &member.content else { continue };
        if let Err(why) = judge(digest, content.digest.as_bytes()) {
            match why {
                DigestError::Form(why) => out.file(Code::RecordDigest, path, why),
                DigestError::Digest => {
                    let own = URL_SAFE_NO_PAD.encode(content.digest.as_bytes());
                    let evidence = [format!("RECORD: {digest}"), format!("file: sha256={own}")];
                    let message = "its digest differs from RECORD";
                    out.push(Finding::new(Code::RecordMismatch, path, message).because(evidence));
                }
            }
        }
        if *size != content.size_bytes.to_string() {
            let message = format!("RECORD says `{size}` bytes, it has {}", content.size_bytes);
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

enum DigestError {
    Form(String),
    Digest,
}

fn judge(stated: &str, sha256: &[u8; 32]) -> Result<(), DigestError> {
    let form = |why: &str| Err(DigestError::Form(why.to_owned()));
    let Some((algorithm, text)) = stated.split_once('=') else {
        return form("RECORD has no digest for it");
    };
    let length = match algorithm {
        "sha256" => 32,
        "sha384" => 48,
        "sha512" => 64,
        other => return Err(DigestError::Form(format!("RECORD has a `{other}` digest for it"))),
    };
    match URL_SAFE_NO_PAD.decode(text) {
        // The longer digests are not computed, because no tool writes them.
        Ok(bytes) if bytes.len() == length && (length != 32 || bytes == sha256) => Ok(()),
        Ok(bytes) if bytes.len() == length => Err(DigestError::Digest),
        Ok(_) => form("the digest in RECORD has the wrong length"),
        Err(_) if text.ends_with('=') => form("the digest in RECORD is padded with `=`"),
        Err(_) => form("the digest in RECORD is not URL-safe base64"),
    }
}

//! Reads the members of a tar archive (POSIX pax; GNU's long names), header by header.
//!
//! Own code, because memory must not be allocated for sizes that an archive only claims.

use std::collections::BTreeMap;

use super::Limits;
use super::blob::Blob;
use super::error::MemberError;
use super::members::{Collector, Location, Member, Stated};
use super::safe_path::safe_path;
use crate::finding::{Code, Finding};
use crate::name::WheelPath;

const BLOCK: u64 = 512;
/// Limit of links that point to links.
const MOST_LINKS: usize = 8;

/// True if `header` is a tar header: its checksum is correct.
pub(crate) fn is_header(header: &[u8]) -> bool {
    let Some(header) = header.get(..512) else { return false };
    let Some(stated) = octal(&header[148..156]) else { return false };
    // Sum of all bytes, with spaces in the checksum field.
    let sum: u64 = header.iter().map(|&b| u64::from(b)).sum();
    let own: u64 = header[148..156].iter().map(|&b| u64::from(b)).sum();
    stated == sum - own + 8 * u64::from(b' ')
}

/// Returns the end of the archive that begins `blob`: the offset after its last complete member.
pub(crate) fn extent(blob: &Blob) -> u64 {
    let mut at = 0;
    while let Ok(header) = blob.array_at::<512>(at) {
        let size = octal(&header[124..136]).filter(|_| is_header(&header));
        let next = size.and_then(|size| next_header(at, size));
        let Some(next) = next.filter(|next| *next <= blob.size()) else { break };
        at = next;
    }
    at
}

/// Adds the members of an archive to `collector`.
pub(crate) fn list(
    blob: &Blob,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), String> {
    let mut links: BTreeMap<WheelPath, Vec<u8>> = BTreeMap::new();
    let (mut at, mut long) = (0, Long::default());
    while at < blob.size() {
        let header = blob.array_at::<512>(at).map_err(|e| e.to_string())?;
        if header.iter().all(|&b| b == 0) {
            break;
        }
        if !is_header(&header) {
            return Err(format!("there is no header at byte {at}"));
        }
        if !collector.count() {
            return Ok(());
        }
        let stated = octal(&header[124..136]).ok_or("a member has no size")?;
        let kind = header[156];
        let size = if matches!(kind, b'L' | b'K' | b'x' | b'g') {
            stated
        } else {
            long.size.unwrap_or(stated)
        };
        let next = next_header(at, size).ok_or("a member has no end")?;
        let content = blob.part(at + BLOCK, size).ok_or("it is cut short")?;
        match kind {
            b'L' | b'K' => {
                let text = content.first(limits.path_bytes + 1).map_err(|e| e.to_string())?;
                let text = until_zero(&text).to_vec();
                *(if kind == b'L' { &mut long.name } else { &mut long.link }) = Some(text);
            }
            b'x' => long.read(&content.first(64 << 10).map_err(|e| e.to_string())?),
            b'0' | 0 | b'7' | b'1' | b'2' => {
                let name = long.name.take().unwrap_or_else(|| name(&header));
                // A name that ends with `/` is a directory in the oldest format.
                let name: &[u8] = name.strip_prefix(b"./").unwrap_or(&name);
                let is_link = matches!(kind, b'1' | b'2');
                if is_link {
                    let (path, _) = safe_path(&name[..name.len().min(limits.path_bytes)]);
                    let link = long.link.take();
                    let link = link.unwrap_or_else(|| until_zero(&header[157..257]).to_vec());
                    let link = if kind == b'1' { [b"/", &link[..]].concat() } else { link };
                    links.insert(path, link);
                } else if !name.ends_with(b"/") {
                    let mode = octal(&header[100..108]).unwrap_or_default();
                    let executable = mode & 0o111 != 0;
                    let stated = Stated { name, size_bytes: size, packed_bytes: size, executable };
                    if !collector.add(&stated, Location::Stored(content)) {
                        return Ok(());
                    }
                }
                long = Long::default();
            }
            b'S' => {
                let (path, _) = safe_path(&name(&header));
                collector.note(MemberError::unreadable("it is stored with holes").finding(&path));
                long = Long::default();
            }
            // Directories, devices, and global settings.
            _ if kind != b'g' => long = Long::default(),
            _ => {}
        }
        at = next;
    }
    follow(&links, collector);
    Ok(())
}

/// Adds a member for each link that points to one.
fn follow(links: &BTreeMap<WheelPath, Vec<u8>>, collector: &mut Collector<'_>) {
    let twice = collector.sort();
    for path in twice {
        let message = "two members have this name, and the last one counts";
        collector.note(Finding::new(Code::DuplicateEntry, &path, message));
    }
    let mut resolved = Vec::new();
    for path in links.keys() {
        let mut end = Some(path.clone());
        for _ in 0..MOST_LINKS {
            let Some(link) = end.as_ref().and_then(|end| links.get(end)) else { break };
            end = end.as_ref().and_then(|end| target(end, link));
        }
        let found = end.as_ref().and_then(|end| collector.get(end));
        let found =
            found.map(|(member, place)| (member.size_bytes, member.executable, place.clone()));
        if collector.get(path).is_some() {
            let message = "two members have this name, and the last one counts";
            collector.note(Finding::new(Code::DuplicateEntry, path, message));
        }
        if let Some((size_bytes, executable, location)) = found {
            resolved.push((Member { path: path.clone(), size_bytes, executable }, location));
        } else {
            let message = "it is a link that leads to no file of the archive";
            collector.note(Finding::new(Code::NotJudged, path, message));
        }
    }
    for (member, location) in resolved {
        let packed_bytes = member.size_bytes;
        collector.add_member(member, packed_bytes, location);
    }
}

/// Returns the target of a link at `path`; links relative to the top begin with `/`.
fn target(path: &WheelPath, link: &[u8]) -> Option<WheelPath> {
    let link = std::str::from_utf8(link).ok()?;
    let mut parts: Vec<&str> = if link.starts_with('/') {
        Vec::new()
    } else {
        path.parent().into_iter().flat_map(|parent| parent.split('/')).collect()
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    parts.join("/").parse().ok()
}

/// Values of the records before a header that do not fit into it.
#[derive(Default)]
pub(crate) struct Long {
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
}

impl Long {
    /// Parses pax records, `LENGTH KEY=VALUE` and a line end each; the length includes itself.
    pub(crate) fn read(&mut self, mut records: &[u8]) {
        while let Some(space) = records.iter().take(20).position(|&b| b == b' ') {
            let size = std::str::from_utf8(&records[..space]).ok();
            let size = size.and_then(|size| size.parse::<usize>().ok());
            let Some(record) = size.and_then(|size| records.get(space + 1..size)) else { return };
            records = &records[space + 1 + record.len()..];
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let Some(equals) = record.iter().position(|&b| b == b'=') else { return };
            let value = record[equals + 1..].to_vec();
            match &record[..equals] {
                b"path" => self.name = Some(value),
                b"linkpath" => self.link = Some(value),
                b"size" => {
                    self.size = String::from_utf8(value).ok().and_then(|size| size.parse().ok());
                }
                _ => {}
            }
        }
    }
}

fn next_header(at: u64, size: u64) -> Option<u64> {
    size.checked_next_multiple_of(BLOCK)?.checked_add(at)?.checked_add(BLOCK)
}

/// Returns the name in a header. In ustar archives the prefix field comes first.
pub(crate) fn name(header: &[u8; 512]) -> Vec<u8> {
    let name = until_zero(&header[..100]);
    let prefix = until_zero(&header[345..500]);
    // GNU archives use the prefix field for other data.
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        [prefix, b"/", name].concat()
    } else {
        name.to_vec()
    }
}

pub(crate) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == 0).next().unwrap_or_default()
}

/// Parses a number in octal digits, or in binary if the first bit is set.
pub(crate) fn octal(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().checked_sub(8)?);
        let is_small = high.first() == Some(&0x80) && high[1..].iter().all(|&b| b == 0);
        return is_small.then(|| u64::from_be_bytes(low.try_into().unwrap_or_default()));
    }
    let text = std::str::from_utf8(until_zero(field)).ok()?.trim_matches(' ');
    u64::from_str_radix(text, 8).ok()
}

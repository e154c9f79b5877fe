//! Edits of load commands: install names and search paths.

use std::borrow::Cow;

use goblin::mach::load_command as lc;

use super::commands::{Command, Commands};
use crate::binary;
use crate::patch::{Edit, Error, Search};

/// Offset of a text within its command, as every linker writes it.
const RPATH_TEXT: u32 = 12;
/// Size of a dylib command before its text: offset, time stamp and two versions.
const DYLIB_HEAD: usize = 24;
/// Longest path that any system accepts, in bytes.
const LONGEST_PATH: usize = 4096;

pub(super) const LOADS: [u32; 5] = [
    lc::LC_LOAD_DYLIB,
    lc::LC_LOAD_WEAK_DYLIB,
    lc::LC_REEXPORT_DYLIB,
    lc::LC_LOAD_UPWARD_DYLIB,
    lc::LC_LAZY_LOAD_DYLIB,
];

/// Changes the commands, and returns whether any differs.
pub(super) fn edit(commands: &mut Commands<'_>, edit: &Edit) -> Result<bool, Error> {
    let before: Vec<_> = commands.list.clone();
    let mut has_id = false;
    for index in 0..commands.list.len() {
        let which = commands.list[index].which;
        let name = match which {
            lc::LC_ID_DYLIB => {
                has_id = true;
                edit.id.as_deref()
            }
            which if LOADS.contains(&which) => {
                let name = text(commands, index, "needed library")?;
                if edit.dropped.contains(name) {
                    // Symbols refer to libraries by number.
                    let why = format!("a needed library cannot be removed, such as `{name}`");
                    return Err(Error::Unsupported(why));
                }
                edit.renamed.get(name).map(String::as_str)
            }
            _ => continue,
        };
        if let Some(name) = name {
            set_text(commands, index, name)?;
        }
    }
    if edit.id.is_some() && !has_id {
        return Err(Error::Unsupported(
            "it has no install name: it is not a library to link to".to_owned(),
        ));
    }
    if let Some(wanted) = wanted_rpaths(&edit.search) {
        set_rpaths(commands, &wanted)?;
    }
    Ok(commands.list != before)
}

/// Returns the search paths of an edit, each once, because newer systems refuse duplicates; `None`
/// to keep them.
pub(super) fn wanted_rpaths(search: &Search) -> Option<Vec<&str>> {
    let (Search::Rpath(wanted) | Search::Runpath(wanted)) = search else {
        return (*search == Search::Nowhere).then(Vec::new);
    };
    let mut once = Vec::new();
    for path in wanted {
        if !once.contains(&path.as_str()) {
            once.push(path);
        }
    }
    Some(once)
}

fn set_rpaths(commands: &mut Commands<'_>, wanted: &[&str]) -> Result<(), Error> {
    let is_rpath = |command: &Command<'_>| command.which == lc::LC_RPATH;
    let mut now = Vec::new();
    for index in 0..commands.list.len() {
        if is_rpath(&commands.list[index]) {
            now.push(text(commands, index, "rpath")?);
        }
    }
    if now == wanted {
        return Ok(());
    }
    // The signature's command stays last, where tools that remove it expect it.
    let is_signature = |command: &Command<'_>| command.which == lc::LC_CODE_SIGNATURE;
    let first = commands.list.iter().position(is_rpath);
    let place = first.or_else(|| commands.list.iter().position(is_signature));
    let place = place.unwrap_or(commands.list.len());
    commands.list.retain(|command| !is_rpath(command));
    for (i, path) in wanted.iter().enumerate() {
        let mut head = Vec::new();
        for number in [lc::LC_RPATH, 0, RPATH_TEXT] {
            push(commands, &mut head, number)?;
        }
        let command = Command { which: lc::LC_RPATH, bytes: Cow::Owned(head) };
        commands.list.insert(place + i, command);
        write_text(commands, place + i, path)?;
    }
    Ok(())
}

/// Returns the text of a command, whose offset follows its header.
fn text<'c>(
    commands: &'c Commands<'_>,
    index: usize,
    what: &'static str,
) -> Result<&'c str, binary::Error> {
    let bytes = &commands.list[index].bytes;
    let start = commands.numbers.u32(bytes, 8, what)? as usize;
    let bytes = bytes.get(start..).ok_or(binary::Error::Outside { what })?;
    let end = bytes.iter().position(|&b| b == 0).ok_or(binary::Error::Malformed { what })?;
    std::str::from_utf8(&bytes[..end]).map_err(|_| binary::Error::Malformed { what })
}

/// Replaces the text of a dylib command; the fields before it stay.
fn set_text(commands: &mut Commands<'_>, index: usize, new: &str) -> Result<(), Error> {
    const WHAT: &str = "install name";
    if text(commands, index, WHAT)? == new {
        return Ok(());
    }
    let start = commands.numbers.u32(&commands.list[index].bytes, 8, WHAT)? as usize;
    if start < DYLIB_HEAD {
        return Err(binary::Error::Malformed { what: WHAT }.into());
    }
    commands.list[index].bytes.to_mut().truncate(start);
    write_text(commands, index, new)
}

/// Appends a text to a command that ends before it.
fn write_text(commands: &mut Commands<'_>, index: usize, text: &str) -> Result<(), Error> {
    const WHAT: &str = "load command";
    if text.is_empty() || text.len() > LONGEST_PATH || text.contains('\0') {
        return Err(Error::Unsupported(format!("{text:?} cannot be a path of a library")));
    }
    let (numbers, alignment) = (commands.numbers, commands.alignment());
    let bytes = commands.list[index].bytes.to_mut();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
    let size = u32::try_from(bytes.len()).map_err(|_| binary::Error::Outside { what: WHAT })?;
    Ok(numbers.set_u32(bytes, 4, size, WHAT)?)
}

/// Appends a number in the byte order of the file.
pub(super) fn push(
    commands: &Commands<'_>,
    bytes: &mut Vec<u8>,
    number: u32,
) -> Result<(), binary::Error> {
    let at = bytes.len();
    bytes.extend([0; 4]);
    commands.numbers.set_u32(bytes, at, number, "load command")
}

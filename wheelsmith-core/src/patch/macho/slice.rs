//! Edit of one slice: new commands where they fit, then a new signature.

use std::borrow::Cow;

use goblin::mach::header as mh;
use goblin::mach::load_command as lc;

use super::commands::{Command, Commands, Segment};
use super::sign::{self, KeptBlobs, SignedContent};
use super::{is_arm64, names};
use crate::binary;
use crate::binary::macho::{MachO, Pages};
use crate::patch::numbers::{align_up, part};
use crate::patch::{Edit, Error, buffer};

const SIGNATURE: &str = "code signature";
const LINK_EDIT: [u8; 16] = *b"__LINKEDIT\0\0\0\0\0\0";
const TEXT: [u8; 16] = *b"__TEXT\0\0\0\0\0\0\0\0\0\0";
const UUID_SIZE: usize = 16;

/// Returns the slice with the edit; the same bytes if there is nothing to change.
pub(super) fn change<'b>(bytes: &'b [u8], edit: &Edit) -> Result<Cow<'b, [u8]>, Error> {
    let mut commands = Commands::parse(bytes)?;
    if ![mh::MH_EXECUTE, mh::MH_DYLIB, mh::MH_BUNDLE].contains(&commands.file_type) {
        return Err(Error::Unsupported("no system loads such a file".to_owned()));
    }
    let is_changed = names::edit(&mut commands, edit)?;
    let signature = commands.signature()?;
    let must_sign = signature.is_some() || is_arm64(commands.cpu);
    if !must_sign {
        if !is_changed {
            return Ok(Cow::Borrowed(bytes));
        }
        return write(buffer::copy(bytes), &commands).map(Cow::Owned);
    }
    // A signature with a signer stays if nothing changes.
    if !is_changed && is_right(bytes)? {
        return Ok(Cow::Borrowed(bytes));
    }
    sign(bytes, commands, signature).map(Cow::Owned)
}

fn is_right(bytes: &[u8]) -> Result<bool, Error> {
    let file = MachO::parse(bytes)?;
    let signature = file.slices.first().and_then(|slice| slice.signature.as_ref());
    let pages = signature.map(|signature| signature.pages);
    Ok(matches!(pages, Some(Pages::Right | Pages::NotChecked)))
}

/// Writes the commands. The contents after them stay in place, because many offsets are relative to
/// the start of the image.
fn write(mut bytes: Vec<u8>, commands: &Commands<'_>) -> Result<Vec<u8>, Error> {
    let new_end = commands.header_size + commands.size();
    if new_end > commands.end {
        let space = bytes.get(commands.end..commands.first_content).unwrap_or_default();
        // Bytes that are not zero may be in use.
        let available = space.iter().take_while(|&&byte| byte == 0).count();
        let needed = new_end - commands.end;
        if needed > available {
            return Err(Error::NoSpace { needed: needed as u64, available: available as u64 });
        }
    }
    commands.write(&mut bytes)?;
    Ok(bytes)
}

/// Writes the commands with an ad-hoc signature, at the place of the old one or at the end.
fn sign(
    bytes: &[u8],
    mut commands: Commands<'_>,
    signature: Option<(usize, u64, u64)>,
) -> Result<Vec<u8>, Error> {
    const OUTSIDE: binary::Error = binary::Error::Outside { what: SIGNATURE };
    let unsupported = |why: &str| Err(Error::Unsupported(why.to_owned()));
    let segments = commands.segments().collect::<Result<Vec<_>, _>>()?;
    let Some(link_edit) = segments.iter().find(|segment| segment.name == LINK_EDIT) else {
        return unsupported("it has no `__LINKEDIT` segment to hold a signature");
    };
    let end = bytes.len() as u64;
    if link_edit.offset.checked_add(link_edit.size) != Some(end) {
        return unsupported("its `__LINKEDIT` segment is not the end of the file");
    }
    let (start, kept) = match signature {
        Some((_, start, size)) if start.checked_add(size) != Some(end) => {
            return unsupported("its signature is not the end of the file");
        }
        Some((_, start, size)) => (start, KeptBlobs::read(part(bytes, start, size, SIGNATURE)?)),
        None => (end, KeptBlobs::default()),
    };
    let start = align_up(start, sign::ALIGNMENT).ok_or(OUTSIDE)?;
    if start < link_edit.offset {
        return unsupported("its signature is not in its `__LINKEDIT` segment");
    }
    let identifier = kept.identifier.map_or_else(|| identifier(&commands), str::to_owned);
    let code = segments.iter().find(|segment| segment.name == TEXT);
    let subject = SignedContent {
        identifier: &identifier,
        kept: &kept,
        code: code.map_or((0, 0), |segment| (segment.offset, segment.size)),
        is_program: commands.file_type == mh::MH_EXECUTE,
    };
    let size = subject.size(start).ok_or(OUTSIDE)?;
    let resized = Resized::of(&commands, &segments, link_edit, start + size)?;
    commands.resize_segment(resized.index, resized.size, resized.memory_size)?;

    let mut command = Vec::new();
    let place = [start, size].map(|number| u32::try_from(number).map_err(|_| OUTSIDE));
    for number in [lc::LC_CODE_SIGNATURE, 16, place[0].clone()?, place[1].clone()?] {
        names::push(&commands, &mut command, number)?;
    }
    let command = Command { which: lc::LC_CODE_SIGNATURE, bytes: Cow::Owned(command) };
    // Names may have been inserted before it since it was found.
    match commands.signature()? {
        Some((index, _, _)) => commands.list[index] = command,
        None => commands.list.push(command),
    }

    let mut out = buffer::with_capacity(usize::try_from(start + size).map_err(|_| OUTSIDE)?);
    let start = usize::try_from(start).map_err(|_| OUTSIDE)?;
    out.extend_from_slice(&bytes[..start.min(bytes.len())]);
    out.resize(start, 0);
    let mut out = write(out, &commands)?;
    let signature = subject.sign(&out)?;
    out.extend(signature);
    Ok(out)
}

/// Returns the `__LINKEDIT` segment as it ends with the file.
struct Resized {
    index: usize,
    size: u64,
    memory_size: u64,
}

impl Resized {
    fn of(
        commands: &Commands<'_>,
        segments: &[Segment],
        link_edit: &Segment,
        end: u64,
    ) -> Result<Self, Error> {
        const OUTSIDE: binary::Error = binary::Error::Outside { what: "segment" };
        let page = if is_arm64(commands.cpu) { 0x4000 } else { 0x1000 };
        let size = end.checked_sub(link_edit.offset).ok_or(OUTSIDE)?;
        let memory_size = align_up(size, page).ok_or(OUTSIDE)?;
        let memory_end = link_edit.address.checked_add(memory_size).ok_or(OUTSIDE)?;
        // A segment that shrinks overlaps no more than before.
        let is_hit = segments.iter().any(|other| {
            other.index != link_edit.index
                && other.address >= link_edit.address
                && other.address < memory_end
                && other.memory_size > 0
        });
        if is_hit && memory_size > link_edit.memory_size {
            let why = "another segment follows `__LINKEDIT` in memory";
            return Err(Error::Unsupported(why.to_owned()));
        }
        Ok(Self { index: link_edit.index, size, memory_size })
    }
}

/// Returns the identifier of a first signature: the file name of the install name, or the UUID. The
/// system does not compare it with anything.
fn identifier(commands: &Commands<'_>) -> String {
    let find = |which| commands.list.iter().find(move |command| command.which == which);
    let id = find(lc::LC_ID_DYLIB).and_then(|command| {
        let start = commands.numbers.u32(&command.bytes, 8, "install name").ok()?;
        let text = command.bytes.get(start as usize..)?;
        let text = std::str::from_utf8(text.split(|&b| b == 0).next()?).ok()?;
        text.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
    });
    id.or_else(|| {
        let uuid = find(lc::LC_UUID)?.bytes.get(8..8 + UUID_SIZE)?;
        Some(uuid.iter().map(|byte| format!("{byte:02x}")).collect())
    })
    .unwrap_or_else(|| "unnamed".to_owned())
}

//! Load commands of a slice, and the start of its contents.

use std::borrow::Cow;

use goblin::mach::header as mh;
use goblin::mach::load_command as lc;
use scroll::{BE, LE};

use crate::binary::Error;
use crate::patch::numbers::{Numbers, part};

const WHAT: &str = "list of load commands";
const SEGMENT: &str = "segment";

/// Load commands of a slice.
pub(super) struct Commands<'b> {
    pub(super) numbers: Numbers,
    pub(super) is_wide: bool,
    pub(super) cpu: u32,
    pub(super) file_type: u32,
    pub(super) header_size: usize,
    /// End of the commands in the file as it is.
    pub(super) end: usize,
    /// Offset of the first section or segment.
    pub(super) first_content: usize,
    pub(super) list: Vec<Command<'b>>,
}

/// Load command with its header.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Command<'b> {
    pub(super) which: u32,
    pub(super) bytes: Cow<'b, [u8]>,
}

/// Fields of a segment command.
pub(super) struct Segment {
    /// Index in the list of commands.
    pub(super) index: usize,
    pub(super) name: [u8; 16],
    pub(super) address: u64,
    pub(super) memory_size: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Offsets of the fields of a segment command; four of them differ in width between 32 and 64 bits.
struct SegmentShape {
    address: usize,
    memory_size: usize,
    offset: usize,
    size: usize,
    section_count: usize,
    sections: usize,
    section_size: usize,
    /// Offsets within a section.
    contents_size: usize,
    contents_offset: usize,
    flags: usize,
}

const NARROW: SegmentShape = SegmentShape {
    address: 24,
    memory_size: 28,
    offset: 32,
    size: 36,
    section_count: 48,
    sections: 56,
    section_size: 68,
    contents_size: 36,
    contents_offset: 40,
    flags: 56,
};
const WIDE: SegmentShape = SegmentShape {
    address: 24,
    memory_size: 32,
    offset: 40,
    size: 48,
    section_count: 64,
    sections: 72,
    section_size: 80,
    contents_size: 40,
    contents_offset: 48,
    flags: 64,
};

/// Kinds of sections that take memory only: S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL.
const ZERO_FILLED: [u32; 3] = [0x1, 0xc, 0x12];
const SECTION_KIND: u32 = 0xff;

impl<'b> Commands<'b> {
    pub(super) fn parse(bytes: &'b [u8]) -> Result<Self, Error> {
        let magic = Numbers(BE).u32(bytes, 0, WHAT)?;
        let (endian, is_wide) = match magic {
            mh::MH_MAGIC => (BE, false),
            mh::MH_MAGIC_64 => (BE, true),
            mh::MH_CIGAM => (LE, false),
            mh::MH_CIGAM_64 => (LE, true),
            _ => return Err(Error::Malformed { what: "file header" }),
        };
        let numbers = Numbers(endian);
        let header_size: usize = if is_wide { 32 } else { 28 };
        let [cpu, file_type, count, size] =
            [4, 12, 16, 20].map(|at| numbers.u32(bytes, at, "file header"));
        let mut rest = part(bytes, header_size as u64, size?.into(), WHAT)?;
        let end = header_size + rest.len();
        let mut list = Vec::new();
        for _ in 0..count? {
            let size = numbers.u32(rest, 4, WHAT)?;
            // Each command has a header, which bounds the count.
            if size < 8 {
                return Err(Error::Malformed { what: WHAT });
            }
            let command = part(rest, 0, size.into(), WHAT)?;
            list.push(Command {
                which: numbers.u32(command, 0, WHAT)?,
                bytes: Cow::Borrowed(command),
            });
            rest = &rest[command.len()..];
        }
        // Rewriting the list would lose them.
        if !rest.is_empty() {
            return Err(Error::Malformed { what: WHAT });
        }
        let mut commands = Self {
            numbers,
            is_wide,
            cpu: cpu?,
            file_type: file_type?,
            header_size,
            end,
            first_content: bytes.len(),
            list,
        };
        commands.first_content = commands.find_first_content(bytes)?;
        Ok(commands)
    }

    /// Returns the size of the list as it is now, in bytes.
    pub(super) fn size(&self) -> usize {
        self.list.iter().map(|command| command.bytes.len()).sum()
    }

    /// Returns the number of bytes that command sizes are multiples of.
    pub(super) fn alignment(&self) -> usize {
        if self.is_wide { 8 } else { 4 }
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = Result<Segment, Error>> {
        let wanted = if self.is_wide { lc::LC_SEGMENT_64 } else { lc::LC_SEGMENT };
        let commands = self.list.iter().enumerate();
        commands.filter(move |(_, command)| command.which == wanted).map(|(index, command)| {
            let word = |at| self.numbers.word(&command.bytes, at, self.is_wide, SEGMENT);
            let shape = self.shape();
            let name = command.bytes.get(8..24).and_then(|name| name.try_into().ok());
            Ok(Segment {
                index,
                name: name.ok_or(Error::Malformed { what: SEGMENT })?,
                address: word(shape.address)?,
                memory_size: word(shape.memory_size)?,
                offset: word(shape.offset)?,
                size: word(shape.size)?,
            })
        })
    }

    /// Sets the size of a segment's contents.
    pub(super) fn resize_segment(
        &mut self,
        index: usize,
        size: u64,
        memory_size: u64,
    ) -> Result<(), Error> {
        let (numbers, is_wide, shape) = (self.numbers, self.is_wide, self.shape());
        let command = self.list.get_mut(index).ok_or(Error::Malformed { what: SEGMENT })?;
        let bytes = command.bytes.to_mut();
        numbers.set_word(bytes, shape.size, size, is_wide, SEGMENT)?;
        numbers.set_word(bytes, shape.memory_size, memory_size, is_wide, SEGMENT)
    }

    /// Returns the index of the signature's command, and the range of the signature.
    pub(super) fn signature(&self) -> Result<Option<(usize, u64, u64)>, Error> {
        const WHAT: &str = "code signature";
        let is_signature = |command: &Command| command.which == lc::LC_CODE_SIGNATURE;
        let Some(index) = self.list.iter().position(is_signature) else { return Ok(None) };
        if self.list.iter().filter(|command| is_signature(command)).count() > 1 {
            return Err(Error::Malformed { what: WHAT });
        }
        let number = |at| self.numbers.u32(&self.list[index].bytes, at, WHAT);
        Ok(Some((index, number(8)?.into(), number(12)?.into())))
    }

    /// Writes header and commands over the beginning of `bytes`, which has enough space.
    pub(super) fn write(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let outside = Error::Outside { what: WHAT };
        let number = |number: usize| u32::try_from(number).map_err(|_| outside.clone());
        self.numbers.set_u32(bytes, 16, number(self.list.len())?, WHAT)?;
        self.numbers.set_u32(bytes, 20, number(self.size())?, WHAT)?;
        let new_end = self.header_size + self.size();
        let space = bytes.get_mut(self.header_size..self.end.max(new_end));
        let mut space = space.ok_or(outside)?;
        for command in &self.list {
            let (place, rest) = space.split_at_mut(command.bytes.len());
            place.copy_from_slice(&command.bytes);
            space = rest;
        }
        space.fill(0);
        Ok(())
    }

    fn shape(&self) -> &'static SegmentShape {
        if self.is_wide { &WIDE } else { &NARROW }
    }

    /// Returns the lowest offset of any contents, or the length of a file that has none.
    fn find_first_content(&self, bytes: &[u8]) -> Result<usize, Error> {
        let shape = self.shape();
        let mut first = bytes.len() as u64;
        for segment in self.segments() {
            let segment = segment?;
            part(bytes, segment.offset, segment.size, SEGMENT)?;
            // The first segment includes the header itself.
            if segment.offset > 0 && segment.size > 0 {
                first = first.min(segment.offset);
            }
            let command = &self.list[segment.index].bytes;
            let count = self.numbers.u32(command, shape.section_count, SEGMENT)?;
            for i in 0..count as usize {
                let at =
                    i.checked_mul(shape.section_size).and_then(|at| at.checked_add(shape.sections));
                let at = at.ok_or(Error::Malformed { what: SEGMENT })?;
                let size = at + shape.contents_size;
                let size = self.numbers.word(command, size, self.is_wide, SEGMENT)?;
                let offset = self.numbers.u32(command, at + shape.contents_offset, SEGMENT)?;
                let flags = self.numbers.u32(command, at + shape.flags, SEGMENT)?;
                let is_empty = size == 0 || ZERO_FILLED.contains(&(flags & SECTION_KIND));
                if !is_empty && offset > 0 {
                    first = first.min(offset.into());
                }
            }
        }
        usize::try_from(first).map_err(|_| Error::Outside { what: SEGMENT })
    }
}

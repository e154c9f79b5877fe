//! Small images for tests. They are never run.

/// Properties of an image.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Sample {
    pub(super) is_64_bit: bool,
    pub(super) imports: &'static [&'static str],
    pub(super) delayed: &'static [&'static str],
    pub(super) forwarder: Option<&'static str>,
    /// True if its data section has unused bytes.
    pub(super) has_slack: bool,
    /// True if the section table can grow.
    pub(super) has_header_space: bool,
    pub(super) dll_characteristics: u16,
    pub(super) dependent_load_flags: u16,
    pub(super) is_dotnet: bool,
    pub(super) is_bound: bool,
    /// True if delayed imports have relative addresses.
    pub(super) is_relative: bool,
}

pub(super) const PLAIN: Sample = Sample {
    is_64_bit: true,
    imports: &["KERNEL32.dll", "Demo.dll", "other.dll"],
    delayed: &["late.dll"],
    forwarder: None,
    has_slack: true,
    has_header_space: true,
    dll_characteristics: 0x160,
    dependent_load_flags: 0,
    is_dotnet: false,
    is_bound: false,
    is_relative: true,
};

const DATA: u32 = 0x2000;
const DATA_OFFSET: usize = 0x600;
const DATA_SIZE: usize = 0x1000;

impl Sample {
    pub(super) fn image(self) -> Vec<u8> {
        let directories = if self.is_64_bit { 112 } else { 96 };
        let table = 24 + directories + 128;
        // Without space, the headers move down until the section table ends with them.
        let mark = if self.has_header_space { 0x40 } else { 0x400 - 80 - table };
        let mut out = vec![0; DATA_OFFSET + DATA_SIZE];
        out[..2].copy_from_slice(b"MZ");
        set(&mut out, 0x3c, mark);
        out[mark..mark + 4].copy_from_slice(b"PE\0\0");
        let machine: u16 = if self.is_64_bit { 0x8664 } else { 0x14c };
        for (at, value) in [(4, machine), (6, 2), (20, half(directories + 128)), (22, 0x2022)] {
            set16(&mut out, mark + at, value);
        }
        let optional = mark + 24;
        set16(&mut out, optional, if self.is_64_bit { 0x20b } else { 0x10b });
        let base = if self.is_64_bit { 24 } else { 28 };
        set(&mut out, optional + base, 0x10_0000);
        for (at, value) in [(32, 0x1000), (36, 0x200), (56, 0x3000), (60, 0x400)] {
            set(&mut out, optional + at, value);
        }
        set16(&mut out, optional + 48, 6);
        set16(&mut out, optional + 68, 2);
        set16(&mut out, optional + 70, self.dll_characteristics);
        set(&mut out, optional + directories - 4, 16);

        let mut data = Data::default();
        let mut directory = |index: usize, address: usize, size: usize| {
            set(&mut out, optional + directories + 8 * index, address);
            set(&mut out, optional + directories + 8 * index + 4, size);
        };
        let load = data.reserve(0xc0);
        set(&mut data.0, load, 0xc0);
        let flags = load + if self.is_64_bit { 0x4e } else { 0x36 };
        set16(&mut data.0, flags, self.dependent_load_flags);
        directory(10, data.address(load), 0xc0);
        let imports = data.reserve(20 * (self.imports.len() + 1));
        let delayed = data.reserve(32 * (self.delayed.len() + 1));
        directory(1, data.address(imports), 20 * (self.imports.len() + 1));
        directory(13, data.address(delayed), 32 * (self.delayed.len() + 1));
        for (i, name) in self.imports.iter().enumerate() {
            let (names, thunks, name) = (data.thunks(self), data.thunks(self), data.text(name));
            let stamp = if self.is_bound { 0xffff_ffff } else { 0 };
            for (field, value) in [(0, names), (1, stamp), (3, name), (4, thunks)] {
                set(&mut data.0, imports + 20 * i + 4 * field, value);
            }
        }
        for (i, name) in self.delayed.iter().enumerate() {
            let (names, thunks, name) = (data.thunks(self), data.thunks(self), data.text(name));
            let base = if self.is_relative { 0 } else { 0x10_0000 };
            let attributes = usize::from(self.is_relative);
            for (field, value) in
                [(0, attributes), (1, base + name), (3, base + thunks), (4, base + names)]
            {
                set(&mut data.0, delayed + 32 * i + 4 * field, value);
            }
        }
        if let Some(forwarder) = self.forwarder {
            let table = data.reserve(44);
            let name = data.text(forwarder);
            for (field, value) in [(5, 1), (7, data.address(table + 40))] {
                set(&mut data.0, table + 4 * field, value);
            }
            set(&mut data.0, table + 40, name);
            let size = data.0.len() - table;
            directory(0, data.address(table), size);
        }
        if self.is_dotnet {
            directory(14, data.address(load), 72);
        }
        if self.is_bound {
            directory(11, 0x3c0, 0x20);
        }
        let used = if self.has_slack { data.0.len() } else { DATA_SIZE };
        out[DATA_OFFSET..DATA_OFFSET + data.0.len()].copy_from_slice(&data.0);
        let sections: [(&[u8], [usize; 4], u32); 2] = [
            (b".text", [0x10, 0x1000, 0x200, 0x400], 0x6000_0020),
            (b".rdata", [used, DATA as usize, DATA_SIZE, DATA_OFFSET], 0x4000_0040),
        ];
        for (i, (name, numbers, flags)) in sections.into_iter().enumerate() {
            let at = mark + table + 40 * i;
            out[at..at + name.len()].copy_from_slice(name);
            for (field, number) in numbers.into_iter().enumerate() {
                set(&mut out, at + 8 + 4 * field, number);
            }
            set(&mut out, at + 36, flags as usize);
        }
        out
    }
}

/// Data section under construction.
#[derive(Default)]
struct Data(Vec<u8>);

impl Data {
    fn address(&self, at: usize) -> usize {
        assert!(at <= self.0.len());
        DATA as usize + at
    }

    fn reserve(&mut self, size: usize) -> usize {
        let at = self.0.len();
        self.0.resize(at + size, 0);
        at
    }

    /// Appends a list with one symbol, by number.
    fn thunks(&mut self, sample: Sample) -> usize {
        let at = self.reserve(if sample.is_64_bit { 16 } else { 8 });
        self.0[at] = 7;
        self.0[at + if sample.is_64_bit { 7 } else { 3 }] = 0x80;
        self.address(at)
    }

    fn text(&mut self, text: &str) -> usize {
        let at = self.reserve(text.len() + 1);
        self.0[at..at + text.len()].copy_from_slice(text.as_bytes());
        self.address(at)
    }
}

fn half(value: usize) -> u16 {
    u16::try_from(value).unwrap()
}

fn set16(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

pub(super) fn set(bytes: &mut [u8], at: usize, value: usize) {
    bytes[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
}

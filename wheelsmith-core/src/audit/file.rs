//! A native file of a wheel, read once.

use serde::Serialize;

use super::extension::{Extension, Symbols};
use crate::binary::elf::{Elf, Undefined};
use crate::binary::macho::MachO;
use crate::binary::pe::Pe;
use crate::binary::{self, Content, Format};
use crate::name::WheelPath;

/// A native file of a wheel: what it says of itself, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NativeFile {
    /// Where it lies.
    pub path: WheelPath,
    /// What it is.
    pub format: Format,
    /// What it says of itself, for ELF files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elf: Option<Elf>,
    /// What it says of itself, for Mach-O files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macho: Option<MachO>,
    /// What it says of itself, for PE files that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pe: Option<Pe>,
    /// Which module of Python it is, and for which Pythons by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// The symbols that it takes from others, for ELF files.
    #[serde(skip)]
    pub undefined: Vec<Undefined>,
    /// What it takes from Python, and the functions by which Python starts it.
    #[serde(skip)]
    pub python: Symbols,
    /// Why it cannot be read.
    #[serde(skip)]
    pub problem: Option<binary::Error>,
}

/// Machines inside the machine, by their number in the ELF registry: code for them is data to the
/// processor that a platform tag names.
pub(super) const DEVICES: &[(u16, &str)] =
    &[(83, "AVR"), (94, "Xtensa"), (105, "MSP430"), (190, "CUDA"), (224, "AMD GPU"), (247, "BPF")];

impl NativeFile {
    /// Reads what `bytes` say of themselves; nothing when they are no native file.
    pub fn read(path: &WheelPath, bytes: &[u8]) -> Option<Self> {
        let format = Format::of(bytes)?;
        let path = path.clone();
        let (elf, macho, pe, undefined) = (None, None, None, Vec::new());
        let (extension, python, problem) = (None, Symbols::default(), None);
        let mut file = Self { path, format, elf, macho, pe, extension, undefined, python, problem };
        file.problem = file.facts(bytes).err();
        Some(file)
    }

    fn facts(&mut self, bytes: &[u8]) -> Result<(), binary::Error> {
        match self.format {
            Format::Elf => {
                let elf = Elf::parse(bytes)?;
                self.undefined = elf.undefined_symbols(bytes)?;
                self.elf = Some(elf);
            }
            Format::MachO => self.macho = Some(MachO::parse(bytes)?),
            Format::Pe => self.pe = Some(Pe::parse(bytes)?),
            Format::Archive => {}
        }
        self.python = Symbols::read(self, Content::Whole(bytes))?;
        self.extension = Extension::of(&self.path, &self.python);
        Ok(())
    }

    /// Whether it is for a machine inside the machine, such as BPF or a GPU.
    pub fn is_device_code(&self) -> bool {
        let machine = self.elf.as_ref().filter(|elf| elf.arch.is_none()).map(|elf| elf.machine);
        DEVICES.iter().any(|(number, _)| Some(*number) == machine)
    }
}

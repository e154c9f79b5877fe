//! A native file of a wheel, read once.

use serde::Serialize;

use super::extension::{Extension, Symbols};
use crate::binary::archive::Archive;
use crate::binary::elf::{Elf, Exports, Undefined};
use crate::binary::macho::MachO;
use crate::binary::pe::Pe;
use crate::binary::{self, Content, Format};
use crate::name::WheelPath;

/// A native file of a wheel: what it says of itself, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NativeFile {
    /// Where it lies.
    pub path: WheelPath,
    /// What it is.
    pub format: Format,
    /// How large it is.
    pub size_bytes: u64,
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
    /// What it is for, for static libraries of ELF objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<Archive>,
    /// The symbols that it takes from others, for ELF files.
    #[serde(skip)]
    pub undefined: Vec<Undefined>,
    /// The names that it offers to others, for ELF files.
    #[serde(skip)]
    pub exports: Exports,
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
    /// Reads what a file says of itself; nothing when it is no native file. Of a file in pieces the
    /// answer is right once nothing was missing.
    pub fn read<'b>(path: &WheelPath, content: impl Into<Content<'b>>) -> Option<Self> {
        let content = content.into();
        let mut file = Self {
            path: path.clone(),
            format: Format::read(content)?,
            size_bytes: content.size(),
            elf: None,
            macho: None,
            pe: None,
            extension: None,
            archive: None,
            undefined: Vec::new(),
            exports: Exports::default(),
            python: Symbols::default(),
            problem: None,
        };
        file.problem = file.facts(content).err();
        Some(file)
    }

    fn facts(&mut self, content: Content<'_>) -> Result<(), binary::Error> {
        match self.format {
            Format::Elf => {
                let elf = Elf::parse(content)?;
                let symbols = elf.symbols(content)?;
                (self.undefined, self.exports) = (symbols.undefined, symbols.exports);
                self.elf = Some(elf);
            }
            Format::MachO => self.macho = Some(MachO::parse(content)?),
            Format::Pe => self.pe = Some(Pe::parse(content)?),
            Format::Archive => self.archive = Archive::read(content),
        }
        self.python = Symbols::read(self, content)?;
        self.extension = Extension::of(&self.path, &self.python);
        Ok(())
    }

    /// Drops the symbols, which are most of it: for callers that need names of libraries alone.
    #[cfg(feature = "repair")]
    #[must_use]
    pub(crate) fn without_symbols(self) -> Self {
        let (undefined, exports, python) = Default::default();
        Self { undefined, exports, python, ..self }
    }

    /// Whether it is for a machine inside the machine, such as BPF or a GPU.
    pub fn is_device_code(&self) -> bool {
        let machine = self.elf.as_ref().filter(|elf| elf.arch.is_none()).map(|elf| elf.machine);
        DEVICES.iter().any(|(number, _)| Some(*number) == machine)
    }
}

//! A native file of a wheel, read once.

use serde::Serialize;

use crate::binary::elf::{Elf, Undefined};
use crate::binary::{self, Format};
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
    /// The symbols that it takes from others, for ELF files.
    #[serde(skip)]
    pub undefined: Vec<Undefined>,
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
        let mut file = Self { path, format, elf: None, undefined: Vec::new(), problem: None };
        if format == Format::Elf {
            let facts = Elf::parse(bytes).and_then(|elf| Ok((elf.undefined_symbols(bytes)?, elf)));
            match facts {
                Ok((undefined, elf)) => (file.undefined, file.elf) = (undefined, Some(elf)),
                Err(problem) => file.problem = Some(problem),
            }
        }
        Some(file)
    }

    /// Whether it is for a machine inside the machine, such as BPF or a GPU.
    pub fn is_device_code(&self) -> bool {
        let machine = self.elf.as_ref().filter(|elf| elf.arch.is_none()).map(|elf| elf.machine);
        DEVICES.iter().any(|(number, _)| Some(*number) == machine)
    }
}

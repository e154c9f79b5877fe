//! Native file: its path and its facts, without its bytes.

use super::archive::Archive;
use super::cxx;
use super::elf::Elf;
use super::macho::{self, MachO};
use super::pe::Pe;
use super::python::PythonSymbols;
use super::symbols::{Exports, Symbols};
use super::wasm::Wasm;
use super::{Content, Error, Format};
use crate::name::WheelPath;

/// A native file of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeFile {
    /// Path in the wheel, archive or directory.
    pub path: WheelPath,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Facts of the format.
    pub facts: Facts,
    /// Dynamic symbols. Mach-O and PE files have only exported ones here, universal files those
    /// that every slice exports.
    pub symbols: Symbols,
    /// Symbols of Python that the file uses or defines.
    pub python: PythonSymbols,
    /// True for an ELF file with a C++ interface and a private C++ runtime: it contains the type
    /// information of the C++ ABI, and does not import or export the runtime's functions.
    pub has_private_cxx: bool,
    /// File of the same archive or directory to which the path is a link.
    pub link: Option<WheelPath>,
}

/// Facts of a native file, by format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// Linux, Android and most of Unix.
    Elf(Box<Elf>),
    /// Apple's systems, one processor or several.
    MachO(MachO),
    /// Windows.
    Pe(Box<Pe>),
    /// A static library; `None` if its first members are no ELF objects.
    Archive(Option<Archive>),
    /// WebAssembly.
    Wasm(Wasm),
    /// A file that begins like `format` and cannot be parsed as such.
    Unreadable {
        /// Format that its first bytes indicate.
        format: Format,
        /// Reason.
        error: Error,
    },
}

/// Processors of devices and virtual machines, by their number in the ELF registry. Code for them
/// is data to the processor that a platform tag names.
const DEVICES: &[(u16, &str)] =
    &[(83, "AVR"), (94, "Xtensa"), (105, "MSP430"), (190, "CUDA"), (224, "AMD GPU"), (247, "BPF")];

impl Facts {
    /// Returns the format.
    pub fn format(&self) -> Format {
        match self {
            Self::Elf(_) => Format::Elf,
            Self::MachO(_) => Format::MachO,
            Self::Pe(_) => Format::Pe,
            Self::Archive(_) => Format::Archive,
            Self::Wasm(_) => Format::Wasm,
            Self::Unreadable { format, .. } => *format,
        }
    }
}

impl NativeFile {
    /// Reads the facts of a file; `None` if it is not a native file. If only some pieces of the
    /// file are in memory, the result is valid once no piece was missing.
    pub fn read<'b>(path: &WheelPath, content: impl Into<Content<'b>>) -> Option<Self> {
        let content = content.into();
        let format = Format::read(content)?;
        let (facts, symbols, python) = read(format, content).unwrap_or_else(|error| {
            let facts = Facts::Unreadable { format, error };
            (facts, Symbols::default(), PythonSymbols::default())
        });
        let has_private_cxx = matches!(facts, Facts::Elf(_)) && cxx::is_private(&symbols, content);
        let size_bytes = content.size();
        let path = path.clone();
        Some(Self { path, size_bytes, facts, symbols, python, has_private_cxx, link: None })
    }

    /// Drops the symbols, which take most of the memory, for callers that need only library names.
    #[cfg(feature = "repair")]
    #[must_use]
    pub(crate) fn without_symbols(self) -> Self {
        let (symbols, python) = Default::default();
        Self { symbols, python, ..self }
    }

    /// Returns the format.
    pub fn format(&self) -> Format {
        self.facts.format()
    }

    /// Returns the facts of an ELF file.
    pub fn elf(&self) -> Option<&Elf> {
        if let Facts::Elf(elf) = &self.facts { Some(elf) } else { None }
    }

    /// Returns the facts of a Mach-O file.
    pub fn macho(&self) -> Option<&MachO> {
        if let Facts::MachO(macho) = &self.facts { Some(macho) } else { None }
    }

    /// Returns the facts of a Mach-O file, to be completed with the state of its pages.
    pub fn macho_mut(&mut self) -> Option<&mut MachO> {
        if let Facts::MachO(macho) = &mut self.facts { Some(macho) } else { None }
    }

    /// Returns the facts of a PE file.
    pub fn pe(&self) -> Option<&Pe> {
        if let Facts::Pe(pe) = &self.facts { Some(pe) } else { None }
    }

    /// Returns the facts of a static library of ELF objects.
    pub fn archive(&self) -> Option<Archive> {
        if let Facts::Archive(archive) = &self.facts { *archive } else { None }
    }

    /// Returns the reason why the file cannot be read.
    pub fn problem(&self) -> Option<&Error> {
        if let Facts::Unreadable { error, .. } = &self.facts { Some(error) } else { None }
    }

    /// True for code that no processor of a platform tag runs: BPF, GPU code, WebAssembly.
    pub fn is_device_code(&self) -> bool {
        match &self.facts {
            Facts::Elf(elf) => {
                elf.arch.is_none() && DEVICES.iter().any(|(number, _)| *number == elf.machine)
            }
            Facts::Wasm(_) => true,
            _ => false,
        }
    }
}

/// Returns the name of an ELF machine that no platform tag names.
#[cfg(feature = "audit")]
pub(crate) fn machine(machine: u16) -> String {
    let known = DEVICES.iter().find(|(number, _)| *number == machine);
    known.map_or_else(|| format!("machine {machine} of the ELF registry"), |(_, n)| (*n).to_owned())
}

type All = (Facts, Symbols, PythonSymbols);

fn read(format: Format, content: Content<'_>) -> Result<All, Error> {
    Ok(match format {
        Format::Elf => {
            let elf = Elf::parse(content)?;
            let symbols = elf.symbols(content)?;
            let python = PythonSymbols::of_elf(&symbols);
            (Facts::Elf(Box::new(elf)), symbols, python)
        }
        Format::MachO => {
            let image = MachO::parse(content)?;
            let slices = macho::symbols(&image, content)?;
            let python = PythonSymbols::of_macho(&slices);
            let exported = slices.iter().map(|slice| slice.exported.iter().map(String::as_str));
            let exports = exported.map(Exports::of).reduce(|a, b| a.common(&b)).unwrap_or_default();
            (Facts::MachO(image), Symbols { exports, ..Symbols::default() }, python)
        }
        Format::Pe => {
            let pe = Pe::parse(content)?;
            let python = PythonSymbols::of_pe(&pe);
            let exports = Exports::of(pe.exports.iter().map(String::as_str));
            (Facts::Pe(Box::new(pe)), Symbols { exports, ..Symbols::default() }, python)
        }
        Format::Archive => {
            (Facts::Archive(Archive::read(content)), Symbols::default(), PythonSymbols::default())
        }
        Format::Wasm => {
            let wasm = Wasm::parse(content)?;
            (Facts::Wasm(wasm), Symbols::default(), PythonSymbols::default())
        }
    })
}

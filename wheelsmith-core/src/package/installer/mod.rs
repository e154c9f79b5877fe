//! Scripts that install an archive: for POSIX shells and for PowerShell. Each contains the digests of
//! the archives.

use crate::binary::NativeFile;
use crate::config::ArchiveFormat;
use crate::name::{Arch, Digest, Os, Target};
use crate::package::{Problem, npm};

/// Archive that a script installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArchiveRow {
    target: Target,
    libc: String,
    floor: String,
    file: String,
    top: String,
    sha256: Digest,
}

/// Scripts of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scripts<'a> {
    /// Name of the program.
    pub(crate) name: &'a str,
    /// Version.
    pub(crate) version: &'a str,
    /// Directory of the archives, as a URL.
    pub(crate) url: &'a str,
}

impl ArchiveRow {
    /// Returns the row of an archive whose files qualify for `tag`.
    ///
    /// # Errors
    /// Returns a problem if there is no such platform.
    pub(crate) fn new(
        target: Target,
        tag: &crate::name::PlatformTag,
        files: &[NativeFile],
        (file, top): (&str, &str),
        sha256: Digest,
    ) -> Result<Self, Problem> {
        let platform = npm::qualified(tag, files, target, &[])?;
        let any = || "any".to_owned();
        let libc = match (target.os(), platform.libc) {
            (Os::Linux(_), Some(libc)) => libc.to_string(),
            _ => any(),
        };
        let floor = platform.glibc.map_or_else(any, |floor| floor.to_string());
        Ok(Self { target, libc, floor, file: file.to_owned(), top: top.to_owned(), sha256 })
    }

    fn is_for_windows(&self) -> bool {
        self.target.os() == Os::Windows
    }

    fn processor(&self) -> &'static str {
        match self.target.arch() {
            // The archive has both processors of macOS.
            Arch::X86_64 if !self.target.slices().is_empty() => "any",
            arch => arch.as_str(),
        }
    }
}

impl Scripts<'_> {
    /// Returns the script for POSIX shells.
    ///
    /// # Errors
    /// Returns a problem if an archive is not a `.tar.gz`, which every system can unpack.
    pub(crate) fn shell(&self, file: &str, rows: &[ArchiveRow]) -> Result<String, Problem> {
        let mut rows: Vec<&ArchiveRow> = rows.iter().filter(|row| !row.is_for_windows()).collect();
        expect(&rows, ArchiveFormat::TarGz)?;
        // Those for one C library first, and those for each last.
        rows.sort_by_key(|row| (row.libc == "any", row.target.triple()));
        let lines: Vec<String> = rows
            .iter()
            .map(|row| {
                let ArchiveRow { target, libc, floor, file, top, sha256 } = row;
                let (triple, system) = (target.triple(), target.os().family());
                let processor = row.processor();
                format!("{triple} {system} {processor} {libc} {floor} {file} {top} {sha256}")
            })
            .collect();
        Ok(self.script(include_str!("install.sh"), file, &lines))
    }

    /// Returns the script for PowerShell.
    ///
    /// # Errors
    /// Returns a problem if an archive is not a `.zip`.
    pub(crate) fn powershell(&self, file: &str, rows: &[ArchiveRow]) -> Result<String, Problem> {
        let rows: Vec<&ArchiveRow> = rows.iter().filter(|row| row.is_for_windows()).collect();
        expect(&rows, ArchiveFormat::Zip)?;
        let lines: Vec<String> = rows
            .iter()
            .map(|row| {
                let ArchiveRow { file, top, sha256, .. } = row;
                let processor = row.processor();
                format!(
                    "        [pscustomobject] @{{ Processor = \"{processor}\"; File = \"{file}\"; \
                     Top = \"{top}\"; Sha256 = \"{sha256}\" }}"
                )
            })
            .collect();
        Ok(self.script(include_str!("install.ps1"), file, &lines))
    }

    /// Fills in a template. The configuration permits no character that a script would interpret.
    fn script(&self, template: &str, file: &str, rows: &[String]) -> String {
        let values = [
            ("name", self.name),
            ("version", self.version),
            ("url", self.url),
            ("file", file),
            ("rows", &rows.join("\n")),
        ];
        let insert = |text: String, (key, value): (&str, &str)| {
            text.replace(&format!("{{{{{key}}}}}"), value)
        };
        values.into_iter().fold(template.to_owned(), insert)
    }
}

/// Checks the format of archives.
fn expect(rows: &[&ArchiveRow], format: ArchiveFormat) -> Result<(), Problem> {
    let is_other = |row: &&&ArchiveRow| ArchiveFormat::of_name(&row.file) != Some(format);
    match rows.iter().find(is_other) {
        None => Ok(()),
        Some(row) => {
            let message = format!("it cannot install `{}`: that is not a `.{format}`", row.file);
            let help = "every system can unpack `.tar.gz`, and Windows `.zip`".to_owned();
            Err(Problem::new("archive", message, Some(help)))
        }
    }
}

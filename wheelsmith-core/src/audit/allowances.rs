//! Libraries that are allowed although neither the platform tag nor the wheel provides them.

use std::borrow::Cow;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::binary::{Facts, NativeFile};

/// Libraries that are allowed although the policy of the tag does not list them and the wheel does
/// not contain them.
#[derive(Debug, Clone, Default)]
pub struct Allowances {
    exclude: GlobSet,
    libraries: Vec<NativeFile>,
}

impl Allowances {
    /// Builds allowances from shell patterns (`libcuda.so.*`) for libraries that every user has,
    /// and from library files that a repair would add. The library files are found by file name or
    /// SONAME, and their own dependencies are judged too.
    ///
    /// # Errors
    /// Returns an error for a malformed pattern.
    pub fn new(exclude: &[String], libraries: Vec<NativeFile>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in exclude {
            set.add(GlobBuilder::new(pattern).literal_separator(false).build()?);
        }
        Ok(Self { exclude: set.build()?, libraries })
    }

    /// True if a pattern matches `library` or its file name.
    pub(crate) fn excludes(&self, library: &str) -> bool {
        let name = library.rsplit('/').next().unwrap_or_default();
        self.exclude.is_match(library) || self.exclude.is_match(name)
    }

    /// Returns the files without the dependencies that a pattern matches. Used for systems whose
    /// symbols have no versions, where only the name of a library is checked.
    pub(super) fn without_excluded<'f>(&self, files: &'f [NativeFile]) -> Cow<'f, [NativeFile]> {
        if self.exclude.is_empty() {
            return Cow::Borrowed(files);
        }
        let mut files = files.to_vec();
        for file in &mut files {
            match &mut file.facts {
                Facts::MachO(image) => {
                    for slice in &mut image.slices {
                        slice.needed.retain(|needed| !self.excludes(&needed.name));
                    }
                }
                Facts::Pe(pe) => {
                    // Windows ignores case in library names.
                    let is_left = |name: &str| !self.excludes(&name.to_ascii_lowercase());
                    pe.imports.retain(|i| is_left(&i.library) && !self.excludes(&i.library));
                }
                _ => {}
            }
        }
        Cow::Owned(files)
    }

    pub(super) fn libraries(&self) -> &[NativeFile] {
        &self.libraries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_shells() {
        let check = |pattern: &str, library: &str, expected: bool| {
            let allowances = Allowances::new(&[pattern.to_owned()], Vec::new()).unwrap();
            assert_eq!(allowances.excludes(library), expected, "{pattern} {library}");
        };
        check("libcuda.so.*", "libcuda.so.1", true);
        check("libcuda.so.*", "libcuda.so", false);
        check("libtorch*", "libtorch_cpu.so", true);
        check("libtorch", "libtorch.so", false);
        check("lib[ab].so", "liba.so", true);
        check("liba.so", "$ORIGIN/liba.so", true);
        check("@rpath/*", "@rpath/liba.dylib", true);
        Allowances::new(&["lib[".to_owned()], Vec::new()).unwrap_err();
    }
}

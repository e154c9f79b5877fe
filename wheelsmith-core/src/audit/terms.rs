//! What else a judge takes for granted: libraries that somebody vouches for, or hands in.

use std::borrow::Cow;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::NativeFile;

/// Libraries that count although the platform tag does not promise them and the wheel has them not.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    exclude: GlobSet,
    libraries: Vec<NativeFile>,
}

impl Terms {
    /// `exclude` are patterns of shells (`libcuda.so.*`) for names of libraries that are there
    /// wherever the wheel is used; `libraries` are files that a repair would put into the wheel:
    /// they are found by file name or SONAME, and what they need counts.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn new(exclude: &[String], libraries: Vec<NativeFile>) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for pattern in exclude {
            set.add(GlobBuilder::new(pattern).literal_separator(false).build()?);
        }
        Ok(Self { exclude: set.build()?, libraries })
    }

    /// Whether somebody vouches for `library`, by its name or by what stands behind the last slash.
    pub(crate) fn excludes(&self, library: &str) -> bool {
        let name = library.rsplit('/').next().unwrap_or_default();
        self.exclude.is_match(library) || self.exclude.is_match(name)
    }

    /// The files without those needs for which somebody vouches: for systems whose libraries carry
    /// no versions, so that nothing else is asked of them.
    pub(super) fn left_of<'f>(&self, files: &'f [NativeFile]) -> Cow<'f, [NativeFile]> {
        if self.exclude.is_empty() {
            return Cow::Borrowed(files);
        }
        let mut files = files.to_vec();
        for file in &mut files {
            for slice in file.macho.iter_mut().flat_map(|macho| &mut macho.slices) {
                slice.needed.retain(|needed| !self.excludes(&needed.name));
            }
            if let Some(pe) = &mut file.pe {
                // Capitals count for nothing there.
                let is_left = |name: &str| !self.excludes(&name.to_ascii_lowercase());
                pe.imports.retain(|i| is_left(&i.library) && !self.excludes(&i.library));
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
            let terms = Terms::new(&[pattern.to_owned()], Vec::new()).unwrap();
            assert_eq!(terms.excludes(library), expected, "{pattern} {library}");
        };
        check("libcuda.so.*", "libcuda.so.1", true);
        check("libcuda.so.*", "libcuda.so", false);
        check("libtorch*", "libtorch_cpu.so", true);
        check("libtorch", "libtorch.so", false);
        check("lib[ab].so", "liba.so", true);
        check("liba.so", "$ORIGIN/liba.so", true);
        check("@rpath/*", "@rpath/liba.dylib", true);
        Terms::new(&["lib[".to_owned()], Vec::new()).unwrap_err();
    }
}

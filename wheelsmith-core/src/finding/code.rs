//! Codes of findings. One row each: the name that scripts rely on, the default severity, the
//! remedy.

use std::fmt;
use std::str::FromStr;

use super::Severity;
use crate::name::ParseError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $text:literal $severity:ident $($help:literal)?;)+) => {
        /// Code of a finding. Codes are stable: scripts may rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the code as written.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Returns the default severity, which the configuration may change.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)+
                }
            }

            /// Returns the meaning in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }

            /// Returns the remedy.
            pub const fn help(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => codes!(@help $($help)?),)+
                }
            }
        }
    };
    (@help) => { None };
    (@help $help:literal) => { Some($help) };
}

codes! {
    // Files that cannot be judged.
    /// The file cannot be read as what it claims to be.
    Unreadable "unreadable" Error
        "build or fetch the file anew; it may be cut short";
    /// It is larger, deeper or more than any real file, and was not read to its end.
    OverLimit "over-limit" Error
        "raise the limit if the file is right";
    /// The file is not judged by the tag.
    NotJudged "not-judged" Info;
    /// A native file is embedded in another file.
    EmbeddedImage "embedded-image" Info;

    // Platform tags that a wheel claims.
    /// The wheel claims a platform tag that its files do not qualify for.
    TagNotEarned "tag-not-earned" Error
        "publish it under the tag that its files qualify for, or fix what is in the way";
    /// The tags of the file name and the `Tag` lines of WHEEL differ.
    TagsDiffer "tags-differ" Error
        "write the wheel anew: installers go by the name, tools by the lines";
    /// The wheel claims to run anywhere, and has native files.
    NativeInAny "native-in-any" Error
        "give it the platform tag that its files earn";
    /// The wheel claims a platform, and nothing in it needs one.
    NoNativeFiles "no-native-files" Warning
        "tag it `any`, unless the files of the platform are missing";
    /// `Root-Is-Purelib` is true although the wheel has native files.
    PurelibWithNative "purelib-with-native" Warning
        "write `Root-Is-Purelib: false`";
    /// The tag guarantees nothing but a processor, and indexes refuse it.
    UnportableTag "unportable-tag" Warning
        "build for a manylinux or musllinux tag";

    // Reasons that keep a file from its tag.
    /// The file is for another operating system.
    WrongPlatform "wrong-platform" Error
        "build the file for the target, or leave it out of the wheel";
    /// The file is for another processor.
    WrongArch "wrong-arch" Error
        "build the file for the target, or leave it out of the wheel";
    /// The file is for another C library.
    WrongLibc "wrong-libc" Error
        "build the file for the target, or leave it out of the wheel";
    /// It needs a library that is neither in the wheel nor in the policy of the tag.
    ExternalLibrary "external-library" Error
        "link it statically, or build it as a component so that the wheel carries it";
    /// It needs a newer version of a library than the tag guarantees.
    SymbolTooNew "symbol-too-new" Error
        "build it with the zig toolchain for the floor, or raise the floor (`glibc = \"…\"`)";
    /// It needs a symbol that the library may lack although its version does not show it.
    ForbiddenSymbol "forbidden-symbol" Error
        "link the library statically, or avoid the symbol";
    /// It runs on newer processors only.
    IsaTooNew "isa-too-new" Error
        "compile without `-march=…` above the base of the processor, and choose at run time";
    /// It needs the shared library of one kind of Python installation.
    Libpython "libpython" Error
        "do not link extension modules to libpython: the process has its symbols";
    /// It was compiled for a Python with floating-point traps, which no release has.
    FpeSymbols "fpe-symbols" Error
        "compile for a Python without `--with-fpectl`";
    /// It needs a newer macOS.
    MinimumTooNew "minimum-too-new" Error
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// It needs a newer macOS of the same year, which the tag cannot say.
    NewerMinor "newer-minor" Warning
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// It does not say which macOS it needs.
    NoMinimum "no-minimum" Warning
        "link it anew with `-mmacosx-version-min=…`";
    /// The kernel of arm64 would kill a process with it.
    InvalidSignature "invalid-signature" Error
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// It was changed after it was signed.
    StaleSignature "stale-signature" Warning
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// It needs the runtime of Visual C++.
    CRuntime "c-runtime" Warning
        "put the library beside the file, or link the runtime statically (`/MT`, `-C target-feature=+crt-static`)";
    /// It needs a library that is in another directory of the wheel.
    LibraryElsewhere "library-elsewhere" Info
        "see that the package adds the directory before it loads the file";
    /// It uses a library that is neither in the wheel nor in the policy, and works without it.
    OptionalLibrary "optional-library" Info;
    /// It is a program for another processor that the system can imitate.
    EmulatedProgram "emulated-program" Warning
        "build the program for the target as well";

    // Extension modules against the Python and ABI tags.
    /// An extension module is for another Python or ABI than the wheel's tags say.
    WrongAbi "wrong-abi" Error
        "build it for the Python of the tag, or correct the tag";
    /// An extension module lacks the function by which Python starts it.
    NoInitFunction "no-init-function" Error
        "export `PyInit_<name>`, where the name is that of the file up to its first dot";
    /// It claims the stable ABI and uses what is not part of it.
    NotStableAbi "not-stable-abi" Error
        "compile with `Py_LIMITED_API` defined, or tag the wheel for one Python";
    /// It uses a part of the stable ABI that is newer than its Python tag.
    StableAbiTooNew "stable-abi-too-new" Error
        "raise the Python tag, or define `Py_LIMITED_API` as the version of the tag";

    // Faults of a file that do not depend on the platform.
    /// The loader would look for libraries in a place outside the wheel.
    EscapingRpath "escaping-rpath" Warning
        "use `$ORIGIN` (on macOS `@loader_path`) and paths relative to it";
    /// Its stack may hold code.
    ExecutableStack "executable-stack" Warning
        "link with `-Wl,-z,noexecstack` (an assembler file may lack its stack note), on macOS without `-allow_stack_execute`";
    /// The loader must write into its code.
    TextRelocations "text-relocations" Warning
        "compile everything in it with `-fPIC`";
    /// Nothing of what the loader fills in becomes read-only.
    NoRelro "no-relro" Info
        "link with `-Wl,-z,relro`";
    /// It is always loaded at the same address.
    NoPie "no-pie" Info
        "compile with `-fPIE`, link with `-pie` (Windows: `/DYNAMICBASE`)";
    /// Its data may be run as code.
    NoNx "no-nx" Warning
        "link with `/NXCOMPAT`";
    /// It carries a path of the machine that built it.
    BuildPath "build-path" Warning
        "compile with `-ffile-prefix-map=…` (Rust: `--remap-path-prefix`); link with `-install_name @rpath/NAME`";
    /// A large part of it is never loaded: symbols for the linker, debug information.
    Unstripped "unstripped" Info
        "strip it, or keep the debug information in a file of its own";
    /// It has no build id, by which debuggers and crash reports know it.
    NoBuildId "no-build-id" Info
        "link with `-Wl,--build-id=sha1`";
    /// It cannot be loaded where memory pages have 64 KiB, as on many Arm servers.
    PageAlignment "page-alignment" Warning
        "link with `-Wl,-z,max-page-size=65536`";
    /// It uses a symbol that none of its libraries provides.
    UndefinedSymbol "undefined-symbol" Warning
        "link it to the library that has the symbol (`-Wl,-z,defs` finds them)";
    /// A static program that loads libraries at run time, which fails with another C library.
    StaticDlopen "static-dlopen" Warning
        "link it dynamically, or avoid `dlopen` and the name services";
    /// It uses C++ of another file, and each has a private C++ runtime.
    TwoCxxRuntimes "two-cxx-runtimes" Warning
        "link both to one runtime (`cxx-runtime = \"shared\"`), or let only C functions cross";
    /// The same library is in the wheel twice.
    DuplicateLibrary "duplicate-library" Info
        "keep one, and let the others find it by RUNPATH";
    /// Nothing in the wheel needs the bundled library.
    UnusedLibrary "unused-library" Info
        "leave it out, unless the package loads it by itself";

    // Configuration of the audit.
    /// A waiver is past its date.
    ExpiredWaiver "expired-waiver" Warning
        "fix what it waives, or give a new date";
    /// A waiver waives nothing.
    UnusedWaiver "unused-waiver" Info
        "take it out";

    // File name of a wheel or sdist.
    /// The file name is not that of a wheel or sdist.
    BadFilename "bad-filename" Error
        "name it `name-version[-build]-python-abi-platform.whl`, an sdist `name-version.tar.gz`";
    /// The name in the file name is not in its normal form.
    NameNotNormalised "name-not-normalised" Error
        "write it in lower case with `_` for each run of `-`, `_` and `.`";
    /// The version in the file name is not spelled as the normal form of that in the metadata.
    VersionNotNormalised "version-not-normalised" Error
        "write it as PEP 440 does: `1.0rc1`, not `1.0-RC1`; `1.0.0` if the metadata has `1.0.0`";
    /// The metadata has another name than the file name.
    NameMismatch "name-mismatch" Error
        "build it anew: the file was renamed, or its metadata changed";
    /// The metadata has another version than the file name.
    VersionMismatch "version-mismatch" Error
        "build it anew: the file was renamed, or its metadata changed";
    /// The tags of the file name are not sorted.
    TagsNotSorted "tags-not-sorted" Info;
    /// The file name has a tag twice.
    DuplicateTag "duplicate-tag" Error
        "name it once";
    /// No installer takes wheels with this tag, on any machine.
    UnknownTag "unknown-tag" Error
        "correct the tag: `py3`, `cp312`, `none`, `abi3`, `manylinux_2_17_x86_64`, `macosx_11_0_arm64`";
    /// The index takes no wheels with this platform tag.
    PlatformRefused "platform-refused" Error
        "build for a platform tag that the index takes, such as manylinux";
    /// The version has a local part, which the index refuses.
    LocalVersion "local-version" Error
        "publish it without the part behind `+`";
    /// The file is larger than the index takes.
    FileTooLarge "file-too-large" Error
        "make it smaller, or ask the index for a higher limit";
    /// The file is larger than the index takes without being asked.
    LargeFile "large-file" Warning
        "ask the index for a higher limit before you publish";

    // Zip archive.
    /// The sizes of an entry stand behind its content instead of before it.
    DataDescriptor "data-descriptor" Error
        "write the archive to a file, not to a pipe, so that headers can be completed";
    /// There are bytes that belong to no entry.
    StrayBytes "stray-bytes" Error
        "write the archive anew: something was put before, between or behind its entries";
    /// Two entries have one name.
    DuplicateEntry "duplicate-entry" Error
        "write each file once";
    /// The two headers of an entry, or the counts of the archive, contradict each other.
    HeaderMismatch "header-mismatch" Error
        "write the archive anew: readers disagree on what it holds";
    /// Entries share their bytes.
    OverlappingEntries "overlapping-entries" Error
        "write the archive anew; no tool for wheels does this";
    /// An entry is compressed in a way that installers cannot read.
    CompressionMethod "compression-method" Error
        "use deflate, or store the file";
    /// An entry is encrypted.
    EncryptedEntry "encrypted-entry" Error
        "write it without a password";
    /// The name of an entry is not plain UTF-8.
    BadEntryName "bad-entry-name" Error
        "use UTF-8 without control characters, and say so in the flags";
    /// The name of a file is one that Windows cannot hold, or that a terminal shows as another one.
    UnportableName "unportable-name" Error
        "rename the file";
    /// The name of an entry leads out of the place of installation.
    UnsafePath "unsafe-path" Error
        "use relative paths with `/` and without `..`";
    /// The archive or an entry carries a comment.
    ArchiveComment "archive-comment" Error
        "write it without comments";
    /// An entry's zip64 field is not as readers expect it.
    Zip64Extra "zip64-extra" Error
        "write both sizes, or no such field";
    /// An entry has an extra field.
    ZipExtra "zip-extra" Info;
    /// It unpacks to far more than it weighs.
    CompressionRatio "compression-ratio" Error
        "take out the empty space that compresses so well, or store it";
    /// The content of an entry is damaged.
    DamagedEntry "damaged-entry" Error
        "build or fetch the file anew";
    /// Two names differ only in case or in the form of their letters.
    CaseClash "case-clash" Warning
        "rename one: on Windows and macOS the second file replaces the first";
    /// The archive lists a directory.
    DirectoryEntry "directory-entry" Info;
    /// An entry is a link or a device.
    SpecialFile "special-file" Error
        "put the file itself there: installers write the path of the link as text";
    /// The mode of an entry says neither that it is a file nor who may read it.
    EntryMode "entry-mode" Info;
    /// The entries have different times.
    EntryTimes "entry-times" Info;
    /// The metadata do not lie at the end of the archive.
    DistInfoNotLast "dist-info-not-last" Info;
    /// The file is a tar archive as well.
    TarPolyglot "tar-polyglot" Error
        "write the archive anew";

    // Directories `.dist-info` and `.data`.
    /// There is no `.dist-info` directory.
    MissingDistInfo "missing-dist-info" Error
        "build it with a tool for wheels";
    /// There is more than one `.dist-info` directory.
    SeveralDistInfos "several-dist-infos" Error
        "keep the one of the wheel";
    /// The `.dist-info` or `.data` directory has another name than the wheel.
    DistInfoMismatch "dist-info-mismatch" Error
        "name it `{name}-{version}` as in the file name";
    /// METADATA, WHEEL or RECORD is missing.
    MissingMetadataFile "missing-metadata-file" Error
        "build it with a tool for wheels";
    /// The `.dist-info` directory has a file that only installers write.
    InstallerFile "installer-file" Error
        "leave it out: it was packed from an installed project";
    /// The `.data` directory has a part that installers do not know.
    UnknownDataScheme "unknown-data-scheme" Error
        "use purelib, platlib, headers, scripts or data";
    /// A script lies in a directory below `scripts`.
    NestedScript "nested-script" Error
        "put it into `scripts` itself";
    /// A Python script names an interpreter that is not replaced on installation.
    ScriptShebang "script-shebang" Warning
        "begin it with `#!python`, or make it an entry point";
    /// A program has no permission to run.
    ScriptNotExecutable "script-not-executable" Warning
        "set its mode to 0755";
    /// A name that the format reserves for a directory is used otherwise.
    ReservedName "reserved-name" Error
        "give it another name";
    /// A licence file is not listed in the metadata.
    UnlistedLicense "unlisted-license" Info;
    /// A file under `sboms` is no bill of materials.
    BadSbom "bad-sbom" Error
        "write CycloneDX or SPDX there, and nothing else";
    /// A bill of materials does not say which tool made it.
    SbomWithoutTool "sbom-without-tool" Warning
        "let its metadata name the tool";
    /// The wheel is for every platform, and `Root-Is-Purelib` says that it is not.
    PlatlibInAny "platlib-in-any" Info;

    // WHEEL.
    /// WHEEL cannot be read, or lacks a line.
    BadWheelFile "bad-wheel-file" Error
        "write `Wheel-Version`, `Generator`, `Root-Is-Purelib` and the tags";
    /// The wheel is of a version that installers refuse.
    WheelVersion "wheel-version" Error
        "write `Wheel-Version: 1.0`";
    /// WHEEL does not say who made it, or says it twice.
    WheelGenerator "wheel-generator" Warning
        "write `Generator` once";
    /// The build tags of the file name and of WHEEL differ.
    BuildMismatch "build-mismatch" Error
        "write the tag of the file name in the line `Build`";

    // RECORD.
    /// RECORD cannot be read.
    RecordSyntax "record-syntax" Error
        "write it as CSV: quote paths with a comma, and use `/`";
    /// A file is not in RECORD.
    RecordMissing "record-missing" Error
        "write RECORD last, from all files";
    /// RECORD lists a file that is not there.
    RecordAbsent "record-absent" Error
        "write RECORD from the files of the archive";
    /// A file is not the one that RECORD lists.
    RecordMismatch "record-mismatch" Error
        "write RECORD again after the last change";
    /// RECORD has no digest that installers trust.
    RecordDigest "record-digest" Error
        "write `sha256=` and the digest in URL-safe base64 without `=`";
    /// RECORD has another size than the file.
    RecordSize "record-size" Error
        "write RECORD again after the last change";
    /// RECORD lists a file twice.
    RecordDuplicate "record-duplicate" Error
        "list each file once";
    /// RECORD is not in its usual form.
    RecordForm "record-form" Info;
    /// RECORD is signed in a way that was given up, or lists its own signature.
    RecordSignature "record-signature" Warning
        "leave RECORD.jws and RECORD.p7s out (PEP 815)";

    // METADATA and PKG-INFO.
    /// The metadata cannot be read.
    MetadataSyntax "metadata-syntax" Error
        "write `Field: value` lines in UTF-8, an empty line, and the description";
    /// A field is missing.
    MissingField "missing-field" Error
        "write `Metadata-Version`, `Name` and `Version`";
    /// A field that may stand once stands twice.
    DuplicateField "duplicate-field" Error
        "keep one";
    /// The field is in no version of the metadata.
    UnknownField "unknown-field" Error
        "correct its spelling, or leave it out";
    /// The index does not know the version of the metadata.
    MetadataVersion "metadata-version" Error
        "write the lowest version that has the fields in use";
    /// A field is newer than the version of the metadata.
    FieldTooNew "field-too-new" Error
        "raise `Metadata-Version`, or leave the field out";
    /// The version is not one by PEP 440.
    BadVersion "bad-version" Error
        "write it as PEP 440 has it, such as `1.0rc1`";
    /// The licence expression is not one.
    LicenseExpression "license-expression" Error
        "write an SPDX expression in the list's spelling, such as `MIT OR Apache-2.0`";
    /// The licence is given in two ways.
    LicenseTwice "license-twice" Error
        "keep `License-Expression`";
    /// A licence classifier stands beside a licence expression.
    LicenseClassifier "license-classifier" Warning
        "leave the classifier out";
    /// A licence file is not where the metadata say.
    LicenseFile "license-file" Error
        "put it into `.dist-info/licenses` under the path that `License-File` gives";
    /// A licence file is not in UTF-8.
    LicenseEncoding "license-encoding" Warning
        "save it as UTF-8 (PEP 639)";
    /// An import name is not one, or the lists of import names contradict each other.
    ImportName "import-name" Error
        "list dotted names with all their parents, each once";
    /// A requirement cannot be read.
    BadRequirement "bad-requirement" Error
        "write it as PEP 508 has it, such as `demo>=1.0; python_version < '3.11'`";
    /// A requirement names a URL, which the index refuses.
    UrlRequirement "url-requirement" Error
        "name a version instead";
    /// An extra is not in its normal form.
    ExtraName "extra-name" Warning
        "write it in lower case with `-`";
    /// `Requires-Python` cannot be read.
    RequiresPython "requires-python" Error
        "write it as in `>=3.9`";
    /// The index does not know the classifier.
    UnknownClassifier "unknown-classifier" Error
        "take one from the list of classifiers";
    /// The classifier was given up for another.
    DeprecatedClassifier "deprecated-classifier" Error
        "take its successor, or leave it out";
    /// The summary is too long or has several lines.
    BadSummary "bad-summary" Error
        "write one line of at most 512 characters";
    /// An e-mail address is not one.
    BadEmail "bad-email" Error
        "write `Name <user@example.org>`";
    /// A link is not one.
    BadUrl "bad-url" Error
        "write a label of at most 32 characters, a comma, and an http or https address";
    /// A field of links that labelled links have replaced.
    LegacyUrl "legacy-url" Info;
    /// The type of the description is not one that the index shows.
    DescriptionType "description-type" Error
        "write `text/markdown`, `text/x-rst` or `text/plain` with `charset=UTF-8`";
    /// There is no description, or its type is not given.
    NoDescription "no-description" Info;
    /// A field is called dynamic that cannot be.
    BadDynamic "bad-dynamic" Error
        "name fields other than `Name`, `Version` and `Metadata-Version`";

    // Entry points.
    /// `entry_points.txt` cannot be read.
    EntryPointsSyntax "entry-points-syntax" Error
        "write `[group]` and `name = module:object` lines in UTF-8";
    /// A program's name is not one that every installer takes.
    EntryPointName "entry-point-name" Error
        "use letters, digits, `-`, `_` and `.`";
    /// An entry point names no object, or a module that is not in the wheel.
    EntryPointTarget "entry-point-target" Error
        "write `module:function`, and see whether the module was packed";

    // Layout of the wheel.
    /// The wheel has compiled Python.
    CompiledPython "compiled-python" Warning
        "leave it out: installers compile for the Python that is there";
    /// Files with the same content lie in the wheel.
    DuplicateContent "duplicate-content" Info;
    /// A file that is no module lies beside the packages.
    StrayTopLevel "stray-top-level" Info;
    /// A module cannot be imported by its path.
    NotImportable "not-importable" Info;
    /// A package has a name that other projects use for their own files.
    CommonName "common-name" Warning
        "leave it out, or put it into your package";
    /// The top of the wheel is a package itself.
    TopLevelInit "top-level-init" Warning
        "put it into a package: it would lie in `site-packages` itself";
    /// The wheel installs nothing that can be imported.
    EmptyLibrary "empty-library" Error
        "compare the name of the package's directory with the one that the build looks for";
    /// The wheel installs nothing at all.
    EmptyWheel "empty-wheel" Error
        "compare the name of the package's directory with the one that the build looks for";
    /// The wheel has several packages.
    SeveralTopLevels "several-top-levels" Info;
    /// A directory beside the packages has no modules.
    NoModules "no-modules" Info;

    // Source distributions.
    /// The sdist has no single directory, or one of another name.
    SdistTop "sdist-top" Error
        "put everything into `{name}-{version}/`";
    /// PKG-INFO is missing.
    MissingPkgInfo "missing-pkg-info" Error
        "build it with a build backend";
    /// `pyproject.toml` is missing, so that tools guess how to build it.
    MissingPyproject "missing-pyproject" Warning
        "add one with `[build-system]`";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let found = Self::ALL.iter().find(|code| code.as_str() == text);
        found
            .copied()
            .ok_or_else(|| ParseError::new(text, "a finding code, such as `symbol-too-new`"))
    }
}

crate::name::serde_by_text!(Code);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kebab_case_and_read_back() {
        for code in Code::ALL {
            let text = code.as_str();
            assert!(
                text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{text}"
            );
            assert_eq!(text.parse(), Ok(*code));
        }
    }
}

//! Codes of findings. One row each: the meaning, the name that scripts rely on, the default severity
//! and the fix.

use std::fmt;
use std::str::FromStr;

use super::Severity;
use crate::name::ParseError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident $text:literal $severity:ident $help:literal;)+) => {
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

            /// Returns the meaning: a noun phrase.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }

            /// Returns the fix, which applies unless the finding has another one.
            pub const fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => $help,)+
                }
            }
        }
    };
}

codes! {
    // Files that cannot be judged.
    /// Damaged or incomplete file.
    Unreadable "unreadable" Error
        "build or fetch the file again; it may be cut short";
    /// File or archive beyond the size, count or depth of any real one.
    OverLimit "over-limit" Error
        "leave out what does not belong into the package, or split the file";
    /// File to which the rules of the tag do not apply.
    NotJudged "not-judged" Info
        "test the file where it is used, or leave it out if it was left over from the build";
    /// Native file embedded in another file.
    EmbeddedImage "embedded-image" Info
        "audit the embedded file on its own, since no loader reads it in place";

    // Platform tags that a wheel claims.
    /// Platform tag that the files of the wheel do not qualify for.
    TagNotEarned "tag-not-earned" Error
        "use the tag that the files qualify for, or fix the findings that exclude the claimed one";
    /// Different tags in the file name and in the `Tag` lines of WHEEL.
    TagsDiffer "tags-differ" Error
        "write the wheel again: installers read the name, other tools read the lines";
    /// Native files in a package for any platform.
    NativeInAny "native-in-any" Error
        "use the platform tag that the native files qualify for";
    /// Platform tag on a wheel without native files.
    NoNativeFiles "no-native-files" Warning
        "tag the wheel `any`, unless its native files are missing";
    /// `Root-Is-Purelib: true` in a wheel with native files.
    PurelibWithNative "purelib-with-native" Warning
        "write `Root-Is-Purelib: false`";
    /// Tag that guarantees only a processor and that indexes refuse.
    UnportableTag "unportable-tag" Warning
        "build for a manylinux or musllinux tag";

    // Reasons that keep a file from its tag.
    /// File for another operating system.
    WrongPlatform "wrong-platform" Error
        "build the file for the target, or leave it out of the wheel";
    /// File for another processor.
    WrongArch "wrong-arch" Error
        "build the file for the target, or leave it out of the wheel";
    /// File for another C library.
    WrongLibc "wrong-libc" Error
        "build the file for the target, or leave it out of the wheel";
    /// Needed library that is neither in the wheel nor guaranteed by the tag.
    ExternalLibrary "external-library" Error
        "link it statically, let `wheelsmith repair` copy it into the wheel, or build it as a component";
    /// Needed symbol version that is newer than the tag guarantees.
    SymbolTooNew "symbol-too-new" Error
        "build it with the zig toolchain for the floor, or raise the floor (`glibc = \"…\"`)";
    /// Needed symbol that some builds of a guaranteed library lack.
    ForbiddenSymbol "forbidden-symbol" Error
        "link the library statically, or avoid the symbol";
    /// File that requires a newer processor than the tag guarantees.
    IsaTooNew "isa-too-new" Error
        "compile without `-march=…` above the baseline, and select newer code at run time";
    /// Dependency on a shared libpython, which many Pythons do not have.
    Libpython "libpython" Error
        "do not link extension modules to libpython: the process provides its symbols";
    /// Symbol of a Python with floating-point traps, which no release has.
    FpeSymbols "fpe-symbols" Error
        "compile for a Python without `--with-fpectl`";
    /// Required macOS or iOS that is newer than the tag says.
    MinimumTooNew "minimum-too-new" Error
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// Required minor release of macOS that the tag cannot express.
    NewerMinor "newer-minor" Warning
        "build it for the floor, or raise the floor (`macos-min = \"…\"`)";
    /// Mach-O file without a minimum macOS.
    NoMinimum "no-minimum" Warning
        "link it again with `-mmacosx-version-min=…`";
    /// Missing or wrong code signature, for which macOS on arm64 kills the process.
    InvalidSignature "invalid-signature" Error
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// Code signature that does not match the content.
    StaleSignature "stale-signature" Warning
        "sign it after the last change: `codesign --force --sign - FILE`";
    /// Dependency on the Visual C++ runtime.
    CRuntime "c-runtime" Warning
        "put the library beside the file, or link the runtime statically (`/MT`, `-C target-feature=+crt-static`)";
    /// Needed library in another directory of the wheel.
    LibraryElsewhere "library-elsewhere" Info
        "make sure that the package adds the directory before it loads the file";
    /// Optional library that is neither in the wheel nor guaranteed by the tag.
    OptionalLibrary "optional-library" Info
        "test the package on a system without the library";
    /// Program for another processor, which the system emulates.
    EmulatedProgram "emulated-program" Warning
        "build the program for the target as well";

    // Extension modules against the Python and ABI tags.
    /// Extension module for another Python or ABI than the wheel's tags.
    WrongAbi "wrong-abi" Error
        "build it for the Python of the tag, or correct the tag";
    /// Extension module without the function by which Python starts it.
    NoInitFunction "no-init-function" Error
        "export `PyInit_<name>`, where `<name>` is the file name up to its first dot";
    /// Module that claims the stable ABI and uses functions outside it.
    NotStableAbi "not-stable-abi" Error
        "compile with `Py_LIMITED_API` defined, or tag the wheel for one Python";
    /// Function of the stable ABI that is newer than the Python tag.
    StableAbiTooNew "stable-abi-too-new" Error
        "raise the Python tag, or define `Py_LIMITED_API` as the version of the tag";

    // Faults of a file that do not depend on the platform.
    /// Search path for libraries that leads out of the wheel.
    EscapingRpath "escaping-rpath" Warning
        "use `$ORIGIN` (on macOS `@loader_path`) and paths relative to it";
    /// Executable stack.
    ExecutableStack "executable-stack" Warning
        "link with `-Wl,-z,noexecstack`; an assembler file may lack its `.note.GNU-stack` section";
    /// Relocations in code, which make it writable while it is loaded.
    TextRelocations "text-relocations" Warning
        "compile everything in it with `-fPIC`";
    /// Relocated data that stays writable.
    NoRelro "no-relro" Info
        "link with `-Wl,-z,relro`";
    /// Program or DLL with a fixed address.
    NoPie "no-pie" Info
        "compile with `-fPIE`, and link with `-pie`";
    /// Windows file that permits to execute its data.
    NoNx "no-nx" Warning
        "link with `/NXCOMPAT`";
    /// Path of the build machine.
    BuildPath "build-path" Warning
        "compile with `-ffile-prefix-map=…` (Rust: `--remap-path-prefix`)";
    /// Large part that is never loaded, such as symbols or debug information.
    Unstripped "unstripped" Info
        "strip it, or keep the debug information in a separate file";
    /// Missing build id, which debuggers and crash reports use.
    NoBuildId "no-build-id" Info
        "link with `-Wl,--build-id=sha1`";
    /// Segments that systems with 64 KiB pages cannot load.
    PageAlignment "page-alignment" Warning
        "link with `-Wl,-z,max-page-size=65536`";
    /// Symbol that no needed library provides.
    UndefinedSymbol "undefined-symbol" Warning
        "link it to the library that has the symbol (`-Wl,-z,defs` reports such symbols)";
    /// Static program that loads libraries at run time, which requires the same glibc.
    StaticDlopen "static-dlopen" Warning
        "link it dynamically, or avoid `dlopen` and the name services";
    /// Use of C++ from another file, although each has a private C++ runtime.
    TwoCxxRuntimes "two-cxx-runtimes" Warning
        "link both to one runtime (`cxx-runtime = \"shared\"`), or let only C functions cross";
    /// Two copies of one library.
    DuplicateLibrary "duplicate-library" Info
        "keep one copy, and let the other files find it by RUNPATH";
    /// Bundled library that no file of the wheel needs.
    UnusedLibrary "unused-library" Info
        "leave it out, unless the package loads it by itself";

    // Configuration of the audit.
    /// Waiver whose date has passed.
    ExpiredWaiver "expired-waiver" Warning
        "fix the waived findings, or set a new date";
    /// Waiver that matches no finding.
    UnusedWaiver "unused-waiver" Info
        "remove it";

    // File name of a wheel or sdist.
    /// File name that is not one of a wheel or sdist.
    BadFilename "bad-filename" Error
        "name it `name-version[-build]-python-abi-platform.whl`, an sdist `name-version.tar.gz`";
    /// Project name in the file name that is not normalised.
    NameNotNormalised "name-not-normalised" Error
        "write it in lower case with `_` for each run of `-`, `_` and `.`";
    /// Version in the file name that differs from the normal form of the metadata's.
    VersionNotNormalised "version-not-normalised" Error
        "write it as PEP 440 does: `1.0rc1`, not `1.0-RC1`; `1.0.0` if the metadata has `1.0.0`";
    /// Different names in the file name and in the metadata.
    NameMismatch "name-mismatch" Error
        "build it again: the file was renamed, or its metadata changed";
    /// Different versions in the file name and in the metadata.
    VersionMismatch "version-mismatch" Error
        "build it again: the file was renamed, or its metadata changed";
    /// Unsorted tags in the file name.
    TagsNotSorted "tags-not-sorted" Info
        "write the tags sorted; `wheelsmith wheel retag` does";
    /// Repeated tag in the file name.
    DuplicateTag "duplicate-tag" Error
        "write each tag once";
    /// Tag that no installer accepts on any machine.
    UnknownTag "unknown-tag" Error
        "correct the tag: `py3`, `cp312`, `none`, `abi3`, `manylinux_2_17_x86_64`, `macosx_11_0_arm64`";
    /// Platform tag that the index refuses.
    PlatformRefused "platform-refused" Error
        "build for a platform tag that the index accepts, such as manylinux";
    /// Version with a local part, which the index refuses.
    LocalVersion "local-version" Error
        "publish it without the part after `+`";
    /// File that exceeds the size limit of the index.
    FileTooLarge "file-too-large" Error
        "make it smaller, or ask the index for a higher limit";
    /// File that exceeds the default size limit of the index.
    LargeFile "large-file" Warning
        "ask the index for a higher limit before you publish";

    // Zip archive.
    /// Entry whose sizes follow its content.
    DataDescriptor "data-descriptor" Error
        "write the archive to a file, not to a pipe, so that headers can be completed";
    /// Bytes that belong to no entry.
    StrayBytes "stray-bytes" Error
        "write the archive again, without data before, between or after its entries";
    /// Two entries with one name.
    DuplicateEntry "duplicate-entry" Error
        "write each file once";
    /// Contradicting headers or counts in the archive.
    HeaderMismatch "header-mismatch" Error
        "write the archive again: readers disagree about its content";
    /// Entries that share bytes.
    OverlappingEntries "overlapping-entries" Error
        "write the archive again; no wheel builder writes such entries";
    /// Compression method that installers cannot read.
    CompressionMethod "compression-method" Error
        "use deflate, or store the file";
    /// Encrypted entry.
    EncryptedEntry "encrypted-entry" Error
        "write it without a password";
    /// Entry name that is not plain UTF-8.
    BadEntryName "bad-entry-name" Error
        "use UTF-8 without control characters, and set the UTF-8 flag";
    /// File name that Windows cannot hold, or that a terminal shows as another name.
    UnportableName "unportable-name" Error
        "rename the file";
    /// Path that leads out of the installation directory.
    UnsafePath "unsafe-path" Error
        "use relative paths with `/` and without `..`";
    /// Comment of the archive or of an entry.
    ArchiveComment "archive-comment" Error
        "write it without comments";
    /// Unusual zip64 field of an entry.
    Zip64Extra "zip64-extra" Error
        "write both sizes, or no such field";
    /// Extra field of an entry.
    ZipExtra "zip-extra" Info
        "write entries without extra fields, so that two builds have the same bytes";
    /// Entry or archive that is compressed far more than real files.
    CompressionRatio "compression-ratio" Error
        "remove the repeated data, or store the file";
    /// Entry with damaged content.
    DamagedEntry "damaged-entry" Error
        "build or fetch the file again";
    /// Two names that differ only in case or Unicode form.
    CaseClash "case-clash" Warning
        "rename one: on Windows and macOS the second file replaces the first";
    /// Directory entry.
    DirectoryEntry "directory-entry" Info
        "list files only";
    /// Link or device in the archive.
    SpecialFile "special-file" Error
        "put the file itself there: installers write the path of the link as text";
    /// Entry whose mode is not that of a readable file.
    EntryMode "entry-mode" Info
        "set the mode to 0100644 or 0100755";
    /// Different or invalid times of the entries.
    EntryTimes "entry-times" Info
        "set `SOURCE_DATE_EPOCH`, so that two builds have the same bytes";
    /// Metadata that is not at the end of the archive.
    DistInfoNotLast "dist-info-not-last" Info
        "write `.dist-info` last, so that tools can read or replace it alone";
    /// File that is also a tar archive.
    TarPolyglot "tar-polyglot" Error
        "write the archive again";

    // Directories `.dist-info` and `.data`.
    /// Missing `.dist-info` directory.
    MissingDistInfo "missing-dist-info" Error
        "build it with a wheel builder";
    /// Several `.dist-info` directories.
    SeveralDistInfos "several-dist-infos" Error
        "keep only that of the wheel";
    /// `.dist-info` or `.data` directory of another name than the wheel.
    DistInfoMismatch "dist-info-mismatch" Error
        "name it `{name}-{version}` as in the file name";
    /// Missing METADATA, WHEEL or RECORD.
    MissingMetadataFile "missing-metadata-file" Error
        "build it with a wheel builder";
    /// File in `.dist-info` that only installers write.
    InstallerFile "installer-file" Error
        "leave it out: it was packed from an installed project";
    /// Part of the `.data` directory that installers do not know.
    UnknownDataScheme "unknown-data-scheme" Error
        "use purelib, platlib, headers, scripts or data";
    /// Script in a directory below `scripts`.
    NestedScript "nested-script" Error
        "put it into `scripts` itself";
    /// Python script with an interpreter that installers do not replace.
    ScriptShebang "script-shebang" Warning
        "begin it with `#!python`, or make it an entry point";
    /// Program without execute permission.
    ScriptNotExecutable "script-not-executable" Warning
        "set its mode to 0755";
    /// Other use of a name that the format reserves for a directory.
    ReservedName "reserved-name" Error
        "choose another name";
    /// Licence file that the metadata does not list.
    UnlistedLicense "unlisted-license" Info
        "list it in `License-File`";
    /// File in `sboms` that is not a bill of materials.
    BadSbom "bad-sbom" Error
        "write CycloneDX or SPDX there, and nothing else";
    /// Bill of materials without the tool that wrote it.
    SbomWithoutTool "sbom-without-tool" Warning
        "name the tool in its metadata";
    /// `Root-Is-Purelib: false` in a wheel for every platform.
    PlatlibInAny "platlib-in-any" Info
        "write `Root-Is-Purelib: true`";

    // WHEEL.
    /// WHEEL that cannot be read or lacks a line.
    BadWheelFile "bad-wheel-file" Error
        "write `Wheel-Version`, `Generator`, `Root-Is-Purelib` and the tags";
    /// Wheel version that installers refuse.
    WheelVersion "wheel-version" Error
        "write `Wheel-Version: 1.0`";
    /// Missing or repeated `Generator` in WHEEL.
    WheelGenerator "wheel-generator" Warning
        "write `Generator` once";
    /// Different build tags in the file name and in WHEEL.
    BuildMismatch "build-mismatch" Error
        "write the build tag of the file name in the line `Build`";

    // RECORD.
    /// RECORD that cannot be read.
    RecordSyntax "record-syntax" Error
        "write it as CSV: quote paths with a comma, and use `/`";
    /// File that RECORD does not list.
    RecordMissing "record-missing" Error
        "write RECORD last, from all files";
    /// Missing file that RECORD lists.
    RecordAbsent "record-absent" Error
        "write RECORD from the files of the archive";
    /// File whose digest differs from RECORD.
    RecordMismatch "record-mismatch" Error
        "write RECORD again after the last change";
    /// Digest in RECORD that installers do not accept.
    RecordDigest "record-digest" Error
        "write `sha256=` and the digest in URL-safe base64 without `=`";
    /// File whose size differs from RECORD.
    RecordSize "record-size" Error
        "write RECORD again after the last change";
    /// File that RECORD lists twice.
    RecordDuplicate "record-duplicate" Error
        "list each file once";
    /// Unusual form of RECORD.
    RecordForm "record-form" Info
        "end lines with LF, and list only files";
    /// Deprecated signature of RECORD, or RECORD that lists its own signature.
    RecordSignature "record-signature" Warning
        "leave RECORD.jws and RECORD.p7s out (PEP 815)";

    // METADATA and PKG-INFO.
    /// Metadata that cannot be read.
    MetadataSyntax "metadata-syntax" Error
        "write `Field: value` lines in UTF-8, an empty line, and the description";
    /// Missing field.
    MissingField "missing-field" Error
        "write `Metadata-Version`, `Name` and `Version`";
    /// Repeated field that may occur once.
    DuplicateField "duplicate-field" Error
        "keep one";
    /// Field of no metadata version.
    UnknownField "unknown-field" Error
        "correct its spelling, or leave it out";
    /// Metadata version that the index does not accept.
    MetadataVersion "metadata-version" Error
        "write the lowest version that has the fields in use";
    /// Field that is newer than the metadata version.
    FieldTooNew "field-too-new" Error
        "raise `Metadata-Version`, or leave the field out";
    /// Version that PEP 440 does not allow.
    BadVersion "bad-version" Error
        "write it as PEP 440 does, such as `1.0rc1`";
    /// Invalid licence expression.
    LicenseExpression "license-expression" Error
        "write an SPDX expression with the identifiers of the SPDX list, such as `MIT OR Apache-2.0`";
    /// Licence in both `License` and `License-Expression`.
    LicenseTwice "license-twice" Error
        "keep `License-Expression`";
    /// Licence classifier beside a licence expression.
    LicenseClassifier "license-classifier" Warning
        "leave the classifier out";
    /// Licence file that is missing from the path in the metadata.
    LicenseFile "license-file" Error
        "put it into `.dist-info/licenses` under the path that `License-File` gives";
    /// Licence file that is not UTF-8.
    LicenseEncoding "license-encoding" Warning
        "save it as UTF-8 (PEP 639)";
    /// Invalid or contradicting import names.
    ImportName "import-name" Error
        "list dotted names with all their parents, each once";
    /// Requirement that cannot be read.
    BadRequirement "bad-requirement" Error
        "write it as PEP 508 does, such as `demo>=1.0; python_version < '3.11'`";
    /// Requirement with a URL, which the index refuses.
    UrlRequirement "url-requirement" Error
        "require a version instead";
    /// Extra whose name is not normalised.
    ExtraName "extra-name" Warning
        "write it in lower case with `-`";
    /// `Requires-Python` that cannot be read.
    RequiresPython "requires-python" Error
        "write it as in `>=3.9`";
    /// Classifier that the index does not know.
    UnknownClassifier "unknown-classifier" Error
        "choose one from the list of classifiers";
    /// Deprecated classifier.
    DeprecatedClassifier "deprecated-classifier" Error
        "use its successor, or leave it out";
    /// Summary that is too long or has several lines.
    BadSummary "bad-summary" Error
        "write one line of at most 512 characters";
    /// Invalid e-mail address.
    BadEmail "bad-email" Error
        "write `Name <user@example.org>`";
    /// Invalid link.
    BadUrl "bad-url" Error
        "write a label of at most 32 characters, a comma, and an http or https address";
    /// Field that `Project-URL` has replaced.
    LegacyUrl "legacy-url" Info
        "write `Project-URL: Homepage, https://…` instead";
    /// Description type that the index does not render.
    DescriptionType "description-type" Error
        "write `text/markdown`, `text/x-rst` or `text/plain` with `charset=UTF-8`";
    /// Missing description, or description without a type.
    NoDescription "no-description" Info
        "set `readme` in `[project]`";
    /// `Dynamic` field that names one that cannot be dynamic.
    BadDynamic "bad-dynamic" Error
        "name fields other than `Name`, `Version` and `Metadata-Version`";

    // Entry points.
    /// `entry_points.txt` that cannot be read.
    EntryPointsSyntax "entry-points-syntax" Error
        "write `[group]` and `name = module:object` lines in UTF-8";
    /// Program name that some installers refuse.
    EntryPointName "entry-point-name" Error
        "use letters, digits, `-`, `_` and `.`";
    /// Entry point without an object, or to a module that is not in the wheel.
    EntryPointTarget "entry-point-target" Error
        "write `module:function`, and check that the module was packed";

    // Layout of the wheel.
    /// Compiled Python.
    CompiledPython "compiled-python" Warning
        "leave it out: installers compile for the installed Python";
    /// Files with the same content.
    DuplicateContent "duplicate-content" Info
        "keep one of them, if the package permits";
    /// File beside the packages that is not a module.
    StrayTopLevel "stray-top-level" Info
        "move it into the package, or into `.data`";
    /// Module whose path is not an import name.
    NotImportable "not-importable" Info
        "rename its file or directory, if it is to be imported";
    /// Package whose name other projects also use.
    CommonName "common-name" Warning
        "leave it out, or move it into your package";
    /// `__init__.py` outside any package.
    TopLevelInit "top-level-init" Warning
        "move it into a package: it would be installed into `site-packages` itself";
    /// Wheel without any importable module.
    EmptyLibrary "empty-library" Error
        "compare the name of the package's directory with the one that the build expects";
    /// Wheel that installs no file.
    EmptyWheel "empty-wheel" Error
        "compare the name of the package's directory with the one that the build expects";
    /// Several top-level packages.
    SeveralTopLevels "several-top-levels" Info
        "check that each of them is meant to be installed";
    /// Directory without modules, beside the packages.
    NoModules "no-modules" Info
        "move it into a package, or leave it out";

    // Source distributions.
    /// Sdist without a single top-level directory of the right name.
    SdistTop "sdist-top" Error
        "put everything into `{name}-{version}/`";
    /// Missing PKG-INFO.
    MissingPkgInfo "missing-pkg-info" Error
        "build it with a build backend";
    /// Missing `pyproject.toml`, without which tools guess how to build.
    MissingPyproject "missing-pyproject" Warning
        "add one with `[build-system]`";
    /// `pyproject.toml` that installers cannot read.
    BadPyproject "bad-pyproject" Error
        "correct it, and build the source distribution again";

    // Lists of digests, and their signatures.
    /// List of digests that is absent or malformed.
    BadSums "bad-sums" Error
        "write the list again with `wheelsmith sums`";
    /// File that the list of digests does not name.
    UnlistedFile "unlisted-file" Error
        "remove it, or write and sign the list again";
    /// Listed file that is absent.
    MissingFile "missing-file" Error
        "fetch the file again";
    /// File whose digest is not that of the list.
    WrongDigest "wrong-digest" Error
        "fetch the file again, and do not use this one";
    /// File with the content of another listed file.
    SwappedFile "swapped-file" Error
        "give the files their names back, or fetch them again";
    /// List of digests without a signature that was verified.
    Unsigned "unsigned" Error
        "give the key of the publisher, or accept bare digests with `--digests-only`";
    /// Signature that does not fit the list of digests.
    BadSignature "bad-signature" Error
        "fetch the list and its signature again";
    /// Signature of a key that is not trusted.
    WrongKey "wrong-key" Error
        "compare the key with the one that the publisher announced";
    /// Signature of a key that has expired.
    ExpiredKey "expired-key" Error
        "ask the publisher for a signature of a current key";
    /// Signature of another release, or of no named one.
    WrongRelease "wrong-release" Error
        "fetch the list of the release that you want";
    /// Statement about other files than those of the list.
    StatementMismatch "statement-mismatch" Error
        "fetch the statement again, or sign the files again";

    // npm packages, crates and archives of programs.
    /// File in another format than its extension says.
    WrongExtension "wrong-extension" Error
        "rename the file, or pack it in the format of its extension";
    /// Package without the one top-level directory that its clients expect.
    PackageTop "package-top" Error
        "put everything into one directory: `package` for npm, `name-version` for a crate or an archive";
    /// Archive without files.
    EmptyArchive "empty-archive" Error
        "compare the patterns that select its files with the names in the build directory";
    /// Missing `package.json` or `Cargo.toml`.
    MissingManifest "missing-manifest" Error
        "make the package with `npm pack`, `cargo package` or `wheelsmith pack`";
    /// `package.json` or `Cargo.toml` that its registry refuses.
    BadManifest "bad-manifest" Error
        "correct it, and make the package again";
    /// `package.json` that is not the first file of the archive.
    ManifestLate "manifest-late" Info
        "put it first, so that readers of a stream find it at once";
    /// File that the manifest names and the package lacks.
    ManifestTarget "manifest-target" Error
        "add the file to the package, or correct the path";
    /// Package that its registry refuses because of its own manifest.
    NotPublishable "not-publishable" Error
        "remove the key, if the package is to be published";
    /// Dependency that only the author's machine has.
    LocalDependency "local-dependency" Error
        "require a published version";
    /// Script that runs on the user's machine during the installation.
    InstallScript "install-script" Warning
        "ship the built files in packages for each platform: several clients do not run such scripts";
    /// Package for one platform that is not required at exactly the version of the main package.
    InexactPin "inexact-pin" Warning
        "write the version of the main package, without `^` or `~`";
    /// File that the build of a crate reads and the crate lacks.
    MissingSource "missing-source" Warning
        "add the file to the package, or to `include` in `Cargo.toml`";
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

    #[test]
    fn each_meaning_is_a_phrase_with_a_fix() {
        for code in Code::ALL {
            let meaning = code.meaning().trim();
            let first = meaning.split_whitespace().next().unwrap_or_default();
            assert!(
                !["It", "Its", "Nothing", "There", "The", "A", "An"].contains(&first),
                "{code}"
            );
            assert!(meaning.ends_with('.') && !code.help().ends_with('.'), "{code}");
            assert!(
                code.help().len() > 4 && !code.help().starts_with(char::is_uppercase),
                "{code}"
            );
        }
    }
}

//! What only the public index asks for: its platform tags, sizes and fields.

use super::Limits;
use super::findings::Findings;
use crate::finding::{Code, Finding, Severity};
use crate::name::Index;

/// What nobody but the public index refuses.
const PUBLIC_ONLY: &[Code] = &[
    Code::NameNotNormalised,
    Code::LocalVersion,
    Code::DataDescriptor,
    Code::ArchiveComment,
    Code::Zip64Extra,
    Code::CompressionRatio,
    Code::TarPolyglot,
    Code::MetadataVersion,
    Code::LicenseTwice,
    Code::LicenseFile,
    Code::UrlRequirement,
    Code::UnknownClassifier,
    Code::DeprecatedClassifier,
    Code::BadSummary,
    Code::BadEmail,
    Code::BadUrl,
    Code::DescriptionType,
    Code::FileTooLarge,
];

impl Index {
    /// The findings as bad as they are for this index.
    pub(super) fn judge(self, mut findings: Vec<Finding>) -> Vec<Finding> {
        if self == Self::Private {
            for finding in &mut findings {
                if PUBLIC_ONLY.contains(&finding.code) {
                    finding.severity = finding.severity.max(Severity::Warning);
                }
            }
            findings.sort();
        }
        findings
    }
}

/// Judges the size of a file.
pub(super) fn size(size_bytes: u64, limits: &Limits, out: &mut Findings) {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    if size_bytes > limits.most_file_bytes {
        let message =
            format!("it has {} MiB, more than {}", mib(size_bytes), mib(limits.most_file_bytes));
        out.whole(Code::FileTooLarge, message);
    } else if size_bytes > limits.file_bytes {
        let message =
            format!("it has {} MiB, more than {}", mib(size_bytes), mib(limits.file_bytes));
        out.whole(Code::LargeFile, message);
    }
}

const MANYLINUX: &[&str] =
    &["x86_64", "i686", "aarch64", "armv7l", "ppc64", "ppc64le", "s390x", "riscv64"];
const MUSLLINUX: &[&str] = &["x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64"];
const MACOS: &[&str] = &[
    "arm64",
    "fat",
    "fat3",
    "fat64",
    "i386",
    "intel",
    "ppc",
    "ppc64",
    "universal",
    "universal2",
    "x86_64",
];
const MACOS_MAJORS: &[&str] = &["11", "12", "13", "14", "15", "26"];
const ANDROID: &[&str] = &["armeabi_v7a", "arm64_v8a", "x86", "x86_64"];
const IOS: &[&str] = &["arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator"];
const WHOLE: &[&str] = &[
    "any",
    "win32",
    "win_amd64",
    "win_arm64",
    "linux_armv6l",
    "linux_armv7l",
    "manylinux1_x86_64",
    "manylinux1_i686",
    "manylinux2010_x86_64",
    "manylinux2010_i686",
    "manylinux2014_x86_64",
    "manylinux2014_i686",
    "manylinux2014_aarch64",
    "manylinux2014_armv7l",
    "manylinux2014_ppc64",
    "manylinux2014_ppc64le",
    "manylinux2014_s390x",
];

/// Whether the public index takes wheels with the platform tag `tag`.
pub(super) fn takes_platform(tag: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // `11_0_arm64` -> 11, 0, arm64.
    let split = |prefix: &str| {
        let (major, rest) = tag.strip_prefix(prefix)?.split_once('_')?;
        let (minor, arch) = rest.split_once('_')?;
        (number(major) && number(minor)).then_some((major, minor, arch))
    };
    if let Some((_, _, arch)) = split("manylinux_") {
        return MANYLINUX.contains(&arch);
    }
    if let Some((_, _, arch)) = split("musllinux_") {
        return MUSLLINUX.contains(&arch);
    }
    if let Some((major, minor, arch)) = split("macosx_") {
        let is_known = major == "10" || (minor == "0" && MACOS_MAJORS.contains(&major));
        return is_known && MACOS.contains(&arch);
    }
    if let Some((_, _, arch)) = split("ios_") {
        return IOS.contains(&arch);
    }
    if let Some((api, abi)) = tag.strip_prefix("android_").and_then(|rest| rest.split_once('_')) {
        return number(api) && ANDROID.contains(&abi);
    }
    if let Some((_, _, arch)) = split("pyemscripten_").or_else(|| split("pyodide_")) {
        return arch == "wasm32";
    }
    WHOLE.contains(&tag)
}

#[cfg(test)]
mod tests {
    use super::takes_platform;

    #[test]
    fn the_index_takes_some_platforms() {
        for tag in [
            "any",
            "win_arm64",
            "manylinux1_i686",
            "manylinux_2_17_riscv64",
            "musllinux_1_2_s390x",
            "macosx_10_9_universal2",
            "macosx_11_0_arm64",
            "macosx_26_0_arm64",
            "ios_13_0_arm64_iphoneos",
            "android_24_arm64_v8a",
            "pyemscripten_2026_0_wasm32",
            "linux_armv7l",
        ] {
            assert!(takes_platform(tag), "{tag}");
        }
        for tag in [
            "linux_x86_64",
            "manylinux_2_36_loongarch64",
            "manylinux1_aarch64",
            "musllinux_1_2_ppc64",
            "macosx_11_1_arm64",
            "macosx_16_0_arm64",
            "macosx_10_9_alpha",
            "win_ia64",
            "android_x_x86",
            "ios_13_0_arm64",
            "freebsd_14_amd64",
        ] {
            assert!(!takes_platform(tag), "{tag}");
        }
    }
}

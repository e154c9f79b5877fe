//! Rules of the public index alone (sizes, platform tags), and the tags that installers accept.

use super::Limits;
use super::findings::Findings;
use crate::finding::{Code, Finding, Severity};
use crate::name::Index;

/// Codes of faults that only the public index refuses.
const PUBLIC_ONLY: &[Code] = &[
    Code::NameNotNormalised,
    Code::LocalVersion,
    Code::VersionNotNormalised,
    Code::DataDescriptor,
    Code::ArchiveComment,
    Code::Zip64Extra,
    Code::CompressionRatio,
    Code::TarPolyglot,
    Code::MetadataVersion,
    Code::UnknownField,
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
    /// Sets the severities of the findings for this index.
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

/// True if the public index accepts wheels with the platform tag `tag`.
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
    if let Some((_, _, arch)) = split("pyemscripten_") {
        return arch == "wasm32";
    }
    WHOLE.contains(&tag)
}

/// True if an installer accepts the platform tag `tag` on some machine. Installers compute the tags
/// of the machine that they run on, so this follows the ranges in `packaging.tags`. Tags of systems
/// without such rules are accepted.
pub(super) fn is_installable_platform(tag: &str) -> bool {
    let numbers = |prefix: &str| {
        let (major, rest) = tag.strip_prefix(prefix)?.split_once('_')?;
        let (minor, arch) = rest.split_once('_')?;
        let plain = |text: &str| text.parse::<u16>().ok().filter(|n| n.to_string() == text);
        Some((plain(major)?, plain(minor)?, arch))
    };
    if tag.starts_with("manylinux_") {
        return numbers("manylinux_").is_some_and(|(major, minor, arch)| {
            let is_x86 = matches!(arch, "x86_64" | "i686");
            major == 2 && minor >= if is_x86 { 5 } else { 17 }
        });
    }
    if let Some((year, arch)) = tag.strip_prefix("manylinux").and_then(|tag| tag.split_once('_')) {
        let is_x86 = matches!(arch, "x86_64" | "i686");
        return match year {
            "1" | "2010" => is_x86,
            "2014" => is_x86 || MANYLINUX.contains(&arch),
            _ => false,
        };
    }
    if tag.starts_with("musllinux") {
        return numbers("musllinux_").is_some_and(|(major, _, _)| major == 1);
    }
    if tag.starts_with("macosx") {
        return numbers("macosx_").is_some_and(|(major, minor, arch)| match arch {
            "arm64" => major >= 11 && minor == 0,
            // On Apple silicon, older tags mean files with both slices.
            "x86_64" | "universal2" | "intel" | "fat64" | "fat32" | "universal" => {
                (major >= 11 && minor == 0) || (major == 10 && (4..=16).contains(&minor))
            }
            "i386" | "ppc" | "ppc64" | "fat" => major == 10 && minor <= 15,
            _ => false,
        });
    }
    if tag.starts_with("win") {
        return matches!(tag, "win32" | "win_amd64" | "win_arm64");
    }
    if let Some(rest) = tag.strip_prefix("android_") {
        return rest.split_once('_').is_some_and(|(api, abi)| {
            api.parse::<u16>().is_ok_and(|n| n >= 16 && n.to_string() == api)
                && ANDROID.contains(&abi)
        });
    }
    if tag.starts_with("ios_") {
        return numbers("ios_").is_some_and(|(major, _, arch)| major >= 12 && IOS.contains(&arch));
    }
    tag != "linux" && !tag.starts_with("darwin")
}

/// True if an installer accepts this pair of tags for some interpreter.
pub(super) fn is_installable_pair(python: &str, abi: &str) -> bool {
    let digits = |prefix: &str| {
        python.strip_prefix(prefix).filter(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(version) = digits("py") {
        return abi == "none" && (version.starts_with('2') || version.starts_with('3'));
    }
    if let Some(version) = digits("cp") {
        let has_stable_abi = version
            .strip_prefix('3')
            .is_some_and(|minor| minor.parse::<u16>().is_ok_and(|minor| minor >= 2));
        let flags = abi.strip_prefix("cp").and_then(|abi| abi.strip_prefix(version));
        return abi == "none"
            || (matches!(abi, "abi3" | "abi3t") && has_stable_abi)
            || flags.is_some_and(|flags| flags.bytes().all(|flag| b"dmut".contains(&flag)));
    }
    // Other interpreters have other prefixes; that of CPython is not `python3`.
    let starts = ["pp", "ip", "jy", "graalpy", "rustpython"];
    starts.iter().any(|start| digits(start).is_some_and(|rest| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installers_have_tags_for_some_machines() {
        let check = |tag: &str, expected: bool| {
            assert_eq!(is_installable_platform(tag), expected, "{tag}");
        };
        for tag in ["any", "linux_x86_64", "freebsd_14_amd64", "win_arm64", "manylinux1_i686"] {
            check(tag, true);
        }
        for tag in ["manylinux_2_5_x86_64", "manylinux_2_17_aarch64", "musllinux_1_0_armv7l"] {
            check(tag, true);
        }
        for tag in ["macosx_10_9_x86_64", "macosx_10_4_universal2", "macosx_26_0_arm64"] {
            check(tag, true);
        }
        for tag in ["android_21_x86", "ios_13_0_arm64_iphoneos", "pyemscripten_2026_0_wasm32"] {
            check(tag, true);
        }
        for tag in ["manylinux_2_4_x86_64", "manylinux_2_12_aarch64", "manylinux_3_0_x86_64"] {
            check(tag, false);
        }
        for tag in ["manylinux_2_017_x86_64", "manylinux2015_x86_64", "manylinux1_aarch64"] {
            check(tag, false);
        }
        for tag in ["manylinux_x86_64", "manylinux_2_x86_64", "musllinux_2_0_x86_64"] {
            check(tag, false);
        }
        for tag in ["macosx_10_9_arm64", "macosx_11_1_arm64", "macosx_11_0_fat3", "macosx"] {
            check(tag, false);
        }
        for tag in ["macosx_10_3_x86_64", "macosx_10_17_x86_64", "macosx_11_0_i386"] {
            check(tag, false);
        }
        for tag in ["win64", "windows_amd64", "win_x64", "win_ia64", "android_15_x86"] {
            check(tag, false);
        }
        for tag in ["ios_11_0_arm64_iphoneos", "ios_13_0_x86_64_iphoneos", "linux"] {
            check(tag, false);
        }
    }

    #[test]
    fn interpreters_take_some_pairs() {
        let check = |pair: &str, expected: bool| {
            let (python, abi) = pair.split_once('-').unwrap();
            assert_eq!(is_installable_pair(python, abi), expected, "{pair}");
        };
        for pair in ["py3-none", "py2-none", "py312-none", "cp312-none", "cp39-abi3"] {
            check(pair, true);
        }
        for pair in ["cp313-cp313t", "cp27-cp27mu", "cp36-cp36m", "pp39-pypy39_pp73"] {
            check(pair, true);
        }
        for pair in ["cp315-abi3t", "graalpy312-graalpy250_312_native", "pp310-none"] {
            check(pair, true);
        }
        for pair in ["py3-abi3", "py3-cp311", "cp310-cp311", "cp27-abi3", "cp3-abi3"] {
            check(pair, false);
        }
        for pair in ["python3-none", "cpython312-none", "py4-none", "cp312-abi4", "pp-none"] {
            check(pair, false);
        }
    }

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
            "pyodide_2024_0_wasm32",
        ] {
            assert!(!takes_platform(tag), "{tag}");
        }
    }
}

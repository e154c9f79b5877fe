use super::*;

fn target(text: &str) -> Target {
    text.parse().unwrap()
}

#[test]
fn the_verdict_decides_os_cpu_and_libc() {
    let gnu = include_bytes!("../../../../testdata/elf/aarch64.so").as_slice();
    let dynamic = NativeFile::read(&"lib/a.so".parse().unwrap(), gnu).unwrap();
    let check = |tag: &str, triple: &str, expected: &[&str], files: &[NativeFile], row: &str| {
        let expected: Vec<Target> = expected.iter().map(|triple| target(triple)).collect();
        let tag: PlatformTag = tag.parse().unwrap();
        let found = qualified(&tag, files, target(triple), &expected);
        let text = match found {
            Ok(QualifiedPlatform { os, cpu, libc, glibc }) => {
                let libc = libc.map(|libc| libc.to_string()).unwrap_or_default();
                let glibc = glibc.map(|glibc| glibc.to_string()).unwrap_or_default();
                format!("{os} {} {libc} {glibc}", cpu.join("+")).trim_end().to_owned()
            }
            Err(problem) => problem.message,
        };
        assert_eq!(text, row, "{tag}");
    };
    let native = std::slice::from_ref(&dynamic);
    let (gnu, musl) = ("aarch64-unknown-linux-gnu", "aarch64-unknown-linux-musl");
    check("manylinux_2_28_aarch64", gnu, &[gnu], native, "linux arm64 glibc 2.28");
    check("manylinux2014_aarch64", gnu, &[gnu], native, "linux arm64 glibc 2.17");
    check("musllinux_1_2_aarch64", musl, &[gnu, musl], native, "linux arm64 musl");
    // A static program runs under both libraries, unless another package is for one of them.
    check("musllinux_1_2_aarch64", musl, &[musl], &[], "linux arm64");
    check("musllinux_1_2_aarch64", musl, &[gnu, musl], &[], "linux arm64 musl");
    check("manylinux_2_5_aarch64", gnu, &[gnu, "x86_64-unknown-linux-musl"], &[], "linux arm64");
    check("any", gnu, &[gnu, musl], &[], "linux arm64 glibc");
    let mac = "aarch64-apple-darwin";
    check("macosx_11_0_arm64", mac, &[mac], &[], "darwin arm64");
    let both = "universal2-apple-darwin";
    check("macosx_10_12_universal2", both, &[both], &[], "darwin x64+arm64");
    check("win_amd64", "x86_64-pc-windows-gnu", &[], &[], "win32 x64");
    check("linux_x86_64", gnu, &[], &[], "npm has no name for the platform linux_x86_64");
}

use super::Row;
use crate::finding::Code;

#[test]
fn names_and_tags() {
    super::check(ROWS);
}

pub(super) const ROWS: &[Row] = &[
    (&[Code::BadFilename], |w| w.filename = "demo-1.0-any.whl".to_owned()),
    // A build tag starts with a digit.
    (&[Code::BadFilename], |w| w.filename = "demo-1.0-one-py3-none-any.whl".to_owned()),
    (&[Code::BadFilename, Code::DistInfoMismatch], |w| {
        w.filename = "demo-one-py3-none-any.whl".to_owned();
    }),
    (&[Code::NameNotNormalised], |w| w.rename("Demo-1.0-py3-none-any.whl")),
    (&[Code::NameNotNormalised], |w| w.rename("de.mo-1.0-py3-none-any.whl")),
    (&[Code::VersionNotNormalised], |w| w.rename("demo-1.0_RC1-py3-none-any.whl")),
    (&[Code::LocalVersion], |w| w.rename("demo-1.0+cu12-py3-none-any.whl")),
    (&[Code::NameMismatch], |w| w.field("Name", "other")),
    (&[Code::VersionMismatch], |w| w.field("Version", "1.1")),
    (&[Code::TagsNotSorted], |w| w.rename("demo-1.0-py3.py2-none-any.whl")),
    (&[Code::DuplicateTag, Code::TagsDiffer], |w| w.rename("demo-1.0-py3.py3-none-any.whl")),
    (&[Code::PlatformRefused], |w| {
        w.rename("demo-1.0-py3-none-linux_x86_64.whl");
        w.about = w.about.replace("true", "false");
    }),
    (&[Code::PlatformRefused, Code::UnknownTag], |w| {
        w.rename("demo-1.0-py3-none-macosx_11_1_arm64.whl");
    }),
    (&[Code::UnknownTag], |w| w.rename("demo-1.0-py3-none-manylinux_2_4_x86_64.whl")),
    (&[Code::UnknownTag], |w| {
        w.rename("demo-1.0-py3-none-manylinux_2_17_x86_64.manylinux_2_4_x86_64.whl");
    }),
    (&[Code::UnknownTag], |w| w.rename("demo-1.0-py3-none-macosx_10_9_arm64.whl")),
    (&[Code::UnknownTag], |w| w.rename("demo-1.0-python3-none-any.whl")),
    (&[Code::UnknownTag], |w| w.rename("demo-1.0-py3-abi3-any.whl")),
    (&[Code::VersionNotNormalised], |w| w.field("Version", "1.0.0")),
    (&[Code::FileTooLarge], |w| {
        w.options.limits.file_bytes = 10;
        w.options.limits.most_file_bytes = 100;
    }),
    (&[Code::LargeFile], |w| w.options.limits.file_bytes = 100),
    // WHEEL compared with the name.
    (&[Code::TagsDiffer], |w| w.about = w.about.replace("py3-none-any", "py2-none-any")),
    (&[Code::TagsDiffer], |w| w.about = w.about.replace("Tag: py3-none-any\n", "")),
    (&[Code::TagsDiffer], |w| w.about += "Tag: py3-none-any\n"),
    (&[Code::BuildMismatch], |w| w.about += "Build: 1\n"),
    (&[Code::BuildMismatch], |w| w.filename = "demo-1.0-1-py3-none-any.whl".to_owned()),
    (&[Code::BadWheelFile], |w| w.about = w.about.replace("Wheel-Version: 1.0\n", "")),
    (&[Code::BadWheelFile], |w| w.about = w.about.replace("true", "maybe")),
    (&[Code::BadWheelFile], |w| w.about += "no field\n"),
    (&[Code::WheelVersion], |w| w.about = w.about.replace("1.0", "2.0")),
    (&[Code::WheelGenerator], |w| w.about = w.about.replace("Generator: forge\n", "")),
    (&[Code::WheelGenerator], |w| w.about += "Generator: hammer\n"),
    (&[Code::PurelibWithNative], |w| {
        w.rename("demo-1.0-py3-none-win_amd64.whl");
        w.add("demo/run.dll", "MZ");
    }),
    (&[Code::PlatlibInAny], |w| w.about = w.about.replace("true", "false")),
];

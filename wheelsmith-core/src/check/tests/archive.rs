use super::Row;
use super::forge::Entry;
use crate::finding::Code;

#[test]
fn headers_and_contents() {
    super::check(ROWS);
}

/// Faults that show once a wheel is installed, on some systems.
#[test]
fn places_of_installation() {
    super::check(&[
        (&[Code::CaseClash], |w| {
            w.add("demo/RUN.py/data.txt", "x = 1\n");
        }),
        // Most machines have one directory for both schemes.
        (&[Code::DuplicateEntry], |w| {
            w.add("demo-1.0.data/purelib/demo/run.py", "x = 1\n");
        }),
        (&[Code::DuplicateEntry], |w| {
            w.add("demo-1.0.data/platlib/demo/more.py", "x = 1\n");
            w.add("demo-1.0.data/purelib/demo/more.py", "x = 2\n");
        }),
    ]);
}

/// Returns an extra field: `id`, a length, and that many zeros.
fn extra(id: u16, length: u16) -> Vec<u8> {
    let mut field = [id, length].map(u16::to_le_bytes).concat();
    field.resize(field.len() + usize::from(length), 0);
    field
}

pub(super) const ROWS: &[Row] = &[
    (&[Code::Unreadable], |w| w.zip.behind = vec![0; 100_000]),
    (&[Code::DataDescriptor], |w| w.entry("run.py").flags = 8),
    (&[Code::StrayBytes], |w| w.zip.behind = b"more".into()),
    (&[Code::StrayBytes], |w| w.zip.before = b"#!/bin/sh\n".into()),
    (&[Code::StrayBytes], |w| w.entry("run.py").gap = b"hidden".into()),
    (&[Code::StrayBytes], |w| {
        let entry = w.entry("run.py");
        let packed = [&[3, 0], &b"more"[..]].concat();
        *entry = Entry { deflate: true, packed: Some(packed), ..Entry::new("demo/run.py", "") };
    }),
    (&[Code::DuplicateEntry, Code::RecordDuplicate], |w| {
        w.add("demo/run.py", "def main(): print('demo')\n");
    }),
    (&[Code::HeaderMismatch], |w| w.entry("run.py").local_name = Some(b"demo/ran.py".into())),
    (&[Code::HeaderMismatch], |w| w.entry("run.py").local_flags = Some(0x800)),
    (&[Code::HeaderMismatch], |w| w.entry("run.py").disk = 1),
    (&[Code::HeaderMismatch], |w| w.zip.miscount = 1),
    (&[Code::HeaderMismatch], |w| w.zip.miscount = u16::MAX),
    (&[Code::OverlappingEntries, Code::HeaderMismatch, Code::StrayBytes], |w| {
        w.entry("run.py").overlaps = true;
    }),
    // Method of bzip2.
    (&[Code::CompressionMethod], |w| w.entry("run.py").method = Some(12)),
    (&[Code::EncryptedEntry], |w| w.entry("run.py").flags = 1),
    (&[Code::BadEntryName, Code::RecordSyntax, Code::RecordMissing], |w| {
        w.add("demo/a\tb.txt", "");
    }),
    (&[Code::BadEntryName], |w| {
        w.add("demo/größe.txt", "");
    }),
    (&[], |w| w.add("demo/größe.txt", "").flags = 0x800),
    (&[Code::UnsafePath, Code::RecordSyntax, Code::RecordMissing, Code::NotImportable], |w| {
        w.add("demo/../../evil.py", "");
    }),
    (&[Code::UnsafePath, Code::RecordSyntax, Code::RecordMissing, Code::SeveralTopLevels], |w| {
        w.add("/etc/demo.py", "");
    }),
    (&[Code::UnsafePath, Code::RecordSyntax, Code::RecordMissing, Code::SeveralTopLevels], |w| {
        w.add("demo\\evil.py", "");
    }),
    (&[Code::ArchiveComment], |w| w.zip.comment = b"made with care".into()),
    (&[Code::ArchiveComment], |w| w.entry("run.py").comment = b"made with care".into()),
    (&[Code::Zip64Extra], |w| w.entry("run.py").extra = extra(1, 5)),
    (&[Code::Zip64Extra, Code::ZipExtra], |w| {
        w.entry("run.py").extra = [extra(0x5455, 5), extra(0x5455, 5)].concat();
    }),
    (&[Code::ZipExtra], |w| w.entry("run.py").extra = extra(0x5455, 5)),
    (&[Code::CompressionRatio, Code::OverLimit], |w| {
        w.options.limits.ratio_from_bytes = 1000;
        w.add("demo/zeros.txt", vec![0; 200_000]).deflate = true;
    }),
    (&[Code::DamagedEntry], |w| w.entry("run.py").crc = Some(1)),
    (&[Code::DamagedEntry], |w| w.entry("run.py").size = Some(7)),
    (&[Code::DamagedEntry], |w| w.entry("run.py").packed = Some(vec![0xff; 20])),
    (&[Code::CaseClash], |w| {
        w.add("demo/Run.py", "x = 1\n");
    }),
    (&[Code::CaseClash], |w| {
        w.add("demo/\u{e9}.txt", "").flags = 0x800;
        w.add("demo/e\u{301}.txt", "").flags = 0x800;
    }),
    (&[Code::UnportableName], |w| {
        w.add("demo/aux.py", "x = 1\n");
    }),
    (&[Code::UnportableName, Code::NotImportable], |w| {
        w.add("demo/a:b.py", "x = 1\n");
    }),
    (&[Code::UnportableName], |w| {
        w.add("demo/a\u{202e}yp.txt", "x").flags = 0x800;
    }),
    (&[Code::DirectoryEntry], |w| {
        w.add("demo/", "").mode = Some(0o040_755);
    }),
    (&[Code::SpecialFile], |w| w.entry("run.py").mode = Some(0o120_777)),
    (&[Code::SpecialFile], |w| w.entry("run.py").mode = Some(0o060_644)),
    (&[Code::EntryMode], |w| w.entry("run.py").mode = Some(0)),
    (&[Code::EntryTimes], |w| w.entry("run.py").date = Some(34)),
    (&[Code::DistInfoNotLast], |w| w.zip.entries.swap(0, 3)),
    (&[Code::TarPolyglot, Code::StrayBytes], |w| {
        let mut header = vec![0; 512];
        header[..4].copy_from_slice(b"demo");
        header[148..156].copy_from_slice(b"        ");
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().copied().map(u32::from).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        w.zip.before = header;
    }),
];

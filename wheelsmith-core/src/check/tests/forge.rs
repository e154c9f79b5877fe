//! A good wheel and a good sdist to break, and a writer of invalid archives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::archive::codec::{Codec, tests::pack};
pub(super) use crate::archive::zip::forge::{Entry, Zip};
use crate::name::Digest;

/// Wheel: its files, their compression, and its metadata as text.
pub(super) struct Wheel {
    pub(super) filename: String,
    pub(super) dist_info: String,
    pub(super) zip: Zip,
    pub(super) metadata: String,
    /// Text of WHEEL.
    pub(super) about: String,
    /// Change of the correct RECORD.
    pub(super) record: fn(String) -> String,
    /// Metadata files that are left out.
    pub(super) without: Vec<&'static str>,
    pub(super) options: crate::check::Options,
}

pub(super) const METADATA: &str = "\
Metadata-Version: 2.4
Name: demo
Version: 1.0
Summary: It demonstrates
Author-email: Ada Example <ada@example.org>
License-Expression: MIT
License-File: LICENSE
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.9
Requires-Dist: numpy>=2; extra == 'fast'
Provides-Extra: fast
Project-URL: Source, https://example.org/demo
Description-Content-Type: text/markdown

# demo
";
const WHEEL: &str = "\
Wheel-Version: 1.0
Generator: forge
Root-Is-Purelib: true
Tag: py3-none-any
";
const SBOM: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.6",
"metadata": {"tools": {"components": [{"name": "forge"}]}}}"#;

impl Wheel {
    pub(super) fn good() -> Self {
        let entries = [
            ("demo/__init__.py", "from demo.run import main\n"),
            ("demo/run.py", "def main(): print('demo')\n"),
            ("demo-1.0.data/scripts/demo-sh", "#!/bin/sh\necho demo\n"),
            ("demo-1.0.dist-info/entry_points.txt", "[console_scripts]\ndemo = demo.run:main\n"),
            ("demo-1.0.dist-info/licenses/LICENSE", "MIT\n"),
            ("demo-1.0.dist-info/sboms/demo.cdx.json", SBOM),
        ];
        let entries = entries.map(|(name, content)| Entry {
            deflate: true,
            mode: content.starts_with("#!").then_some(0o100_755),
            ..Entry::new(name, content)
        });
        Self {
            filename: "demo-1.0-py3-none-any.whl".to_owned(),
            dist_info: "demo-1.0.dist-info".to_owned(),
            zip: Zip { entries: entries.into(), ..Zip::default() },
            metadata: METADATA.to_owned(),
            about: WHEEL.to_owned(),
            record: |text| text,
            without: Vec::new(),
            options: crate::check::Options::default(),
        }
    }

    /// Removes all files but the metadata, and all requirements.
    pub(super) fn only_metadata(&mut self) {
        self.zip.entries.retain(|entry| {
            entry.name.starts_with(b"demo-1.0.dist-info") && !entry.name.ends_with(b"points.txt")
        });
        self.metadata = self.metadata.replace("Requires-Dist: numpy>=2; extra == 'fast'\n", "");
    }

    /// Returns the entry whose name ends with `end`.
    pub(super) fn entry(&mut self, end: &str) -> &mut Entry {
        let mut entries = self.zip.entries.iter_mut();
        entries.find(|entry| entry.name.ends_with(end.as_bytes())).unwrap()
    }

    /// Adds a file before the metadata.
    pub(super) fn add(&mut self, name: &str, content: impl Into<Vec<u8>>) -> &mut Entry {
        self.zip.entries.insert(0, Entry::new(name, content));
        &mut self.zip.entries[0]
    }

    /// Adds a file to the metadata.
    pub(super) fn add_meta(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        let name = format!("{}/{name}", self.dist_info);
        self.zip.entries.push(Entry::new(&name, content));
    }

    /// Adds a line to METADATA, or replaces the line of that field.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        let mut lines: Vec<String> = self.metadata.lines().map(str::to_owned).collect();
        let line = format!("{name}: {value}");
        let start = format!("{name}: ");
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(old) => *old = line,
            None => lines.insert(3, line),
        }
        self.metadata = lines.join("\n") + "\n";
    }

    /// Renames the wheel, and everything that follows from its name.
    pub(super) fn rename(&mut self, filename: &str) {
        self.filename = filename.to_owned();
        let parts: Vec<&str> = filename.trim_end_matches(".whl").split('-').collect();
        let (name, version) = (parts[0], parts[1]);
        for entry in &mut self.zip.entries {
            let text = String::from_utf8(entry.name.clone()).unwrap();
            entry.name = text.replace("demo-1.0.d", &format!("{name}-{version}.d")).into();
        }
        self.dist_info = format!("{name}-{version}.dist-info");
        self.field("Name", name);
        self.field("Version", version);
        let tags = parts[parts.len() - 3..].join("-");
        self.about = self.about.replace("py3-none-any", &tags);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut zip = self.zip.clone();
        let own = [("METADATA", &self.metadata), ("WHEEL", &self.about)];
        for (name, text) in own.into_iter().filter(|(name, _)| !self.without.contains(name)) {
            zip.entries.push(Entry::new(&format!("{}/{name}", self.dist_info), text.as_str()));
        }
        let mut record = Vec::new();
        for entry in zip.entries.iter().filter(|entry| !entry.name.ends_with(b"/")) {
            let name = String::from_utf8_lossy(&entry.name);
            let quoted = if name.contains([',', '"']) {
                format!("\"{}\"", name.replace('"', "\"\""))
            } else {
                name.into_owned()
            };
            let digest = URL_SAFE_NO_PAD.encode(Digest::of(&entry.content).as_bytes());
            record.push(format!(
                "{quoted},sha256={digest},{}
",
                entry.content.len()
            ));
        }
        let path = format!("{}/RECORD", self.dist_info);
        record.push(format!("{path},,\n"));
        if !self.without.contains(&"RECORD") {
            zip.entries.push(Entry::new(&path, (self.record)(record.concat())));
        }
        zip.bytes()
    }
}

/// Sdist: names, kinds and contents of its members.
pub(super) struct Sdist {
    pub(super) filename: String,
    pub(super) members: Vec<(String, u8, Vec<u8>)>,
    /// Modes of members other than 0644, by the end of their name.
    pub(super) modes: Vec<(&'static str, u32)>,
    /// Compression.
    pub(super) codec: Codec,
    /// Bytes after the last member.
    pub(super) end: Vec<u8>,
    /// Bytes after the gzip stream.
    pub(super) behind: Vec<u8>,
    pub(super) options: crate::check::Options,
}

impl Sdist {
    pub(super) fn good() -> Self {
        let members = [
            ("demo-1.0/", b'5', ""),
            ("demo-1.0/PKG-INFO", b'0', METADATA),
            ("demo-1.0/pyproject.toml", b'0', "[build-system]\nrequires = []\n"),
            ("demo-1.0/LICENSE", b'0', "MIT\n"),
            ("demo-1.0/demo/__init__.py", b'0', ""),
        ];
        Self {
            filename: "demo-1.0.tar.gz".to_owned(),
            members: members.map(|(name, kind, text)| (name.to_owned(), kind, text.into())).into(),
            modes: Vec::new(),
            codec: Codec::Gzip,
            end: vec![0; 1024],
            behind: Vec::new(),
            options: crate::check::Options::default(),
        }
    }

    /// Returns the content of the member whose name ends with `end`.
    pub(super) fn content(&mut self, end: &str) -> &mut Vec<u8> {
        &mut self.members.iter_mut().find(|(name, ..)| name.ends_with(end)).unwrap().2
    }

    /// Replaces a text in the member whose name ends with `end`.
    pub(super) fn edit(&mut self, end: &str, old: &str, new: &str) {
        let content = self.content(end);
        let text = String::from_utf8(content.clone()).unwrap();
        assert!(text.contains(old), "{text}");
        *content = text.replace(old, new).into();
    }

    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.members.push((name.to_owned(), b'0', content.into()));
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut packed = pack(self.codec, &self.tar());
        packed.extend(&self.behind);
        packed
    }

    /// Returns the archive before it is compressed.
    pub(super) fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, kind, content) in &self.members {
            let is_link = matches!(kind, b'1' | b'2');
            let mut header = [0; 512];
            header[..name.len()].copy_from_slice(name.as_bytes());
            let mode = self.modes.iter().find(|(end, _)| name.ends_with(end));
            let mode = mode.map_or(0o644, |(_, mode)| *mode);
            header[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
            let size = if is_link { 0 } else { content.len() };
            header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
            header[136..148].copy_from_slice(b"00000000000\0");
            header[148..156].copy_from_slice(b"        ");
            header[156] = *kind;
            if is_link {
                header[157..157 + content.len()].copy_from_slice(content);
            }
            header[257..265].copy_from_slice(b"ustar\x0000");
            let sum: u32 = header.iter().copied().map(u32::from).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            tar.extend(header);
            if !is_link {
                tar.extend(content);
                tar.resize(tar.len().next_multiple_of(512), 0);
            }
        }
        tar.extend(&self.end);
        tar
    }
}

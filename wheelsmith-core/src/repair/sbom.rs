//! List of the grafted libraries for vulnerability scanners (CycloneDX 1.6, PEP 770).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Graft, Origin};
use crate::config::{GitSource, Source};
use crate::name::{Digest, WheelFilename};
use crate::sbom::{Bom, Part, crate_purl, escape};
use crate::sys;

/// Name of the file in `.dist-info/sboms`.
pub(super) const FILE: &str = "wheelsmith-repair.cdx.json";

/// Record of a package database about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    /// `deb` or `apk`.
    kind: &'static str,
    /// Name of the distribution in its `os-release`.
    vendor: String,
    name: String,
    version: String,
    arch: String,
    licenses: Vec<String>,
}

/// Returns the document, which depends on the libraries only.
pub(super) fn render(
    wheel: &WheelFilename,
    grafts: &[Graft],
    origins: &BTreeMap<Digest, Origin>,
) -> Vec<u8> {
    let bom = Bom {
        name: wheel.name.clone(),
        version: wheel.version.clone(),
        parts: grafts.iter().map(|graft| part(graft, origins.get(&graft.sha256))).collect(),
        carried: grafts.iter().map(|graft| graft.into.to_string()).collect(),
        ..Bom::default()
    };
    bom.render()
}

fn part(graft: &Graft, origin: Option<&Origin>) -> Part {
    let source = graft.source.as_path();
    let file = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut part = Part {
        reference: graft.into.to_string(),
        name: file.clone(),
        sha256: Some(graft.sha256),
        files: [graft.into.to_string()].into(),
        properties: [("wheelsmith:file".to_owned(), file)].into(),
        ..Part::default()
    };
    // A library that was built here belongs to no package, even if the file is below a package
    // database.
    if let Some(origin) = origin {
        built(&mut part, origin);
    } else if let Some(Package { kind, vendor, name, version, arch, licenses }) = package(source) {
        part.purl = Some(format!("pkg:{kind}/{vendor}/{name}@{}?arch={arch}", escape(&version)));
        part.name = name;
        part.version = Some(version);
        part.licenses = licenses;
    }
    part
}

/// Fills in the facts of a library that was built from source.
fn built(part: &mut Part, origin: &Origin) {
    let Origin { name, version, license, source, sha256 } = origin;
    part.name.clone_from(name);
    part.licenses.extend(license.clone());
    part.version = match source {
        Source::Crate { version, .. } | Source::Sdist { version, .. } => Some(version.clone()),
        _ => version.clone(),
    };
    match source {
        Source::Crate { name, version } => {
            part.purl = Some(crate_purl(name, version));
            let hash = sha256.map(|hash| ("wheelsmith:source-sha256".to_owned(), hash.to_string()));
            part.properties.extend(hash);
        }
        Source::Sdist { name, version } => {
            let (name, version) = (escape(&name.to_lowercase()), escape(version));
            part.purl = Some(format!("pkg:pypi/{name}@{version}"));
            let hash = sha256.map(|hash| ("wheelsmith:source-sha256".to_owned(), hash.to_string()));
            part.properties.extend(hash);
        }
        Source::Git(git) => {
            if !GitSource::is_path(&git.url) {
                let at = version.as_ref().map(|version| format!("@{}", escape(version)));
                let url = escape(&format!("git+{}@{}", git.url, git.rev));
                let (name, at) = (escape(name), at.unwrap_or_default());
                part.purl = Some(format!("pkg:generic/{name}{at}?vcs_url={url}"));
            }
            part.source = Some((format!("{}@{}", git.url, git.rev), None));
        }
        Source::Archive { location, .. } => {
            if Source::is_url(location) {
                let at = version.as_ref().map(|version| format!("@{}", escape(version)));
                let sum = sha256.map(|s| format!("&checksum=sha256:{s}")).unwrap_or_default();
                let (name, at, url) = (escape(name), at.unwrap_or_default(), escape(location));
                part.purl = Some(format!("pkg:generic/{name}{at}?download_url={url}{sum}"));
            }
            part.source = Some((location.clone(), *sha256));
        }
        // A source of the project itself.
        Source::Path(_) => {}
    }
}

/// Returns the package that installed `file`, from the package database of the tree that contains
/// it.
fn package(file: &Path) -> Option<Package> {
    for root in file.ancestors().skip(1) {
        let inside = file.strip_prefix(root).ok()?.to_str()?.to_owned();
        let vendor = || {
            let text = sys::fs::read_to_string(root.join("etc/os-release")).ok();
            let text = text.unwrap_or_default();
            let id = text.lines().find_map(|line| line.strip_prefix("ID="));
            id.map_or_else(|| "unknown".to_owned(), |id| id.trim_matches('"').to_owned())
        };
        if root.join("var/lib/dpkg/status").is_file() {
            return dpkg(root, &inside, vendor());
        }
        if root.join("lib/apk/db/installed").is_file() {
            let database = sys::fs::read_to_string(root.join("lib/apk/db/installed")).ok()?;
            return apk(&database, &inside, vendor());
        }
    }
    None
}

/// Searches the database of Debian and derived systems: one list of files per package.
fn dpkg(root: &Path, inside: &str, vendor: String) -> Option<Package> {
    // `/lib` is a link to `/usr/lib`, and lists may have either.
    let names = [format!("/{inside}"), format!("/{}", inside.trim_start_matches("usr/"))];
    let mut lists: Vec<PathBuf> = sys::fs::list(&root.join("var/lib/dpkg/info")).ok()?;
    lists.retain(|list| list.extension().is_some_and(|extension| extension == "list"));
    lists.sort();
    let owner = lists.iter().find(|list| {
        let text = sys::fs::read_to_string(list).unwrap_or_default();
        text.lines().any(|line| names.iter().any(|name| name == line))
    })?;
    let owner = owner.file_stem()?.to_str()?;
    let name = owner.split(':').next()?.to_owned();
    let status = sys::fs::read_to_string(root.join("var/lib/dpkg/status")).ok()?;
    let field = |stanza: &str, key: &str| {
        let lines = stanza.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(k, _)| *k == key).map(|(_, value)| value.to_owned())
    };
    let arch = owner.split_once(':').map(|(_, arch)| arch);
    let stanza = status.split("\n\n").find(|stanza| {
        field(stanza, "Package").as_deref() == Some(&name)
            && arch.is_none_or(|arch| field(stanza, "Architecture").as_deref() == Some(arch))
    })?;
    let copyright = root.join(format!("usr/share/doc/{name}/copyright"));
    let copyright = sys::fs::read_to_string(&copyright).unwrap_or_default();
    let mut licenses: Vec<String> = copyright
        .lines()
        .filter_map(|line| line.strip_prefix("License:"))
        .map(|license| license.trim().to_owned())
        .filter(|license| !license.is_empty())
        .collect();
    licenses.sort();
    licenses.dedup();
    Some(Package {
        kind: "deb",
        vendor,
        version: field(stanza, "Version")?,
        arch: field(stanza, "Architecture")?,
        name,
        licenses,
    })
}

/// Searches the database of Alpine: one file with a paragraph per package, `F:` for directories and
/// `R:` for files.
fn apk(database: &str, inside: &str, vendor: String) -> Option<Package> {
    let (dir, name) = inside.rsplit_once('/')?;
    let paragraph = database.split("\n\n").find(|paragraph| {
        let mut here = "";
        paragraph.lines().any(|line| match line.split_once(':') {
            Some(("F", found)) => {
                here = found;
                false
            }
            Some(("R", found)) => here == dir && found == name,
            _ => false,
        })
    })?;
    let field = |key: &str| {
        let mut pairs = paragraph.lines().filter_map(|line| line.split_once(':'));
        pairs.find(|(k, _)| *k == key).map(|(_, value)| value.to_owned())
    };
    Some(Package {
        kind: "apk",
        vendor,
        name: field("P")?,
        version: field("V")?,
        arch: field("A")?,
        licenses: field("L").into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Digest;

    fn graft(source: &Path) -> Graft {
        Graft {
            into: "demo.libs/libfoo-e3b0c442.so.1".parse().unwrap(),
            needed_as: vec!["libfoo.so.1".into()],
            source: source.to_owned(),
            sha256: Digest::of(b""),
        }
    }

    #[test]
    fn packages_are_known_by_their_databases() {
        let dir = sys::fs::temp_dir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            sys::fs::create_dir_all(path.parent().unwrap()).unwrap();
            sys::fs::write(path, text).unwrap();
        };
        write("deb/etc/os-release", "NAME=x\nID=debian\n");
        write("deb/usr/lib/x/libfoo.so.1", "");
        write("deb/var/lib/dpkg/info/libbar.list", "/usr/lib/x/libbar.so.1\n");
        write("deb/var/lib/dpkg/info/libfoo1:amd64.list", "/.\n/lib/x/libfoo.so.1\n");
        write(
            "deb/var/lib/dpkg/status",
            "Package: libbar\nArchitecture: amd64\nVersion: 9\n\n\
             Package: libfoo1\nArchitecture: amd64\nVersion: 1:2+b1\n",
        );
        write("deb/usr/share/doc/libfoo1/copyright", "Format: x\n\nFiles: *\nLicense: MIT\n");
        let found = part(&graft(&dir.path().join("deb/usr/lib/x/libfoo.so.1")), None);
        assert_eq!(found.purl.unwrap(), "pkg:deb/debian/libfoo1@1%3A2%2Bb1?arch=amd64");
        assert_eq!(found.licenses, ["MIT"]);

        let database = "P:musl\nV:1.2\nA:x86_64\nF:lib\nR:libfoo.so.1\n\n\
                        P:foo\nV:3-r0\nA:x86_64\nL:Zlib\nF:usr/lib\nR:libfoo.so.1\n";
        write("apk/lib/apk/db/installed", database);
        write("apk/usr/lib/libfoo.so.1", "");
        let found = part(&graft(&dir.path().join("apk/usr/lib/libfoo.so.1")), None);
        assert_eq!(found.purl.unwrap(), "pkg:apk/unknown/foo@3-r0?arch=x86_64");
        assert_eq!(found.licenses, ["Zlib"]);

        write("bare/libfoo.so.1", "");
        let found = part(&graft(&dir.path().join("bare/libfoo.so.1")), None);
        assert_eq!((found.name.as_str(), found.purl), ("libfoo.so.1", None));
    }

    #[test]
    fn what_was_built_names_its_source() {
        let check = |source: Source, purl: Option<&str>, from: Option<&str>| {
            let origin = Origin {
                name: "foo".into(),
                version: Some("1.2".into()),
                license: Some("Zlib OR MIT".into()),
                source,
                sha256: Some(Digest::of(b"")),
            };
            let found = part(&graft(Path::new("/x/libfoo.so.1")), Some(&origin));
            assert_eq!(found.licenses, ["Zlib OR MIT"]);
            assert_eq!(found.purl.as_deref(), purl);
            let from = from.map(|url| (url.to_owned(), Some(Digest::of(b""))));
            assert_eq!(found.source, from);
        };
        let archive = |location: &str| Source::Archive {
            location: location.into(),
            sha256: None,
            mirrors: Vec::new(),
            strip_components: 1,
        };
        let hash = Digest::of(b"").to_string();
        let url = "https://example.org/foo.tgz";
        let purl = format!(
            "pkg:generic/foo@1.2?download_url=https%3A%2F%2Fexample.org%2Ffoo.tgz\
             &checksum=sha256:{hash}"
        );
        check(archive(url), Some(&purl), Some(url));
        check(archive("vendor/foo.tgz"), None, Some("vendor/foo.tgz"));
        let crate_ = Source::Crate { name: "foo-sys".into(), version: "3.0+1.2".into() };
        check(crate_, Some("pkg:cargo/foo-sys@3.0%2B1.2"), None);
        check(Source::Path(".".into()), None, None);
    }

    #[test]
    fn the_document_names_no_place_of_this_machine() {
        let wheel = "demo_pkg-1.0-py3-none-win32.whl".parse().unwrap();
        let text = render(&wheel, &[graft(Path::new("/somewhere/libfoo.so.1"))], &BTreeMap::new());
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("somewhere") && text.contains("pkg:pypi/demo-pkg@1.0"), "{text}");
    }
}

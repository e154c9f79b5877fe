//! A list of the grafted libraries for those who look for vulnerable ones (CycloneDX 1.6, PEP 770).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Graft;
use crate::config::Source;
use crate::name::{Digest, WheelFilename};
use crate::sys;

/// The file below `.dist-info/sboms`.
pub(super) const FILE: &str = "wheelsmith-repair.cdx.json";

/// Where a library comes from that was built from source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What its maker calls it.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Its licence, as an SPDX expression.
    pub license: Option<String>,
    /// Its source.
    pub source: Source,
    /// The digest of the source's archive.
    pub sha256: Option<Digest>,
}

/// What a package database knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    /// `deb` or `apk`.
    kind: &'static str,
    /// The distribution, as its `os-release` calls it.
    vendor: String,
    name: String,
    version: String,
    arch: String,
    licenses: Vec<String>,
}

/// The document: the same for the same libraries, whenever and wherever it is made.
pub(super) fn render(
    wheel: &WheelFilename,
    grafts: &[Graft],
    origins: &BTreeMap<Digest, Origin>,
) -> Vec<u8> {
    let component = |graft: &Graft| component(graft, origins.get(&graft.sha256));
    let components: Vec<Value> = grafts.iter().map(component).collect();
    let purl = format!("pkg:pypi/{}@{}", wheel.name.replace('_', "-"), wheel.version);
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": purl,
                "name": wheel.name.replace('_', "-"),
                "version": wheel.version,
                "purl": purl,
            },
            "tools": { "components": [{
                "type": "application",
                "name": "wheelsmith",
                "version": env!("CARGO_PKG_VERSION"),
            }] },
        },
        "components": components,
        "dependencies": [{
            "ref": purl,
            "dependsOn": grafts.iter().map(|graft| graft.into.as_str()).collect::<Vec<_>>(),
        }],
    });
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text
}

fn component(graft: &Graft, origin: Option<&Origin>) -> Value {
    let source = Path::new(&graft.source);
    let file = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // What was built here is no package's, even where the file lies below a package database.
    let package = origin.is_none().then(|| package(source)).flatten();
    let mut component = json!({
        "type": "library",
        "bom-ref": graft.into,
        "name": package.as_ref().map_or(&file, |package| &package.name),
        "hashes": [{ "alg": "SHA-256", "content": graft.sha256.to_string() }],
        "evidence": { "occurrences": [{ "location": graft.into }] },
        "properties": [{ "name": "wheelsmith:file", "value": file }],
    });
    if let Some(origin) = origin {
        built(&mut component, origin);
    }
    if let Some(package) = package {
        let Package { kind, vendor, name, version, arch, licenses } = package;
        component["version"] = json!(version);
        let version = escaped(&version);
        component["purl"] = json!(format!("pkg:{kind}/{vendor}/{name}@{version}?arch={arch}"));
        if !licenses.is_empty() {
            let license = |name: &String| json!({ "license": { "name": name } });
            component["licenses"] = licenses.iter().map(license).collect();
        }
    }
    component
}

/// What is known of a library that was built from source.
fn built(component: &mut Value, origin: &Origin) {
    let Origin { name, version, license, source, sha256 } = origin;
    component["name"] = json!(name);
    let version = match source {
        Source::Crate { version, .. } => Some(version),
        _ => version.as_ref(),
    };
    if let Some(version) = version {
        component["version"] = json!(version);
    }
    if let Some(license) = license {
        component["licenses"] = json!([{ "expression": license }]);
    }
    let hashes = sha256.map(|sha256| json!([{ "alg": "SHA-256", "content": sha256.to_string() }]));
    let at = version.map(|version| format!("@{}", escaped(version))).unwrap_or_default();
    match source {
        Source::Crate { name, .. } => {
            component["purl"] = json!(format!("pkg:cargo/{name}{at}"));
            if let (Some(list), Some(sum)) = (component["properties"].as_array_mut(), sha256) {
                let sum = sum.to_string();
                list.push(json!({ "name": "wheelsmith:source-sha256", "value": sum }));
            }
        }
        Source::Archive { location, .. } => {
            if Source::is_url(location) {
                let sum = sha256.map(|s| format!("&checksum=sha256:{s}")).unwrap_or_default();
                let url = escaped(location);
                let purl = format!("pkg:generic/{}{at}?download_url={url}{sum}", escaped(name));
                component["purl"] = json!(purl);
            }
            let mut reference = json!({ "type": "source-distribution", "url": location });
            if let Some(hashes) = hashes {
                reference["hashes"] = hashes;
            }
            component["externalReferences"] = json!([reference]);
        }
        // The project's own.
        Source::Path(_) => {}
    }
}

/// Percent-encoding as package URLs want it.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The package that installed `file`, by the database of the tree in which it lies.
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

/// Debian's and its children's: one list of files for each package.
fn dpkg(root: &Path, inside: &str, vendor: String) -> Option<Package> {
    // `/lib` is a link to `/usr/lib`; lists may have either.
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

/// Alpine's: one file, a paragraph for each package, `F:` for directories and `R:` for files.
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
            source: source.to_str().unwrap().into(),
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
        let found = component(&graft(&dir.path().join("deb/usr/lib/x/libfoo.so.1")), None);
        assert_eq!(found["purl"], "pkg:deb/debian/libfoo1@1%3A2%2Bb1?arch=amd64");
        assert_eq!(found["licenses"][0]["license"]["name"], "MIT");

        let database = "P:musl\nV:1.2\nA:x86_64\nF:lib\nR:libfoo.so.1\n\n\
                        P:foo\nV:3-r0\nA:x86_64\nL:Zlib\nF:usr/lib\nR:libfoo.so.1\n";
        write("apk/lib/apk/db/installed", database);
        write("apk/usr/lib/libfoo.so.1", "");
        let found = component(&graft(&dir.path().join("apk/usr/lib/libfoo.so.1")), None);
        assert_eq!(found["purl"], "pkg:apk/unknown/foo@3-r0?arch=x86_64");
        assert_eq!(found["licenses"][0]["license"]["name"], "Zlib");

        write("bare/libfoo.so.1", "");
        let found = component(&graft(&dir.path().join("bare/libfoo.so.1")), None);
        assert_eq!((&found["name"], found.get("purl")), (&json!("libfoo.so.1"), None));
    }

    #[test]
    fn what_was_built_names_its_source() {
        let check = |source: Source, key: &str, expected: Value| {
            let origin = Origin {
                name: "foo".into(),
                version: Some("1.2".into()),
                license: Some("Zlib OR MIT".into()),
                source,
                sha256: Some(Digest::of(b"")),
            };
            let found = component(&graft(Path::new("/x/libfoo.so.1")), Some(&origin));
            assert_eq!(found["licenses"][0]["expression"], "Zlib OR MIT");
            assert_eq!(found[key], expected);
        };
        let archive = |location: &str| Source::Archive {
            location: location.into(),
            sha256: None,
            mirrors: Vec::new(),
            strip_components: 1,
        };
        let hash = Digest::of(b"").to_string();
        check(
            archive("https://example.org/foo.tgz"),
            "purl",
            json!(format!(
                "pkg:generic/foo@1.2?download_url=https%3A%2F%2Fexample.org%2Ffoo.tgz\
                 &checksum=sha256:{hash}"
            )),
        );
        check(
            archive("vendor/foo.tgz"),
            "externalReferences",
            json!([{
                "type": "source-distribution",
                "url": "vendor/foo.tgz",
                "hashes": [{ "alg": "SHA-256", "content": hash }],
            }]),
        );
        let crate_ = Source::Crate { name: "foo-sys".into(), version: "3.0+1.2".into() };
        check(crate_, "purl", json!("pkg:cargo/foo-sys@3.0%2B1.2"));
        check(Source::Path(".".into()), "purl", Value::Null);
    }

    #[test]
    fn the_document_names_no_place_of_this_machine() {
        let wheel = "demo_pkg-1.0-py3-none-win32.whl".parse().unwrap();
        let text = render(&wheel, &[graft(Path::new("/somewhere/libfoo.so.1"))], &BTreeMap::new());
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("somewhere") && text.contains("pkg:pypi/demo-pkg@1.0"), "{text}");
    }
}

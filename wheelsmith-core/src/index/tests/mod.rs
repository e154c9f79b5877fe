//! Full runs over small sites.

mod faults;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Changes, Error, Fault, Options, Responder, Site, State, Status, View, build, verify};
use crate::sys::http::{Body, Request};
use crate::sys::{self, Env, Host};

fn host() -> Host {
    Host::quiet(Env::default())
}

/// Writes a small wheel; `text` is the content of its module.
fn wheel(dir: &Path, name: &str, version: &str, text: &str) -> PathBuf {
    let path = dir.join(format!("{name}-{version}-py3-none-any.whl"));
    let mut zip = zip::ZipWriter::new(sys::fs::create(&path).unwrap());
    let info = format!("{name}-{version}.dist-info");
    let metadata = format!(
        "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Says <hello> & more\n\
         Requires-Python: >=3.8,<4\n\nName: other\n"
    );
    for (name, text) in
        [(format!("{name}.py"), text), (format!("{info}/METADATA"), metadata.as_str())]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = sys::fs::temp_dir().unwrap();
        sys::fs::create_dir_all(dir.path().join("dist")).unwrap();
        Self { dir }
    }

    fn dist(&self) -> PathBuf {
        self.dir.path().join("dist")
    }

    fn site(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    fn wheel(&self, name: &str, version: &str) -> PathBuf {
        wheel(&self.dist(), name, version, "x = 1\n")
    }

    fn build(&self) -> Changes {
        self.build_as(&Options::default()).unwrap()
    }

    fn build_as(&self, options: &Options) -> Result<Changes, Error> {
        build(&self.site(), &self.dist(), options, &host())
    }

    fn edit(&self, edit: impl FnOnce(&mut State)) -> Changes {
        let mut site = Site::open_existing(&self.site(), &host()).unwrap();
        edit(&mut site.state);
        site.publish(&host()).unwrap()
    }

    fn faults(&self) -> Vec<Fault> {
        verify(&self.site(), None, &host()).unwrap()
    }

    fn read(&self, path: &str) -> String {
        sys::fs::read_to_string(self.site().join(path)).unwrap()
    }

    /// Returns every published file.
    fn published(&self) -> BTreeMap<String, Vec<u8>> {
        published(&self.site())
    }
}

fn published(site: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = sys::fs::walk(site).unwrap().into_iter();
    let files = files.filter(|file| !file.relative.starts_with(".wheelsmith/"));
    files.map(|file| (file.relative, sys::fs::read(file.path).unwrap())).collect()
}

fn is_wheel(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "whl")
}

fn view(name: &str) -> Options {
    Options { view: name.parse().unwrap(), ..Options::default() }
}

#[test]
fn a_site_follows_from_its_files_alone() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.wheel("Other.Pkg", "2.0");
    let changes = bench.build();
    assert_eq!((changes.projects, changes.files, changes.added.len()), (2, 2, 2));
    assert_eq!(bench.faults(), []);
    assert_eq!(bench.build().written, [""; 0]);
    let first = bench.published();
    assert!(first.contains_key("simple/other-pkg/index.html"));
    // Without the cache, and in another directory.
    let again = Bench::new();
    again.wheel("Other.Pkg", "2.0");
    again.build();
    again.wheel("demo", "1.0");
    again.build();
    assert_eq!(again.published(), first);
    sys::fs::remove_dir_all(again.site().join("simple")).unwrap();
    sys::fs::remove_file(again.site().join(".wheelsmith/cache")).unwrap();
    again.build();
    assert_eq!(again.published(), first);
}

#[test]
fn a_version_touches_the_pages_of_its_project_only() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.wheel("other", "1.0");
    bench.build();
    bench.wheel("demo", "1.1");
    let pages = ["wheelsmith-index.json", "simple/demo/index.html", "simple/demo/index.json"];
    assert_eq!(bench.build().written, pages);
    bench.wheel("third", "1.0");
    assert_eq!(
        bench.build().written,
        [
            "wheelsmith-index.json",
            "simple/third/index.html",
            "simple/third/index.json",
            "simple/index.html",
            "simple/index.json",
        ]
    );
}

#[test]
fn pages_are_as_the_specifications_have_them() {
    let bench = Bench::new();
    let path = bench.wheel("demo", "1.0");
    let (sha256, size) = sys::fs::digest(&path).unwrap();
    let options = Options {
        upload_time: Some("2026-01-31T00:00:00Z".parse().unwrap()),
        ..Options::default()
    };
    bench.build_as(&options).unwrap();
    bench.edit(|state| {
        let reason = Some("a <bad> \"one\"");
        state.yank(&View::default(), &"demo==1".parse().unwrap(), reason).unwrap();
        state.set_status(&View::default(), "demo", Status::Deprecated, Some("old & slow")).unwrap();
        state.site_url = Some("https://example.org/py/".to_owned());
    });
    let dir = format!("files/{}", &sha256.to_string()[..16]);
    let name = "demo-1.0-py3-none-any.whl";
    let metadata = sys::fs::digest(&bench.site().join(format!("{dir}/{name}.metadata"))).unwrap().0;
    let page = bench.read("simple/demo/index.html");
    let anchor = format!(
        "<a href=\"../../{dir}/{name}#sha256={sha256}\" data-requires-python=\"&gt;=3.8,&lt;4\" \
         data-core-metadata=\"sha256={metadata}\" data-dist-info-metadata=\"sha256={metadata}\" \
         data-yanked=\"a &lt;bad&gt; &quot;one&quot;\">{name}</a>"
    );
    for part in [
        anchor.as_str(),
        "<meta name=\"pypi:repository-version\" content=\"1.4\">",
        "<meta name=\"pypi:project-status\" content=\"deprecated\">",
        "<meta name=\"pypi:project-status-reason\" content=\"old &amp; slow\">",
        "pip install --index-url https://example.org/py/simple/ demo",
        "Says &lt;hello&gt; &amp; more",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert_eq!(page.matches("<a ").count(), 1);
    let page: serde_json::Value =
        serde_json::from_str(&bench.read("simple/demo/index.json")).unwrap();
    let expected = serde_json::json!({
        "meta": { "api-version": "1.4" },
        "name": "demo",
        "project-status": { "status": "deprecated", "reason": "old & slow" },
        "versions": ["1.0"],
        "files": [{
            "filename": name,
            "url": format!("../../{dir}/{name}"),
            "hashes": { "sha256": sha256 },
            "size": size,
            "requires-python": ">=3.8,<4",
            "core-metadata": { "sha256": metadata },
            "upload-time": "2026-01-31T00:00:00Z",
            "yanked": "a <bad> \"one\"",
        }],
    });
    assert_eq!(page, expected);
    assert_eq!(
        bench.read("simple/index.json"),
        "{\"meta\":{\"api-version\":\"1.4\"},\"projects\":[{\"name\":\"demo\"}]}"
    );
    assert!(bench.read("simple/index.html").contains("<a href=\"demo/\">demo</a>"));
    // A quarantined project offers no files, and an archived one accepts none.
    bench.edit(|state| {
        state.set_status(&View::default(), "demo", Status::Quarantined, None).unwrap();
    });
    assert!(!bench.read("simple/demo/index.html").contains("<a "));
    bench.wheel("demo", "1.1");
    assert!(matches!(bench.build_as(&Options::default()), Err(Error::Closed { .. })));
    assert_eq!(bench.faults(), []);
}

#[test]
fn provenance_is_linked_where_its_full_url_is_known() {
    let bench = Bench::new();
    let path = bench.wheel("demo", "1.0");
    let provenance = format!("{}.provenance", path.display());
    sys::fs::write(&provenance, "{\"version\": 1, \"attestation_bundles\": []}").unwrap();
    bench.build();
    assert!(!bench.read("simple/demo/index.html").contains("data-provenance"));
    bench.edit(|state| state.site_url = Some("https://example.org/".to_owned()));
    let page = bench.read("simple/demo/index.html");
    let url = page.split("data-provenance=\"").nth(1).unwrap().split('"').next().unwrap();
    let place = url.strip_prefix("https://example.org/").unwrap();
    assert_eq!(bench.read(place), sys::fs::read_to_string(&provenance).unwrap());
    assert!(bench.read("simple/demo/index.json").contains(url));
    assert_eq!(bench.faults(), []);
    sys::fs::write(&provenance, "{}").unwrap();
    let mut site = Site::open(&bench.site(), &host()).unwrap();
    let error = site.add(&[path], &Options::default(), &host()).unwrap_err();
    assert!(error.to_string().contains("it is not a provenance file"), "{error}");
}

#[test]
fn files_elsewhere_are_not_copied() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    let url = "https://example.org/v{version}/".parse().unwrap();
    let mut options = Options { files_url: Some(url), ..Options::default() };
    bench.build_as(&options).unwrap();
    assert!(!bench.site().join("files").exists());
    let page = bench.read("simple/demo/index.html");
    assert!(page.contains("href=\"https://example.org/v1.0/demo-1.0-py3-none-any.whl#sha256="));
    assert!(!page.contains("core-metadata"));
    assert_eq!(bench.faults(), []);
    assert_eq!(bench.build_as(&options).unwrap().written, [""; 0]);
    let store = bench.dir.path().join("store");
    options.store = Some(store.clone());
    options.reread = true;
    bench.build_as(&options).unwrap();
    assert!(bench.read("simple/demo/index.html").contains("data-core-metadata"));
    assert_eq!(verify(&bench.site(), Some(&store), &host()).unwrap(), []);
}

#[test]
fn a_name_never_gets_other_content() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.build();
    let before = bench.published();
    wheel(&bench.dist(), "demo", "1.0", "x = 2\n");
    wheel(&bench.dist(), "fine", "1.0", "");
    let error = bench.build_as(&Options::default()).unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    assert_eq!(bench.published(), before);
    // Views are independent indexes.
    bench.build_as(&view("commit/1f3e5d")).unwrap();
    assert_eq!(bench.faults(), []);
}

#[test]
fn views_share_their_files() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.build();
    bench.wheel("demo", "1.1.dev1");
    bench.build_as(&view("commit/aaa")).unwrap();
    bench.wheel("new", "1.0");
    let mut site = Site::open(&bench.site(), &host()).unwrap();
    site.add_dir(&bench.dist(), &view("commit/bbb"), &host()).unwrap();
    site.state.set_latest(&"commit/bbb".parse().unwrap()).unwrap();
    let written = site.publish(&host()).unwrap().written;
    assert_eq!(written.last().unwrap(), "latest.json");
    assert_eq!(bench.faults(), []);
    let stored = sys::fs::walk(&bench.site().join("files")).unwrap();
    assert_eq!(stored.iter().filter(|file| is_wheel(&file.relative)).count(), 3);
    assert!(bench.read("commit/bbb/simple/new/index.html").contains("href=\"../../../../files/"));
    assert!(bench.read("latest/simple/new/index.html").contains("href=\"../../../files/"));
    assert!(bench.read("latest.json").contains("\"view\":\"commit/bbb\""));
    // A project that is not in the other view is removed from `latest`.
    bench.edit(|state| state.set_latest(&"commit/aaa".parse().unwrap()).unwrap());
    assert!(!bench.site().join("latest/simple/new").exists());
    assert_eq!(bench.faults(), []);
    let gone: View = "commit/bbb".parse().unwrap();
    let kept: View = "commit/aaa".parse().unwrap();
    bench.edit(|state| {
        assert!(matches!(state.remove_view(&kept), Err(Error::IsLatest { .. })));
        state.remove_view(&gone).unwrap();
    });
    assert!(!bench.site().join("commit/bbb").exists() && bench.site().join("commit/aaa").exists());
    let stored = sys::fs::walk(&bench.site().join("files")).unwrap();
    assert_eq!(stored.iter().filter(|file| is_wheel(&file.relative)).count(), 2);
    assert_eq!(bench.faults(), []);
}

#[test]
fn pages_of_others_are_left_alone() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    for name in ["docs/simple/index.html", "simple/manual/index.html", "files/notes/a.txt"] {
        let path = bench.site().join(name);
        sys::fs::create_dir_all(path.parent().unwrap()).unwrap();
        sys::fs::write(path, "mine").unwrap();
    }
    bench.build();
    bench.edit(|state| {
        state.remove(&View::default(), &"demo".parse().unwrap()).unwrap();
    });
    assert_eq!(bench.faults(), []);
    for name in ["docs/simple/index.html", "simple/manual/index.html", "files/notes/a.txt"] {
        assert_eq!(bench.read(name), "mine");
    }
    assert!(!bench.site().join("simple/demo").exists());
}

#[test]
fn a_state_reads_as_it_prints() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    bench.build();
    bench.build_as(&view("pre")).unwrap();
    let text = bench.read("wheelsmith-index.json");
    assert_eq!(State::parse(&text).unwrap().render(), text);
    for (from, to) in [
        ("\"schema\": 1", "\"schema\": 2"),
        ("\"demo\"", "\"De.mo\""),
        ("demo-1.0-py3-none-any.whl", "../demo-1.0-py3-none-any.whl"),
        ("\"pre\"", "\"../pre\""),
        ("\"latest\": null", "\"latest\": \"x\""),
        ("\"site_url\": null", "\"site_url\": \"x\""),
        ("\"files\"", "\"filez\""),
    ] {
        assert!(text.contains(from));
        State::parse(&text.replace(from, to)).unwrap_err();
    }
}

#[test]
fn a_server_answers_in_the_form_that_was_asked_for() {
    let bench = Bench::new();
    let path = bench.wheel("Tiny_Pkg", "1.0+c.1");
    bench.build();
    let responder = Responder::new(bench.site());
    let check = |target: &str, accept: &str, status: u16, expected: &str| {
        let request = Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            accept: accept.to_owned(),
        };
        let response = responder.respond(&request);
        let header = |name| {
            let found = response.headers.iter().find(|(n, _)| *n == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let said = if status == 301 { header("Location") } else { header("Content-Type") };
        assert_eq!((response.status, said), (status, expected), "{target}");
        response.body
    };
    let json = "application/vnd.pypi.simple.v1+json";
    check("/simple/", "", 200, "text/html; charset=utf-8");
    check("/simple/tiny-pkg/", json, 200, json);
    check("/simple/tiny-pkg", json, 301, "/simple/tiny-pkg/");
    check("/simple/Tiny.Pkg/?x", json, 301, "/simple/tiny-pkg/");
    check("/simple", json, 301, "/simple/");
    check("/simple/tiny-pkg/", "image/png", 406, "text/plain; charset=utf-8");
    check("/simple/other/", json, 404, "text/plain; charset=utf-8");
    check("/.wheelsmith/lock", "", 404, "text/plain; charset=utf-8");
    let page = bench.read("simple/tiny-pkg/index.json");
    let url = page.split("\"url\":\"../..").nth(1).unwrap().split('"').next().unwrap();
    assert!(url.ends_with("/Tiny_Pkg-1.0%2Bc.1-py3-none-any.whl"), "{url}");
    let Body::File(file) = check(url, "", 200, "application/zip") else { panic!() };
    assert_eq!(sys::fs::read(file).unwrap(), sys::fs::read(path).unwrap());
    check(&format!("{url}.metadata"), "", 200, "text/plain; charset=utf-8");
}

#[test]
fn nothing_is_skipped_in_silence() {
    let bench = Bench::new();
    bench.wheel("demo", "1.0");
    let skipped = |options: &Options| {
        let changes = bench.build_as(options).unwrap();
        let skipped = changes.skipped.into_iter();
        skipped.map(|skipped| (skipped.path, skipped.format)).collect::<Vec<_>>()
    };
    let names = [
        "old-1.0.zip",
        "sub/old-1.0.tar.bz2",
        "old-1.0-py3.11.egg",
        "OLD-1.0.WHL",
        "demo-1.0-py3-none-any.whl.metadata",
        "demo-1.0-py3-none-any.whl.asc",
        "README.txt",
    ];
    for name in names {
        sys::fs::write_atomic(&bench.dist().join(name), b"x").unwrap();
    }
    let expected = [
        ("OLD-1.0.WHL", Some(".whl")),
        ("README.txt", None),
        ("old-1.0-py3.11.egg", Some(".egg")),
        ("old-1.0.zip", Some(".zip")),
        ("sub/old-1.0.tar.bz2", Some(".tar.bz2")),
    ];
    let expected = expected.map(|(path, format)| (path.to_owned(), format));
    assert_eq!(skipped(&Options::default()), expected);
    // The second run reads no distribution, and still names what it skips.
    assert_eq!(skipped(&Options::default()), expected);
    let exclude = ["old-*", "sub/*", "*.WHL", "*.txt"].map(str::to_owned).to_vec();
    assert_eq!(skipped(&Options { exclude, ..Options::default() }), []);
    let exclude = vec!["a{".to_owned()];
    let error = bench.build_as(&Options { exclude, ..Options::default() }).unwrap_err();
    assert!(matches!(error, Error::Pattern { .. }), "{error}");
    // An invalid name or a damaged archive stops the run.
    for name in ["demo.whl", "demo-2.0.tar.gz"] {
        let path = bench.dist().join(name);
        sys::fs::write_atomic(&path, b"x").unwrap();
        let error = bench.build_as(&Options::default()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        sys::fs::remove_file(path).unwrap();
    }
}

#[test]
fn an_archive_with_two_readings_is_refused() {
    let bench = Bench::new();
    let path = bench.wheel("demo", "1.0");
    let good = sys::fs::read(&path).unwrap();
    // The name in the local header is not that of the directory.
    let at = good.windows(7).position(|part| part == b"demo.py").unwrap();
    let mut bytes = good.clone();
    bytes[at..at + 7].copy_from_slice(b"evil.py");
    sys::fs::write(&path, &bytes).unwrap();
    let error = bench.build_as(&Options::default()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    sys::fs::write(&path, &good).unwrap();
    bench.build();
}

//! Sources from git repositories, fetched by the user's own git.
//!
//! The tree of the commit is packed into a tar archive whose bytes follow from the tree alone. The
//! archive is the pinned and cached form of the source: its sha256 is in the lock, and a build with
//! the archive in the cache needs neither git nor a network.

use std::io::{self, BufReader, Read as _, Write as _};
use std::path::Path;

use super::{Error, SourceDirs};
use crate::archive::tar::{Reader, Stream};
use crate::config::GitSource;
use crate::sys::{self, Command, Host, ProcessError};

/// Time of every file; git records none. 1980-01-01.
const TIME: u64 = 315_532_800;
/// Deepest nesting of submodules.
const DEEPEST: u32 = 8;
/// Attributes that make `git archive` write the bytes of the commit: no filters, no conversion of
/// line ends, no keywords, nothing left out.
const RAW: &str =
    "* -text -ident -export-ignore -export-subst !eol !crlf !filter !working-tree-encoding\n";
/// Beginning of a file whose content git LFS stores elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Parts of the error messages of servers that refuse to send a commit that no branch or tag names.
const NOT_OFFERED: [&str; 4] =
    ["not our ref", "unadvertised object", "does not allow request", "no such remote ref"];

/// Fetches the commit of `source`, and writes the archive of its tree to the file at `to`. `work` is
/// an empty directory.
pub(super) fn pack(
    source: &GitSource,
    to: &Path,
    work: &Path,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<(), Error> {
    let write = |error| Error::io("pack a git tree", error);
    let file = sys::fs::create(to).map_err(write)?;
    let mut packer = Packer {
        git: git(&source.url, work, host)?,
        source,
        host,
        archive: tar::Builder::new(io::BufWriter::new(file)),
        pointers: Vec::new(),
        repositories: 0,
    };
    packer.add(&remote(&source.url, places), &source.rev, "", 0)?;
    let Packer { archive, pointers, .. } = packer;
    if let Some(first) = pointers.first() {
        host.warn(format!(
            "`{}` has {} pointers of git LFS, such as `{first}`: the commit does not contain the \
             content of these files",
            source.url,
            pointers.len(),
        ));
    }
    archive.into_inner().and_then(|mut writer| writer.flush()).map_err(write)
}

/// Returns the output of `git ls-remote --tags`: names of tags and the commits that they point to.
#[cfg(any(test, feature = "project"))]
pub(super) fn tags(
    url: &str,
    places: &SourceDirs<'_>,
    host: &Host,
) -> Result<Vec<(String, String)>, Error> {
    let git = git(url, places.project, host)?;
    let failed = |error| Error::Git { url: url.to_owned(), source: error };
    let command = git.args(["ls-remote", "--tags", "--", &remote(url, places)]);
    let listed = command.run(host).map_err(failed)?.stdout;
    let listed = String::from_utf8_lossy(&listed);
    let mut tags: Vec<(String, String)> = Vec::new();
    for line in listed.lines() {
        let Some((id, name)) = line.split_once('\t') else { continue };
        let Some(name) = name.strip_prefix("refs/tags/") else { continue };
        match name.strip_suffix("^{}") {
            // The commit of an annotated tag follows the tag object.
            Some(name) => {
                tags.retain(|(other, _)| other != name);
                tags.push((name.to_owned(), id.to_owned()));
            }
            None => tags.push((name.to_owned(), id.to_owned())),
        }
    }
    Ok(tags)
}

/// Returns the URL or path for git; a path is relative to the project.
fn remote(url: &str, places: &SourceDirs<'_>) -> String {
    if GitSource::is_path(url) {
        places.project.join(url).to_string_lossy().into_owned()
    } else {
        url.to_owned()
    }
}

/// Returns git in `dir`: it neither prompts, nor runs hooks, nor uses other protocols than `url`
/// needs. Credentials and proxies are those of the user's configuration.
fn git(url: &str, dir: &Path, host: &Host) -> Result<Command, Error> {
    let program = host.env.find_program("git");
    let program = program.ok_or_else(|| Error::NoGit { url: url.to_owned() })?;
    let mut env = host.env.clone();
    sys::git::forget_repository(&mut env);
    for name in ["GIT_ASKPASS", "SSH_ASKPASS", "GIT_TEMPLATE_DIR"] {
        env.remove(name);
    }
    let protocols = if GitSource::is_local(url) { "file:https:ssh" } else { "https:ssh" };
    let variables = [
        ("GIT_ALLOW_PROTOCOL", protocols),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("SSH_ASKPASS_REQUIRE", "never"),
        ("GIT_LFS_SKIP_SMUDGE", "1"),
        ("GIT_ADVICE", "0"),
        ("LC_ALL", "C"),
    ];
    for (name, value) in variables {
        env.set(name, value);
    }
    let bare = Command::new(&program, dir, &env);
    let has_ssh = env.get("GIT_SSH_COMMAND").is_some()
        || env.get("GIT_SSH").is_some()
        || bare.clone().args(["config", "--get", "core.sshCommand"]).run(host).is_ok();
    if !has_ssh {
        env.set("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
    }
    let mut git = Command::new(program, dir, &env);
    let settings = [
        "core.hooksPath=/dev/null",
        "core.attributesFile=/dev/null",
        "core.fsmonitor=false",
        "core.askPass=",
        "credential.interactive=false",
        "fetch.recurseSubmodules=false",
        "gc.auto=0",
        "maintenance.auto=false",
        "protocol.version=2",
    ];
    for setting in settings {
        git = git.args(["-c", setting]);
    }
    Ok(git)
}

/// Writes the archive of a commit and of its submodules.
struct Packer<'a> {
    git: Command,
    source: &'a GitSource,
    host: &'a Host,
    archive: tar::Builder<io::BufWriter<std::fs::File>>,
    /// Paths of files whose content git LFS stores elsewhere.
    pointers: Vec<String>,
    /// Number of repositories that were fetched.
    repositories: u32,
}

impl Packer<'_> {
    /// Adds the tree of the commit `rev` of the repository `url` below `prefix`, which is empty or
    /// ends in `/`.
    fn add(&mut self, url: &str, rev: &str, prefix: &str, depth: u32) -> Result<(), Error> {
        let name = format!("repository-{}", self.repositories);
        self.repositories += 1;
        let git = Command { dir: self.git.dir.join(&name), ..self.git.clone() };
        let format = if rev.len() == 64 { "sha256" } else { "sha1" };
        let init = ["init", "--quiet", "--bare", "--template="];
        let init = self.git.clone().args(init).arg(format!("--object-format={format}"));
        self.run(&init.args(["--", &name]))?;
        self.fetch(&git, url, rev)?;
        let kind = self.run(&git.clone().args(["cat-file", "-t", rev]))?;
        let kind = String::from_utf8_lossy(&kind).trim().to_owned();
        if kind != "commit" {
            let commit = format!("{rev}^{{commit}}");
            let commit = self.run(&git.clone().args(["rev-parse", "--verify", "--quiet", &commit]));
            let commit = commit.map(|id| String::from_utf8_lossy(&id).trim().to_owned());
            let commit = commit.map(|id| format!("; its commit is {id}")).unwrap_or_default();
            return Err(self.refuse(format!("`{rev}` is the id of a {kind}{commit}")));
        }
        let attributes = git.dir.join("info/attributes");
        sys::fs::write_atomic(&attributes, RAW.as_bytes())
            .map_err(|error| Error::io("pack a git tree", error))?;
        let file = self.git.dir.join(format!("{name}.tar"));
        let output = format!("--output={}", file.to_string_lossy());
        self.run(&git.clone().args(["archive", "--format=tar", &output, rev]))?;
        self.copy(&file, prefix)?;
        self.add_submodules(&git, url, rev, prefix, depth)
    }

    /// Fetches the commit alone; all branches and tags, if the server sends only those.
    fn fetch(&self, git: &Command, url: &str, rev: &str) -> Result<(), Error> {
        let fetch = || git.clone().args(["fetch", "--quiet", "--no-tags"]);
        let Err(error) = fetch().args(["--depth=1", "--", url, rev]).run(self.host) else {
            return Ok(());
        };
        let text = error.to_string();
        if NOT_OFFERED.iter().any(|part| text.contains(part)) {
            let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
            self.run(&fetch().args(["--", url]).args(all))?;
            let found = git.clone().args(["cat-file", "-e", rev]).run(self.host);
            return match found {
                Ok(_) => Ok(()),
                Err(ProcessError::Cancelled) => Err(self.failed(ProcessError::Cancelled)),
                Err(_) => Err(self.refuse(format!(
                    "`{rev}` is not in `{url}`, or in no branch and no tag of it"
                ))),
            };
        }
        Err(self.failed(error))
    }

    /// Copies the files of an archive of git.
    fn copy(&mut self, file: &Path, prefix: &str) -> Result<(), Error> {
        let io = |error| Error::io("pack a git tree", error);
        let file = BufReader::new(sys::fs::open(file).map_err(io)?);
        let mut reader = Reader::new(Stream(file));
        while let Some(entry) = reader.next_entry().map_err(io)? {
            let kind = tar::EntryType::new(entry.kind);
            if !kind.is_file() && !kind.is_symlink() {
                continue;
            }
            let executable = entry.is_executable();
            let path = String::from_utf8(entry.name);
            let Ok(path) = path.map(|path| format!("{prefix}{path}")) else {
                return Err(self.refuse("the name of a file is not UTF-8".to_owned()));
            };
            // Programs that run git in the unpacked tree would read it as a repository.
            if path.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
                return Err(self.refuse(format!("it has a file `{path}`")));
            }
            let mut header = tar::Header::new_gnu();
            header.set_mtime(TIME);
            header.set_entry_type(kind);
            if kind.is_symlink() {
                header.set_size(0);
                header.set_mode(0o777);
                let Ok(target) = String::from_utf8(entry.link) else {
                    return Err(self.refuse(format!("`{path}` links to a name that is not UTF-8")));
                };
                self.archive.append_link(&mut header, &path, target).map_err(io)?;
                continue;
            }
            header.set_mode(if executable { 0o755 } else { 0o644 });
            header.set_size(entry.size_bytes);
            let mut first = Vec::new();
            let most = LFS_POINTER.len() as u64;
            (&mut reader).take(most).read_to_end(&mut first).map_err(io)?;
            if first == LFS_POINTER {
                self.pointers.push(path.clone());
            }
            let content = first.chain(&mut reader);
            self.archive.append_data(&mut header, &path, content).map_err(io)?;
        }
        Ok(())
    }

    fn add_submodules(
        &mut self,
        git: &Command,
        url: &str,
        rev: &str,
        prefix: &str,
        depth: u32,
    ) -> Result<(), Error> {
        if !self.source.submodules {
            return Ok(());
        }
        let listed = self.run(&git.clone().args(["ls-tree", "-r", "-z", "--full-tree", rev]))?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let links = listed.split('\0').filter_map(|line| {
            let (about, path) = line.split_once('\t')?;
            Some((path, about.strip_prefix("160000 commit ")?.trim()))
        });
        let links: Vec<(&str, &str)> = links.collect();
        if links.is_empty() {
            return Ok(());
        }
        let blob = format!("--blob={rev}:.gitmodules");
        let modules = self.run(&git.clone().args(["config", "-z", &blob, "--list"]))?;
        let modules = String::from_utf8_lossy(&modules).into_owned();
        for (path, rev) in links {
            let shown = format!("submodule `{prefix}{path}`");
            if depth == DEEPEST {
                return Err(self.refuse(format!("{shown} is nested too deeply")));
            }
            let Some(module) = module_url(&modules, path) else {
                return Err(self.refuse(format!("`.gitmodules` has no URL of {shown}")));
            };
            let module = absolute(url, module);
            if let Err(reason) = GitSource::check_url(&module) {
                return Err(self.refuse(format!("{shown}: {reason}")));
            }
            self.add(&module, rev, &format!("{prefix}{path}/"), depth + 1)?;
        }
        Ok(())
    }

    fn run(&self, command: &Command) -> Result<Vec<u8>, Error> {
        command.run(self.host).map(|output| output.stdout).map_err(|error| self.failed(error))
    }

    fn failed(&self, source: ProcessError) -> Error {
        Error::Git { url: self.source.url.clone(), source }
    }

    fn refuse(&self, reason: String) -> Error {
        Error::GitTree { url: self.source.url.clone(), reason }
    }
}

/// Returns the URL of the submodule at `path`, from the output of `git config -z --list`.
fn module_url<'m>(modules: &'m str, path: &str) -> Option<&'m str> {
    let records = || modules.split('\0').filter_map(|record| record.split_once('\n'));
    let mut paths = records().filter_map(|(key, path)| Some((key.strip_suffix(".path")?, path)));
    let key = format!("{}.url", paths.find(|(_, found)| *found == path)?.0);
    records().find(|(other, _)| *other == key).map(|(_, url)| url)
}

/// Returns the URL of a submodule; one that begins with `./` or `../` is relative to `base`.
fn absolute(base: &str, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    let (mut base, mut rest) = (base.trim_end_matches('/'), url);
    loop {
        if let Some(next) = rest.strip_prefix("./") {
            rest = next;
        } else if let Some(next) = rest.strip_prefix("../") {
            rest = next;
            base = base.rfind(['/', ':']).map_or("", |end| &base[..end]);
        } else {
            return format!("{base}/{rest}");
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::name::Digest;

    struct Repository {
        dir: PathBuf,
        host: Host,
    }

    impl Repository {
        fn new(dir: PathBuf) -> Self {
            sys::fs::create_dir_all(&dir).unwrap();
            let mut host = Host::from_process();
            for who in ["AUTHOR", "COMMITTER"] {
                host.env.set(format!("GIT_{who}_NAME"), "a");
                host.env.set(format!("GIT_{who}_EMAIL"), "a@example.org");
                host.env.set(format!("GIT_{who}_DATE"), "2001-01-01T00:00:00Z");
            }
            let repository = Self { dir, host };
            repository.git(&["init", "-q", "-b", "main"]);
            repository
        }

        fn git(&self, args: &[&str]) -> String {
            let program = self.host.env.find_program("git").unwrap();
            let command = Command::new(program, &self.dir, &self.host.env);
            let command = command.args(["-c", "protocol.file.allow=always"]);
            let output = command.args(args.iter().copied()).run(&self.host).unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        }

        fn write(&self, path: &str, text: &str) {
            sys::fs::write_atomic(&self.dir.join(path), text.as_bytes()).unwrap();
        }

        fn commit(&self) -> String {
            self.git(&["add", "-A"]);
            self.git(&["commit", "-q", "-m", "x"]);
            self.git(&["rev-parse", "HEAD"])
        }
    }

    /// Packs a commit, and returns the paths with their contents and the digest.
    fn packed(
        url: &str,
        rev: &str,
        submodules: bool,
        dir: &Path,
    ) -> Result<(Vec<String>, Digest), String> {
        let work = sys::fs::temp_dir_in(dir).unwrap();
        let places = SourceDirs { project: dir, work: work.path(), cache: dir };
        let source = GitSource { url: url.to_owned(), rev: rev.to_owned(), submodules };
        let file = work.path().join("tree.tar");
        pack(&source, &file, work.path(), &places, &Host::from_process())
            .map_err(|error| format!("{error} {:?}", std::error::Error::source(&error)))?;
        let bytes = sys::fs::read(&file).unwrap();
        let mut rows = Vec::new();
        for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let link = entry.link_name().unwrap().map(|link| format!("-> {}", link.display()));
            let mode = entry.header().mode().unwrap();
            let path = entry.path().unwrap().display().to_string();
            rows.push(format!("{mode:o} {path} {}", link.unwrap_or(text)));
        }
        Ok((rows, Digest::of(bytes)))
    }

    /// Filters, conversions and attributes of the repository change nothing, and the bytes of the
    /// archive are the same with every git and on every machine.
    #[test]
    fn the_archive_has_the_bytes_of_the_commit() {
        let dir = sys::fs::temp_dir().unwrap();
        let repository = Repository::new(dir.path().join("repository"));
        let long = format!("{}/file", "directory".repeat(14));
        repository
            .write(".gitattributes", "*.txt text eol=crlf export-subst ident\nb export-ignore\n");
        repository.write("a.txt", "$Format:%H$ $Id$\n");
        repository.write("b", "left out of archives");
        repository.write("run.sh", "#!/bin/sh\n");
        repository.write(&long, "long\n");
        sys::fs::set_executable(&repository.dir.join("run.sh"), true).unwrap();
        sys::fs::symlink("a.txt", &repository.dir.join("link")).unwrap();
        let rev = repository.commit();
        let (rows, digest) = packed("repository", &rev, true, dir.path()).unwrap();
        let expected = [
            "644 .gitattributes *.txt text eol=crlf export-subst ident\nb export-ignore\n",
            "644 a.txt $Format:%H$ $Id$\n",
            "644 b left out of archives",
            &format!("644 {long} long\n"),
            "777 link -> a.txt",
            "755 run.sh #!/bin/sh\n",
        ];
        assert_eq!(rows, expected);
        assert_eq!(digest.to_string(), TREE_DIGEST);
        let url = format!("file://{}", repository.dir.display());
        assert_eq!(packed(&url, &rev, true, dir.path()).unwrap().1, digest);
    }

    /// The locks of users have such digests: they must never change.
    const TREE_DIGEST: &str = "07914aa5144542eb4a51091b1adbd2fe01df32a1c7b4bbae054583d125936f92";

    #[test]
    fn submodules_are_part_of_the_tree() {
        let dir = sys::fs::temp_dir().unwrap();
        let inner = Repository::new(dir.path().join("inner"));
        inner.write("inner.c", "inner");
        inner.commit();
        let outer = Repository::new(dir.path().join("outer"));
        outer.write("outer.c", "outer");
        outer.git(&["submodule", "--quiet", "add", "../inner", "deps/inner"]);
        let rev = outer.commit();
        // A later commit, so that the pinned one is at the end of no branch.
        inner.write("inner.c", "changed");
        inner.commit();
        let (rows, _) = packed("outer", &rev, true, dir.path()).unwrap();
        assert_eq!(rows[1..], ["644 outer.c outer", "644 deps/inner/inner.c inner"]);
        let (rows, _) = packed("outer", &rev, false, dir.path()).unwrap();
        assert_eq!(rows[1..], ["644 outer.c outer"]);
        let foreign = "[submodule \"deps/inner\"]\npath = deps/inner\nurl = ext::sh -c x\n";
        outer.write(".gitmodules", foreign);
        let rev = outer.commit();
        let error = packed("outer", &rev, true, dir.path()).unwrap_err();
        assert!(error.contains("submodule `deps/inner`: "), "{error}");
    }

    #[test]
    fn ids_that_are_no_commit_are_refused() {
        let dir = sys::fs::temp_dir().unwrap();
        let repository = Repository::new(dir.path().join("repository"));
        repository.write("a", "a");
        let commit = repository.commit();
        repository.git(&["tag", "-a", "-m", "x", "v1"]);
        let check = |rev: &str, part: &str| {
            let error = packed("repository", rev, true, dir.path()).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let tag = repository.git(&["rev-parse", "v1"]);
        check(&tag, &format!("is the id of a tag; its commit is {commit}"));
        check(&repository.git(&["rev-parse", "HEAD:a"]), "is the id of a blob");
        check(&"1".repeat(40), "");
        let places = SourceDirs { project: dir.path(), work: dir.path(), cache: dir.path() };
        let found = tags("repository", &places, &Host::from_process()).unwrap();
        assert_eq!(found, [("v1".to_owned(), commit)]);
    }

    #[test]
    fn urls_of_submodules_are_relative_to_their_parent() {
        let check = |base: &str, url: &str, expected: &str| {
            assert_eq!(absolute(base, url), expected);
        };
        check("https://a.example/x/y.git", "../z.git", "https://a.example/x/z.git");
        check("https://a.example/x/y", "../../z", "https://a.example/z");
        check("git@a.example:x/y", "../z", "git@a.example:x/z");
        check("/a/b/", "./c", "/a/b/c");
        check("/a/b", "https://a.example/z", "https://a.example/z");
    }
}

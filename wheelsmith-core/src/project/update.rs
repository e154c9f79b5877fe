//! Moves pinned sources to newer versions.

use super::{Error, Project, build};
use crate::config::{self, Change, Config, Source};
use crate::source::{self, Update};
use crate::sys;

/// Options of an update.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct UpdateOptions {
    /// Names of components; all if empty.
    pub components: Vec<String>,
    /// Version, tag or commit to move to, instead of the newest one.
    pub to: Option<String>,
    /// True if nothing is written.
    pub dry_run: bool,
}

impl UpdateOptions {
    /// Returns options for all components and their newest versions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects components by their names.
    #[must_use]
    pub fn components(mut self, names: Vec<String>) -> Self {
        self.components = names;
        self
    }

    /// Sets the version, tag or commit to move to.
    #[must_use]
    pub fn to(mut self, version: Option<String>) -> Self {
        self.to = version;
        self
    }

    /// Writes nothing.
    #[must_use]
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

/// Looks for newer versions and, unless it is a dry run, writes them into the configuration and the
/// lock.
pub(super) fn run(project: &Project, options: &UpdateOptions) -> Result<Vec<Update>, Error> {
    let config = &project.config;
    for name in &options.components {
        if config.component(name).is_none() {
            return Err(Error::UnknownComponent { name: name.clone() });
        }
    }
    let _lock = build::lock(project, &project.host)?;
    let cache = build::cache_dir(&project.host)?;
    let work = project.work_dir();
    let places = source::SourceDirs { project: &project.dir, work: &work, cache: &cache };
    let to = options.to.as_deref();
    let mut updates = source::look_up(config, &options.components, to, &places, &project.host);
    if to.is_some() && updates.len() != 1 {
        return Err(Error::UpdateTarget { sources: updates.len() });
    }
    if options.dry_run || !updates.iter().any(|update| matches!(update.newer, Ok(Some(_)))) {
        return Ok(updates);
    }
    let file = project.dir.join(&config.file);
    let text = sys::fs::read_to_string(&file);
    let text = text.map_err(|error| Error::io("read the configuration", error))?;
    let (changed, moved) = with_newer(config, &text, &updates)?;
    // Everything is fetched before anything is written.
    let mut change = source::LockChange::read(&places)?;
    for update in &mut updates {
        if let Ok(Some(newer)) = &mut update.newer {
            let name = &update.components[0];
            newer.sha256 = change.pin(name, &newer.source, &project.host)?;
        }
    }
    change.write(&moved)?;
    if let Err(error) = sys::fs::write_atomic(&file, changed.as_bytes()) {
        change.restore()?;
        return Err(Error::io("write the configuration", error));
    }
    Ok(updates)
}

/// Returns the text of the configuration with the newer sources, and the configuration in it.
fn with_newer(config: &Config, text: &str, updates: &[Update]) -> Result<(String, Config), Error> {
    let mut changes = Vec::new();
    for update in updates {
        let Ok(Some(newer)) = &update.newer else { continue };
        let (key, value) = match &newer.source {
            Source::Git(git) => ("rev", &git.rev),
            Source::Crate { version, .. } | Source::Sdist { version, .. } => ("version", version),
            Source::Path(_) | Source::Archive { .. } => continue,
        };
        changes.extend(update.keys.iter().map(|component| Change {
            key: format!("{component}.source.{key}"),
            value: value.clone(),
            comment: Some((update.version.clone(), newer.version.clone())),
        }));
    }
    let unwritable = |key: String| {
        let message = "its value cannot be changed: it is not a string of this file".to_owned();
        Error::from(config.problem(&key, message, None))
    };
    let text = config::change(&config.file, text, &changes).map_err(unwritable)?;
    let moved = config.with_text(&text)?;
    for update in updates {
        let Ok(Some(newer)) = &update.newer else { continue };
        for name in &update.components {
            if moved.component(name).map(|component| &component.source) != Some(&newer.source) {
                return Err(unwritable(update.keys[0].clone()));
            }
        }
    }
    Ok((text, moved))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::BuildOptions;
    use crate::sys::{Command, Host};

    /// Runs git in `dir` and returns its output.
    fn git(dir: &Path, args: &[&str]) -> String {
        let mut host = Host::from_process();
        for who in ["AUTHOR", "COMMITTER"] {
            host.env.set(format!("GIT_{who}_NAME"), "a");
            host.env.set(format!("GIT_{who}_EMAIL"), "a@example.org");
        }
        let program = host.env.find_program("git").unwrap();
        let command = Command::new(program, dir, &host.env).args(args.iter().copied());
        String::from_utf8(command.run(&host).unwrap().stdout).unwrap().trim().to_owned()
    }

    /// Commits a version of the file `notice` with a tag. Returns the commit.
    fn release(repository: &Path, tag: &str) -> String {
        sys::fs::write_atomic(&repository.join("notice"), tag.as_bytes()).unwrap();
        git(repository, &["add", "-A"]);
        git(repository, &["commit", "-q", "-m", tag]);
        git(repository, &["tag", "-a", "-m", tag, tag]);
        git(repository, &["rev-parse", "HEAD"])
    }

    fn config(rev: &str, tag: &str) -> String {
        format!(
            "# Notices that the wheel carries.\n[[tool.wheelsmith.component]]\nname = 'notice'\n\
             kind = \"files\" # no compiler\n\
             source = {{ git = \"repository\", rev = '{rev}' }} # {tag}\n\
             outputs = [{{ from = \"notice\", role = \"data\" }}]\n"
        )
    }

    #[test]
    fn a_pin_moves_with_its_digest_and_its_comment() {
        let dir = sys::fs::temp_dir().unwrap();
        let repository = dir.path().join("repository");
        sys::fs::create_dir_all(&repository).unwrap();
        git(&repository, &["init", "-q", "-b", "main"]);
        let (old, new) = (release(&repository, "v1.9"), release(&repository, "v1.10"));
        release(&repository, "v2.0-rc1");
        let file = dir.path().join("wheelsmith.toml");
        let lock = dir.path().join(source::LOCK_FILE);
        sys::fs::write_atomic(&file, config(&old, "v1.9").as_bytes()).unwrap();
        let mut host = Host::from_process();
        host.env.set("WHEELSMITH_CACHE_DIR", dir.path().join("cache").to_string_lossy());
        let open = || Project::open_on(dir.path(), &host).unwrap();
        let text = |path: &Path| sys::fs::read_to_string(path).unwrap();
        open().fetch(&BuildOptions::new()).unwrap();
        let pinned = text(&lock);
        assert!(pinned.contains(&format!("id = \"git repository {old}\"")), "{pinned}");

        let moved = open().update(&UpdateOptions::new().dry_run(true)).unwrap();
        let newer = moved[0].newer.as_ref().unwrap().as_ref().unwrap();
        assert_eq!((&*moved[0].version, &*newer.version), ("v1.9", "v1.10"));
        assert_eq!((text(&file), text(&lock)), (config(&old, "v1.9"), pinned.clone()));

        let options = UpdateOptions::new().components(vec!["notice".to_owned()]);
        open().update(&options).unwrap();
        assert_eq!(text(&file), config(&new, "v1.10"));
        assert!(text(&lock).contains(&new) && !text(&lock).contains(&old), "{}", text(&lock));
        // The repository is not needed any more.
        git(dir.path(), &["-C", "repository", "update-ref", "-d", "HEAD"]);
        sys::fs::rename(&repository, dir.path().join("away")).unwrap();
        let options = BuildOptions::new().offline(true).locked(true);
        sys::fs::remove_dir_all(dir.path().join("target")).unwrap();
        assert_eq!(open().fetch(&options).unwrap(), 1);
        sys::fs::rename(dir.path().join("away"), &repository).unwrap();

        let to = |to: &str| open().update(&UpdateOptions::new().to(Some(to.to_owned())));
        to("v1.9").unwrap();
        assert_eq!((text(&file), text(&lock)), (config(&old, "v1.9"), pinned.clone()));
        let missing = to("v3").unwrap();
        assert!(missing[0].newer.as_ref().unwrap_err().to_string().contains("no tag `v3`"));
        // A commit that cannot be obtained changes nothing.
        to(&"1".repeat(40)).unwrap_err();
        assert_eq!((text(&file), text(&lock)), (config(&old, "v1.9"), pinned));
        open().update(&UpdateOptions::new().components(vec!["x".to_owned()])).unwrap_err();
    }
}

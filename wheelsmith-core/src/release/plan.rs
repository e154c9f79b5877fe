//! Plan of a publication: what is sent where, in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::Error;
use super::package::{Content, Package};
use super::session::{Seen, Session};
use super::steps::{
    Estimate, Kind, LeftOut, Plan, PlannedFile, SCHEMA, State, Step, conflict, url_faults,
};
use crate::check;
use crate::config::Destination;
use crate::registry::Presence;
use crate::sys::{self, Host};
use crate::version::scheme::ReleaseVersion;

/// Largest total size of a project on the public Python index, in bytes.
const PROJECT_BYTES: u64 = 10 << 30;
/// Time after which a release of the public Python index accepts no further file, in seconds.
const CLOSES_AFTER: u64 = 14 * 86_400;
/// New crates, and versions of known ones, that a registry accepts at once, and the seconds for each
/// further one.
const NEW_CRATES: (u64, u64) = (5, 600);
const CRATE_VERSIONS: (u64, u64) = (30, 60);

/// Options of a plan.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Directory with the packages.
    pub directory: PathBuf,
    /// Version that every package must have.
    pub version: ReleaseVersion,
    /// Name of the destination.
    pub to: String,
    /// Registries.
    pub destination: Destination,
    /// Rules for wheels and source distributions.
    pub check: check::Options,
}

/// Plans the publication of the packages in a directory.
///
/// # Errors
/// Returns every reason why a registry would refuse the packages, or why users would get an
/// incomplete release.
pub fn plan(options: &PlanOptions, host: &Host) -> Result<Plan, Error> {
    let version = options.version.semver().unwrap_or_else(|_| options.version.pep440());
    let mut faults = url_faults(&options.destination, &options.to);
    let (packages, left_out) = read(options, &mut faults, host)?;
    let project = packages.iter().find(|p| matches!(p.content, Content::Python { .. }));
    let project = project.or(packages.first()).map_or_else(String::new, |p| p.name.clone());
    if packages.is_empty() && faults.is_empty() {
        faults.push(format!("`{}` has no package", options.directory.display()));
    }
    let fail = |problems: Vec<String>| {
        let directory = options.directory.display();
        let release =
            if project.is_empty() { directory.to_string() } else { format!("{project} {version}") };
        Error::Faults { release, problems }
    };
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    let mut steps = steps(&packages, &options.version);
    incomplete(&packages, &steps, &mut faults);
    let session = Session::new(&options.destination, &options.to, host)
        .map_err(|problem| fail(vec![problem]))?;
    let mut notes = Vec::new();
    let is_public = options.check.index == check::Index::Pypi;
    let mut looked =
        Looked { session: &session, is_public, faults: &mut faults, notes: &mut notes };
    looked.all(&mut steps, &packages)?;
    for text in faults.iter_mut().chain(&mut notes) {
        *text = session.redact(text);
    }
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    let estimate = estimate(&steps, &session).map_err(|problem| fail(vec![problem]))?;
    let mut plan = Plan {
        schema: SCHEMA,
        project,
        version,
        to: options.to.clone(),
        destination: options.destination.clone(),
        directory: options.directory.clone(),
        estimate,
        steps,
        notes,
        left_out,
        digest: None,
    };
    plan.digest = Some(plan.computed_digest());
    Ok(plan)
}

/// Reads the packages of the directory in parallel.
fn read(
    options: &PlanOptions,
    faults: &mut Vec<String>,
    host: &Host,
) -> Result<(Vec<Package>, Vec<LeftOut>), Error> {
    let dir = &options.directory;
    let (mut paths, mut left_out) = (Vec::new(), Vec::new());
    for path in sys::fs::list(dir).map_err(|e| Error::read(dir, e))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reason = if !path.is_file() {
            "it is not a file"
        } else if !Package::is_one(&name) {
            "no registry takes files of this kind"
        } else {
            paths.push(path);
            continue;
        };
        left_out.push(LeftOut { name, reason: reason.to_owned() });
    }
    let results =
        host.jobs.map(&host.cancel, &paths, |path| Package::read(path, &options.check, host));
    let mut packages = Vec::new();
    for result in results {
        match result.ok_or(Error::Cancelled)? {
            Ok(package) => packages.push(package),
            Err(problems) => faults.extend(problems),
        }
    }
    let expected = options.version.pep440();
    let mut names: BTreeSet<(Kind, String)> = BTreeSet::new();
    for package in &packages {
        let found = ReleaseVersion::parse(&package.version);
        if found.as_ref().map(ReleaseVersion::pep440).ok().as_ref() != Some(&expected) {
            faults.push(format!(
                "`{}` is version {}, not {}",
                package.filename, package.version, expected
            ));
        }
        let kind = package.kind();
        let file = if kind == Kind::Pypi { package.filename.clone() } else { package.name.clone() };
        if !names.insert((kind, file)) {
            faults.push(format!("two files are `{}` {}", package.name, package.version));
        }
        let Destination { pypi, npm, crates } = &options.destination;
        let is_configured = match kind {
            Kind::Pypi => pypi.is_some(),
            Kind::Crates => crates.is_some(),
            Kind::Npm | Kind::NpmTag => npm.is_some(),
        };
        if !is_configured {
            let (to, registry) = (&options.to, kind.registry());
            faults.push(format!(
                "`{}` has no registry: add `[tool.wheelsmith.release.{to}.{registry}]`",
                package.filename
            ));
        }
    }
    packages.sort_by(|a, b| (a.kind(), &a.filename).cmp(&(b.kind(), &b.filename)));
    Ok((packages, left_out))
}

impl Package {
    pub(super) fn kind(&self) -> Kind {
        match self.content {
            Content::Python { .. } => Kind::Pypi,
            Content::Npm { .. } => Kind::Npm,
            Content::Crate { .. } => Kind::Crates,
        }
    }

    fn id(&self) -> String {
        match self.kind() {
            Kind::Pypi => format!("pypi:{}", self.filename),
            kind => format!("{}:{}@{}", kind.registry(), self.name, self.version),
        }
    }

    /// Returns names of packages of the same kind that must be published before.
    fn needs(&self) -> Vec<String> {
        match &self.content {
            Content::Python { requires, .. } => requires.clone(),
            Content::Npm { manifest, .. } => ["dependencies", "optionalDependencies"]
                .iter()
                .filter_map(|key| manifest[*key].as_object())
                .flat_map(|table| table.keys().cloned())
                .collect(),
            Content::Crate { manifest, .. } => {
                let dependencies = manifest.dependencies("").unwrap_or_default();
                dependencies.into_iter().map(|dependency| dependency.name).collect()
            }
        }
    }
}

/// Returns what each package needs directly or through others.
fn reached(direct: &BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let from = |id: &String| {
        let (mut found, mut open) = (BTreeSet::new(), vec![id]);
        while let Some(id) = open.pop() {
            open.extend(direct[id].iter().filter(|need| found.insert((*need).clone())));
        }
        found
    };
    direct.keys().map(|id| (id.clone(), from(id))).collect()
}

/// Returns the steps in order: each after those that it needs, pointers last.
fn steps(packages: &[Package], version: &ReleaseVersion) -> Vec<Step> {
    let is_final = version.semver().is_ok_and(|text| !text.contains('-'));
    let mut ids: BTreeMap<(Kind, &str), Vec<String>> = BTreeMap::new();
    for package in packages {
        ids.entry((package.kind(), package.name.as_str())).or_default().push(package.id());
    }
    let is_sdist =
        |package: &Package| matches!(package.content, Content::Python { python: None, .. });
    let mut left: Vec<(&Package, BTreeSet<String>)> = Vec::new();
    for package in packages {
        let mut needs = BTreeSet::new();
        for name in package.needs().iter().filter(|name| **name != package.name) {
            needs.extend(ids.get(&(package.kind(), name.as_str())).into_iter().flatten().cloned());
        }
        if is_sdist(package) {
            // Until its wheels are there, installers would build the source distribution.
            let own = packages.iter().filter(|p| p.kind() == Kind::Pypi && p.name == package.name);
            needs.extend(own.filter(|p| !is_sdist(p)).map(Package::id));
        }
        left.push((package, needs));
    }
    let (mut steps, mut done): (Vec<Step>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    let direct = left.iter().map(|(package, needs)| (package.id(), needs.clone())).collect();
    let reached = reached(&direct);
    // Packages that need each other, such as two wheels, are published side by side, after all that
    // any of them needs.
    let is_ready = |package: &Package, done: &BTreeSet<String>| {
        let id = package.id();
        reached[&id].iter().all(|need| done.contains(need) || reached[need].contains(&id))
    };
    while !left.is_empty() {
        let ready = || left.iter().enumerate().filter(|(_, (package, _))| is_ready(package, &done));
        let first =
            ready().find(|(_, (_, needs))| needs.is_subset(&done)).or_else(|| ready().next());
        let at = first.map_or(0, |(at, _)| at);
        let (package, needs) = left.remove(at);
        let is_npm = package.kind() == Kind::Npm;
        done.insert(package.id());
        steps.push(Step {
            id: package.id(),
            kind: package.kind(),
            name: package.name.clone(),
            version: package.version.clone(),
            file: Some(PlannedFile {
                name: package.filename.clone(),
                sha256: package.sha256,
                size_bytes: package.size_bytes,
            }),
            tag: is_npm.then(|| "next".to_owned()),
            needs: needs.into_iter().filter(|id| steps.iter().any(|step| step.id == *id)).collect(),
            state: State::Absent,
            note: None,
            access: match &package.content {
                Content::Npm { manifest, .. } if package.name.starts_with('@') => {
                    Some(crate::registry::npm::access(manifest).to_owned())
                }
                _ => None,
            },
        });
    }
    let files: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    for package in packages.iter().filter(|p| p.kind() == Kind::Npm && is_final) {
        steps.push(Step {
            id: format!("npm-tag:{}@latest", package.name),
            kind: Kind::NpmTag,
            name: package.name.clone(),
            version: package.version.clone(),
            file: None,
            tag: Some("latest".to_owned()),
            needs: files.clone(),
            state: State::Absent,
            note: None,
            access: None,
        });
    }
    steps
}

/// Adds crates that need each other in a circle, and crates with dependencies that no registry takes.
fn incomplete(packages: &[Package], steps: &[Step], faults: &mut Vec<String>) {
    for package in packages {
        let Content::Crate { manifest, .. } = &package.content else { continue };
        if let Err(problem) = manifest.dependencies("") {
            faults.push(format!("`{}`: {problem}", package.filename));
        }
        let needed = package.needs();
        let step = steps.iter().find(|step| step.id == package.id());
        let is_known = |name: &&String| {
            let other = packages.iter().find(|p| p.kind() == Kind::Crates && p.name == **name);
            other.is_some_and(|other| other.name != package.name)
        };
        for name in needed.iter().filter(is_known) {
            let has = |step: &Step| {
                step.needs.iter().any(|id| id.starts_with(&format!("crates:{name}@")))
            };
            if !step.is_some_and(has) {
                faults.push(format!("the crates `{}` and `{name}` need each other", package.name));
            }
        }
    }
}

/// Reader of the registries that collects faults.
struct Looked<'l, 'h> {
    session: &'l Session<'h>,
    /// True if the Python packages are for the public index.
    is_public: bool,
    faults: &'l mut Vec<String>,
    notes: &'l mut Vec<String>,
}

impl Looked<'_, '_> {
    fn all(&mut self, steps: &mut [Step], packages: &[Package]) -> Result<(), Error> {
        for step in steps.iter_mut() {
            if self.session.host.cancel.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let package = packages.iter().find(|package| package.id() == step.id);
            let state = match package {
                Some(package) => self.session.look(package),
                None => self.session.tag(step),
            };
            match state {
                Ok(Seen { presence: Presence::Absent, .. }) => step.state = State::Absent,
                Ok(Seen { presence: Presence::Same, note }) => {
                    step.state = State::Same;
                    step.note = note.map(|note| self.session.redact(&note));
                }
                Ok(seen) => self.faults.push(conflict(step, &seen.presence)),
                Err(problem) => self.faults.push(problem),
            }
        }
        let has_crates = steps.iter().any(|s| s.kind == Kind::Crates && s.state == State::Absent);
        if has_crates && let Err(problem) = self.session.api() {
            self.faults.push(problem);
        }
        let kinds: BTreeSet<Kind> = steps.iter().map(|step| step.kind).collect();
        for kind in kinds.into_iter().filter(|kind| *kind != Kind::NpmTag) {
            if let Err(problem) = self.session.credential(kind) {
                self.notes.push(problem);
            }
        }
        self.npm(packages);
        if self.is_public {
            self.index(steps, packages);
        }
        Ok(())
    }

    /// Finds platform packages that are neither here nor in the registry: clients install the main
    /// package without them and say nothing.
    fn npm(&mut self, packages: &[Package]) {
        for package in packages {
            let Content::Npm { manifest, .. } = &package.content else { continue };
            let Some(table) = manifest["optionalDependencies"].as_object() else { continue };
            for (name, version) in table {
                let version = version.as_str().unwrap_or_default();
                let here = packages.iter().find(|p| p.kind() == Kind::Npm && p.name == *name);
                match here {
                    Some(here) if here.version == version => {}
                    Some(here) => self.faults.push(format!(
                        "`{}` requires `{name}` {version}, and the directory has {}",
                        package.filename, here.version
                    )),
                    None if !version.starts_with(|c: char| c.is_ascii_digit()) => {}
                    None => match self.session.document(name) {
                        Ok(Some(document)) if document.versions.contains_key(version) => {}
                        Ok(_) => self.faults.push(format!(
                            "`{}` requires `{name}` {version}, which is neither in the directory nor in the registry",
                            package.filename
                        )),
                        Err(problem) => self.faults.push(problem),
                    },
                }
            }
        }
    }

    /// Compares sizes with the quota of the index, and dates with the end of a release.
    fn index(&mut self, steps: &[Step], packages: &[Package]) {
        let mut projects = BTreeSet::new();
        for package in packages.iter().filter(|p| p.kind() == Kind::Pypi) {
            if !projects.insert(&package.name) {
                continue;
            }
            let absent: Vec<&PlannedFile> = steps
                .iter()
                .filter(|s| {
                    s.kind == Kind::Pypi && s.name == package.name && s.state == State::Absent
                })
                .filter_map(|step| step.file.as_ref())
                .collect();
            let Ok(Some(page)) = self.session.page(package) else { continue };
            let name = &package.name;
            if absent.is_empty() || page.files.is_empty() {
                continue;
            }
            let sizes: Option<u64> = page.files.values().map(|file| file.size_bytes).sum();
            let new: u64 = absent.iter().map(|file| file.size_bytes).sum();
            match sizes {
                Some(old) if old + new > PROJECT_BYTES => self.faults.push(format!(
                    "`{name}` would have {} bytes on the index, more than {PROJECT_BYTES}: delete old pre-releases, or ask for a higher limit",
                    old + new
                )),
                Some(_) => {}
                None => self.notes.push(format!("the index does not tell how much of its quota `{name}` uses")),
            }
            let own = page.files.iter().filter(|(file, _)| is_of(file, &package.version));
            let times = own.filter_map(|(_, file)| seconds(file.upload_time.as_deref()?));
            if let (Some(first), Some(now)) = (times.min(), sys::now())
                && now > first + CLOSES_AFTER
            {
                self.faults.push(format!(
                    "`{name}` {} was first published more than 14 days ago, so that the index takes no further file: release a new version",
                    package.version
                ));
            }
        }
    }
}

/// True if a file name of the index is of this version.
fn is_of(filename: &str, version: &str) -> bool {
    filename.parse::<crate::index::DistName>().is_ok_and(|name| name.version.to_string() == version)
}

/// Parses `2026-01-31T…` to the seconds of its midnight since 1970.
fn seconds(time: &str) -> Option<u64> {
    let parts: Option<Vec<u64>> =
        time.get(..10)?.split('-').map(|part| part.parse().ok()).collect();
    let [year @ 1970..=9999, month @ 1..=12, day @ 1..=31] = parts?[..] else { return None };
    Some(crate::registry::days(year, month, day)? * 86_400)
}

fn estimate(steps: &[Step], session: &Session<'_>) -> Result<Estimate, String> {
    let absent = || steps.iter().filter(|step| step.state == State::Absent);
    let bytes = absent().filter_map(|step| step.file.as_ref()).map(|file| file.size_bytes).sum();
    let (mut new, mut known) = (0, 0);
    for step in absent().filter(|step| step.kind == Kind::Crates) {
        let count = if session.rows(&step.name)?.is_some() { &mut known } else { &mut new };
        *count += 1;
    }
    let wait = |count: u64, (burst, seconds): (u64, u64)| count.saturating_sub(burst) * seconds;
    let wait_secs = wait(new, NEW_CRATES) + wait(known, CRATE_VERSIONS);
    Ok(Estimate { bytes, wait_secs })
}

//! Lists the cells of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::{InstallScheme, Platform, Python, Request, Settings, TestedWheel};
use crate::name::{Arch, Libc, MacArch, Os, PlatformTag, Target};

/// One wheel on one Python, installed one way; or a missing Python.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Unique name, which patterns match: `demo-cp312-x86_64-venv`.
    pub id: String,
    /// Index of its wheel among the subjects.
    pub subject: usize,
    /// Python that runs it.
    pub python: Choice,
    /// Installation scheme.
    pub scheme: InstallScheme,
    /// Reason for a skip; `None` if the cell runs.
    pub skip: Option<String>,
    /// True if the user named its Python, so that a skip is a failure.
    pub required: bool,
}

/// The Python of a cell.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Index of a Python that was found.
    Found(usize),
    /// A Python that was requested and is missing.
    Missing {
        /// Request: `python3.9`, `no-python`.
        wanted: String,
        /// Platform: `aarch64`.
        platform: String,
    },
}

/// Returns every cell of `subjects` on `pythons`: each wheel on each Python of its platform, in
/// each way. Of native Pythons, those that `settings` name are used, else the first of each
/// version; Pythons of roots are always used. With `targets`, only wheels and Pythons for those
/// are.
///
/// A wheel that cannot run is a cell too, with the reason: nothing disappears.
pub fn matrix(
    subjects: &[TestedWheel],
    pythons: &[Python],
    settings: &Settings,
    targets: &[Target],
) -> Vec<Cell> {
    let (chosen, missing) = choose(pythons, &settings.pythons);
    let is_wanted = |python: &Python| {
        targets.is_empty() || targets.iter().any(|target| runs_on(*target, &python.platform))
    };
    let mut cells = Cells::default();
    for (at, subject) in subjects.iter().enumerate() {
        let name = &subject.filename.name;
        let of_kind = |python: &Python| {
            subject.filename.platforms.iter().any(|tag| python.platform.is_of(tag))
        };
        // Of the wheels that several Pythons built from one source distribution, the first one is
        // tried on foreign Pythons as well, and stands for those that are missing.
        let is_first = subject.built_by.is_none()
            || subjects[..at].iter().all(|other| other.filename.name != *name);
        let is_for = |python: &Python| match &subject.built_by {
            Some(program) if python.runner.is_empty() => *program == python.program,
            _ => is_first,
        };
        let mut some = false;
        let mut native = false;
        for &(place, named) in &chosen {
            let python = &pythons[place];
            if !is_wanted(python) || !of_kind(python) || !is_for(python) {
                continue;
            }
            some = true;
            native |= python.runner.is_empty();
            let refusal = python.refuses(&subject.filename, subject.requires_python.as_ref());
            let schemes =
                if refusal.is_some() { &settings.schemes[..1] } else { &settings.schemes[..] };
            for &scheme in schemes {
                let (tag, platform) = (python.tag(), python.platform.label());
                cells.add(Cell {
                    id: format!("{name}-{tag}-{platform}-{scheme}"),
                    subject: at,
                    python: Choice::Found(place),
                    scheme,
                    skip: refusal.clone(),
                    required: named,
                });
            }
        }
        let scheme = settings.schemes[0];
        let platform = platform(subject, targets);
        // A missing Python could only have been a native one.
        let natives = || pythons.iter().filter(|python| python.runner.is_empty());
        let is_native = native || natives().any(of_kind);
        let is_none = targets.is_empty() && natives().next().is_none();
        if is_none || is_native && natives().any(is_wanted) {
            for request in &missing {
                let wanted = match request {
                    Request::Path(path) => path.display().to_string(),
                    Request::Version { .. } => format!("python{request}"),
                };
                cells.add(Cell {
                    id: format!("{name}-{wanted}-{platform}-{scheme}"),
                    subject: at,
                    skip: Some(format!("there is no Python {request} here")),
                    python: Choice::Missing { wanted, platform: platform.clone() },
                    scheme,
                    required: true,
                });
                some = true;
            }
        }
        if !some && is_first {
            cells.add(Cell {
                id: format!("{name}-no-python-{platform}-{scheme}"),
                subject: at,
                skip: Some(match platform.as_str() {
                    "any" => "there is no Python here".to_owned(),
                    platform => format!("there is no Python for {platform} here"),
                }),
                python: Choice::Missing { wanted: "no-python".to_owned(), platform },
                scheme,
                // `--target` was given, so a skip is a failure.
                required: !targets.is_empty(),
            });
        }
    }
    cells.list
}

/// Removes the subjects that are for none of `targets`, unless that list is empty.
pub fn only_for(subjects: &mut Vec<TestedWheel>, targets: &[Target]) {
    let is_wanted = |subject: &TestedWheel| {
        let tags = &subject.filename.platforms;
        targets.iter().any(|target| tags.iter().any(|tag| is_for(*target, tag)))
    };
    subjects.retain(|subject| targets.is_empty() || is_wanted(subject));
}

/// Returns the Linux processors of `targets`, else of `subjects`, that none of `pythons` runs.
pub fn foreign(subjects: &[TestedWheel], targets: &[Target], pythons: &[Python]) -> BTreeSet<Arch> {
    let mut arches: BTreeSet<Arch> = BTreeSet::new();
    let tags = subjects.iter().flat_map(|subject| &subject.filename.platforms);
    // Debian has no packages for a root with musl.
    arches.extend(tags.filter(|t| t.libc() != Some(Libc::Musl)).filter_map(PlatformTag::arch));
    if !targets.is_empty() {
        let glibc = targets.iter().filter(|target| target.os() == Os::Linux(Libc::Glibc));
        arches = glibc.map(Target::arch).collect();
    }
    let has = |arch: &Arch| {
        let runs = |python: &Python| matches!(&python.platform, Platform::Linux { arch: a, .. } if a == arch);
        pythons.iter().any(runs)
    };
    arches.retain(|arch| !has(arch));
    arches
}

/// List of cells with unique names.
#[derive(Default)]
struct Cells {
    list: Vec<Cell>,
    seen: BTreeMap<String, u32>,
}

impl Cells {
    fn add(&mut self, mut cell: Cell) {
        // Only the last part of a path can be part of a file name.
        cell.id = cell.id.replace(['/', '\\'], "_");
        let times = self.seen.entry(cell.id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            cell.id = format!("{}-{times}", cell.id);
        }
        self.list.push(cell);
    }
}

/// Returns the native Pythons that build and try a source distribution: their indices, and whether
/// the user named each.
pub(super) fn builders(pythons: &[Python], requests: &[Request]) -> Vec<(usize, bool)> {
    let (chosen, _) = choose(pythons, requests);
    chosen.into_iter().filter(|(at, _)| pythons[*at].runner.is_empty()).collect()
}

/// Returns the indices of the Pythons to use and whether the user named each, and the requests that
/// none meets.
fn choose<'r>(
    pythons: &[Python],
    requests: &'r [Request],
) -> (Vec<(usize, bool)>, Vec<&'r Request>) {
    let mut chosen = Vec::new();
    let mut missing = Vec::new();
    let native = |at: &usize| pythons[*at].runner.is_empty();
    if requests.is_empty() {
        let mut labels = Vec::new();
        for at in (0..pythons.len()).filter(native) {
            let label = (pythons[at].label(), pythons[at].platform.label());
            if !labels.contains(&label) {
                labels.push(label);
                chosen.push((at, false));
            }
        }
        chosen.sort_by_key(|(at, _)| (&pythons[*at].implementation, pythons[*at].version));
    }
    for request in requests {
        match (0..pythons.len()).filter(native).find(|at| request.is_met_by(&pythons[*at])) {
            Some(at) if chosen.iter().any(|(other, _)| *other == at) => {}
            Some(at) => chosen.push((at, true)),
            None => missing.push(request),
        }
    }
    chosen.extend((0..pythons.len()).filter(|at| !native(at)).map(|at| (at, false)));
    (chosen, missing)
}

/// True if a Python on `platform` runs wheels for `target`.
pub(super) fn runs_on(target: Target, platform: &Platform) -> bool {
    match (target.os(), platform) {
        (Os::Linux(wanted), Platform::Linux { arch, libc, .. }) => {
            *arch == target.arch() && *libc == wanted
        }
        (Os::MacOs | Os::Windows, Platform::Other(_)) => platform.is_of(&target.wanted_tag()),
        _ => false,
    }
}

/// True if a wheel with this tag is for `target`.
pub(super) fn is_for(target: Target, tag: &PlatformTag) -> bool {
    match (tag, target.os()) {
        (PlatformTag::Any, _) => true,
        (PlatformTag::Linux { arch }, Os::Linux(_)) => *arch == target.arch(),
        (tag, Os::Linux(libc)) => tag.arch() == Some(target.arch()) && tag.libc() == Some(libc),
        (PlatformTag::MacOs { arch, .. }, Os::MacOs) => {
            let own = target.wanted_tag();
            matches!(own, PlatformTag::MacOs { arch: own, .. } if own == *arch || *arch == MacArch::Universal2)
        }
        (tag, _) => *tag == target.wanted_tag(),
    }
}

/// Returns the name of the platform that a wheel is for.
fn platform(subject: &TestedWheel, targets: &[Target]) -> String {
    let tags = &subject.filename.platforms;
    if let Some(target) = targets.iter().find(|t| tags.iter().any(|tag| is_for(**t, tag))) {
        return match target.os() {
            Os::Linux(Libc::Glibc) => target.arch().to_string(),
            Os::Linux(libc) => format!("{}-{libc}", target.arch()),
            _ => target.wanted_tag().to_string(),
        };
    }
    let first = tags.first();
    let linux = first.and_then(|tag| {
        let arch = tag.arch()?;
        Some(match tag.libc() {
            Some(Libc::Musl) => format!("{arch}-musl"),
            _ => arch.to_string(),
        })
    });
    linux.unwrap_or_else(|| first.map(PlatformTag::to_string).unwrap_or_default())
}

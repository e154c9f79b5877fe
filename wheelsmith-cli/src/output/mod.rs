//! Writes results to standard output, progress and errors to standard error.

mod audited;
mod checked;
mod found;
mod human;
mod index;
mod inspect;
mod json;
mod package;
mod progress;
mod release;
mod repair;
mod report;
mod seal;
mod size;
mod store;
mod style;
mod test;
mod text;
mod tree;
mod update;
mod version;
mod wheel;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use wheelsmith_core::config::LoadError;
use wheelsmith_core::index::{self as indexes, Changes, Fault};
use wheelsmith_core::plan::Plan;
use wheelsmith_core::project::{self, Binstall, BuildOutput};
use wheelsmith_core::source::Update;
use wheelsmith_core::store::{
    self as stores, CommitId, Garbage, Key, Label, Sent, Set, SetDiff, SetId, Verified,
};
use wheelsmith_core::sys::{self, Host};
use wheelsmith_core::testing;
use wheelsmith_core::toolchain::TargetSurvey;
use wheelsmith_core::tree::{Scan, TestReport};
use wheelsmith_core::version::change::{self, Change, ProjectVersion};
use wheelsmith_core::version::scheme::SchemeError;
use wheelsmith_core::wheel::{Diff, MadeFile};
use wheelsmith_core::{audit, check, release as releases, seal as seals};

pub(crate) use inspect::Inspected;
pub(crate) use progress::Progress;
pub(crate) use size::Sizes;
pub(crate) use test::TestForm;
pub(crate) use wheel::Retagged;

use self::report::{self as forms, Summary};
use self::text::Text;
use crate::global::Format;

/// Writer of results in the chosen format.
pub(crate) struct Output {
    format: Format,
    verbose: bool,
    /// Last result as JSON, for `--output`.
    document: RefCell<Option<serde_json::Value>>,
}

/// Level of detail of a report for people.
#[derive(Debug, Clone, Default)]
pub(crate) struct View {
    /// True if notes and all evidence are shown.
    pub(crate) verbose: bool,
    /// True if the obstacles to older tags are shown.
    pub(crate) explain: bool,
    /// Only older tag whose obstacles are shown; `None` for all.
    pub(crate) want: Option<String>,
}

impl Output {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        Self { format, verbose, document: RefCell::new(None) }
    }

    fn write(
        &self,
        human: impl FnOnce() -> Text,
        json: impl FnOnce() -> serde_json::Value,
    ) -> std::io::Result<()> {
        use std::io::Write as _;
        let mut out = anstream::stdout().lock();
        let document = json();
        match self.format {
            Format::Json => writeln!(out, "{document:#}")?,
            // The command line accepts other formats for reports only.
            _ => out.write_all(human().as_str().as_bytes())?,
        }
        self.document.replace(Some(document));
        out.flush()
    }

    /// Returns the last result as JSON.
    pub(crate) fn document(&self) -> Option<serde_json::Value> {
        self.document.borrow().clone()
    }

    /// Returns an error as JSON.
    pub(crate) fn json_error(error: &anyhow::Error) -> serde_json::Value {
        json::error(error.as_ref())
    }

    /// Writes the sizes of packages, and `top` files of each.
    pub(crate) fn sizes(&self, sizes: &Sizes, top: usize) -> std::io::Result<()> {
        let top = if self.verbose { usize::MAX } else { top };
        self.write(|| size::human(sizes, top), || size::json(sizes))
    }

    /// Writes the version of a project.
    pub(crate) fn version(&self, found: &ProjectVersion) -> std::io::Result<()> {
        self.write(|| version::human(found), || version::json(found))
    }

    /// Writes the change of a version.
    pub(crate) fn version_changed(&self, change: &Change, dry_run: bool) -> std::io::Result<()> {
        let human = || version::human_changed(change, dry_run);
        self.write(human, || version::json_changed(change, dry_run))
    }

    /// Writes the places with another version.
    pub(crate) fn version_checked(
        &self,
        found: &ProjectVersion,
        problems: &[String],
    ) -> std::io::Result<()> {
        let human = || version::human_checked(found, problems);
        self.write(human, || version::json_checked(found, problems))
    }

    /// Writes the plan of a publication.
    pub(crate) fn release_plan(&self, plan: &releases::Plan) -> std::io::Result<()> {
        self.write(|| release::human_plan(plan), || release::json_plan(plan))
    }

    /// Writes the outcome of each step of a publication.
    pub(crate) fn published(
        &self,
        plan: &releases::Plan,
        published: &releases::Published,
        dry_run: bool,
    ) -> std::io::Result<()> {
        let human = || release::human_published(plan, published, dry_run);
        self.write(human, || release::json_published(plan, published))
    }

    /// Writes the number of listed files.
    pub(crate) fn sums(
        &self,
        dir: &Path,
        sums: &seals::Sums,
        changed: bool,
    ) -> std::io::Result<()> {
        let human = || seal::human_sums(dir, sums, changed);
        self.write(human, || seal::json_sums(dir, sums, changed))
    }

    /// Writes the files of signatures.
    pub(crate) fn signed(&self, release: &str, written: &[PathBuf]) -> std::io::Result<()> {
        let human = || seal::human_signed(release, written);
        self.write(human, || seal::json_signed(release, written))
    }

    /// Writes the result of a verification.
    pub(crate) fn verified(&self, report: &seals::Report) -> anyhow::Result<()> {
        let json = serde_json::to_value(report)?;
        Ok(self.write(|| seal::human_verified(report, self.verbose), || json)?)
    }

    /// Writes the name of a source distribution.
    pub(crate) fn sdist(&self, file: &MadeFile) -> std::io::Result<()> {
        self.write(|| wheel::human_files(std::slice::from_ref(file)), || json::sdist(file))
    }

    /// Writes the requirements of a build.
    pub(crate) fn requires(&self, requires: &[String]) -> std::io::Result<()> {
        let human = || human::list(requires);
        self.write(human, || json::requires(requires))
    }

    /// Writes the directory of a wheel's metadata.
    pub(crate) fn prepared(&self, dir: &Path) -> std::io::Result<()> {
        self.write(|| human::list([dir.display()]), || json::prepared(dir))
    }

    /// Writes the plan of a build.
    pub(crate) fn plan(&self, plan: &Plan) -> std::io::Result<()> {
        self.write(|| human::plan(plan, self.verbose), || json::plan(plan))
    }

    /// Writes the results of a build. Errors of targets go to standard error too.
    pub(crate) fn built(&self, built: &BuildOutput) -> std::io::Result<()> {
        for (target, result) in &built.targets {
            if let Err(error) = result
                && !error.is_cancelled()
            {
                let context = (built.targets.len() > 1).then(|| target.to_string());
                human::error(context.as_deref(), error, error.hint());
            }
        }
        self.write(|| human::built(built), || json::built(built))
    }

    /// Writes the metadata for `cargo binstall`.
    pub(crate) fn binstall(&self, found: &[Binstall]) -> std::io::Result<()> {
        self.write(|| package::binstall(found), || json::binstall(found))
    }

    /// Writes the number of fetched sources.
    pub(crate) fn fetched(&self, sources: usize) -> std::io::Result<()> {
        self.write(|| human::fetched(sources), || json::fetched(sources))
    }

    /// Writes the newer versions of sources. Errors go to standard error too.
    pub(crate) fn updated(&self, updates: &[Update], dry_run: bool) -> std::io::Result<()> {
        for update in updates {
            if let Err(error) = &update.newer {
                human::error(Some(&update.components.join(", ")), error, error.hint());
            }
        }
        self.write(|| update::human(updates, dry_run), || update::json(updates, dry_run))
    }

    /// Writes the compilers that were found.
    pub(crate) fn toolchains(&self, found: &[TargetSurvey]) -> std::io::Result<()> {
        self.write(|| human::toolchains(found), || json::toolchains(found))
    }

    /// Writes the facts of native files.
    pub(crate) fn inspected(&self, files: &[Inspected]) -> std::io::Result<()> {
        self.write(|| inspect::human(files, self.verbose), || inspect::json(files))
    }

    /// Writes the names of wheels.
    pub(crate) fn written(&self, files: &[MadeFile]) -> std::io::Result<()> {
        self.write(|| wheel::human_files(files), || wheel::json_files(files))
    }

    /// Writes the repaired wheels. Errors go to standard error too.
    pub(crate) fn repaired(&self, results: &repair::Results) -> std::io::Result<()> {
        for (wheel, result) in results {
            if let Err(error) = result {
                let context = (results.len() > 1).then(|| wheel.display().to_string());
                human::error(context.as_deref(), error, error.hint());
            }
        }
        self.write(|| repair::human(results), || repair::json(results))
    }

    /// Writes the report of the audit, or returns it if it goes to a file.
    pub(crate) fn report(
        &self,
        report: &audit::Report,
        view: &View,
        to_file: bool,
        host: &Host,
    ) -> anyhow::Result<String> {
        let view = View { verbose: view.verbose || self.verbose, ..view.clone() };
        let human = || audited::human(report, &view);
        self.form(human, || serde_json::to_value(report), report, to_file, host)
    }

    /// Writes the report of the check, or returns it if it goes to a file.
    pub(crate) fn checked(
        &self,
        report: &check::Report,
        to_file: bool,
        host: &Host,
    ) -> anyhow::Result<String> {
        let human = || checked::human(report, self.verbose);
        self.form(human, || serde_json::to_value(report), report, to_file, host)
    }

    /// Renders a report in the chosen format.
    fn form<'r>(
        &self,
        human: impl FnOnce() -> Text,
        json: impl FnOnce() -> serde_json::Result<serde_json::Value>,
        report: impl Into<Summary<'r>>,
        to_file: bool,
        host: &Host,
    ) -> anyhow::Result<String> {
        use std::io::Write as _;
        let text = match self.format {
            Format::Human => human().into(),
            Format::Json => format!("{:#}\n", json()?),
            Format::Sarif => forms::sarif::render(report),
            Format::Github => {
                let report = report.into();
                if let Some(path) = host.env.get("GITHUB_STEP_SUMMARY") {
                    let path = Path::new(path);
                    let summary = forms::github::summary(report.clone());
                    sys::fs::append(path, summary.as_bytes()).with_context(|| {
                        format!("cannot write the job's summary to `{}`", path.display())
                    })?;
                }
                forms::github::render(report)
            }
            Format::Junit => forms::junit::render(report),
            Format::Html => forms::html::render(report),
        };
        if to_file {
            // A file contains no colours.
            return Ok(anstream::adapter::strip_str(&text).to_string());
        }
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(text)
    }

    /// Writes the results of tests.
    pub(crate) fn tested(&self, report: &testing::Report) -> anyhow::Result<()> {
        use std::io::Write as _;
        let text = match self.format {
            Format::Json => test::json(report)?,
            Format::Junit => test::junit(report),
            _ => test::human(report).into(),
        };
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Writes the directory of an unpacked wheel.
    pub(crate) fn unpacked(&self, root: &Path, files: usize) -> std::io::Result<()> {
        self.write(|| wheel::human_unpacked(root, files), || wheel::json_unpacked(root, files))
    }

    /// Writes the wheels with changed tags.
    pub(crate) fn retagged(&self, wheels: &[Retagged]) -> std::io::Result<()> {
        self.write(|| wheel::human_retagged(wheels), || wheel::json_retagged(wheels))
    }

    /// Writes the differences of two wheels.
    pub(crate) fn wheel_diff(&self, diff: &Diff) -> std::io::Result<()> {
        self.write(|| wheel::human_diff(diff), || wheel::json_diff(diff))
    }

    /// Writes the changes of an index.
    pub(crate) fn indexed(&self, site: &Path, changes: &Changes) -> std::io::Result<()> {
        self.write(|| index::human(site, changes), || index::json(site, changes))
    }

    /// Writes the faults of an index.
    pub(crate) fn index_faults(&self, site: &Path, faults: &[Fault]) -> std::io::Result<()> {
        self.write(|| index::human_faults(site, faults), || index::json_faults(site, faults))
    }

    /// Writes the URL of a served index.
    pub(crate) fn serving(&self, url: &str) -> std::io::Result<()> {
        self.write(|| human::list([url]), || json::serving(url))
    }

    /// Writes the URL of a store that is ready.
    pub(crate) fn store_ready(&self, url: &str) -> std::io::Result<()> {
        self.write(|| human::list([url]), || json::serving(url))
    }

    /// Writes a set that was stored.
    pub(crate) fn stored(
        &self,
        id: &SetId,
        set: &Set,
        references: &[Key],
        moved: Sent,
    ) -> std::io::Result<()> {
        let human = || store::human_stored(id, set, references, moved);
        self.write(human, || store::json_stored(id, set, references, moved))
    }

    /// Writes the number of files that were written from a store.
    pub(crate) fn got(&self, dir: &Path, set: &Set) -> std::io::Result<()> {
        self.write(|| store::human_got(dir, set), || store::json_got(dir, set))
    }

    /// Writes the files of a set.
    pub(crate) fn stored_files(&self, id: &SetId, set: &Set) -> std::io::Result<()> {
        self.write(|| store::human_files(set), || store::json_files(id, set))
    }

    /// Writes the sets of a commit.
    pub(crate) fn stored_sets(
        &self,
        commit: &CommitId,
        sets: &[(Label, SetId, Set)],
    ) -> std::io::Result<()> {
        self.write(|| store::human_sets(commit, sets), || store::json_sets(commit, sets))
    }

    /// Writes the references of a store.
    pub(crate) fn stored_references(&self, keys: &[Key]) -> std::io::Result<()> {
        self.write(|| human::list(keys), || store::json_references(keys))
    }

    /// Writes which slots a commit has and lacks.
    pub(crate) fn completed(
        &self,
        commit: &CommitId,
        found: &BTreeSet<Label>,
        missing: &[Label],
    ) -> std::io::Result<()> {
        let human = || store::human_completed(commit, found, missing);
        self.write(human, || store::json_completed(commit, found, missing))
    }

    /// Writes the differences of two sets.
    pub(crate) fn set_diff(&self, diff: &SetDiff) -> std::io::Result<()> {
        self.write(|| store::human_diff(diff), || store::json_diff(diff))
    }

    /// Writes the faults of a store.
    pub(crate) fn store_verified(&self, found: &Verified, quick: bool) -> std::io::Result<()> {
        let human = || store::human_verified(found, quick);
        self.write(human, || store::json_verified(found, quick))
    }

    /// Writes what nothing in a store keeps.
    pub(crate) fn garbage(&self, garbage: &Garbage, applied: bool) -> std::io::Result<()> {
        let human = || store::human_garbage(garbage, applied);
        self.write(human, || store::json_garbage(garbage, applied))
    }

    /// Writes a pin of a store.
    pub(crate) fn pinned(&self, name: &Label, set: Option<SetId>) -> std::io::Result<()> {
        self.write(|| store::human_pinned(name, set), || store::json_pinned(name, set))
    }

    /// Writes what a bundle moved.
    pub(crate) fn bundle(&self, path: &Path, moved: Sent) -> std::io::Result<()> {
        self.write(|| store::human_bundle(path, moved), || store::json_bundle(path, moved))
    }

    /// Writes which files `init` wrote in `dir`, and how installers build the project.
    pub(crate) fn initialised(
        &self,
        dir: &Path,
        files: &[PathBuf],
        note: &str,
    ) -> std::io::Result<()> {
        self.write(|| human::initialised(dir, files, note), || json::initialised(files, note))
    }

    /// Writes the places in which a tree names its prefix.
    pub(crate) fn tree_scan(&self, scan: &Scan) -> std::io::Result<()> {
        self.write(|| tree::human_scan(scan, self.verbose), || tree::json_scan(scan))
    }

    /// Writes the trees that were built. Errors of targets go to standard error too.
    pub(crate) fn trees(&self, results: &tree::Built) -> std::io::Result<()> {
        for (target, result) in results {
            if let Err(error) = result {
                human::error(Some(&target.to_string()), error, error.hint());
            }
        }
        self.write(|| tree::human_built(results, self.verbose), || tree::json_built(results))
    }

    /// Writes the results of testing trees.
    pub(crate) fn tree_tests(&self, reports: &[TestReport]) -> std::io::Result<()> {
        self.write(|| tree::human_tests(reports, self.verbose), || tree::json_tests(reports))
    }

    /// Writes an error to standard error.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let hint = error.downcast_ref::<project::Error>().and_then(project::Error::hint);
        let hint = hint.or_else(|| error.downcast_ref::<LoadError>()?.hint());
        let hint = hint.or_else(|| error.downcast_ref::<change::Error>()?.hint());
        let hint = hint.or_else(|| error.downcast_ref::<SchemeError>()?.help.clone());
        let hint = hint.or_else(|| error.downcast_ref::<testing::Error>()?.hint());
        let hint = hint.or_else(|| error.downcast_ref::<stores::Error>()?.hint());
        let of_index = error.downcast_ref::<indexes::Error>();
        let hint = hint.or_else(|| of_index.and_then(indexes::Error::hint));
        if let Some(indexes::Error::Multiple(errors)) = of_index {
            for error in errors {
                human::error(None, error, error.hint());
            }
        }
        human::error(None, error.as_ref(), hint);
        if self.format.is_json() {
            // Programs that read standard output receive a document after an error too.
            let _ = self.write(Text::new, || json::error(error.as_ref()));
        }
    }
}

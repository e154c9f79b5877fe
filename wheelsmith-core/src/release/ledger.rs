//! Ledger: a line for each event of a publication, on disk before the next request. It is a record for
//! people; nothing is decided by it.

use std::path::PathBuf;

use serde::Serialize;

use super::Error;
use crate::name::Digest;
use crate::sys;

/// Event of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Event {
    Intent,
    Sent,
    Present,
    Visible,
    Conflict,
    Rejected,
    Wait,
}

/// Line. No field can contain a secret: they are numbers, digests and names of the plan.
#[derive(Serialize)]
struct Line<'a> {
    at: u64,
    run: &'a str,
    step: &'a str,
    event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<Digest>,
}

/// Ledger of one run.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    run: String,
}

impl Ledger {
    pub(super) fn new(path: PathBuf) -> Self {
        let run = format!("{}-{}", sys::now().unwrap_or_default(), std::process::id());
        Self { path, run }
    }

    pub(super) fn write(
        &self,
        step: &str,
        event: Event,
        status: Option<u16>,
        sha256: Option<Digest>,
    ) -> Result<(), Error> {
        let at = sys::now().unwrap_or_default();
        let line = Line { at, run: &self.run, step, event, status, sha256 };
        let mut text = serde_json::to_vec(&line).expect("texts and numbers are JSON");
        text.push(b'\n');
        sys::fs::append_synced(&self.path, &text).map_err(|e| Error::write(&self.path, e))
    }
}

//! Publication of finished packages to registries.
//!
//! `plan` reads the packages, looks at each registry, and returns every fault before a byte is
//! sent. `publish` executes a plan: for each step it looks, sends what is absent, and waits
//! until the registry shows it. A run that was killed is finished by another run of the same plan:
//! wheelsmith asks the registries what they have, compares it by digest, and sends only what is absent.

mod error;
mod ledger;
mod package;
mod plan;
mod publish;
mod session;
mod steps;

pub use error::Error;
pub use plan::{PlanOptions, plan};
pub use publish::{Outcome, PublishOptions, Published, StepResult, publish};
pub use steps::{Estimate, Kind, LeftOut, Plan, PlannedFile, State, Step};

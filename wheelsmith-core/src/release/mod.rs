//! Publication of finished packages to registries.
//!
//! `plan` reads the packages, looks at each registry, and returns every fault before a byte is
//! sent. `publish` executes a plan: for each step it looks, sends what is absent, and looks until
//! the registry shows it. The registries are the only truth: a run that was killed is finished by
//! another run of the same plan, and what is published already is not sent again.

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

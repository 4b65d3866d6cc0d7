//! An extraction in parts, when one machine is too small: plan, run, status, merge.
//!
//! A plan is a JSON file that stands for the study: a shard needs it and the images, nothing else. A shard file is a
//! study file of its patients, with the row of `shard` that says which part of which plan it is.

mod merge;
mod plan;
mod run;
mod status;

pub use merge::{MergeOptions, MergeReport};
pub use plan::{Plan, PlanReport, PlannedFile, PlannedPatient};
pub use status::{Found, ShardState, Shards, ranges};

//! The study file: SQLite behind functions named like the questions they answer. All SQL of the program is here.
//!
//! `schema.sql` is the documentation of the tables. Reading goes through `Store`; every change goes through
//! `Store::write`, one transaction with a reason, and enters the trail by the file's own triggers.

mod actor;
mod backup;
mod check;
mod codebook;
mod damage;
mod error;
mod feature;
mod file;
mod group;
mod guard;
mod id;
mod image;
mod import;
mod migrate;
mod model;
mod part;
mod patient;
mod query;
mod queue;
mod redact;
mod run;
mod shard;
mod split;
mod study;
mod trail;
mod validation;
mod verdict;

pub use actor::Actor;
pub use backup::{check as check_copy, restore};
pub use error::StoreError;
pub use feature::{Inputs, RegionState, values_sha256};
pub use file::{Access, Store, Write};
pub use group::Group;
pub use guard::{Exclusive, write_all_whole, write_whole};
pub use id::{ExtractionId, FeatureId, JobId, ModelId, PatientId, QueryId, RunId, SplitId};
pub use image::{ALL_LESIONS, ImageFile, LESION, Place, Role, SLOT};
pub use import::Import;
pub use model::{Model, NewModel, Origin, Prediction};
pub use part::PARTS;
pub use patient::{Patient, natural, stored};
pub use query::{Link, Query, QuerySource, QueryState};
pub use queue::{JobRow, JobState};
pub use redact::{Part, REDACTED};
pub use run::{Beginning, NewRun, Run};
pub use shard::{Scratch, ShardRow, file_sha256};
pub use split::{Side, Split};
pub use trail::{Change, ChangeFilter, sha256};
pub use verdict::{Judgement, Verdict};

//! The use cases that the command line and the dashboard share; the only place that knows paths, patients and errors together.

mod analyse;
mod audit;
mod browse;
mod caution;
mod clinical;
mod cohort;
mod conformity;
pub mod demo;
mod edit;
mod error;
mod explain;
mod export;
mod extract;
mod features;
mod figure;
mod import_clinical;
mod import_images;
mod input;
mod learning;
mod learnt;
mod lock;
mod manifest;
mod measure;
mod members;
mod model_pages;
mod nifti;
mod open;
mod origin;
mod overview;
mod patient_pages;
mod performance;
mod phantom;
mod picture;
mod prediction;
mod question;
pub mod reconcile;
mod refusal;
mod report;
mod reproducibility;
mod rules;
mod runs;
pub mod shard;
mod specification;
mod splitting;
mod tables;
mod trail_page;
mod undo;
mod verify;
mod work;
mod written;

use std::path::Path;

use crate::protocol::Protocol;

pub use analyse::{describe, discriminate, read_table, regress};
pub use browse::Progress;
pub use clinical::{Clinical, Map as ClinicalMap, Row as ClinicalRow, read as read_clinical};
pub use conformity::{CONFIGURATIONS, conformity};
pub use edit::{Belongs, Edit};
pub use error::Error;
pub use export::ExportOptions;
pub use extract::{ExtractReport, ExtractRequest, Failure};
pub use features::{FeaturesReport, FeaturesRequest, features};
pub use figure::{FigureName, FigureRequest, ForestShap};
pub use import_clinical::{BadRows, ClinicalReport, FieldChange};
pub use import_images::{ImagesReport, Link};
pub use learning::FitReport;
pub use lock::{check_backup, restore};
pub use model_pages::MovableModel;
pub use open::{Study, View};
pub use origin::{Asked, definition};
pub use performance::{EvaluateRequest, ModelTable, evaluate};
pub use picture::Picture;
pub use refusal::Refusal;
pub use splitting::split_in_words;
pub use tables::{ClinicalTable, clinical_table, read_published};
pub use trail_page::{trail_columns, trail_filter};
pub use verify::Verification;
pub use work::{Health, health};

/// Reads and checks a protocol file.
pub fn read_protocol(path: &Path) -> Result<Protocol, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(Protocol::parse(&text)?)
}

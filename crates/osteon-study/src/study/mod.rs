//! The use cases that the command line and the dashboard share; the only place that knows paths, patients and errors together.

mod data;
mod error;
mod jobs;
mod learn;
mod models;
mod open;
mod pages;
mod report;
pub mod shard;
mod trust;

use std::path::Path;

use crate::protocol::Protocol;

pub use data::browse::Progress;
pub use data::clinical::{Clinical, Map as ClinicalMap, Row as ClinicalRow, read as read_clinical};
pub use data::codebook::{
    CodebookForm, ReadCodebook, clinical_template, clinical_template_sheet, codebook_sheet, editable_sheet, lost,
    propose_codebook, propose_protocol, read_codebook, write_codebook,
};
pub use data::demo;
pub use data::edit::{Belongs, Edit};
pub use data::export::ExportOptions;
pub use data::import_clinical::{BadRows, ClinicalReport, FieldChange};
pub use data::import_images::{ImagesReport, Link};
pub use data::manifest::LeftOut;
pub use data::picture::Picture;
pub use data::quality::Masks;
pub use data::redact::{Redaction, Withdrawal};
pub use data::refusal::Refusal;
pub use data::relocate::Relocation;
pub use data::undo_import::TurnedBack;
pub use error::Error;
pub use jobs::batch::{BatchReport, BatchRequest, How, Resume, Which, batch};
pub use jobs::extract::{ExtractReport, ExtractRequest, Failure};
pub use jobs::features::{FeaturesReport, FeaturesRequest, features};
pub use jobs::journal::path_of as journal_of;
pub use jobs::parameters::{MapsRequest, apply_settings, feature_maps, read_parameters};
pub use jobs::work::{Health, health};
pub use learn::centres::CentresReport;
pub use learn::fit::FitReport;
pub use learn::performance::{EvaluateRequest, ModelTable, evaluate, evaluate_figures};
pub use learn::prediction::{RESEARCH_ONLY, USE};
use learn::splitting::split_in_words;
pub use learn::timed::TimedReport;
pub use models::batch::{Batch, BatchRow, batch_json, batch_sheet, predict_batch};
pub use models::cohort::Who;
pub use models::export::{check_model, read_model};
pub use models::predict::{Files, Predicted, predict_files, prediction_json, prediction_sheets};
pub use models::validate::{Updating, Validated, updated};
pub use open::{Study, Times, View};
pub use osteon_reconcile::read::correction::{Amendment, ROLES as CORRECTED_ROLES};
pub use pages::head::Head;
pub use pages::model_pages::MovableModel;
pub use pages::origin::{Asked, definition};
pub use pages::status::NextStep;
pub use pages::trail_page::{trail_columns, trail_filter};
pub use report::analyse::{Regressed, describe, discriminate, read_table, regress};
pub use report::conformity::{CONFIGURATIONS, conformity};
pub use report::document::Form;
pub use report::facts::settings_sheet;
pub use report::figure::{FigureName, FigureRequest, ForestShap};
pub use report::filters::{Filtered, filter_conformity};
pub use report::survive::{CurveRequest, Followed, HazardRequest, curves, each_alone, hazards};
pub use report::tables::{ClinicalTable, clinical_table, read_published};
pub use report::time::{Curve, NO_TIME};
pub use report::{readings, reconcile};
pub use trust::lock::{check_backup, restore};
pub use trust::plan::Plan;
pub use trust::standing::{Standing, is_doubt};
pub use trust::verify::Verification;

pub use crate::store::{
    Access, Change, ChangeFilter, Group, JobId, JobRow, JobState, Judgement, PatientId, Query, QueryId, QueryState,
    RunId, StoreError, write_whole,
};
pub use data::input::{bytes as read_bytes, text as read_text};

/// Reads and checks a protocol file.
pub fn read_protocol(path: &Path) -> Result<Protocol, Error> {
    let text = data::input::text(path)?;
    if text.trim().is_empty() {
        let what = "is empty; osteon protocol show prints the protocol in force, to be changed and used";
        return Err(Error::Request(format!("{}: the file {what}", path.display())));
    }
    Ok(Protocol::parse(&text)?)
}

/// The settings of a protocol file that have no say under its others, and why.
pub fn settings_without_say(path: &Path) -> Result<Vec<(String, &'static str)>, Error> {
    let text = data::input::text(path)?;
    Ok(Protocol::without_say(&text)?)
}

//! What is known of patients: import, entry, queries, pictures, export, and the synthetic cohort.

pub(in crate::study) mod browse;
pub(in crate::study) mod clinical;
pub(in crate::study) mod codebook;
pub(in crate::study) mod cohort;
pub mod demo;
pub(in crate::study) mod edit;
pub(in crate::study) mod export;
pub(in crate::study) mod import_clinical;
pub(in crate::study) mod import_images;
pub(in crate::study) mod input;
pub(in crate::study) mod layout;
pub(in crate::study) mod manifest;
pub(in crate::study) mod nifti;
pub(in crate::study) mod phantom;
pub(in crate::study) mod picture;
pub(in crate::study) mod quality;
pub(in crate::study) mod question;
pub(in crate::study) mod redact;
pub(in crate::study) mod refusal;
pub(in crate::study) mod relocate;
pub(in crate::study) mod rules;
pub(in crate::study) mod singling;
pub(in crate::study) mod undo;
pub(in crate::study) mod undo_import;

//! One test binary: each module proves one part of the program.

mod chain;
mod dicom;
mod dicom_files;
mod extract;
mod features;
mod figure;
mod filter;
mod floors;
mod forest;
mod forge;
mod hostile;
mod import;
mod man;
mod nomogram;
pub mod plot;
mod preprocess;
mod read;
mod reconcile;
mod roi;
mod select;
mod shap;
mod statistics;
mod store;
mod support;
mod trust;

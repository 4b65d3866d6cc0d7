//! How good a score is: ROC, DeLong, calibration, decision curves, bootstrap.

pub mod bootstrap;
pub mod calibration;
pub mod decision;
pub mod external_size;
pub mod flexible;
pub mod importance;
pub mod judged;
pub mod optimism;
pub mod pooled;
pub mod precision_recall;
pub mod reclassification;
pub mod refits;
pub mod repeated;
pub mod roc;
pub mod roc_band;
pub mod sample_size;
pub mod smooth;
pub mod stability;
mod windows;

//! How good a score is: ROC, DeLong, calibration, decision curves, bootstrap.

pub mod bootstrap;
pub mod calibration;
pub mod decision;
pub mod importance;
pub mod optimism;
pub mod reclassification;
pub mod roc;
pub mod sample_size;
pub mod smooth;
mod windows;

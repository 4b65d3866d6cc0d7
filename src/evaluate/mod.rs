//! How good a score is: ROC, DeLong, calibration, decision curves, bootstrap.

pub mod bootstrap;
pub mod roc;

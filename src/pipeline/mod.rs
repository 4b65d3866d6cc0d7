//! Stages put together: describe a patient, learn a model, validate it.

pub mod clinical;
pub mod cohort;
pub mod describe;
pub mod diagnose;
pub mod learn;
pub mod missing;
pub mod region;
pub mod validate;

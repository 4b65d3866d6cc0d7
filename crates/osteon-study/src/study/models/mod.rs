//! Models that travel: the file of a fit, its card and check, and patients under it.

pub mod batch;
pub mod cohort;
pub mod export;
pub mod later;
pub mod predict;
pub mod validate;

//! Split, fit, and what the fitted models say of patients.

mod batch_effect;
pub(in crate::study) mod batches;
mod beside;
pub(in crate::study) mod centres;
pub(in crate::study) mod explain;
pub(in crate::study) mod fit;
pub(in crate::study) mod learnt;
pub(in crate::study) mod performance;
pub(in crate::study) mod prediction;
pub(in crate::study) mod reproducibility;
pub(in crate::study) mod rows;
pub(in crate::study) mod splitting;
pub(in crate::study) mod subgroups;
pub(in crate::study) mod timed;

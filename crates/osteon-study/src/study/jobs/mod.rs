//! Measuring: one image, a study, or a queue of jobs.

pub(in crate::study) mod batch;
pub(in crate::study) mod extract;
pub(in crate::study) mod features;
pub(in crate::study) mod journal;
pub(in crate::study) mod measure;
pub(in crate::study) mod parameters;
mod space;
pub(in crate::study) mod work;

//! Tables, figures and the report, and published tables held against them.

pub(in crate::study) mod analyse;
pub(in crate::study) mod audit;
pub(in crate::study) mod caution;
pub(in crate::study) mod conformity;
pub(in crate::study) mod document;
mod external;
pub(in crate::study) mod facts;
pub(in crate::study) mod figure;
pub(in crate::study) mod filters;
pub(in crate::study) mod prognosis;
pub mod readings;
pub mod reconcile;
pub(in crate::study) mod review;
pub(in crate::study) mod specification;
mod statements;
pub(in crate::study) mod survive;
pub(in crate::study) mod tables;
pub mod time;
mod time_methods;
pub(in crate::study) mod told;

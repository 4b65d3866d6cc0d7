//! The pages of the dashboard as sheets, and where each number comes from.

pub(in crate::study) mod head;
mod members;
pub(in crate::study) mod model_pages;
pub(in crate::study) mod origin;
pub(in crate::study) mod overview;
pub(in crate::study) mod patient_pages;
pub(in crate::study) mod runs;
pub(in crate::study) mod status;
pub(in crate::study) mod trail_page;

//! Lock, backup, verification, and the names of files that are written.

pub(in crate::study) mod lock;
pub(in crate::study) mod plan;
pub(in crate::study) mod regions;
pub(in crate::study) mod standing;
pub(in crate::study) mod verify;
pub(in crate::study) mod written;

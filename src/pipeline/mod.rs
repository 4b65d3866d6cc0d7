//! Stages put together: describe a patient, learn a model, validate it.

pub mod describe;

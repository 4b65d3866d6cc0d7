//! Stages put together: describe a patient, learn a model, validate it.

pub mod batch_effect;
pub mod clinical;
pub mod cohort;
pub mod harmonise;
pub mod learn;
pub mod learner;
pub mod missing;
pub mod recipe;
pub mod region;
pub mod rivals;
pub mod timed;
pub mod unharmonised;
pub mod validate;

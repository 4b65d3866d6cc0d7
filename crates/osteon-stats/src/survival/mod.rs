//! Time to event: curves, tests, proportional hazards, and how well a prediction of survival does.
//!
//! Values enter as a [`follow_up::FollowUp`], which is checked once: then every row has a time, is at risk until it (and
//! from its entry on, where rows enter late), and either has the event or is censored there. An event and a censoring at
//! the same time are taken in this order, as everywhere in R.

pub mod accuracy;
pub mod concordance;
pub mod cox;
pub mod decision;
pub mod follow_up;
pub mod forest;
pub mod incidence;
pub mod kaplan_meier;
pub mod log_rank;

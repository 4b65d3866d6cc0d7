//! Statistics, models and selection against R, SPSS and scikit-learn.

mod batch_effect;
mod calibration;
mod combat;
mod coverage;
mod evidence;
mod firth;
mod forest;
mod learners;
mod logistic;
mod nomogram;
mod pooled;
mod roc;
mod rubin;
mod select;
mod separation;
mod shap;
mod statistics;
mod survival;
mod survival_edges;
mod survival_learn;

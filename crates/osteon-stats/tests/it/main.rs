//! Statistics, models and selection against R, SPSS and scikit-learn.

mod calibration;
mod forest;
mod logistic;
mod nomogram;
mod roc;
mod select;
mod shap;
mod statistics;

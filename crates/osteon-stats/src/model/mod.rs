//! What is fitted: logistic regression, random forest, nomogram, SHAP.

pub mod forest;
pub mod logistic;
pub mod nomogram;
pub mod shap;

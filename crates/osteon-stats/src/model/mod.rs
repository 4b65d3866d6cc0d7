//! What is fitted: logistic regression, random forest, linear support vector machine, nomogram, SHAP.

pub mod forest;
pub mod logistic;
pub mod nomogram;
pub mod platt;
pub mod shap;
pub mod svm;

//! What is fitted: logistic regression, random forest, nomogram, SHAP.

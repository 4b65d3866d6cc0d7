//! Choosing features: variance, mRMR, LASSO, agreement.

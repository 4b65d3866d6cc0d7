//! How good a score is: ROC, DeLong, calibration, decision curves, bootstrap.

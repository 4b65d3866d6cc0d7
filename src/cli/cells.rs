//! How the cells of a file are read: options of every command that takes any file.

use osteon_stats::table::read::{BelowDetection, Options};

use crate::cli::names::names;

/// Cells that are no numbers where numbers are expected.
#[derive(Debug, clap::Args)]
pub struct Cells {
    /// Texts that stand for no value, beside empty cells, NA, n/a, NaN, null and .; a text with a comma in quotes
    #[arg(long, value_name = "TEXT,...", allow_hyphen_values = true)]
    missing: Vec<String>,
    /// Read values beyond a limit of detection, <0.5, as half the limit or as the limit; refused otherwise
    #[arg(long, value_name = "half|limit")]
    below_detection: Option<Detection>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Detection {
    Half,
    Limit,
}

impl Cells {
    /// For columns that are used (`None`: all), of which some are categorical.
    pub fn options(&self, categorical: &[String], used: Option<Vec<String>>) -> Options {
        Options {
            categorical: names(categorical),
            missing: names(&self.missing),
            below_detection: self.below_detection.map(|how| match how {
                Detection::Half => BelowDetection::Half,
                Detection::Limit => BelowDetection::Limit,
            }),
            numeric: Vec::new(),
            used,
        }
    }
}

//! What headings and labels say by their words.

mod estimates;
mod models;
mod quantities;
mod sets;
mod sizes;
mod statistics;

pub use estimates::{Ends, confidence_level, interval, is_comparison, is_difference, measure, pair};
pub use models::{is_average, is_average_row, is_reader, is_resampled, says_agreement, says_means_over_folds};
pub use quantities::{
    is_missing, is_number_of, is_survival, notes_errors_of_means, says_counts, says_percent, says_percent_first,
    summary, survival_at,
};
pub use sets::{head, is_set, is_total, name_and_set, same_set};
pub use sizes::{is_size, only_size, size, without_size};
pub use statistics::{Statistic, is_balance, is_not_significant, is_p, is_standard_error, is_statistic, statistics};

use crate::read::value::normal;

/// Lower case, single spaces, ASCII signs, without footnote marks.
pub fn plain(text: &str) -> String {
    let mut text: String = normal(text).to_lowercase().replace('_', " ");
    // `P值`: a value of what stands before it.
    if let Some(at) = text.find('值').filter(|&at| text[..at].ends_with(|c: char| c.is_alphanumeric() && !is_han(c))) {
        text.replace_range(at..at + '值'.len_utf8(), " value");
    }
    let text: String = text.chars().filter(|c| !"*†‡§¶#^".contains(*c)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A Chinese character.
fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::{Measure, Summary};

    #[test]
    fn headings_say_what_their_columns_are() {
        for text in [
            "P",
            "P value",
            "p-Value",
            "p†",
            "P Value",
            "P (Cox univariate analysis for PFS)",
            "Pa",
            "Sig.",
            "Adjusted P value",
            "P for trend",
        ] {
            assert!(is_p(text), "{text}");
        }
        for text in ["Precision", "PPV", "PD-L1", "Patients", "Position", "pT stage", "PSA"] {
            assert!(!is_p(text), "{text}");
        }
        for text in ["Statistic", "χ2", "t/χ2", "Z", "χ² value", "Chi-square"] {
            assert!(is_statistic(text), "{text}");
        }
        assert_eq!(interval("95%CI"), Some(Ends::Both));
        assert_eq!(interval("Asym 95% CI"), Some(Ends::Both));
        assert_eq!(interval("OR (95% CI)"), None);
        assert_eq!(interval("3-year AUC (95% CI)"), None);
        assert_eq!(measure("OR (95% CI)"), Some(Measure::OddsRatio));
        assert_eq!(measure("HR (95% Cl)"), Some(Measure::HazardRatio));
        assert_eq!(measure("Odds ratio"), Some(Measure::OddsRatio));
        for (text, n, name) in [
            ("Training cohort (n = 242)", Some(242), "Training cohort"),
            ("Train (n=76)", Some(76), "Train"),
            ("All Reference Standard Positive, n = 50", Some(50), "All Reference Standard Positive"),
            ("(n = 1,289)", Some(1289), ""),
            ("Validation", None, "Validation"),
        ] {
            assert_eq!((size(text), without_size(text).as_str()), (n, name), "{text}");
        }
        assert_eq!(summary("Tumor diameter, median (IQR), cm"), Summary::MedianIqr);
        assert_eq!(summary("Age* (years) median (min, max)"), Summary::Range);
        assert_eq!(summary("Age, mean ± SD, years"), Summary::MeanSd);
        assert!(same_set("Training cohort (n = 108)", "training set") && same_set("Test", "Testing cohort"));
        assert!(!same_set("Internal validation", "External validation") && !same_set("", "cohort"));
        assert_eq!(interval("AUC_CI_low"), Some(Ends::Lower));
        assert_eq!(interval("Upper limit of 95% CI"), Some(Ends::Upper));
        for text in ["Low Rad-score group", "High risk", "Low", "Lower limb", "Upper lobe"] {
            assert_eq!(interval(text), None, "{text}");
        }
        assert_eq!(pair("P value: A vs. B"), Some(("A".to_owned(), "B".to_owned())));
        assert!(
            is_average_row("Mean ± SD")
                && is_average_row("Pooled")
                && is_average_row("Macro average")
                && !is_average_row("Mean ADC")
        );
        assert!(is_set("Testing") && is_set("External test cohort1") && !is_set("Radiomics") && is_total("Overall"));
    }
}

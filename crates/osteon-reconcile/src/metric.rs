//! The names under which papers print scores of models, readers and markers.

/// A score, area or count of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    TruePositive,
    FalsePositive,
    TrueNegative,
    FalseNegative,
    Sensitivity,
    Specificity,
    Accuracy,
    BalancedAccuracy,
    /// One minus the accuracy.
    ErrorRate,
    Precision,
    Npv,
    F1,
    FalsePositiveRate,
    FalseNegativeRate,
    FalseDiscoveryRate,
    FalseOmissionRate,
    Youden,
    Mcc,
    PositiveRatio,
    NegativeRatio,
    DiagnosticOddsRatio,
    Auc,
    PrecisionRecallArea,
    CIndex,
    Brier,
    Kappa,
    Icc,
    Correlation,
    Cutoff,
    /// Overlap of two segmentations: twice the common part over the sum, and the common part over the union.
    Dice,
    Jaccard,
    /// Patients, lesions or reads of the row.
    Size,
}

/// Each metric with the heading that we print, and the names it goes by: lower case, single spaces, no marks.
pub const METRICS: [(Metric, &str, &[&str]); 32] = [
    (Metric::TruePositive, "TP", &["tp", "true positive", "true positives"]),
    (Metric::FalsePositive, "FP", &["fp", "false positive", "false positives"]),
    (Metric::TrueNegative, "TN", &["tn", "true negative", "true negatives"]),
    (Metric::FalseNegative, "FN", &["fn", "false negative", "false negatives"]),
    (
        Metric::Sensitivity,
        "Sensitivity",
        &[
            "sensitivity",
            "sens",
            "sen",
            "sn",
            "recall",
            "tpr",
            "true positive rate",
            "recall sensitivity",
            "sensitivity recall",
            "敏感度",
            "灵敏度",
            "敏感性",
            "召回率",
        ],
    ),
    (
        Metric::Specificity,
        "Specificity",
        &["specificity", "spec", "spe", "spc", "sp", "tnr", "true negative rate", "特异度", "特异性"],
    ),
    (
        Metric::Accuracy,
        "Accuracy",
        &["accuracy", "acc", "overall accuracy", "diagnostic accuracy", "correct rate", "准确率", "准确度", "准确性"],
    ),
    (Metric::BalancedAccuracy, "Balanced accuracy", &["balanced accuracy", "bacc", "balanced acc", "bac"]),
    (
        Metric::ErrorRate,
        "Error rate",
        &[
            "error rate",
            "misclassification error",
            "misclassification rate",
            "classification error",
            "misclassification",
        ],
    ),
    (
        Metric::Precision,
        "Precision",
        &[
            "precision",
            "prec",
            "ppv",
            "positive predictive value",
            "pos pred value",
            "positive predict value",
            "ppv precision",
            "precision ppv",
            "positive prediction value",
            "pv+",
            "+pv",
            "positive pv",
            "阳性预测值",
            "精确率",
        ],
    ),
    (
        Metric::Npv,
        "NPV",
        &[
            "npv",
            "negative predictive value",
            "neg pred value",
            "negative predict value",
            "negative prediction value",
            "pv-",
            "-pv",
            "negative pv",
            "阴性预测值",
        ],
    ),
    (Metric::F1, "F1", &["f1", "f1 score", "f1-score", "f-score", "f score", "f1 value", "f-measure", "f1-measure"]),
    (Metric::FalsePositiveRate, "FPR", &["fpr", "false positive rate"]),
    (Metric::FalseNegativeRate, "FNR", &["fnr", "false negative rate"]),
    (Metric::FalseDiscoveryRate, "FDR", &["fdr", "false discovery rate"]),
    (Metric::FalseOmissionRate, "FOR", &["false omission rate"]),
    (Metric::DiagnosticOddsRatio, "DOR", &["dor", "diagnostic odds ratio"]),
    (
        Metric::Youden,
        "Youden",
        &[
            "youden",
            "youden index",
            "youden's index",
            "youden j",
            "youden index j",
            "yi",
            "j",
            "j index",
            "youden's j",
            "约登指数",
        ],
    ),
    (Metric::Mcc, "MCC", &["mcc", "matthews correlation coefficient", "matthew's correlation coefficient"]),
    (
        Metric::PositiveRatio,
        "LR+",
        &[
            "lr+",
            "+lr",
            "plr",
            "positive likelihood ratio",
            "positive lr",
            "lr positive",
            "likelihood ratio positive",
            "likelihood ratio +",
            "dlr+",
        ],
    ),
    (
        Metric::NegativeRatio,
        "LR-",
        &[
            "lr-",
            "-lr",
            "nlr",
            "negative likelihood ratio",
            "negative lr",
            "lr negative",
            "likelihood ratio negative",
            "likelihood ratio -",
            "dlr-",
        ],
    ),
    (
        Metric::Auc,
        "AUC (95%CI)",
        &[
            "auc",
            "auroc",
            "roc auc",
            "roc-auc",
            "auc-roc",
            "auc roc",
            "aucroc",
            "rocauc",
            "area under the curve",
            "area under curve",
            "area under the roc curve",
            "az",
            "auc value",
            "area under the receiver operating characteristic curve",
            "auc of roc",
            "曲线下面积",
            "area",
        ],
    ),
    (
        Metric::PrecisionRecallArea,
        "AUPRC",
        &["auprc", "pr auc", "pr-auc", "auc-pr", "prauc", "aupr", "average precision", "ap score"],
    ),
    (
        Metric::CIndex,
        "C-index (95%CI)",
        &[
            "c-index",
            "c index",
            "cindex",
            "concordance index",
            "c-statistic",
            "c statistic",
            "harrell's c",
            "harrell's c statistic",
            "harrell's c-index",
            "harrell c-index",
            "concordance",
            "c-statistics",
            "harrell's concordance index",
        ],
    ),
    (Metric::Brier, "Brier", &["brier", "brier score"]),
    (
        Metric::Kappa,
        "Kappa",
        &["kappa", "κ", "cohen's kappa", "kappa value", "κ value", "weighted kappa", "cohen kappa"],
    ),
    (
        Metric::Icc,
        "ICC (95%CI)",
        &[
            "icc",
            "intraclass correlation coefficient",
            "intra-class correlation coefficient",
            "iccs",
            "icc value",
            "intraclass correlation",
            "inter-observer icc",
            "intra-observer icc",
            "interobserver icc",
            "intraobserver icc",
        ],
    ),
    (
        Metric::Correlation,
        "Correlation",
        &[
            "correlation",
            "correlation coefficient",
            "pearson",
            "spearman",
            "pearson's r",
            "spearman's rho",
            "r value",
            "rho",
            "ρ",
            "r",
            "spearman correlation",
            "spearman r",
            "pearson r",
            "spearman rho",
            "spearman's r",
            "spearman ρ",
            "spearman correlation coefficient",
            "pearson correlation coefficient",
            "spearman's correlation coefficient",
            "pearson's correlation coefficient",
            "pearson correlation",
            "spearman's ρ",
            "rs",
        ],
    ),
    (
        Metric::Dice,
        "Dice",
        &[
            "dice",
            "dsc",
            "dice coefficient",
            "dice score",
            "dice similarity coefficient",
            "dice similarity",
            "dice index",
            "dice coefficient dsc",
        ],
    ),
    (Metric::Jaccard, "Jaccard", &["jaccard", "iou", "jaccard index", "jaccard coefficient", "miou"]),
    (
        Metric::Cutoff,
        "Cutoff",
        &[
            "cutoff",
            "cut-off",
            "cut off",
            "cutoff value",
            "cut-off value",
            "cut off value",
            "cut-off point",
            "cutoff point",
            "cut off point",
            "best cut-off value",
            "optimal cutoff",
            "optimal cut-off",
            "optimal cutoff value",
            "optimal cut-off value",
            "threshold",
            "best cutoff",
            "best cut-off",
            "best cutoff value",
            "optimal threshold",
            "cut-off values",
            "cutoff values",
            "截断值",
            "临界值",
        ],
    ),
    (
        Metric::Size,
        "n",
        &[
            "n",
            "no",
            "number",
            "patients",
            "number of patients",
            "no of patients",
            "cases",
            "number of cases",
            "no of cases",
            "lesions",
            "reads",
            "sample size",
            "samples",
        ],
    ),
];

impl Metric {
    /// The metric that a heading names, whatever unit, interval, mark or footnote letter stands with it.
    pub fn named(heading: &str) -> Option<Metric> {
        let heading = heading.trim().strip_suffix(" estimate").unwrap_or(heading);
        let plain = plain(heading);
        let exact = |name: &str| METRICS.iter().find(|(_, _, names)| names.contains(&name)).map(|(metric, ..)| *metric);
        // Lower case it is a word: `95% CI for B`.
        if plain == "for" {
            return heading.contains("FOR").then_some(Metric::FalseOmissionRate);
        }
        // Counts say what they count: `TP, n`.
        if let Some(rest) = [" n", " no", " count", " cases", " patients"].iter().find_map(|it| plain.strip_suffix(it))
            && let Some(metric) = exact(rest).filter(|it| it.is_count() && *it != Metric::Size)
        {
            return Some(metric);
        }
        // A footnote letter or digit glued to the end: "AUCa", "ACC1", "LR+f".
        exact(&plain)
            .or_else(|| {
                let mut chars = plain.chars();
                let last = chars.next_back().filter(|c| c.is_ascii_digit() || ('a'..='h').contains(c))?;
                let rest = chars.as_str().trim_end();
                let is_long = rest.chars().count() > 2 || rest.ends_with(['+', '-']);
                if is_long { exact(rest) } else { None }.filter(|_| last != ' ')
            })
            .or_else(|| in_brackets(heading).filter(|_| !plain.is_empty()).and_then(|inner| exact(&inner)))
            .filter(|metric| !(*metric == Metric::Size && exact(&plain) != Some(Metric::Size)))
    }

    /// The metric of a heading that says more than its name: "1,000-time bootstrap accuracy (%)" ends with it.
    pub fn at_end(heading: &str) -> Option<Metric> {
        // A heading of several, `AUC, sensitivity, specificity`, is of none.
        if heading.split([',', ';']).filter(|part| Metric::named(part).is_some()).count() > 1 {
            return None;
        }
        let plain = plain(heading);
        let words: Vec<&str> = plain.split(' ').collect();
        let from = words.len().saturating_sub(6);
        (from..words.len()).find_map(|at| {
            let tail = words[at..].join(" ");
            let metric = Metric::named(&tail)?;
            let is_plain = tail.chars().count() > 2
                && !matches!(tail.as_str(), "area" | "number" | "patients" | "cases" | "correlation");
            (is_plain && metric != Metric::Size).then_some(metric)
        })
    }

    /// As it heads a column of tidy cells.
    pub fn heading(self) -> &'static str {
        METRICS.iter().find(|(metric, ..)| *metric == self).expect("every metric has a name").1
    }

    /// An area, or another score that tables of percentages print as a share.
    pub fn is_area(self) -> bool {
        matches!(self, Metric::Auc | Metric::CIndex | Metric::F1 | Metric::Dice | Metric::Jaccard)
    }

    /// Lies between 0 and 1, and is printed in percent as often as not.
    pub fn is_share(self) -> bool {
        use Metric::*;
        matches!(
            self,
            Sensitivity
                | Specificity
                | Accuracy
                | BalancedAccuracy
                | ErrorRate
                | Precision
                | Npv
                | F1
                | FalsePositiveRate
                | FalseNegativeRate
                | FalseDiscoveryRate
                | FalseOmissionRate
                | Auc
                | PrecisionRecallArea
                | CIndex
                | Dice
                | Jaccard
        )
    }

    /// A count of the confusion matrix or of the row's patients.
    pub fn is_count(self) -> bool {
        use Metric::*;
        matches!(self, TruePositive | FalsePositive | TrueNegative | FalseNegative | Size)
    }
}

/// What stands in the brackets at the end of a heading, where it is more than a letter: `ROC (AUC)`.
fn in_brackets(heading: &str) -> Option<String> {
    let text = heading.trim_end().strip_suffix([')', ']'])?;
    let inner = self::plain(&text[text.rfind(['(', '['])? + 1..]);
    (inner.chars().count() > 1).then_some(inner)
}

/// A heading in lower case without interval, unit, brackets, dots and marks.
fn plain(heading: &str) -> String {
    let mut text = heading.to_lowercase().replace(['’', '‘', '`'], "'").replace(['−', '–', '—', '‐', '‑'], "-");
    // A word that a narrow column breaks: `Sensi- tivity`.
    while let Some(at) = text.match_indices("- ").map(|(at, _)| at).find(|&at| {
        text[..at].ends_with(|c: char| c.is_alphabetic()) && text[at + 2..].starts_with(|c: char| c.is_alphabetic())
    }) {
        text.replace_range(at..at + 2, "");
    }
    // What stands in brackets is a unit, an interval, or another name for the same.
    while let Some(open) = text.find(['(', '[']) {
        let close = text[open..].find([')', ']']).map_or(text.len(), |at| open + at + 1);
        text.replace_range(open..close, " ");
    }
    for word in [
        "95% ci",
        "95%ci",
        "95 % ci",
        "% ci",
        "mean ± sd",
        "± sd",
        "±sd",
        "± sem",
        "± se",
        "±se",
        "± standard error",
        "± standard deviation",
        "mean ±",
    ] {
        text = text.replace(word, " ");
    }
    let text: String = text.chars().map(|c| if "%.,:;/*†‡§¶#∗_^&|".contains(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_name_metrics_whatever_stands_with_them() {
        for (heading, metric) in [
            ("AUC (95% CI)", Some(Metric::Auc)),
            ("AUCe (95% CI)", Some(Metric::Auc)),
            ("LR+f (95% CI)", Some(Metric::PositiveRatio)),
            ("Pos. pred. valuea", Some(Metric::Precision)),
            ("Neg. pred. valueb", Some(Metric::Npv)),
            ("Sensitivity, % (95% CI)", Some(Metric::Sensitivity)),
            ("SPE", Some(Metric::Specificity)),
            ("ACC1", Some(Metric::Accuracy)),
            ("ROC (AUC)", Some(Metric::Auc)),
            ("Radiomics (n = 10)", None),
            ("Vascular invasion (n)", None),
            ("SPC", Some(Metric::Specificity)),
            ("Sensi- tivity", Some(Metric::Sensitivity)),
            ("Misclassification Error", Some(Metric::ErrorRate)),
            ("F1-score", Some(Metric::F1)),
            ("Youden Index J", Some(Metric::Youden)),
            ("Harrell’s C statistic (95% CI)c", Some(Metric::CIndex)),
            ("Brier scorea", Some(Metric::Brier)),
            ("TP, n", Some(Metric::TruePositive)),
            ("FOR (%)", Some(Metric::FalseOmissionRate)),
            ("95% CI for B", None),
            ("DSC", Some(Metric::Dice)),
            ("Age", None),
            ("Sex", None),
        ] {
            assert_eq!(Metric::named(heading), metric, "{heading}");
        }
        assert_eq!(Metric::at_end("3-year AUC (95% CI)"), Some(Metric::Auc));
        assert_eq!(Metric::at_end("Overall AUC (95% CI), sensitivity (SD), specificity (SD)"), None);
        for (metric, heading, names) in METRICS {
            assert_eq!(Metric::named(heading), Some(metric), "{heading}");
            assert!(names.iter().all(|name| Metric::named(name) == Some(metric)), "{heading}");
        }
    }
}

//! Settings of queries, tests and Table 4.

use crate::protocol::Protocol;
use crate::protocol::keys::takes::{ABOVE_ZERO, NO_LIMIT, SHARE};
use crate::protocol::keys::{Key, Takes, empty, names, on, one_of, untold, words};
use osteon_stats::stats::compare::{CategoricalRule, ContinuousRule};

pub(in crate::protocol::keys) const KEYS: &[Key] = &[
    Key::new("query.missing", "whether a variable without a value raises a query", Takes::Flag, |value| {
        on(value, "A missing value of an included patient raised a query.", "")
    }),
    // Told with the unit and label of each variable.
    Key::new(
        "query.usual",
        "least and largest value of each number that raises no query",
        Takes::ByVariable("two ascending numbers for each variable"),
        untold,
    )
    .unit("the variable's"),
    Key::new(
        "query.inconsistent",
        "conditions that a patient should not meet, each VARIABLE: CONDITION",
        Takes::Names("rules, each VARIABLE: CONDITION"),
        |value| {
            (!empty(value))
                .then(|| format!("Values that do not fit together raised one: {}.", names(value).replace(", ", "; ")))
        },
    ),
    Key::new(
        "compare.continuous",
        "what compares a continuous variable",
        Takes::Word(&["by_normality", "mann_whitney", "t"]),
        |value| {
            one_of(
                value,
                &[
                    (
                        "by_normality",
                        "Continuous variables were compared by the t test where they were normally distributed, by the \
                 Mann-Whitney U test otherwise.",
                    ),
                    ("mann_whitney", "Continuous variables were compared by the Mann-Whitney U test."),
                    ("t", "Continuous variables were compared by the t test."),
                ],
            )
        },
    ),
    Key::new(
        "compare.normality",
        "test of normality",
        Takes::Word(&["ks_lilliefors", "ks_plain", "shapiro"]),
        |value| {
            one_of(
                value,
                &[
                    ("ks_lilliefors", "Normality was judged by the Kolmogorov-Smirnov test with Lilliefors correction"),
                    ("ks_plain", "Normality was judged by the Kolmogorov-Smirnov test (without Lilliefors correction)"),
                    ("shapiro", "Normality was judged by the Shapiro-Wilk test"),
                ],
            )
        },
    )
    .needs(by_normality, "compare.continuous is not by_normality"),
    Key::new("compare.normality_of", "which values must be normal", Takes::Word(&["all", "groups"]), |value| {
        one_of(value, &[("all", "of both groups together"), ("groups", "of each group")])
    })
    .needs(by_normality, "compare.continuous is not by_normality"),
    Key::new(
        "compare.normality_alpha",
        "P of the normality test below which values are not normal",
        Takes::Number(SHARE),
        |value| Some(format!("(P < {}: not normal).", words(value))),
    )
    .needs(by_normality, "compare.continuous is not by_normality"),
    Key::new(
        "compare.levene_alpha",
        "P of Levene's test below which the t test is Welch's",
        Takes::Number(SHARE),
        |value| {
            Some(format!("The t test was Welch's where Levene's test had P < {}, Student's otherwise.", words(value)))
        },
    )
    .needs(|it| it.compare.continuous != ContinuousRule::MannWhitney, "compare.continuous is mann_whitney"),
    Key::new(
        "compare.exact_pairs",
        "largest product of group sizes for an exact Mann-Whitney P",
        Takes::Whole(0, NO_LIMIT),
        untold,
    )
    .unit("pairs")
    .needs(|it| it.compare.continuous != ContinuousRule::T, "compare.continuous is t"),
    Key::new(
        "compare.categorical",
        "what compares a categorical variable",
        Takes::Word(&["by_expected", "pearson", "yates", "likelihood_ratio", "fisher"]),
        |value| {
            one_of(
                value,
                &[
                    (
                        "by_expected",
                        "Categorical variables were compared by Pearson's chi-square test, by Fisher's exact test where expected \
                 counts were small:",
                    ),
                    ("pearson", "Categorical variables were compared by Pearson's chi-square test."),
                    ("yates", "Categorical variables were compared by the chi-square test with Yates' correction."),
                    ("likelihood_ratio", "Categorical variables were compared by the likelihood-ratio test."),
                    ("fisher", "Categorical variables were compared by Fisher's exact test."),
                ],
            )
        },
    ),
    Key::new(
        "compare.small_expected",
        "expected count below which a cell is small",
        Takes::Number(ABOVE_ZERO),
        |value| Some(format!("below {}", words(value))),
    )
    .needs(by_expected, "compare.categorical is not by_expected"),
    Key::new(
        "compare.small_share",
        "proportion of small cells above which Fisher's test is taken (2 × 2: any)",
        Takes::Number(SHARE),
        |value| {
            let percent = value.as_float()? * 100.0;
            Some(format!("in more than {percent:.0}% of the cells (in any cell of a 2 × 2 table)."))
        },
    )
    .needs(by_expected, "compare.categorical is not by_expected"),
    Key::new(
        "compare.fisher_operations",
        "steps that Fisher's test may take before Pearson's stands in for it",
        Takes::Whole(0, NO_LIMIT),
        untold,
    )
    .unit("steps")
    .needs(
        |it| by_expected(it) || it.compare.categorical == CategoricalRule::Fisher,
        "compare.categorical never takes Fisher's test",
    ),
    Key::new("compare.quantiles", "how quartiles are interpolated", Takes::Word(&["type6", "type7"]), |value| {
        one_of(
            value,
            &[("type6", "Quartiles are of type 6, as in SPSS."), ("type7", "Quartiles are of type 7, as in R.")],
        )
    }),
    Key::new(
        "screen.rows",
        "which patients decide what enters Table 4's multivariable model",
        Takes::Word(&["all", "train"]),
        |value| {
            one_of(
                value,
                &[
                    ("all", "Odds ratios come from all patients, those of the test set included."),
                    ("train", "Odds ratios come from the training patients."),
                ],
            )
        },
    ),
    Key::new(
        "screen.alpha",
        "univariable P below which a variable enters Table 4's multivariable model; learn.p_enter is the same",
        Takes::Number(SHARE),
        |value| {
            Some(format!("A variable with a univariable P below {} entered the multivariable model,", words(value)))
        },
    ),
    Key::new("screen.statistic", "which P decides", Takes::Word(&["wald", "likelihood_ratio"]), |value| {
        one_of(
            value,
            &[
                ("wald", "by Wald's test over all its levels (the likelihood-ratio test where Wald's does not exist)."),
                ("likelihood_ratio", "by the likelihood-ratio test."),
            ],
        )
    }),
    // Told with the labels of the codebook.
    Key::new(
        "screen.references",
        "the level that the others are compared with",
        Takes::ByVariable("a level for each variable"),
        untold,
    ),
    Key::new(
        "logistic.method",
        "what Table 4's models maximize",
        Takes::Word(&["maximum_likelihood", "firth"]),
        |value| {
            one_of(
                value,
                &[
                    ("maximum_likelihood", "Table 4 was fitted by maximum likelihood."),
                    ("firth", "Table 4 was fitted with Firth's penalty."),
                ],
            )
        },
    ),
    Key::new(
        "logistic.grouping",
        "how the Hosmer-Lemeshow test of Table 4 divides patients",
        Takes::Word(&["spss", "quantile", "rank"]),
        |value| {
            one_of(
                value,
                &[
                    (
                        "spss",
                        "Its Hosmer-Lemeshow test divides patients by probability as SPSS does, equal ones together,",
                    ),
                    ("quantile", "Its Hosmer-Lemeshow test divides patients between quantiles of the probabilities"),
                    ("rank", "Its Hosmer-Lemeshow test divides patients by the order of their probabilities"),
                ],
            )
        },
    ),
    Key::new("logistic.groups", "groups of the Hosmer-Lemeshow test of Table 4", Takes::Whole(3, NO_LIMIT), |value| {
        Some(format!("into {} groups.", words(value)))
    }),
];

fn by_normality(protocol: &Protocol) -> bool {
    protocol.compare.continuous == ContinuousRule::ByNormality
}

fn by_expected(protocol: &Protocol) -> bool {
    protocol.compare.categorical == CategoricalRule::ByExpected
}

//! Settings of selection, forests, models and their validation.

use toml::Value;

use crate::protocol::Protocol;
use crate::protocol::keys::takes::{ABOVE_ZERO, FROM_0_TO_1, NO_LIMIT, P, SHARE};
use crate::protocol::keys::{Key, Takes, either, empty, listed, names, one_of, untold, words};
use crate::protocol::learn::{Fusion, Learner, Missing, SCANNER};
use osteon_stats::select::Reproducible;
use osteon_stats::select::mrmr::{Bins, Method};

pub(in crate::protocol::keys) const KEYS: &[Key] = &[
    Key::new("select.reproducible", "which features may be chosen at all", Takes::Word(&["all", "icc"]), |value| {
        one_of(
            value,
            &[
                (
                    "icc",
                    "Only features that agreed between two segmentations of the training patients could be chosen,",
                ),
                ("all", "Features could be chosen whatever their agreement between segmentations."),
            ],
        )
    }),
    Key::new("select.icc_min", "least ICC(2,1) between two segmentations", Takes::Number(FROM_0_TO_1), |value| {
        Some(format!("with an ICC(2,1) of at least {}.", words(value)))
    })
    .needs(|it| it.select.reproducible == Reproducible::Icc, "select.reproducible is not icc"),
    Key::new(
        "learn.harmonise",
        "how differences between scanners or centres are taken out of features",
        Takes::Word(&["none", "combat"]),
        |value| {
            one_of(
                value,
                &[
                    ("none", ""),
                    (
                        "combat",
                        "Features were harmonized by ComBat (Johnson et al. 2007) as neuroCombat computes it (Fortin et al. \
                         2018), learnt from the training patients of whatever was learnt, in every resample and fold, and \
                         applied to the others with what was learnt; folds and resamples were stratified by batch and \
                         outcome. ComBat was designed for one data set, not for training and test: results without it \
                         stand beside.",
                    ),
                ],
            )
        },
    ),
    Key::new(
        "learn.batch",
        "what tells batches apart: a variable with levels, or scanner (model and field strength as DICOM tells them); \
         empty is the variable of the role batch",
        Takes::Text("scanner, a variable with levels, or empty"),
        |value| {
            let name = value.as_str().filter(|name| !name.is_empty())?;
            Some(match name {
                SCANNER => "Batches are scanners: model and field strength of the DICOM image.".to_owned(),
                name => format!("Batches are the levels of {name}."),
            })
        },
    ),
    Key::new(
        "learn.batch_covariates",
        "candidate variables whose effects on features are kept while batches are harmonized",
        Takes::Names("names of candidate variables"),
        |value| {
            (!empty(value)).then(|| {
                format!(
                    "Batch effects were estimated beside those of {}, which were kept; patients are adjusted by their mean.",
                    names(value)
                )
            })
        },
    )
    .needs(|it| it.harmonises(), "learn.harmonise is none"),
    Key::new(
        "learn.batch_prior",
        "what ComBat assumes of batch effects over the features",
        Takes::Word(&["parametric", "non_parametric"]),
        |value| {
            one_of(
                value,
                &[
                    ("parametric", "Batch effects were shrunk by parametric empirical Bayes."),
                    ("non_parametric", "Batch effects were shrunk by non-parametric empirical Bayes."),
                ],
            )
        },
    )
    .needs(|it| it.harmonises(), "learn.harmonise is none"),
    Key::new(
        "select.correlation.max",
        "largest |r| of two features before mRMR; 1 leaves out exact copies alone",
        Takes::Number(P),
        |value| {
            let max = value.as_float().filter(|max| *max < 1.0)?;
            Some(format!("Of features with |r| above {max} in the training patients one stayed:"))
        },
    ),
    Key::new(
        "select.correlation.order",
        "which of correlated features stays: relevance (largest F statistic between outcome groups), or the first listed",
        Takes::Word(&["relevance", "listed"]),
        |value| {
            one_of(
                value,
                &[
                    ("relevance", "the one with the largest F statistic between outcome groups."),
                    ("listed", "the first in the order of the features."),
                ],
            )
        },
    )
    .needs(|it| it.select.correlation.max < 1.0, "select.correlation.max is 1"),
    Key::new(
        "select.mrmr.method",
        "how mRMR weighs relevance and redundancy",
        Takes::Word(&["fcq", "fcd", "mid", "miq", "mid_gauss"]),
        |value| {
            Some(format!(
                "Features that were exact copies of others in the training patients were dropped, the others z-score \
             normalized and ranked by mRMR ({}).",
                words(value).to_uppercase()
            ))
        },
    ),
    Key::new(
        "select.mrmr.bins",
        "how mid and miq cut a feature into states",
        Takes::Word(&["mean_sd", "quantiles"]),
        |value| {
            one_of(
                value,
                &[
                    ("mean_sd", "Mutual information was counted over three states of each feature,"),
                    ("quantiles", "Mutual information was counted over states of equal frequency,"),
                ],
            )
        },
    )
    .needs(states, "select.mrmr.method is neither mid nor miq"),
    Key::new(
        "select.mrmr.sd_multiple",
        "standard deviations from the mean that part the states of mean_sd",
        Takes::Number(ABOVE_ZERO),
        |value| Some(format!("parted at the mean ± {} SD.", words(value))),
    )
    .unit("SD")
    .needs(|it| states(it) && it.select.mrmr.bins == Bins::MeanSd, "select.mrmr has no bins of mean_sd"),
    Key::new(
        "select.mrmr.n_quantiles",
        "number of states of bins = \"quantiles\"",
        Takes::Whole(2, NO_LIMIT),
        |value| Some(format!("{} of them.", words(value))),
    )
    .needs(|it| states(it) && it.select.mrmr.bins == Bins::Quantiles, "select.mrmr has no bins of quantiles"),
    Key::new(
        "select.mrmr.n_features",
        "how many top-ranked features enter LASSO",
        Takes::Whole(1, NO_LIMIT),
        |value| Some(format!("The {} top-ranked features entered LASSO", words(value))),
    ),
    Key::new("select.lasso.family", "loss of the LASSO", Takes::Word(&["gaussian", "binomial"]), |value| {
        Some(format!("({} family).", words(value)))
    }),
    Key::new("select.lasso.rule", "which lambda is taken", Takes::Word(&["min", "one_se"]), |value| {
        one_of(
            value,
            &[
                ("min", "Lambda had the smallest cross-validated error"),
                ("one_se", "Lambda was the largest within one standard error of the smallest cross-validated error"),
            ],
        )
    }),
    Key::new("select.lasso.n_folds", "folds of the LASSO's cross-validation", Takes::Whole(2, NO_LIMIT), |value| {
        Some(format!("({} folds).", words(value)))
    }),
    Key::new("select.lasso.n_lambdas", "values of lambda on the path", Takes::Whole(2, NO_LIMIT), |value| {
        Some(format!("The path had {} values of lambda,", words(value)))
    }),
    Key::new("select.lasso.lambda_ratio", "smallest lambda over the largest", Takes::Number(SHARE), |value| {
        Some(format!("from the smallest that keeps no feature down to {} of it.", words(value)))
    }),
    Key::new("select.lasso.convention", "whose cross-validation", Takes::Word(&["glmnet", "scikit_learn"]), |value| {
        one_of(
            value,
            &[
                ("glmnet", "Columns were standardized inside each fold and folds weighted by size, as glmnet does."),
                (
                    "scikit_learn",
                    "Columns were z-score normalized once and folds weighted alike, as scikit-learn does.",
                ),
            ],
        )
    }),
    Key::new("forest.n_trees", "numbers of trees that are tried", Takes::Wholes(1), |value| {
        Some(format!("A random forest of each region had {} trees,", either(value)))
    }),
    Key::new("forest.max_depth", "depths that are tried; 0 is no limit", Takes::Wholes(0), |value| {
        let depth = |item: &Value| match item.as_integer() {
            Some(0) => Value::String("unlimited".to_owned()),
            _ => item.clone(),
        };
        let depths = Value::Array(value.as_array()?.iter().map(depth).collect());
        Some(format!("maximum depth {},", either(&depths)))
    }),
    Key::new("forest.min_samples_leaf", "least patients in a leaf that are tried", Takes::Wholes(1), |value| {
        Some(format!("at least {} patients in a leaf", either(value)))
    })
    .unit("patients"),
    Key::new(
        "forest.max_features",
        "how many features are drawn at a split",
        Takes::Words(&["sqrt", "log2", "all"]),
        |value| Some(format!("and {} of the features at a split,", either(value))),
    ),
    Key::new("forest.class_weight", "what a class weighs", Takes::Word(&["equal", "balanced"]), |value| {
        Some(format!("with {} class weights,", words(value)))
    }),
    Key::new("forest.n_folds", "stratified folds of the grid search", Takes::Whole(2, NO_LIMIT), |value| {
        Some(format!("as gave the largest mean AUC in {} stratified folds of the training patients.", words(value)))
    })
    .needs(
        |it| has_grid(it) || it.learn.learners.contains(&Learner::Svm),
        "the forest's lists have one value each and learn.learners has no svm",
    ),
    Key::new(
        "learn.best_region",
        "the region that gives the Rad-score: by_auc, or a region's name",
        Takes::Text("by_auc or a region"),
        |value| {
            Some(match value.as_str()? {
                "by_auc" => "The region with the largest out-of-fold AUC in training gives the Rad-score.".to_owned(),
                region => format!("The region {region}, named beforehand, gives the Rad-score."),
            })
        },
    )
    .needs(
        |it| it.learn.fusion == Fusion::Best && it.sources().len() > 1,
        "learn.fusion joins the sources or there is one source",
    ),
    Key::new(
        "learn.rad_score",
        "what the Rad-score is: the forest's probability (of training patients in_sample or out_of_fold), or lasso's linear score",
        Takes::Word(&["in_sample", "out_of_fold", "lasso"]),
        |value| {
            one_of(
                value,
                &[
                    (
                        "out_of_fold",
                        "The combined model was fitted to out-of-fold Rad-scores of the training patients.",
                    ),
                    (
                        "in_sample",
                        "The combined model was fitted to Rad-scores of forests that were grown on the same patients.",
                    ),
                    (
                        "lasso",
                        "The Rad-score is the LASSO's linear combination of the chosen features; the combined model was \
                         fitted to out-of-fold Rad-scores of the training patients, and logistic regression of the event \
                         on them makes the probability of the radiomics model.",
                    ),
                ],
            )
        },
    ),
    Key::new(
        "learn.learners",
        "what is learnt from the region that gives the Rad-score and compared in the same folds; the forest always is",
        Takes::Words(&["forest", "elastic_net", "svm"]),
        |value| {
            let names = value.as_array()?.iter().filter_map(Value::as_str).filter_map(Learner::of);
            let labels: Vec<String> = names.map(|learner| learner.label().to_owned()).collect();
            (!labels.is_empty()).then(|| {
                format!(
                    "Beside the random forest, learnt from the same region in the same folds: {}.",
                    listed(&labels, "and")
                )
            })
        },
    ),
    Key::new(
        "learn.elastic_net_alpha",
        "mixings of the elastic net that are tried: 0 is ridge, 1 LASSO",
        Takes::SomeNumbers(FROM_0_TO_1),
        |value| {
            Some(format!(
                "The elastic net was fitted to the features that entered LASSO, its mixing (alpha {}) and lambda by \
                 cross-validated deviance in LASSO's folds.",
                either(value)
            ))
        },
    )
    .needs(|it| it.learn.learners.contains(&Learner::ElasticNet), "learn.learners has no elastic_net"),
    Key::new(
        "learn.svm_cost",
        "costs of the support vector machine that are tried",
        Takes::SomeNumbers(ABOVE_ZERO),
        |value| {
            Some(format!(
                "The support vector machine was fitted to the features that LASSO chose, its cost ({}) by the mean AUC in \
                 the forest's folds; Platt's sigmoid was learnt from decision values of folds that were left out.",
                either(value)
            ))
        },
    )
    .needs(|it| it.learn.learners.contains(&Learner::Svm), "learn.learners has no svm"),
    Key::new(
        "learn.n_folds",
        "folds of out-of-fold probabilities and of nested cross-validation",
        Takes::Whole(2, NO_LIMIT),
        |value| Some(format!("Out-of-fold scores come from {} folds.", words(value))),
    ),
    Key::new(
        "learn.clinical",
        "clinical predictors; [] takes them by clinical_rule",
        Takes::Names("names of candidate variables"),
        |value| (!empty(value)).then(|| format!("Clinical predictors were given beforehand: {}.", names(value))),
    ),
    Key::new(
        "learn.clinical_rule",
        "which candidates the clinical model has: those that pass p_enter and p_keep, or all",
        Takes::Word(&["screen", "all"]),
        |value| {
            one_of(value, &[("screen", ""), ("all", "All candidates were clinical predictors: none was chosen by its P value.")])
        },
    )
    .needs(|it| it.learn.clinical.is_empty(), "learn.clinical names the predictors"),
    Key::new(
        "learn.penalty",
        "penalty of the clinical and the combined model",
        Takes::Word(&["none", "ridge"]),
        |value| {
            one_of(
                value,
                &[
                    ("none", ""),
                    (
                        "ridge",
                        "The clinical and the combined model were fitted with a ridge penalty chosen by the corrected AIC.",
                    ),
                ],
            )
        },
    ),
    Key::new(
        "learn.p_enter",
        "univariable P below which a variable enters the multivariable model, in Table 4 too",
        Takes::Number(P),
        |value| {
            Some(format!(
                "Clinical variables with a univariable P below {} in training entered a multivariable model;",
                words(value)
            ))
        },
    ),
    Key::new("learn.p_keep", "multivariable P below which a variable is kept", Takes::Number(P), |value| {
        Some(format!(
            "those with a P below {} in it were kept (the one with the smallest where there was none).",
            words(value)
        ))
    })
    .needs(|it| it.learn.screens(), "learn.clinical names the predictors or learn.clinical_rule takes all"),
    Key::new(
        "learn.missing",
        "what happens to patients without the value of a clinical predictor",
        Takes::Word(&["complete_case", "simple", "multiple"]),
        untold,
    ),
    Key::new("learn.n_imputations", "imputations under missing = \"multiple\"", Takes::Whole(2, NO_LIMIT), untold)
        .needs(|it| it.learn.missing == Missing::Multiple, "learn.missing is not multiple"),
    Key::new(
        "learn.auxiliary",
        "variables that help to impute and are no predictors",
        Takes::Names("names of candidate variables"),
        untold,
    )
    .needs(|it| it.learn.missing == Missing::Multiple, "learn.missing is not multiple"),
    // What was relearnt is told from the run: samples that could not be learnt are not among them.
    Key::new(
        "learn.n_bootstraps",
        "bootstrap samples of the entire modelling pipeline for Harrell's optimism; 0 does without",
        Takes::Whole(0, NO_LIMIT),
        untold,
    ),
    Key::new(
        "learn.n_repeats",
        "repeats of nested cross-validation; 0 does without",
        Takes::Whole(0, NO_LIMIT),
        untold,
    ),
    Key::new(
        "learn.n_permutations",
        "permutations of the outcome through the entire modelling pipeline; 0 does without",
        Takes::Whole(0, NO_LIMIT),
        untold,
    ),
    Key::new(
        "learn.n_splits",
        "random splits of all patients beside the one in force; 0 does without",
        Takes::Whole(0, NO_LIMIT),
        untold,
    ),
    Key::new("learn.rater", "whose masks are learnt from", Takes::Text("a rater's name"), |value| {
        value.as_str().filter(|name| *name != "mask").map(|name| format!("Masks of {name} were learnt from."))
    }),
    Key::new(
        "learn.masks",
        "which masks are measured: all, or those that a reader accepts and none rejects",
        Takes::Word(&["all", "accepted"]),
        |value| {
            value
                .as_str()
                .filter(|word| *word == "accepted")
                .map(|_| "Only masks that a reader accepted and none rejected were measured.".to_owned())
        },
    ),
    // Told with the number of patients where somebody has several.
    Key::new(
        "learn.lesions",
        "which lesion stands for a patient who has several",
        Takes::Word(&["largest", "all"]),
        untold,
    ),
    Key::new(
        "learn.sources",
        "what may be learnt from; [] is every region of every sequence",
        Takes::Names("sources or slots by name"),
        |value| (!empty(value)).then(|| format!("Learnt from were {}.", names(value))),
    ),
    Key::new(
        "learn.delta",
        "changes between two timepoints of a sequence as sources of their own",
        Takes::Word(&["none", "difference", "ratio", "both"]),
        |value| {
            one_of(
                value,
                &[
                    ("difference", "Differences of features between timepoints were sources of their own."),
                    ("ratio", "Ratios of features between timepoints were sources of their own."),
                    ("both", "Differences and ratios of features between timepoints were sources of their own."),
                ],
            )
        },
    ),
    Key::new(
        "learn.fusion",
        "how several sources give one Rad-score",
        Takes::Word(&["best", "early", "late"]),
        |value| {
            one_of(
                value,
                &[
                    (
                        "early",
                        "The Rad-score comes from one selection and forest over the features of all sources together.",
                    ),
                    ("late", "The Rad-score joins those of the sources by logistic regression of out-of-fold scores."),
                ],
            )
        },
    ),
    // The split as stored is told with its own share and seed.
    Key::new(
        "learn.train_fraction",
        "proportion of each outcome group that is drawn for training",
        Takes::Number(SHARE),
        untold,
    ),
    Key::new(
        "learn.seed",
        "where all randomness of folds, forests, resamples and drawn splits begins",
        Takes::Whole(0, NO_LIMIT),
        |value| Some(format!("Folds, forests and resamples begin from the seed {}.", words(value))),
    ),
];

/// Whether there are settings of the forest to choose from.
fn has_grid(protocol: &Protocol) -> bool {
    let forest = &protocol.forest;
    [forest.n_trees.len(), forest.max_depth.len(), forest.min_samples_leaf.len(), forest.max_features.len()]
        .iter()
        .any(|n| *n > 1)
}

fn states(protocol: &Protocol) -> bool {
    matches!(protocol.select.mrmr.method, Method::Mid | Method::Miq)
}

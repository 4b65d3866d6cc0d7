//! The methods in words, made from the protocol: every key has its sentence, so nothing is told that was not done.

use toml::{Table, Value};

use crate::protocol::Protocol;
use crate::protocol::say::no_say;

/// A paragraph a part of the protocol: heading and sentences. Keys without a sentence of their own are told as they stand.
pub fn methods(protocol: &Protocol) -> Vec<(String, String)> {
    let document: Table = protocol.to_toml().parse().expect("a protocol prints itself as TOML");
    let mut parts: Vec<(&String, &Table)> =
        document.iter().filter_map(|(part, value)| Some((part, value.as_table()?))).collect();
    parts.sort_by_key(|(part, _)| HEADINGS.iter().position(|(name, _)| name == part).unwrap_or(HEADINGS.len()));
    let tell = |(part, keys): (&String, &Table)| {
        let heading = HEADINGS.iter().find(|(name, _)| name == part).map_or(part.as_str(), |(_, heading)| heading);
        let mut keys = flat(keys, part);
        keys.sort_by_key(|(key, _)| SENTENCES.iter().position(|(name, _)| name == key).unwrap_or(SENTENCES.len()));
        keys.retain(|(key, _)| in_use(protocol, key));
        let one = |(key, value): (String, &Value)| match key.as_str() {
            "filter.images" => Some(images(protocol)),
            _ => sentence(&key, value),
        };
        let sentences: Vec<String> = keys.into_iter().filter_map(one).collect();
        (heading.to_owned(), sentences.join(" "))
    };
    parts.into_iter().map(tell).filter(|(_, text)| !text.is_empty()).collect()
}

/// How many filtered images there are under these settings.
fn images(protocol: &Protocol) -> String {
    let chosen = osteon_radiomics::filter::chosen(&protocol.filter).unwrap_or_default();
    let names: Vec<String> = chosen.into_iter().flat_map(|chosen| chosen.names).collect();
    let filtered: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != "original").collect();
    match (names.len() > filtered.len(), filtered.len()) {
        (true, 0) => "Features were measured on the original image alone.".to_owned(),
        (original, n) => {
            let first = if original { "the original image and on " } else { "" };
            let plural = if n == 1 { "image" } else { "images" };
            format!("Features were measured on {first}{n} filtered {plural}: {}.", filtered.join(", "))
        }
    }
}

/// Every key with its value as written, for the table of settings.
pub fn settings(protocol: &Protocol) -> Vec<(String, String)> {
    flat(&protocol.to_table(), "").into_iter().map(|(key, value)| (key, value.to_string())).collect()
}

fn flat<'a>(table: &'a Table, prefix: &str) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => found.extend(flat(inner, &key)),
            value => found.push((key, value)),
        }
    }
    found
}

/// Whether a setting is told: it has a say, and the methods do not tell it elsewhere.
fn in_use(protocol: &Protocol, key: &str) -> bool {
    let elsewhere = key == "learn.p_enter" && !protocol.learn.clinical.is_empty();
    no_say(protocol, key).is_none() && !elsewhere
}

/// The sentence of a key; `None` where the setting is a detail of something that is off or empty.
fn sentence(key: &str, value: &Value) -> Option<String> {
    match SENTENCES.iter().find(|(name, _)| *name == key) {
        Some((_, tell)) => tell(value),
        None => {
            let name = key.split_once('.').map_or(key, |(_, name)| name).replace(['.', '_'], " ");
            Some(format!("Setting “{name}”: {}.", words(value)))
        }
    }
}

/// A value as it reads in a sentence.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('_', " "),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The same, numbers without `.0`.
fn short(value: &Value) -> String {
    match value {
        Value::Float(number) => number.to_string(),
        Value::Array(items) if !items.is_empty() => items.iter().map(short).collect::<Vec<_>>().join(", "),
        other => words(other),
    }
}

const HEADINGS: &[(&str, &str)] = &[
    ("acquisition", "Acquisition"),
    ("query", "Checks of clinical data"),
    ("mask", "Masks"),
    ("preprocess", "Image preparation"),
    ("roi", "Regions"),
    ("filter", "Filtered images"),
    ("feature", "Features"),
    ("split", "Training and test sets"),
    ("select", "Choice of features"),
    ("forest", "Random forests"),
    ("model", "Models"),
    ("evaluate", "Evaluation"),
    ("learn", "Learning"),
    ("compare", "Comparison of groups"),
    ("screen", "Clinical variables (Table 4)"),
    ("logistic", "Logistic regression"),
];

type Tell = fn(&Value) -> Option<String>;

fn on(value: &Value, yes: &str, no: &str) -> Option<String> {
    Some(if value.as_bool() == Some(true) { yes } else { no }.to_owned())
}

fn empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// What the acquisition was expected to be; 0 means that any value would do.
fn expected(what: &str, value: &Value, unit: &str) -> Option<String> {
    let number = value.as_float().filter(|number| *number > 0.0)?;
    Some(format!("The expected {what} was {number} {unit}."))
}

fn reference(variable: &str, value: &Value) -> Option<String> {
    Some(format!("The reference level of {variable} was “{}”.", words(value)))
}

fn range(value: &Value) -> Option<String> {
    let limits: Vec<String> = value.as_array()?.iter().map(short).collect();
    Some(limits.join(" to "))
}

const SENTENCES: &[(&str, Tell)] = &[
    ("query.missing", |value| {
        on(value, "A missing value of an included patient raised a query.", "A missing value raised no query.")
    }),
    ("query.usual.age", |value| {
        Some(format!("A number outside its usual range raised one: age {} years,", range(value)?))
    }),
    ("query.usual.diameter_mm", |value| Some(format!("diameter {} mm,", range(value)?))),
    ("query.usual.alp", |value| Some(format!("ALP {} U/L,", range(value)?))),
    ("query.usual.ldh", |value| Some(format!("LDH {} U/L,", range(value)?))),
    ("query.usual.necrosis_pct", |value| Some(format!("necrosis {} %.", range(value)?))),
    ("query.inconsistent", |value| {
        (!empty(value)).then(|| {
            let rules: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("So did values that do not fit together: {}.", rules.join("; "))
        })
    }),
    ("mask.tolerance_voxels", |value| {
        let usual = osteon_radiomics::read::Params::default().tolerance_voxels;
        let other = value.as_float().filter(|number| *number != usual)?;
        Some(format!("A mask could lie up to {other} voxels off its image's grid at the corners."))
    }),
    ("mask.resample", |value| {
        (words(value) == "nearest")
            .then(|| "A mask on another grid was put on the image's by its nearest voxel.".to_owned())
    }),
    ("mask.other_frame", |value| {
        (words(value) == "accept").then(|| {
            "Contours and segmentations of another frame of reference than their image's were taken.".to_owned()
        })
    }),
    ("mask.uneven", |value| {
        (words(value) == "resample")
            .then(|| "Uneven slices of a series were interpolated linearly to even ones.".to_owned())
    }),
    ("mask.cut", |value| {
        (words(value) == "accept")
            .then(|| "A region that the image cuts was measured where the image holds it.".to_owned())
    }),
    ("preprocess.normalise", |value| {
        on(
            value,
            "Intensities of each image became z-scores over all its voxels.",
            "Intensities were used as they are in the files.",
        )
    }),
    ("preprocess.spacing_mm", |value| {
        Some(if empty(value) {
            "Images kept their own voxels.".to_owned()
        } else {
            let sizes: Vec<String> = value.as_array()?.iter().map(short).collect();
            format!("Images were resampled to {} mm.", sizes.join(" x "))
        })
    }),
    ("preprocess.grid", |value| {
        Some(match words(value).as_str() {
            "centre" => "A new grid shares its centre with the image's,".to_owned(),
            _ => "A new grid shares its corner with the image's, as in pyradiomics,".to_owned(),
        })
    }),
    ("preprocess.interpolation", |value| {
        Some(match words(value).as_str() {
            "linear" => "intensities on it are interpolated linearly,".to_owned(),
            _ => "intensities on it are interpolated by cubic B-splines,".to_owned(),
        })
    }),
    ("preprocess.mask_interpolation", |value| {
        Some(match words(value).as_str() {
            "linear" => "and a voxel is tumour where the linearly interpolated mask is at least one half.".to_owned(),
            _ => "and the mask by its nearest voxel.".to_owned(),
        })
    }),
    ("preprocess.round", |value| {
        (value.as_bool() == Some(true)).then(|| "Intensities were rounded to whole numbers.".to_owned())
    }),
    ("preprocess.bin_width", |value| {
        Some(format!("Grey levels were made by bins of the fixed width {}, anchored at 0.", words(value)))
    }),
    ("roi.margins_mm", |value| {
        Some(if empty(value) {
            "The tumour was the only region.".to_owned()
        } else {
            format!(
                "Besides the tumour, rings around it and the tumour with its ring were measured, with margins of {} mm by \
                 exact distance.",
                short(value)
            )
        })
    }),
    ("filter.images", |_| None),
    ("filter.log_sigma_mm", |value| {
        (!empty(value)).then(|| format!("The Laplacian of Gaussian had sigmas of {} mm.", words(value)))
    }),
    ("feature.families", |value| Some(format!("Feature families (names of pyradiomics): {}.", words(value)))),
    ("feature.exclude", |value| {
        (!empty(value)).then(|| {
            format!(
                "Left out: {}.",
                value.as_array().map_or(String::new(), |items| {
                    items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
                })
            )
        })
    }),
    ("feature.ibsi.range", |value| {
        Some(if empty(value) {
            "IBSI families: every intensity of a region counts,".to_owned()
        } else {
            format!("IBSI families: intensities outside {} leave a region,", words(value).replace(", ", " to "))
        })
    }),
    ("feature.ibsi.outliers_sd", |value| {
        Some(match words(value).as_str() {
            "0.0" => "none is left out as an outlier.".to_owned(),
            sd => format!("and so do those more than {sd} standard deviations from the mean."),
        })
    }),
    ("feature.ibsi.n_bins", |value| {
        Some(match words(value).as_str() {
            "0" => {
                "Their grey levels are bins of the fixed width that begin at the range's lower end, or at a region's \
                    least intensity."
                    .to_owned()
            }
            n => format!("Their grey levels are {n} bins of equal width between a region's extremes."),
        })
    }),
    ("feature.ibsi.volume_n_bins", |value| {
        Some(match words(value).as_str() {
            "0" => "Their intensity-volume histogram has no fixed number of bins".to_owned(),
            n => format!("Their intensity-volume histogram has {n} bins"),
        })
    }),
    ("feature.ibsi.volume_bin_width", |value| {
        Some(match words(value).as_str() {
            "0.0" => "and no fixed bin width.".to_owned(),
            width => format!("of the width {width}."),
        })
    }),
    ("feature.ibsi.dimensions", |value| Some(format!("Their neighbourhoods are taken in {}.", words(value)))),
    ("select.reproducible", |value| {
        Some(match words(value).as_str() {
            "icc" => "Only features that agreed between two segmentations could be chosen.".to_owned(),
            _ => "Features could be chosen whatever their agreement between segmentations.".to_owned(),
        })
    }),
    ("select.icc_min", |value| Some(format!("Agreement was an ICC(2,1) of at least {} in training.", words(value)))),
    ("select.mrmr.method", |value| Some(format!("Features were ordered by mRMR ({}).", words(value).to_uppercase()))),
    ("select.mrmr.bins", |value| {
        Some(match words(value).as_str() {
            "quantiles" => "Mutual information was counted over states of equal frequency,".to_owned(),
            _ => "Mutual information was counted over three states of each feature,".to_owned(),
        })
    }),
    ("select.mrmr.sd_multiple", |value| Some(format!("parted at the mean plus and minus {} SD.", words(value)))),
    ("select.mrmr.n_quantiles", |value| Some(format!("{} of them.", words(value)))),
    ("select.mrmr.n_features", |value| Some(format!("The first {} of this order went on.", words(value)))),
    ("select.lasso.family", |value| Some(format!("Of these a {} LASSO chose.", words(value)))),
    ("select.lasso.rule", |value| {
        Some(match words(value).as_str() {
            "min" => "Lambda had the smallest cross-validated error.".to_owned(),
            _ => "Lambda was the largest within one standard error of the smallest cross-validated error.".to_owned(),
        })
    }),
    ("select.lasso.n_folds", |value| Some(format!("Cross-validation had {} folds.", words(value)))),
    ("select.lasso.n_lambdas", |value| Some(format!("The path had {} values of lambda,", words(value)))),
    ("select.lasso.lambda_ratio", |value| {
        Some(format!("from the smallest that keeps no feature down to {} of it.", words(value)))
    }),
    ("select.lasso.convention", |value| {
        Some(match words(value).as_str() {
            "glmnet" => {
                "Columns were standardised inside each fold and folds weighed by size, as glmnet does.".to_owned()
            }
            _ => "Columns were z-scored once and folds weighed alike, as scikit-learn does.".to_owned(),
        })
    }),
    ("forest.n_trees", |value| Some(format!("A random forest of each region was tuned over {} trees,", words(value)))),
    ("forest.max_depth", |value| Some(format!("depths of {} (0 is no limit),", words(value)))),
    ("forest.min_samples_leaf", |value| Some(format!("at least {} patients in a leaf,", words(value)))),
    ("forest.max_features", |value| Some(format!("{} features at a split,", words(value)))),
    ("forest.class_weight", |value| Some(format!("class weights: {},", words(value)))),
    ("forest.n_folds", |value| {
        Some(format!("by the mean AUC in {} stratified folds of the training set.", words(value)))
    }),
    ("learn.train_fraction", |value| {
        Some(format!("A share of {} of each response group was drawn for training.", words(value)))
    }),
    ("learn.rad_score", |value| {
        Some(match words(value).as_str() {
            "out of fold" => "The combined model was learnt from out-of-fold Rad-scores.".to_owned(),
            _ => "The combined model was learnt from Rad-scores of forests that saw the patient.".to_owned(),
        })
    }),
    ("learn.best_region", |value| {
        Some(match words(value).as_str() {
            "by auc" => "The region with the largest out-of-fold AUC in training gives the Rad-score.".to_owned(),
            region => format!("The region {region} gives the Rad-score."),
        })
    }),
    ("learn.clinical", |value| {
        (!empty(value)).then(|| format!("Clinical predictors were given beforehand: {}.", words(value)))
    }),
    ("learn.p_enter", |value| {
        Some(format!(
            "Of the clinical variables, those with a univariable p below {} in training entered a model together,",
            words(value)
        ))
    }),
    ("learn.p_keep", |value| {
        Some(format!(
            "and those with a p below {} in it stayed (the one with the smallest where none was).",
            words(value)
        ))
    }),
    ("learn.missing", |value| {
        let text = match value.as_str() {
            Some("simple") => "Missing clinical values were filled with the training patients' median or usual level.",
            Some("multiple") => "Missing clinical values were imputed by chained equations from training patients.",
            _ => "Patients without a clinical predictor were left out of the models that use it.",
        };
        Some(text.to_owned())
    }),
    ("learn.n_imputations", |value| {
        Some(format!(
            "Multiple imputation took {} imputations, pooled by Rubin's rules with the degrees of freedom of Barnard and Rubin.",
            words(value)
        ))
    }),
    ("learn.auxiliary", |value| {
        Some(format!("The auxiliary variables {} helped to impute and were no predictors.", words(value)))
    }),
    ("learn.n_folds", |value| Some(format!("Out-of-fold probabilities come from {} folds.", words(value)))),
    ("learn.n_bootstraps", |value| {
        Some(match value.as_integer() {
            Some(0) => "Optimism was not estimated by bootstrap.".to_owned(),
            _ => format!(
                "Optimism of the entire modelling pipeline, selection included, was estimated in {} bootstrap samples.",
                words(value)
            ),
        })
    }),
    ("learn.n_repeats", |value| {
        Some(match value.as_integer() {
            Some(0) => "There was no nested cross-validation.".to_owned(),
            _ => {
                format!("Nested cross-validation of the entire modelling pipeline was repeated {} times.", words(value))
            }
        })
    }),
    ("learn.n_permutations", |value| {
        Some(match value.as_integer() {
            Some(0) => "There was no permutation test.".to_owned(),
            _ => {
                format!("The entire modelling pipeline was refitted to {} permutations of the response.", words(value))
            }
        })
    }),
    ("learn.n_splits", |value| {
        Some(match value.as_integer() {
            Some(0) => "No random splits beside the split in force were drawn.".to_owned(),
            _ => format!(
                "Beside the split in force, the entire modelling pipeline was refitted and tested on {} random splits of all patients, \
                 from which nothing was chosen.",
                words(value)
            ),
        })
    }),
    ("learn.seed", |value| Some(format!("All randomness comes from the seed {}.", words(value)))),
    ("filter.log_kernel", |value| {
        Some(match words(value).as_str() {
            "exact" => "Its Gaussian was sampled and cut at four sigma.".to_owned(),
            _ => "Its Gaussian was the recursive one of ITK, as in pyradiomics.".to_owned(),
        })
    }),
    ("filter.crop", |value| {
        Some(match words(value).as_str() {
            "shared" => "Filters saw one box around all regions of a patient.".to_owned(),
            _ => "Filters saw each region's own box and 5 voxels around it, as in pyradiomics.".to_owned(),
        })
    }),
    ("acquisition.repetition_time_ms", |value| expected("repetition time", value, "ms")),
    ("acquisition.echo_time_ms", |value| expected("echo time", value, "ms")),
    ("acquisition.slice_thickness_mm", |value| expected("slice thickness", value, "mm")),
    ("acquisition.field_strength_t", |value| expected("field strength", value, "T")),
    ("acquisition.fat_suppressed", |value| {
        on(value, "Fat was expected to be suppressed.", "Fat suppression was not asked for.")
    }),
    ("acquisition.tolerance", |value| {
        let percent = value.as_float()? * 100.0;
        Some(format!("A deviation of more than {percent:.0} % from what was expected was noted."))
    }),
    ("compare.continuous", |value| {
        Some(match words(value).as_str() {
            "mann whitney" => "Continuous variables were compared by the Mann-Whitney U test.".to_owned(),
            "t" => "Continuous variables were compared by the t test.".to_owned(),
            _ => "Continuous variables were compared by the t test where they were normal, by the Mann-Whitney U test \
                  where not."
                .to_owned(),
        })
    }),
    ("compare.normality", |value| {
        Some(match words(value).as_str() {
            "ks plain" => {
                "Normality was judged by the Kolmogorov-Smirnov test (without Lilliefors' correction)".to_owned()
            }
            "shapiro" => "Normality was judged by the Shapiro-Wilk test".to_owned(),
            _ => "Normality was judged by the Kolmogorov-Smirnov test with Lilliefors' correction".to_owned(),
        })
    }),
    ("compare.normality_of", |value| {
        Some(match words(value).as_str() {
            "all" => "of both groups together,".to_owned(),
            _ => "of each group,".to_owned(),
        })
    }),
    ("compare.normality_alpha", |value| Some(format!("p below {} meaning not normal.", words(value)))),
    ("compare.levene_alpha", |value| {
        Some(format!("The t test was Welch's where Levene's test had a p below {}, Student's elsewhere.", words(value)))
    }),
    ("compare.exact_pairs", |value| {
        Some(format!("Exact Mann-Whitney p values were computed up to {} pairs of patients.", words(value)))
    }),
    ("compare.categorical", |value| {
        Some(match words(value).as_str() {
            "pearson" => "Categorical variables were compared by Pearson's chi-square test.".to_owned(),
            "yates" => "Categorical variables were compared by the chi-square test with Yates' correction.".to_owned(),
            "likelihood ratio" => "Categorical variables were compared by the likelihood-ratio test.".to_owned(),
            "fisher" => "Categorical variables were compared by Fisher's exact test.".to_owned(),
            _ => "Categorical variables were compared by Pearson's chi-square test, by Fisher's exact test where expected \
                  counts were small:"
                .to_owned(),
        })
    }),
    ("compare.small_expected", |value| Some(format!("below {}", words(value)))),
    ("compare.small_share", |value| {
        let percent = value.as_float()? * 100.0;
        Some(format!("in more than {percent:.0} % of the cells (in any cell of a 2 x 2 table)."))
    }),
    ("compare.fisher_operations", |value| {
        Some(format!("Fisher's test may take {} steps before Pearson's stands in for it.", words(value)))
    }),
    ("compare.quantiles", |value| {
        Some(match words(value).as_str() {
            "type7" => "Quartiles are of type 7, as in R.".to_owned(),
            _ => "Quartiles are of type 6, as in SPSS.".to_owned(),
        })
    }),
    ("screen.rows", |value| {
        Some(match words(value).as_str() {
            "all" => "Odds ratios come from all patients, those of the test set included.".to_owned(),
            _ => "Odds ratios come from the training patients.".to_owned(),
        })
    }),
    ("screen.statistic", |value| {
        Some(match words(value).as_str() {
            "wald" => "A variable entered the multivariable model by Wald's test over all its levels,".to_owned(),
            _ => "A variable entered the multivariable model by the likelihood-ratio test,".to_owned(),
        })
    }),
    ("screen.alpha", |value| Some(format!("with a univariable p below {}.", words(value)))),
    ("screen.references.sex", |value| reference("sex", value)),
    ("screen.references.location", |value| reference("location", value)),
    ("screen.references.subtype", |value| reference("subtype", value)),
    ("screen.references.lung_metastasis", |value| reference("lung metastasis", value)),
    ("screen.references.pathological_fracture", |value| reference("pathological fracture", value)),
    ("logistic.method", |value| {
        let table_4 = match words(value).as_str() {
            "firth" => "Table 4 was fitted with Firth's penalty",
            _ => "Table 4 was fitted by maximum likelihood",
        };
        Some(format!(
            "{table_4}, the clinical and combined models by maximum likelihood (by Firth's penalised one where \
                      their terms separate the events)."
        ))
    }),
    ("logistic.grouping", |value| {
        Some(match words(value).as_str() {
            "quantile" => "The Hosmer-Lemeshow test divides patients between quantiles of the probabilities".to_owned(),
            "rank" => "The Hosmer-Lemeshow test divides patients by the order of their probabilities".to_owned(),
            _ => {
                "The Hosmer-Lemeshow test divides patients by probability as SPSS does, equal ones together,".to_owned()
            }
        })
    }),
    ("logistic.groups", |value| Some(format!("into {} groups.", words(value)))),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Preset;

    #[test]
    fn every_key_is_in_the_settings_and_presets_differ_in_words() {
        let study = Preset::Study.protocol();
        let keys: Vec<String> = settings(&study).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, study.keys());
        let text = |preset: Preset| methods(&preset.protocol()).into_iter().map(|(_, text)| text).collect::<String>();
        assert!(text(Preset::Study).contains("resampled to 1 x 1 x 3 mm"));
        assert!(text(Preset::Study).contains("usual range raised one: age 3 to 80 years, diameter 10 to 400 mm,"));
        assert!(text(Preset::Study).contains("with margins of 2, 4, 6 mm by"));
        let fine = study.set(["preprocess.spacing_mm=[1.05, 1.05, 3.0]"]).unwrap();
        assert!(methods(&fine).iter().any(|(_, text)| text.contains("resampled to 1.05 x 1.05 x 3 mm")));
        assert!(text(Preset::Pyradiomics).contains("kept their own voxels"));
    }

    #[test]
    fn every_key_has_its_own_sentence_or_is_told_to_have_no_say() {
        for preset in Preset::ALL {
            let text = methods(&preset.protocol()).into_iter().map(|(_, text)| text + "\n").collect::<String>();
            assert!(!text.contains("Setting “"), "{}: {text}", preset.name());
        }
    }

    #[test]
    fn details_of_what_was_not_done_are_not_told() {
        let text = |preset: Preset| methods(&preset.protocol()).into_iter().map(|(_, text)| text).collect::<String>();
        assert!(text(Preset::Study).contains("Lilliefors") && !text(Preset::Published).contains("Lilliefors"));
        assert!(text(Preset::Study).contains("entered a model together") && !text(Preset::Study).contains("ICC(2,1)"));
        assert!(text(Preset::Recommended).contains("ICC(2,1) of at least 0.75"));
        assert!(!text(Preset::Published).contains("entered a model together"));
    }

    #[test]
    fn sentences_are_told_of_keys_that_exist_or_of_parts_not_in_this_protocol() {
        let protocol = Preset::Study.protocol();
        let keys = protocol.keys();
        let parts: Vec<&str> = keys.iter().filter_map(|key| key.split('.').next()).collect();
        let lost = SENTENCES.iter().map(|(key, _)| *key).filter(|key| {
            parts.contains(&key.split('.').next().unwrap_or("")) && !keys.iter().any(|known| known == key)
        });
        assert_eq!(lost.collect::<Vec<_>>(), [""; 0]);
    }
}

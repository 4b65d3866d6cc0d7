//! The methods in words, made from the protocol: every key has its sentence, so nothing is told that was not done.

use toml::{Table, Value};

use crate::protocol::Protocol;

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
        let sentences: Vec<String> = keys.into_iter().filter_map(|(key, value)| sentence(&key, value)).collect();
        (heading.to_owned(), sentences.join(" "))
    };
    parts.into_iter().map(tell).collect()
}

/// Every key with its value as written, for the table of settings.
pub fn settings(protocol: &Protocol) -> Vec<(String, String)> {
    let document: Table = protocol.to_toml().parse().expect("a protocol prints itself as TOML");
    flat(&document, "").into_iter().map(|(key, value)| (key, value.to_string())).collect()
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

const HEADINGS: &[(&str, &str)] = &[
    ("acquisition", "Acquisition"),
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
];

type Tell = fn(&Value) -> Option<String>;

fn on(value: &Value, yes: &str, no: &str) -> Option<String> {
    Some(if value.as_bool() == Some(true) { yes } else { no }.to_owned())
}

fn empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

const SENTENCES: &[(&str, Tell)] = &[
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
            let sizes: Vec<String> = value.as_array()?.iter().map(words).collect();
            format!(
                "Images were resampled to {} mm by cubic B-splines, masks by the nearest neighbour.",
                sizes.join(" x ").replace(".0", "")
            )
        })
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
                words(value).replace(".0", "")
            )
        })
    }),
    ("filter.images", |value| {
        Some(match words(value).as_str() {
            "all" => "Features were measured on the original image and on all 24 filtered images.".to_owned(),
            "original" => "Features were measured on the original image alone.".to_owned(),
            names => format!("Features were measured on these images: {names}."),
        })
    }),
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
    ("select.reproducible", |value| {
        Some(match words(value).as_str() {
            "icc" => "Only features that agreed between two segmentations could be chosen.".to_owned(),
            _ => "Features could be chosen whatever their agreement between segmentations.".to_owned(),
        })
    }),
    ("select.icc_min", |value| {
        Some(format!("Agreement, where asked for, is an ICC(2,1) of at least {}.", words(value)))
    }),
    ("select.mrmr.method", |value| Some(format!("Features were ordered by mRMR ({}).", words(value).to_uppercase()))),
    ("select.mrmr.n_features", |value| Some(format!("The first {} of this order went on.", words(value)))),
    ("select.lasso.family", |value| Some(format!("Of these a {} LASSO chose.", words(value)))),
    ("select.lasso.rule", |value| {
        Some(match words(value).as_str() {
            "min" => "Lambda had the smallest cross-validated error.".to_owned(),
            _ => "Lambda was the largest within one standard error of the smallest cross-validated error.".to_owned(),
        })
    }),
    ("select.lasso.n_folds", |value| Some(format!("Cross-validation had {} folds.", words(value)))),
    ("select.lasso.n_lambdas", |value| Some(format!("The path had {} values of lambda.", words(value)))),
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
            "Where clinical predictors were not given, those with a univariable p below {} entered together,",
            words(value)
        ))
    }),
    ("learn.p_keep", |value| Some(format!("and those below {} stayed.", words(value)))),
    ("learn.n_folds", |value| Some(format!("Out-of-fold probabilities come from {} folds.", words(value)))),
    ("learn.n_bootstraps", |value| {
        Some(match value.as_integer() {
            Some(0) => "Optimism was not estimated by bootstrap.".to_owned(),
            _ => format!(
                "Optimism of the whole chain, selection included, was estimated in {} bootstrap samples.",
                words(value)
            ),
        })
    }),
    ("learn.n_repeats", |value| {
        Some(match value.as_integer() {
            Some(0) => "There was no nested cross-validation.".to_owned(),
            _ => format!("The whole chain was cross-validated, nested, {} times.", words(value)),
        })
    }),
    ("learn.n_permutations", |value| {
        Some(match value.as_integer() {
            Some(0) => "There was no permutation test.".to_owned(),
            _ => format!("The response was permuted {} times through the whole chain.", words(value)),
        })
    }),
    ("learn.seed", |value| Some(format!("All randomness comes from the seed {}.", words(value)))),
    ("filter.log_kernel", |value| Some(format!("The Gaussian was computed by its {} form.", words(value)))),
    ("filter.crop", |value| Some(format!("The part of the image that filters saw: {}.", words(value)))),
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
        assert!(text(Preset::Pyradiomics).contains("kept their own voxels"));
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

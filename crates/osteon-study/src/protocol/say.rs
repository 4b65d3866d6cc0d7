//! Which settings have a say under the others, listed once: `--set` refuses the rest, `protocol check` lists them, and
//! the methods leave them out.

use crate::protocol::Protocol;
use crate::protocol::learn::{Fusion, Missing};
use osteon_stats::select::Reproducible;
use osteon_stats::select::mrmr::{Bins, Method};
use osteon_stats::stats::compare::{CategoricalRule, ContinuousRule};

/// A key or a table of keys, when it has a say, and why it has none otherwise.
type Condition = (&'static str, fn(&Protocol) -> bool, &'static str);

const CONDITIONS: &[Condition] = &[
    ("preprocess.grid", resampled, "preprocess.spacing_mm is empty"),
    ("preprocess.interpolation", resampled, "preprocess.spacing_mm is empty"),
    ("preprocess.mask_interpolation", resampled, "preprocess.spacing_mm is empty"),
    ("preprocess.bin_width", has_bins_of_width, "no chosen family bins by a fixed width"),
    ("filter.log_sigma_mm", has_log, "filter.images has no Laplacian of Gaussian"),
    ("filter.log_kernel", has_log, "filter.images has no Laplacian of Gaussian"),
    (
        "feature.ibsi.volume_bin_width",
        |it| ibsi(it) && it.feature.ibsi.volume_n_bins == 0,
        "feature.families has no ibsi, or feature.ibsi.volume_n_bins is not 0",
    ),
    ("feature.ibsi", ibsi, "feature.families has no ibsi"),
    ("select.icc_min", |it| it.select.reproducible == Reproducible::Icc, "select.reproducible is not icc"),
    ("select.mrmr.bins", states, "select.mrmr.method is neither mid nor miq"),
    (
        "select.mrmr.sd_multiple",
        |it| states(it) && it.select.mrmr.bins == Bins::MeanSd,
        "select.mrmr has no bins of mean_sd",
    ),
    (
        "select.mrmr.n_quantiles",
        |it| states(it) && it.select.mrmr.bins == Bins::Quantiles,
        "select.mrmr has no bins of quantiles",
    ),
    ("learn.best_region", |it| it.learn.fusion == Fusion::Best, "learn.fusion joins the sources"),
    ("learn.p_keep", |it| it.learn.clinical.is_empty(), "learn.clinical names the predictors"),
    ("learn.n_imputations", |it| it.learn.missing == Missing::Multiple, "learn.missing is not multiple"),
    ("learn.auxiliary", |it| it.learn.missing == Missing::Multiple, "learn.missing is not multiple"),
    ("compare.normality", by_normality, "compare.continuous is not by_normality"),
    ("compare.normality_of", by_normality, "compare.continuous is not by_normality"),
    ("compare.normality_alpha", by_normality, "compare.continuous is not by_normality"),
    (
        "compare.levene_alpha",
        |it| it.compare.continuous != ContinuousRule::MannWhitney,
        "compare.continuous is mann_whitney",
    ),
    ("compare.exact_pairs", |it| it.compare.continuous != ContinuousRule::T, "compare.continuous is t"),
    ("compare.small_expected", by_expected, "compare.categorical is not by_expected"),
    ("compare.small_share", by_expected, "compare.categorical is not by_expected"),
    (
        "compare.fisher_operations",
        |it| by_expected(it) || it.compare.categorical == CategoricalRule::Fisher,
        "compare.categorical never takes Fisher's test",
    ),
];

/// Why a key has no say; `None` where it has one.
pub fn no_say(protocol: &Protocol, key: &str) -> Option<&'static str> {
    let of = |name: &str| key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    CONDITIONS.iter().find(|(name, has_say, _)| of(name) && !has_say(protocol)).map(|(.., because)| *because)
}

fn resampled(protocol: &Protocol) -> bool {
    !protocol.preprocess.spacing_mm.is_empty()
}

fn has_bins_of_width(protocol: &Protocol) -> bool {
    let of_width = |family: &String| match family.as_str() {
        "shape" => false,
        "ibsi" => protocol.feature.ibsi.n_bins == 0,
        _ => true,
    };
    protocol.feature.families.iter().any(of_width)
}

fn has_log(protocol: &Protocol) -> bool {
    osteon_radiomics::filter::chosen(&protocol.filter)
        .is_ok_and(|chosen| chosen.iter().any(|it| it.filter.key == "log"))
}

fn ibsi(protocol: &Protocol) -> bool {
    protocol.feature.has_ibsi()
}

fn states(protocol: &Protocol) -> bool {
    matches!(protocol.select.mrmr.method, Method::Mid | Method::Miq)
}

fn by_normality(protocol: &Protocol) -> bool {
    protocol.compare.continuous == ContinuousRule::ByNormality
}

fn by_expected(protocol: &Protocol) -> bool {
    protocol.compare.categorical == CategoricalRule::ByExpected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Preset;

    #[test]
    fn conditions_are_of_keys_that_exist() {
        let keys = Preset::Study.protocol().keys();
        let exists = |name: &str| keys.iter().any(|key| key == name || key.starts_with(&format!("{name}.")));
        let lost: Vec<&str> = CONDITIONS.iter().map(|(name, ..)| *name).filter(|name| !exists(name)).collect();
        assert_eq!(lost, [""; 0]);
    }

    #[test]
    fn what_has_no_say_is_refused_as_an_assignment_and_listed_in_a_document() {
        let refused = |set: &[&str]| Preset::Study.protocol().set(set.iter().copied()).unwrap_err().to_string();
        assert_eq!(
            refused(&["feature.ibsi.n_bins=16"]),
            "feature.ibsi.n_bins has no say: feature.families has no ibsi"
        );
        assert_eq!(
            refused(&["learn.n_imputations=9"]),
            "learn.n_imputations has no say: learn.missing is not multiple"
        );
        assert!(refused(&["select.mrmr.n_quantiles=4"]).contains("no bins of quantiles"));
        assert!(refused(&["learn.clinical=[\"alp\"]", "learn.p_keep=0.2"]).contains("names the predictors"));
        assert!(Preset::Study.protocol().set(["learn.missing=multiple", "learn.n_imputations=9"]).is_ok());
        let listed =
            Protocol::without_say("learn.n_imputations = 9\nlearn.p_enter = 0.2\n[feature.ibsi]\nn_bins = 16\n");
        let keys: Vec<String> = listed.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["feature.ibsi.n_bins", "learn.n_imputations"]);
    }
}

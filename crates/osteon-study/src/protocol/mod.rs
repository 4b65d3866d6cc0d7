//! Every choice of a study in one TOML document: the sum of all `Params`, with presets and a hash.

pub mod codebook;
pub mod learn;
mod preset;
pub mod query;
pub mod variable;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

pub use preset::Preset;

/// All choices of a study. A field never is an `Option`: what can be off has a word for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    pub acquisition: osteon_radiomics::read::dicom::Params,
    pub query: crate::protocol::query::Params,
    pub preprocess: osteon_radiomics::preprocess::Params,
    pub roi: osteon_radiomics::roi::Params,
    pub filter: osteon_radiomics::filter::Params,
    pub feature: osteon_radiomics::feature::Params,
    pub select: osteon_stats::select::Params,
    pub forest: osteon_stats::model::forest::Params,
    pub learn: crate::protocol::learn::Params,
    pub compare: osteon_stats::stats::compare::Params,
    pub screen: osteon_stats::model::logistic::screen::Params,
    pub logistic: osteon_stats::model::logistic::Params,
}

/// Why a document is no protocol.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProtocolError {
    #[error("the protocol is not TOML: {0}")]
    Syntax(String),
    #[error("unknown key {key}; the nearest valid key is {nearest}")]
    UnknownKey { key: String, nearest: String },
    #[error("unknown preset {name}; valid presets are {valid}")]
    UnknownPreset { name: String, valid: String },
    #[error("{0}")]
    Type(String),
    #[error("--set wants KEY=VALUE, found {0}")]
    Assignment(String),
    #[error("filter.images: {0}")]
    Image(#[from] osteon_radiomics::filter::UnknownImage),
    #[error("feature: {0}")]
    Feature(#[from] osteon_radiomics::feature::UnknownName),
    #[error("query.inconsistent: {rule}: {cause}")]
    Condition { rule: String, cause: osteon_stats::table::filter::FilterError },
    #[error("{key} is {found}, expected {expected}")]
    Value { key: &'static str, found: String, expected: &'static str },
}

/// Where the seed of noise images comes from. Features of noise images that version 0.1.0 measured had another seed:
/// with this in the hash they no longer stand, and an extraction measures them again.
const NOISE_RULE: &str = "\nnoise seed: SHA-256 of voxels and geometry\n";

impl Protocol {
    /// A document over a preset: `preset = "name"` picks the base (default `study`), other keys replace its values.
    pub fn parse(text: &str) -> Result<Protocol, ProtocolError> {
        let mut document: Table = text.parse().map_err(|cause| ProtocolError::Syntax(one_line(&cause)))?;
        let base = match document.remove("preset") {
            None => Preset::Study,
            Some(Value::String(name)) => name.parse()?,
            Some(other) => return Err(ProtocolError::Type(format!("preset is {other}, expected a name in quotes"))),
        };
        base.protocol().with(document)
    }

    /// This protocol with `KEY=VALUE` assignments, a value in TOML's notation (a bare word counts as a string).
    pub fn set<'a>(self, assignments: impl IntoIterator<Item = &'a str>) -> Result<Protocol, ProtocolError> {
        let mut document = Table::new();
        for assignment in assignments {
            let (key, value) =
                assignment.split_once('=').ok_or_else(|| ProtocolError::Assignment(assignment.to_owned()))?;
            insert(&mut document, key.trim(), value_of(value.trim()))?;
        }
        self.with(document)
    }

    /// This protocol with the tests and the models' rules of a preset.
    pub fn with_statistics_of(self, preset: Preset) -> Protocol {
        let Protocol { compare, screen, logistic, .. } = preset.protocol();
        Protocol { compare, screen, logistic, ..self }
    }

    /// The whole document, every key present, in a fixed order.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a protocol is plain data")
    }

    /// SHA-256 of the whole document, lower case hexadecimal.
    pub fn hash(&self) -> String {
        Sha256::digest(self.to_toml()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// SHA-256 of the part that features depend on: another way of learning needs no new features.
    pub fn extraction_hash(&self) -> String {
        let mut table = self.to_table();
        table.retain(|name, _| ["preprocess", "roi", "filter", "feature"].contains(&name));
        let mut text = table.to_string();
        if self.filter.has_noise() {
            text.push_str(NOISE_RULE);
        }
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The part that features depend on.
    pub fn measured(&self) -> osteon_radiomics::describe::Params {
        let Protocol { preprocess, roi, filter, feature, .. } = self.clone();
        osteon_radiomics::describe::Params { preprocess, roi, filter, feature }
    }

    /// How clinical predictors are chosen, for Table 4 and the fit alike.
    pub fn choice(&self) -> osteon_stats::model::logistic::screen::Rule<'_> {
        osteon_stats::model::logistic::screen::Rule {
            enter: self.learn.p_enter,
            keep: self.learn.p_keep,
            statistic: self.screen.statistic,
            references: &self.screen.references,
        }
    }

    /// Every valid key, dotted.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        leaves(&self.to_table(), "", &mut keys);
        keys
    }

    fn to_table(&self) -> Table {
        Table::try_from(self).expect("a protocol is plain data")
    }

    fn with(self, document: Table) -> Result<Protocol, ProtocolError> {
        let mut base = self.to_table();
        let keys = self.keys();
        let document = with_one_threshold(document);
        overlay(&mut base, document, "", &keys)?;
        let protocol: Protocol =
            base.try_into().map_err(|cause: toml::de::Error| ProtocolError::Type(one_line(&cause)))?;
        protocol.check()?;
        Ok(protocol)
    }

    /// Refuses values that no run could use; each `Params` knows its own limits.
    fn check(&self) -> Result<(), ProtocolError> {
        let wrong = |key, found: String, expected| Err(ProtocolError::Value { key, found, expected });
        let positive = |values: &[f64]| values.iter().all(|value| value.is_finite() && *value > 0.0);
        let p = &self.preprocess;
        if !(p.bin_width.is_finite() && p.bin_width > 0.0) {
            return wrong("preprocess.bin_width", p.bin_width.to_string(), "a number above 0");
        }
        let is_size = |size: &f64| size.is_finite() && *size >= 0.0;
        if !(p.spacing_mm.is_empty() || p.spacing_mm.len() == 3 && p.spacing_mm.iter().all(is_size)) {
            return wrong("preprocess.spacing_mm", format!("{:?}", p.spacing_mm), "[] or three numbers of at least 0");
        }
        let i = &self.feature.ibsi;
        if !(i.range.is_empty() || i.range.len() == 2 && i.range[0] < i.range[1]) {
            return wrong("feature.ibsi.range", format!("{:?}", i.range), "[] or two ascending numbers");
        }
        if !(is_size(&i.outliers_sd) && is_size(&i.volume_bin_width)) {
            return wrong("feature.ibsi.outliers_sd", i.outliers_sd.to_string(), "a number of at least 0");
        }
        if i.n_bins.max(i.volume_n_bins) > osteon_radiomics::feature::levels::MAX_LEVELS {
            return wrong("feature.ibsi.n_bins", i.n_bins.to_string(), "at most 20000 bins");
        }
        if (1..i.dimensions.len()).any(|at| i.dimensions[..at].contains(&i.dimensions[at])) {
            return wrong("feature.ibsi.dimensions", format!("{:?}", i.dimensions), "each of 2D, 2.5D and 3D once");
        }
        self.query.check()?;
        osteon_radiomics::filter::chosen(&self.filter)?;
        self.feature.check()?;
        if !positive(&self.filter.log_sigma_mm) {
            return wrong("filter.log_sigma_mm", format!("{:?}", self.filter.log_sigma_mm), "numbers above 0");
        }
        let share = |value: f64| value > 0.0 && value < 1.0;
        let shares = [
            ("compare.normality_alpha", self.compare.normality_alpha),
            ("compare.levene_alpha", self.compare.levene_alpha),
            ("compare.small_share", self.compare.small_share),
            ("screen.alpha", self.screen.alpha),
        ];
        if let Some((key, value)) = shares.into_iter().find(|(_, value)| !share(*value)) {
            return wrong(key, value.to_string(), "a number between 0 and 1");
        }
        if self.logistic.groups < 3 {
            return wrong("logistic.groups", self.logistic.groups.to_string(), "at least 3");
        }
        if !positive(&self.roi.margins_mm) {
            return wrong("roi.margins_mm", format!("{:?}", self.roi.margins_mm), "numbers above 0");
        }
        let (f, l) = (&self.forest, &self.learn);
        if f.n_trees.is_empty() || f.n_trees.contains(&0) {
            return wrong("forest.n_trees", format!("{:?}", f.n_trees), "numbers of trees above 0");
        }
        if f.max_depth.is_empty() || f.min_samples_leaf.is_empty() || f.max_features.is_empty() {
            return wrong(
                "forest.max_depth",
                "an empty list".to_owned(),
                "at least one value in each list of the grid",
            );
        }
        if !(l.train_fraction > 0.0 && l.train_fraction < 1.0) {
            return wrong("learn.train_fraction", l.train_fraction.to_string(), "a number between 0 and 1");
        }
        for (key, folds) in [
            ("learn.n_folds", l.n_folds),
            ("forest.n_folds", f.n_folds),
            ("select.lasso.n_folds", self.select.lasso.n_folds),
        ] {
            if folds < 2 {
                return wrong(key, folds.to_string(), "2 folds or more");
            }
        }
        if l.n_imputations < 2 {
            return wrong("learn.n_imputations", l.n_imputations.to_string(), "2 imputations or more");
        }
        if self.select.mrmr.n_features == 0 || self.select.lasso.n_lambdas < 2 {
            return wrong("select.mrmr.n_features", "0".to_owned(), "1 feature or more, and 2 lambdas or more");
        }
        Ok(())
    }
}

/// `message, in key` on one line, without TOML's drawing of the place.
fn one_line(cause: &toml::de::Error) -> String {
    cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn value_of(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn insert(document: &mut Table, key: &str, value: Value) -> Result<(), ProtocolError> {
    match key.split_once('.') {
        None => {
            document.insert(key.to_owned(), value);
            Ok(())
        }
        Some((head, rest)) => match document.entry(head).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => insert(inner, rest, value),
            _ => Err(ProtocolError::Assignment(key.to_owned())),
        },
    }
}

fn leaves(table: &Table, prefix: &str, keys: &mut Vec<String>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => leaves(inner, &format!("{prefix}{name}."), keys),
            _ => keys.push(format!("{prefix}{name}")),
        }
    }
}

fn overlay(base: &mut Table, document: Table, prefix: &str, keys: &[String]) -> Result<(), ProtocolError> {
    for (name, value) in document {
        let key = format!("{prefix}{name}");
        match (base.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value, &format!("{key}."), keys)?,
            (Some(Value::Table(_)), other) => {
                return Err(ProtocolError::Type(format!("{key} is {other}, expected a table of keys")));
            }
            (Some(slot), value) => *slot = value,
            (None, value) => return Err(unknown(&key, &value, keys)),
        }
    }
    Ok(())
}

/// `screen.alpha` and `learn.p_enter` are one threshold: a document that gives one of them gives both.
fn with_one_threshold(mut document: Table) -> Table {
    const PLACES: [(&str, &str); 2] = [("screen", "alpha"), ("learn", "p_enter")];
    let value = |(table, key): (&str, &str)| document.get(table)?.as_table()?.get(key).cloned();
    let (given, (table, key)) = match PLACES.map(value) {
        [Some(alpha), None] => (alpha, PLACES[1]),
        [None, Some(p_enter)] => (p_enter, PLACES[0]),
        _ => return document,
    };
    let entry = document.entry(table).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = entry {
        inner.insert(key.to_owned(), given);
    }
    document
}

/// Names the first leaf below an unknown key, so that the nearest valid key can be told.
fn unknown(key: &str, value: &Value, keys: &[String]) -> ProtocolError {
    if let Value::Table(inner) = value
        && let Some((name, value)) = inner.iter().next()
    {
        return unknown(&format!("{key}.{name}"), value, keys);
    }
    // The right name in the wrong table is as good as one wrong letter.
    let leaf = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |valid: &&String| edits(key, valid).min(edits(&leaf(key), &leaf(valid)) + 1);
    let nearest = keys.iter().min_by_key(distance).cloned().unwrap_or_default();
    ProtocolError::UnknownKey { key: key.to_owned(), nearest }
}

/// Levenshtein distance.
pub fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &d) in b.iter().enumerate() {
            let replaced = corner + usize::from(c != d);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<Protocol, ProtocolError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn an_assignment_replaces_one_value_and_changes_the_hash() {
        let base = Preset::Study.protocol();
        let changed = base.clone().set(["preprocess.bin_width=0.25", "preprocess.spacing_mm=[1, 1, 3]"]).unwrap();
        assert_eq!(changed.preprocess.bin_width, 0.25);
        assert_ne!(changed.hash(), base.hash());
        assert_eq!(Protocol::parse(&changed.to_toml()), Ok(changed));
    }

    #[test]
    fn a_wrong_key_names_the_nearest_one() {
        let study = || Preset::Study.protocol();
        assert!(message(study().set(["preprocess.binwidth=1"])).ends_with("nearest valid key is preprocess.bin_width"));
        assert!(message(study().set(["bin_width=1"])).contains("preprocess.bin_width"));
        assert!(message(study().set(["preproces.normalise=true"])).contains("preprocess.normalise"));
    }

    #[test]
    fn a_wrong_type_or_an_impossible_value_is_refused() {
        let study = || Preset::Study.protocol();
        assert!(message(study().set(["preprocess.bin_width=wide"])).contains("bin_width"));
        assert!(message(study().set(["preprocess=1"])).contains("table of keys"));
        assert!(message(study().set(["preprocess.bin_width=-1"])).contains("above 0"));
        assert!(message(study().set(["preprocess.spacing_mm=[1,1]"])).contains("three numbers"));
        assert!(message(study().set(["preprocess.bin_width"])).contains("KEY=VALUE"));
        assert!(message(Protocol::parse("preset = \"sutdy\"")).contains("study"));
        assert!(message(Protocol::parse("= 3")).contains("not TOML"));
    }
}

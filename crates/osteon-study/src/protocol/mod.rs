//! Every choice of a study in one TOML document: the sum of all `Params`, with presets and a hash.

pub mod codebook;
pub mod learn;
mod preset;
pub mod query;
pub mod say;
pub mod variable;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::protocol::variable::{CANDIDATES, Kind, VARIABLES, Variable};
use osteon_base::setting::{self, Unfit};
use osteon_radiomics::feature::layout::MAX_SHELLS;
use osteon_radiomics::roi::Roi;
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
    /// Last, so that a document without it has the hash that it had before masks had a section.
    pub mask: osteon_radiomics::read::Params,
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
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error("{key} has no say: {because}")]
    NoSay { key: String, because: &'static str },
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
        let (mut document, mut keys) = (Table::new(), Vec::new());
        for assignment in assignments {
            let (key, value) =
                assignment.split_once('=').ok_or_else(|| ProtocolError::Assignment(assignment.to_owned()))?;
            insert(&mut document, key.trim(), value_of(value.trim()))?;
            keys.push(key.trim().to_owned());
        }
        let protocol = self.with(document)?;
        match keys.into_iter().find_map(|key| Some((say::no_say(&protocol, &key)?, key))) {
            Some((because, key)) => Err(ProtocolError::NoSay { key, because }),
            None => Ok(protocol),
        }
    }

    /// The keys that a document gives although they have no say under its other settings, and why.
    ///
    /// # Errors
    /// When the document is no protocol.
    pub fn without_say(text: &str) -> Result<Vec<(String, &'static str)>, ProtocolError> {
        let protocol = Protocol::parse(text)?;
        let document: Table = text.parse().map_err(|cause| ProtocolError::Syntax(one_line(&cause)))?;
        let mut keys = Vec::new();
        leaves(&document, "", &mut keys);
        Ok(keys.into_iter().filter_map(|key| say::no_say(&protocol, &key).map(|because| (key, because))).collect())
    }

    /// A document that was in force once: read as it is, with values that a check would refuse now. What uses them
    /// checks first. Keys that its version did not know yet are those of the preset `study`.
    pub fn stored(text: &str) -> Result<Protocol, ProtocolError> {
        let document: Table = text.parse().map_err(|cause| ProtocolError::Syntax(one_line(&cause)))?;
        Preset::Study.protocol().over(document)
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

    /// SHA-256 of the document that a study keeps, lower case hexadecimal.
    pub fn hash(&self) -> String {
        osteon_base::text::hex(Sha256::digest(self.document()))
    }

    /// The document that a study keeps and that is hashed: without a section of masks at its defaults, so that a
    /// document of earlier versions keeps its hash.
    pub fn document(&self) -> String {
        let text = self.to_toml();
        let usual = osteon_radiomics::read::Params::default();
        let section = format!("\n[mask]\n{}", toml::to_string(&usual).expect("parameters are plain data"));
        text.strip_suffix(&section).map_or(text.clone(), str::to_owned)
    }

    /// SHA-256 of the part that features depend on: another way of learning needs no new features.
    pub fn extraction_hash(&self) -> String {
        let mut table = self.to_table();
        table.retain(|name, _| ["preprocess", "roi", "filter", "feature"].contains(&name));
        if self.mask != osteon_radiomics::read::Params::default() {
            table.insert("mask".to_owned(), self.to_table()["mask"].clone());
        }
        let mut text = table.to_string();
        if self.filter.has_noise() {
            text.push_str(NOISE_RULE);
        }
        osteon_base::text::hex(Sha256::digest(text))
    }

    /// The part that features depend on.
    pub fn measured(&self) -> osteon_radiomics::describe::Params {
        let Protocol { preprocess, roi, filter, feature, .. } = self.clone();
        osteon_radiomics::describe::Params { preprocess, roi, filter, feature }
    }

    /// The part that a fit depends on, as a document.
    pub fn learning_part(&self) -> String {
        let mut table = self.to_table();
        let parts = ["preprocess", "roi", "filter", "feature", "select", "forest", "learn", "screen", "logistic"];
        table.retain(|name, _| parts.contains(&name));
        table.to_string()
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
        let protocol = self.over(document)?;
        protocol.check()?;
        Ok(protocol)
    }

    /// The values of a document in place of this protocol's, unchecked.
    fn over(self, document: Table) -> Result<Protocol, ProtocolError> {
        let mut base = self.to_table();
        overlay(&mut base, with_one_threshold(document), "", &self.keys())?;
        base.try_into().map_err(|cause: toml::de::Error| ProtocolError::Type(one_line(&cause)))
    }

    /// Refuses values that no run could use; each `Params` knows its own limits.
    pub fn check(&self) -> Result<(), ProtocolError> {
        let below = |table: &'static str| move |unfit: Unfit| unfit.below(table);
        self.acquisition.check().map_err(below("acquisition"))?;
        self.query.check()?;
        self.preprocess.check().map_err(below("preprocess"))?;
        self.roi.check().map_err(below("roi"))?;
        let margins = &self.roi.margins_mm;
        setting::require(margins.len() < MAX_SHELLS, "roi.margins_mm", margins, "at most 3 margins")?;
        osteon_radiomics::filter::chosen(&self.filter)?;
        self.filter.check().map_err(below("filter"))?;
        self.feature.check()?;
        let tolerance = self.mask.tolerance_voxels;
        let is_part = (0.0..0.5).contains(&tolerance);
        let expected = "a part of a voxel from 0 to less than 0.5";
        setting::require(is_part, "mask.tolerance_voxels", tolerance, expected)?;
        setting::some("feature.families", &self.feature.families)?;
        self.feature.ibsi.check().map_err(below("feature.ibsi"))?;
        self.select.check().map_err(below("select"))?;
        self.forest.check().map_err(below("forest"))?;
        let regions: Vec<String> = Roi::all(&self.roi).iter().map(Roi::to_string).collect();
        self.learn.check(&regions, &CANDIDATES).map_err(below("learn"))?;
        self.compare.check().map_err(below("compare"))?;
        self.screen.check().map_err(below("screen"))?;
        self.references()?;
        self.logistic.check().map_err(below("logistic"))?;
        Ok(())
    }

    /// Refuses reference levels of variables or levels that do not exist.
    fn references(&self) -> Result<(), Unfit> {
        for (name, level) in &self.screen.references {
            let key = || format!("screen.references.{name}");
            let Some(Kind::Levels(levels)) = Variable::named(name).map(|variable| &variable.kind) else {
                let levelled = VARIABLES.iter().filter(|it| matches!(it.kind, Kind::Levels(_))).map(|it| it.name);
                let expected =
                    format!("a variable with levels; the nearest is {}", nearest(name, &levelled.collect::<Vec<_>>()));
                return setting::require(false, &key(), level, &expected);
            };
            let levels: Vec<&str> = levels.iter().map(|level| level.name).collect();
            let expected = format!("one of {}", levels.join(", "));
            setting::require(levels.contains(&level.as_str()), &key(), level, &expected)?;
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

/// The name with the fewest letters to change.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().copied().min_by_key(|other| edits(name, other)).unwrap_or_default()
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
    fn masks_at_their_defaults_are_no_part_of_a_stored_document() {
        let base = Preset::Study.protocol();
        assert!(base.to_toml().contains("\n[mask]\n") && !base.document().contains("[mask]"));
        assert_eq!(Protocol::stored(&base.document()), Ok(base.clone()));
        let cut = base.clone().set(["mask.cut=accept"]).unwrap();
        assert_eq!(Protocol::stored(&cut.document()), Ok(cut.clone()));
        assert!(cut.hash() != base.hash() && cut.extraction_hash() != base.extraction_hash());
        assert!(message(base.set(["mask.tolerance_voxels=0.5"])).contains("mask.tolerance_voxels is 0.5"));
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

    #[test]
    fn every_setting_is_checked_under_its_own_key() {
        for (document, said) in [
            ("select.lasso.n_lambdas = 1", "select.lasso.n_lambdas is 1, expected a whole number of at least 2"),
            ("select.lasso.lambda_ratio = 2.0", "select.lasso.lambda_ratio is 2.0"),
            ("feature.ibsi.volume_bin_width = -1.0", "feature.ibsi.volume_bin_width is -1.0"),
            ("feature.ibsi.volume_n_bins = 30000", "feature.ibsi.volume_n_bins is 30000"),
            ("feature.ibsi.outliers_sd = nan", "feature.ibsi.outliers_sd is NaN"),
            ("feature.families = []", "feature.families is []"),
            ("learn.p_enter = -3.0", "is -3.0, expected a number"),
            ("learn.p_keep = 7.0", "learn.p_keep is 7.0"),
            ("select.icc_min = 7.0", "select.icc_min is 7.0, expected a number from 0 to 1"),
            (
                "learn.best_region = \"intra_peri_9mm\"",
                "learn.best_region is \"intra_peri_9mm\", expected by_auc or one of intra,",
            ),
            (
                "learn.clinical = [\"alpp\", \"age\"]",
                "learn.clinical is \"alpp\", expected a candidate variable; the nearest is alp",
            ),
            ("learn.clinical = [\"necrosis_pct\"]", "the outcome does not predict itself"),
            ("learn.clinical = [\"alp\", \"alp\"]", "each item once"),
            ("forest.min_samples_leaf = []", "forest.min_samples_leaf is []"),
            ("forest.min_samples_leaf = [0]", "forest.min_samples_leaf is [0]"),
            ("forest.n_trees = [0]", "forest.n_trees is [0]"),
            ("acquisition.tolerance = -1.0", "acquisition.tolerance is -1.0"),
            ("roi.margins_mm = [2.0, 2.0]", "roi.margins_mm is [2.0, 2.0], expected each item once"),
            ("filter.log_sigma_mm = [1.0, 1.0]", "filter.log_sigma_mm is [1.0, 1.0]"),
            ("screen.references.sex = \"woman\"", "screen.references.sex is \"woman\", expected one of female, male"),
            ("select.mrmr.n_quantiles = 1", "select.mrmr.n_quantiles is 1"),
            ("compare.small_expected = -1.0", "compare.small_expected is -1.0"),
        ] {
            let found = message(Protocol::parse(document));
            assert!(found.contains(said), "{document}: {found}");
        }
    }

    #[test]
    fn a_document_of_an_earlier_version_is_read_whatever_is_refused_now() {
        let typo = Protocol {
            learn: learn::Params { clinical: vec!["alpp".to_owned()], ..Default::default() },
            ..Preset::Study.protocol()
        };
        assert_eq!(Protocol::stored(&typo.to_toml()), Ok(typo.clone()));
        assert!(typo.check().is_err());
        let text = typo.to_toml();
        let (before, after) = text.split_once("[feature.ibsi]").expect("the document has the table");
        let (_, after) = after.split_once("\n[").expect("other tables follow");
        assert_eq!(Protocol::stored(&format!("{before}[{after}")), Ok(typo), "a key that was not known yet");
    }
}

//! Every choice of a study in one TOML document: the sum of all `Params`, with presets and a hash.

mod batch;
pub mod codebook;
mod document;
pub mod foreign;
pub mod keys;
pub mod learn;
mod preset;
pub mod query;
pub mod source;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, CodebookError};
use crate::protocol::document::{insert, leaves, one_line, overlay, value_of, with_one_threshold};
pub use document::{edits, nearest};
use osteon_base::setting::{self, Unfit};
use osteon_radiomics::feature::layout::MAX_SHELLS;
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
    /// Variables, outcomes and image slots. A document gives them as tables over the codebook that it names.
    #[serde(skip, default = "published")]
    pub codebook: Arc<Codebook>,
}

/// The codebook that a document without a word about it has.
fn published() -> Arc<Codebook> {
    Arc::new(Codebook::study().clone())
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
    Image(osteon_radiomics::filter::UnknownImage),
    #[error("{key}: {cause}", key = if .0.what == "family" { "feature.families" } else { "feature.exclude" }, cause = .0)]
    Feature(osteon_radiomics::feature::UnknownName),
    #[error("query.inconsistent: {rule}: {cause}")]
    Condition { rule: String, cause: osteon_stats::table::filter::FilterError },
    #[error(transparent)]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Codebook(#[from] CodebookError),
    #[error("unknown codebook {name}; valid are {valid}")]
    UnknownCodebook { name: String, valid: String },
    #[error("{key} has no say: {because}")]
    NoSay { key: String, because: &'static str },
}

/// The key that names the codebook below a document's own tables, and its word for none.
const CODEBOOK: &str = "codebook";
const NOTHING: &str = "none";

/// Where the seed of noise images comes from. Features of noise images that version 0.1.0 measured had another seed:
/// with this in the hash they no longer stand, and an extraction measures them again.
const NOISE_RULE: &str = "\nnoise seed: SHA-256 of voxels and geometry\n";

/// Grows with a change of the program that changes measured values, and with nothing else: results of another version
/// no longer stand. The first one is not written, so that results of version 0.1.0 keep their hash.
const MEASURE_VERSION: u32 = 1;

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
        match keys.into_iter().find_map(|key| Some((keys::no_say(&protocol, &key)?, key))) {
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
        Ok(keys.into_iter().filter_map(|key| keys::no_say(&protocol, &key).map(|because| (key, because))).collect())
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

    /// The whole document, every key present, in a fixed order; the codebook in full where it is not the published
    /// study's.
    pub fn to_toml(&self) -> String {
        self.with_codebook(toml::to_string(self).expect("a protocol is plain data"))
    }

    fn with_codebook(&self, settings: String) -> String {
        if *self.codebook == *Codebook::study() {
            return settings;
        }
        let (tables, mut scalars) = (self.codebook.to_tables(), format!("{CODEBOOK} = \"{NOTHING}\"\n"));
        let (above, below): (Table, Table) = tables.into_iter().partition(|(_, value)| !value.is_array());
        scalars.push_str(&above.to_string());
        format!("{scalars}\n{settings}\n{below}")
    }

    /// SHA-256 of the document that a study keeps, lower case hexadecimal.
    pub fn hash(&self) -> String {
        osteon_base::text::hex(Sha256::digest(self.document()))
    }

    /// The document that a study keeps and that is hashed: without a section of masks at its defaults, so that a
    /// document of earlier versions keeps its hash.
    pub fn document(&self) -> String {
        let settings = toml::to_string(self).expect("a protocol is plain data");
        let usual = osteon_radiomics::read::Params::default();
        let section = format!("\n[mask]\n{}", toml::to_string(&usual).expect("parameters are plain data"));
        self.with_codebook(settings.strip_suffix(&section).map_or(settings.clone(), str::to_owned))
    }

    /// SHA-256 of the part that features depend on: another way of learning needs no new features. Of a slot, ask
    /// `in_slot` for its hash; where a study has several, this is the hash of all of theirs.
    pub fn extraction_hash(&self) -> String {
        if self.slots().len() < 2 {
            return self.in_slot(&self.slots()[0].slot).measured_hash();
        }
        let of = |slot: &codebook::slot::Slot| format!("{} {}\n", slot.slot, self.slot_hash(&slot.slot));
        osteon_base::text::hex(Sha256::digest(self.slots().iter().map(of).collect::<String>()))
    }

    /// What the features of one slot depend on.
    pub fn slot_hash(&self, slot: &str) -> String {
        self.in_slot(slot).measured_hash()
    }

    /// Settings that versions after 0.1.0 brought are left out at their defaults.
    fn measured_hash(&self) -> String {
        let mut table = self.to_table();
        table.retain(|name, _| ["preprocess", "roi", "filter", "feature"].contains(&name));
        if self.mask != osteon_radiomics::read::Params::default() {
            table.insert("mask".to_owned(), self.to_table()["mask"].clone());
        }
        let mut text = table.to_string();
        if self.filter.has_noise() {
            text.push_str(NOISE_RULE);
        }
        if MEASURE_VERSION > 1 {
            text.push_str(&format!("\nmeasure version {MEASURE_VERSION}\n"));
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
        let mut text = table.to_string();
        for slot in self.slots().iter().filter(|_| self.slots().len() > 1) {
            text.push_str(&format!("\nimage {}: {} {}\n", slot.slot, slot.preprocess, slot.sequence));
        }
        // Labels and ranges are for people; names, kinds, levels and the condition are learnt from.
        let event = self.codebook.outcome().map(|outcome| outcome.event.as_str()).unwrap_or_default();
        text.push_str(&format!("\noutcome: {event}\n"));
        for variable in self.codebook.predictors() {
            let (key, kind, levels) = (&variable.key, variable.kind.name(), variable.levels());
            text.push_str(&format!("{key}: {kind} {levels:?} {:?}\n", variable.per));
        }
        text
    }

    /// Candidates for clinical predictors by name, in the order of Table 4.
    pub fn candidates(&self) -> Vec<&str> {
        self.codebook.predictors().into_iter().map(|variable| variable.name.as_str()).collect()
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

    /// All settings as a document, those too that `to_toml` leaves out while they are empty; without the codebook.
    pub(crate) fn to_table(&self) -> Table {
        let mut table = Table::try_from(self).expect("a protocol is plain data");
        if let Some(Value::Table(select)) = table.get_mut("select") {
            let usual = osteon_stats::select::correlated::Params::default();
            let usual = Table::try_from(usual).expect("parameters are plain data");
            select.entry("correlation").or_insert(Value::Table(usual));
        }
        // Left out of documents where it is empty, so that those of earlier versions keep their hash; a key all the same.
        if let Some(Value::Table(acquisition)) = table.get_mut("acquisition") {
            for (key, word) in [("modality", ""), ("contrast", "any"), ("unit", "")] {
                acquisition.entry(key).or_insert_with(|| Value::String(word.to_owned()));
            }
            acquisition.entry("b_value").or_insert(Value::Float(0.0));
        }
        if let Some(Value::Table(learn)) = table.get_mut("learn") {
            for key in ["auxiliary", "sources"] {
                learn.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            }
            for (key, word) in [
                ("clinical_rule", "screen"),
                ("penalty", "none"),
                ("rater", "mask"),
                ("masks", "all"),
                ("lesions", "largest"),
                ("delta", "none"),
                ("fusion", "best"),
            ] {
                learn.entry(key).or_insert_with(|| Value::String(word.to_owned()));
            }
            for (key, value) in Protocol::later_keys() {
                learn.entry(key).or_insert(value);
            }
        }
        table
    }

    /// Keys of `learn` that came after the first model files, at their defaults: those that files leave out.
    pub(crate) fn later_keys() -> [(&'static str, Value); 9] {
        let usual = learn::Params::default();
        let numbers = |list: &[f64]| Value::Array(list.iter().map(|&number| Value::Float(number)).collect());
        let names = usual.learners.iter().map(|learner| Value::String(learner.name().to_owned())).collect();
        [
            ("clinical_rule", Value::String("screen".to_owned())),
            ("penalty", Value::String("none".to_owned())),
            ("learners", Value::Array(names)),
            ("elastic_net_alpha", numbers(&usual.elastic_net_alpha)),
            ("svm_cost", numbers(&usual.svm_cost)),
            ("harmonise", Value::String("none".to_owned())),
            ("batch", Value::String(String::new())),
            ("batch_covariates", Value::Array(Vec::new())),
            ("batch_prior", Value::String("parametric".to_owned())),
        ]
    }

    /// This protocol under the keys of a document, checked.
    pub fn under(self, document: Table) -> Result<Protocol, ProtocolError> {
        self.with(document)
    }

    fn with(self, document: Table) -> Result<Protocol, ProtocolError> {
        let protocol = self.over(document)?;
        protocol.check()?;
        Ok(protocol)
    }

    /// The values of a document in place of this protocol's, unchecked.
    fn over(self, document: Table) -> Result<Protocol, ProtocolError> {
        let mut document = with_one_threshold(document)?;
        if let Some(Value::Table(mask)) = document.get_mut("mask")
            && let Some(rater) = mask.remove("rater")
        {
            insert(&mut document, "learn.rater", rater)?;
        }
        let base = self.declaring(&mut document)?;
        let mut table = base.to_table();
        overlay(&mut table, document, "", &base.keys())?;
        let settings: Protocol =
            table.clone().try_into().map_err(|cause: toml::de::Error| match keys::unfit(&table) {
                Some(unfit) => ProtocolError::Unfit(unfit),
                None => ProtocolError::Type(one_line(&cause)),
            })?;
        Ok(Protocol { codebook: base.codebook, ..settings })
    }

    /// This protocol under the codebook that a document declares, whose keys are taken out of it. What follows from the
    /// variables follows the new ones: usual ranges and reference levels.
    fn declaring(self, document: &mut Table) -> Result<Protocol, ProtocolError> {
        let below = match document.remove(CODEBOOK) {
            None => Arc::clone(&self.codebook),
            Some(Value::String(name)) if name == NOTHING => Arc::new(Codebook::empty()),
            Some(Value::String(name)) if name == "study" => published(),
            Some(Value::String(name)) if name == "osteosarcoma" => Arc::new(Codebook::osteosarcoma().clone()),
            Some(other) => {
                let presets = codebook::PRESETS.map(|(name, _)| name).join(", ");
                let name = other.to_string();
                return Err(ProtocolError::UnknownCodebook { name, valid: format!("{presets} or {NOTHING}") });
            }
        };
        let own = |key: &str| Some((key.to_owned(), document.remove(key)?));
        let declared: Table =
            ["variable", "outcome", "image", "prediction_moment"].iter().copied().filter_map(own).collect();
        let codebook = if declared.is_empty() { below } else { Arc::new(below.with(declared)?) };
        if codebook == self.codebook {
            return Ok(self);
        }
        let mut base = self;
        let (usual, references) = (&mut base.query.usual, &mut base.screen.references);
        let before = base.codebook.usual();
        // What a person set stays; what followed from the variables follows the new ones.
        usual.retain(|name, range| codebook.named(name).is_some() && before.get(name) != Some(range));
        for (name, range) in codebook.usual() {
            usual.entry(name).or_insert(range);
        }
        let has = |name: &str, level: &str| codebook.named(name).is_some_and(|it| it.levels().contains(&level));
        references.retain(|name, level| has(name, level));
        references.extend(codebook.references());
        base.codebook = codebook;
        Ok(base)
    }

    /// Refuses values that no run could use: by the list of settings, then what each `Params` knows of its own.
    pub fn check(&self) -> Result<(), ProtocolError> {
        match keys::unfit(&self.to_table()) {
            Some(unfit) => Err(unfit.into()),
            None => self.check_each(),
        }
    }

    fn check_each(&self) -> Result<(), ProtocolError> {
        let below = |table: &'static str| move |unfit: Unfit| unfit.below(table);
        self.acquisition.check().map_err(below("acquisition"))?;
        self.query.check(&self.codebook)?;
        self.preprocess.check().map_err(below("preprocess"))?;
        self.roi.check().map_err(below("roi"))?;
        let margins = &self.roi.margins_mm;
        setting::require(margins.len() < MAX_SHELLS, "roi.margins_mm", margins, "at most 3 margins")?;
        let images = osteon_radiomics::filter::chosen(&self.filter).map_err(ProtocolError::Image)?;
        self.filter.check().map_err(below("filter"))?;
        self.feature.check().map_err(ProtocolError::Feature)?;
        setting::some("feature.families", &self.feature.families)?;
        setting::without_copies("feature.exclude", &self.feature.exclude)?;
        self.measures_something(
            images.iter().flat_map(|it| &it.names).any(|name| name == "original"),
            images.iter().all(|it| it.names.is_empty()),
        )?;
        self.mask.check().map_err(below("mask"))?;
        self.feature.ibsi.check().map_err(below("feature.ibsi"))?;
        self.select.check().map_err(below("select"))?;
        self.forest.check().map_err(below("forest"))?;
        self.check_slots()?;
        self.check_sources()?;
        let regions: Vec<String> = self.sources().into_iter().map(|source| source.name).collect();
        let mut outcome: Vec<&str> = self.codebook.hidden().into_iter().collect();
        outcome.extend(["response", "event"]);
        self.learn.check(&regions, &self.candidates(), &outcome).map_err(below("learn"))?;
        self.check_batch()?;
        self.compare.check().map_err(below("compare"))?;
        self.screen.check().map_err(below("screen"))?;
        self.references()?;
        self.logistic.check().map_err(below("logistic"))?;
        Ok(())
    }

    /// Refuses settings under which no feature is left.
    fn measures_something(&self, has_original: bool, has_no_image: bool) -> Result<(), Unfit> {
        let families = &self.feature.families;
        setting::require(
            !has_no_image,
            "filter.images",
            &self.filter.images,
            "one image at least: the filters named have none",
        )?;
        let is_shape = |name: &String| name == "shape";
        let measured = has_original || !families.iter().all(is_shape);
        setting::require(
            measured,
            "feature.families",
            families,
            "a family beside shape, or the image original in filter.images",
        )?;
        let left = self.feature.n_kept();
        setting::require(left > 0, "feature.exclude", &self.feature.exclude, "a feature that is left to be measured")
    }

    /// Refuses reference levels of variables or levels that do not exist.
    fn references(&self) -> Result<(), Unfit> {
        for (name, level) in &self.screen.references {
            let key = || format!("screen.references.{name}");
            let levels = self.codebook.named(name).map(Variable::levels).unwrap_or_default();
            if levels.is_empty() {
                let has_levels = |it: &&Variable| matches!(it.kind, Kind::Levels { .. });
                let levelled: Vec<&str> =
                    self.codebook.variables.iter().filter(has_levels).map(|it| it.name.as_str()).collect();
                let expected = format!("a variable with levels; the nearest is {}", nearest(name, &levelled));
                return setting::require(false, &key(), level, &expected);
            }
            let expected = format!("one of {}", levels.join(", "));
            setting::require(levels.contains(&level.as_str()), &key(), level, &expected)?;
        }
        Ok(())
    }
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
    fn a_threshold_of_table_4_has_a_say_whoever_names_the_predictors() {
        let told = |text: &str| {
            let keys = Protocol::without_say(text).unwrap().into_iter().map(|(key, _)| key);
            keys.collect::<Vec<_>>()
        };
        assert_eq!(told("learn.clinical_rule = \"all\"\nlearn.p_enter = 0.3\nlearn.p_keep = 0.2"), ["learn.p_keep"]);
        assert_eq!(told("learn.sources = [\"intra\"]\nlearn.best_region = \"by_auc\""), ["learn.best_region"]);
        let one = "forest.n_trees = [50]\nforest.max_depth = [3]\nforest.min_samples_leaf = [1]\nforest.max_features = [\"sqrt\"]\nforest.n_folds = 3";
        assert_eq!(told(one), ["forest.n_folds"]);
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
            ("screen.alpha = 0.2\nlearn.p_enter = 0.05", "expected one threshold: give one of them"),
            (
                "feature.exclude = [\"glcm_MCC\", \"glcm_MCC\"]",
                "feature.exclude is [\"glcm_MCC\", \"glcm_MCC\"], expected each item once",
            ),
            ("feature.exclude = [\"glcm_Foo\"]", "feature.exclude: no feature is called glcm_Foo"),
            ("feature.families = [\"glcn\"]", "feature.families: no family is called glcn"),
            (
                "filter.images = [\"log\"]\nfilter.log_sigma_mm = []",
                "filter.images is [\"log\"], expected one image at least",
            ),
            ("filter.images = [\"log\"]\nfeature.families = [\"shape\"]", "feature.families is [\"shape\"]"),
            (
                "feature.families = [\"ngtdm\"]\nfeature.exclude = [\"ngtdm_Busyness\", \"ngtdm_Coarseness\", \
                 \"ngtdm_Complexity\", \"ngtdm_Contrast\", \"ngtdm_Strength\"]",
                "expected a feature that is left to be measured",
            ),
            (
                "learn.rad_score = \"lasso\"\nlearn.fusion = \"late\"",
                "learn.fusion is \"late\", expected best or early",
            ),
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
    fn a_key_that_documents_leave_out_when_it_is_empty_can_be_set() {
        let base = Preset::Study.protocol();
        assert!(!base.to_toml().contains("auxiliary"));
        let set = base.set(["learn.missing=multiple", "learn.auxiliary=[\"ldh\"]"]).unwrap();
        assert_eq!(set.learn.auxiliary, ["ldh"]);
        assert_eq!(Protocol::parse(&set.to_toml()), Ok(set));
    }

    #[test]
    fn a_document_declares_variables_over_a_codebook() {
        let text = "[variable.crp]\nunit = \"mg/L\"\nusual = [0, 10]\n[variable.stage]\nlevels = [\"I\", \"II\"]\n\
                    reference = \"II\"\n[variable.ldh]\ndrop = true\n[query.usual]\nage = [1, 30]";
        let protocol = Protocol::parse(text).unwrap();
        assert_eq!(protocol.query.usual.get("crp"), Some(&[0.0, 10.0]));
        assert_eq!((protocol.query.usual.get("ldh"), protocol.query.usual["age"]), (None, [1.0, 30.0]));
        assert_eq!(protocol.screen.references["stage"], "II");
        assert_eq!(protocol.candidates().last(), Some(&"stage"));
        assert_eq!(Protocol::parse(&protocol.to_toml()), Ok(protocol.clone()));
        assert_eq!(Protocol::stored(&protocol.to_toml()), Ok(protocol.clone()));
        let renamed = protocol.set(["variable.crp.label=C-reactive protein", "learn.clinical=[\"crp\"]"]).unwrap();
        assert_eq!(renamed.codebook.named("crp").unwrap().heading(), "C-reactive protein, mg/L");
        assert!(
            !Preset::Study.protocol().to_toml().contains("[[variable]]"),
            "the published study stays as it is written"
        );
        assert!(message(Protocol::parse("codebook = \"sarcoma\"")).contains("study, osteosarcoma or none"));
        assert!(
            message(Protocol::parse("[variable.ldh]\ndrop = true\n[learn]\nclinical = [\"ldh\"]")).contains("nearest")
        );
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

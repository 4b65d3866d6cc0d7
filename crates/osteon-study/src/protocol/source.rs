//! What a model may learn from: the regions of every slot, and how they change between two timepoints.

use toml::Table;

use crate::protocol::codebook::slot::Slot;
use crate::protocol::learn::{Delta, Fusion};
use crate::protocol::{Protocol, ProtocolError};
use osteon_base::setting::{self, Unfit};
use osteon_radiomics::roi::Roi;

/// A group of features that a model may learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The region, with its slot before it where a study has several: `t2.intra`, `adc_post-adc_pre.intra`.
    pub name: String,
    pub slot: String,
    pub region: String,
    /// The earlier slot, where the source is the change from it to `slot`.
    pub earlier: Option<String>,
}

/// The name of the source that holds the features of all others.
pub const FUSED: &str = "all_sources";

impl Protocol {
    pub fn slots(&self) -> &[Slot] {
        &self.codebook.slots
    }

    /// The slot of a name.
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots().iter().find(|slot| slot.slot == name)
    }

    /// The protocol of one slot: its own keys over those of all. One that is not declared has none of its own.
    pub fn in_slot(&self, name: &str) -> Protocol {
        let has_own = |slot: &&Slot| {
            let tables = [&slot.preprocess, &slot.acquisition];
            !(tables.iter().all(|it| it.is_empty()) && slot.modality.is_empty() && slot.unit.is_empty())
        };
        let Some(slot) = self.slot(name).filter(has_own) else {
            return self.clone();
        };
        // The keys were checked when the protocol was: what does not fit there is refused before.
        self.under_slot(slot).unwrap_or_else(|_| self.clone())
    }

    fn under_slot(&self, slot: &Slot) -> Result<Protocol, ProtocolError> {
        let mut document = Table::new();
        for (name, keys) in [("preprocess", &slot.preprocess), ("acquisition", &slot.acquisition)] {
            if !keys.is_empty() {
                document.insert(name.to_owned(), toml::Value::Table(keys.clone()));
            }
        }
        // The slot's own words say what its files have to be, where its acquisition does not.
        for (key, word) in [("modality", &slot.modality), ("unit", &slot.unit)] {
            let acquisition = document.entry("acquisition").or_insert_with(|| toml::Value::Table(Table::new()));
            if let (false, Some(acquisition)) = (word.is_empty(), acquisition.as_table_mut()) {
                acquisition.entry(key).or_insert_with(|| toml::Value::String(word.clone()));
            }
        }
        self.clone().over(document)
    }

    /// Refuses keys of slots that no measurement could use.
    pub(in crate::protocol) fn check_slots(&self) -> Result<(), ProtocolError> {
        for slot in self.slots() {
            let below = |cause: String| ProtocolError::Type(format!("image.{}: {cause}", slot.slot));
            let own = self.under_slot(slot).map_err(|cause| below(cause.to_string()))?;
            own.preprocess.check().map_err(|unfit| below(unfit.below("preprocess").to_string()))?;
            own.acquisition.check().map_err(|unfit| below(unfit.below("acquisition").to_string()))?;
            if slot.is_quantitative() && own.preprocess.normalise {
                let (slot, unit) = (slot.slot.clone(), slot.unit.clone());
                return Err(crate::protocol::codebook::CodebookError::Normalised { slot, unit }.into());
            }
        }
        Ok(())
    }

    /// Every source that the slots give, in the order of slots and regions, changes behind them.
    pub fn all_sources(&self) -> Vec<Source> {
        let regions: Vec<String> = Roi::all(&self.roi).iter().map(Roi::to_string).collect();
        let is_many = self.slots().len() > 1;
        let source = |slot: &Slot, region: &String| Source {
            name: if is_many { format!("{}.{region}", slot.slot) } else { region.clone() },
            slot: slot.slot.clone(),
            region: region.clone(),
            earlier: None,
        };
        let mut sources: Vec<Source> =
            self.slots().iter().flat_map(|slot| regions.iter().map(move |region| source(slot, region))).collect();
        if self.learn.delta != Delta::None {
            for (earlier, later) in self.pairs() {
                sources.extend(regions.iter().map(|region| Source {
                    name: format!("{later}-{earlier}.{region}"),
                    slot: later.to_owned(),
                    region: region.clone(),
                    earlier: Some(earlier.to_owned()),
                }));
            }
        }
        sources
    }

    /// The sources that a model may learn from.
    pub fn sources(&self) -> Vec<Source> {
        let wanted = &self.learn.sources;
        let is_wanted = |it: &Source| wanted.is_empty() || wanted.iter().any(|name| is_named(it, name));
        self.all_sources().into_iter().filter(is_wanted).collect()
    }

    /// Two slots of one sequence, one timepoint after the other, in the order in which they are declared.
    fn pairs(&self) -> Vec<(&str, &str)> {
        let slots = self.slots();
        let next = |(at, slot): (usize, &'_ Slot)| {
            let later = slots[at + 1..].iter().find(|it| !it.sequence.is_empty() && it.sequence == slot.sequence)?;
            Some((at, later))
        };
        let found = slots.iter().enumerate().filter_map(next);
        found.map(|(at, later)| (slots[at].slot.as_str(), later.slot.as_str())).collect()
    }

    /// Refuses sources that the slots do not give.
    pub(in crate::protocol) fn check_sources(&self) -> Result<(), Unfit> {
        let all = self.all_sources();
        let names = || all.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
        for name in &self.learn.sources {
            let expected = format!("a slot or one of {}", names());
            setting::require(all.iter().any(|it| is_named(it, name)), "learn.sources", name, &expected)?;
        }
        setting::without_copies("learn.sources", &self.learn.sources)?;
        let has_pairs = self.learn.delta == Delta::None || !self.pairs().is_empty();
        let expected = "none, for no two slots have one sequence ([[image]] sequence, timepoint)";
        setting::require(has_pairs, "learn.delta", self.learn.delta, expected)?;
        let is_fused = self.learn.fusion != Fusion::Best;
        let enough = !is_fused || self.sources().len() > 1;
        setting::require(enough, "learn.fusion", self.learn.fusion, "best, for there is only one source")
    }
}

/// By its own name, or by that of its slot or pair of slots.
fn is_named(source: &Source, name: &str) -> bool {
    let group = source.name.strip_suffix(&source.region).and_then(|group| group.strip_suffix('.'));
    source.name == name || group.unwrap_or(&source.slot) == name
}

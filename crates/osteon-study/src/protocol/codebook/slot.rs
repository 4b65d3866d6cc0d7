//! Places for images: what sequence, at which moment, measured how.

use toml::{Table, Value as Toml};

use crate::protocol::codebook::CodebookError;
use crate::protocol::codebook::declaration::Fields;

/// A patient has at most one image in each slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// As manifests, features and tables name it.
    pub slot: String,
    pub label: String,
    /// Such as `T2 FS`; empty for any.
    pub sequence: String,
    /// Such as `baseline`; empty for the only one.
    pub timepoint: String,
    /// DICOM's word; empty for any.
    pub modality: String,
    /// Unit of intensities that are quantities, such as `1e-6 mm2/s`; empty where they are arbitrary.
    pub unit: String,
    /// Rule that picks the series from a patient's folder, such as `description ~ "T2.*FS"`; empty for none.
    pub series: String,
    /// The slot whose masks serve this one too; empty where it has its own.
    pub masks_of: String,
    /// Whether a person says that its images lie in the space of `masks_of`: files without a frame of reference
    /// cannot tell.
    pub registered: bool,
    /// Keys over the protocol's `acquisition`.
    pub acquisition: Table,
    /// Keys over the protocol's `preprocess`.
    pub preprocess: Table,
}

const TEXTS: [&str; 7] = ["label", "sequence", "timepoint", "modality", "unit", "series", "masks_of"];

impl Slot {
    /// The place for the image of a study that declares none.
    pub fn only() -> Slot {
        Slot {
            slot: "image".to_owned(),
            label: "image".to_owned(),
            sequence: String::new(),
            timepoint: String::new(),
            modality: String::new(),
            unit: String::new(),
            series: String::new(),
            masks_of: String::new(),
            registered: false,
            acquisition: Table::new(),
            preprocess: Table::new(),
        }
    }

    /// Whether intensities are quantities with a unit.
    pub fn is_quantitative(&self) -> bool {
        !self.unit.is_empty()
    }

    /// Refuses to normalize quantities.
    pub(in crate::protocol::codebook) fn check(&self) -> Result<(), CodebookError> {
        if self.is_quantitative() && self.preprocess.get("normalise") == Some(&Toml::Boolean(true)) {
            return Err(CodebookError::Normalised { slot: self.slot.clone(), unit: self.unit.clone() });
        }
        Ok(())
    }

    /// The table that declares it, defaults left out.
    pub(in crate::protocol::codebook) fn to_table(&self) -> Table {
        let mut table = Table::new();
        table.insert("slot".to_owned(), Toml::String(self.slot.clone()));
        let texts =
            [&self.label, &self.sequence, &self.timepoint, &self.modality, &self.unit, &self.series, &self.masks_of];
        for (key, text) in TEXTS.iter().zip(texts) {
            let default = if *key == "label" { &self.slot } else { "" };
            if text != default {
                table.insert((*key).to_owned(), Toml::String(text.clone()));
            }
        }
        if self.registered {
            table.insert("registered".to_owned(), Toml::Boolean(true));
        }
        for (key, keys) in [("acquisition", &self.acquisition), ("preprocess", &self.preprocess)] {
            if !keys.is_empty() {
                table.insert(key.to_owned(), Toml::Table(keys.clone()));
            }
        }
        table
    }
}

/// The slot that a table declares.
pub(in crate::protocol::codebook) fn of_table(fields: &Fields) -> Result<Slot, CodebookError> {
    fields.only(&[&TEXTS[..], &["registered", "acquisition", "preprocess", "drop"]].concat())?;
    let slot = fields.name.clone();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if slot.is_empty() || slot.len() > 32 || !slot.chars().all(is_plain) {
        return Err(fields.wrong("slot", format!("{slot:?}"), "small letters, digits, _ and -, at most 32"));
    }
    let text = |key| fields.text(key).map(|text| text.unwrap_or_default().to_owned());
    Ok(Slot {
        label: fields.text("label")?.unwrap_or(&slot).to_owned(),
        sequence: text("sequence")?,
        timepoint: text("timepoint")?,
        modality: text("modality")?,
        unit: text("unit")?,
        series: text("series")?,
        masks_of: text("masks_of")?,
        registered: fields.flag("registered")?,
        acquisition: fields.table("acquisition")?,
        preprocess: fields.table("preprocess")?,
        slot,
    })
}

#[cfg(test)]
mod tests {
    use crate::protocol::codebook::Codebook;
    use crate::protocol::codebook::slot::Slot;

    #[test]
    fn slots_merge_by_name_and_replace_the_only_one() {
        let adc = "[[image]]\nslot = \"adc_pre\"\nsequence = \"ADC\"\nunit = \"1e-6 mm2/s\"\n[image.acquisition]\nfield_strength_t = 3.0";
        let base = Codebook::study().with(adc.parse().unwrap()).unwrap();
        assert_eq!(base.slots.len(), 1);
        assert_eq!(Codebook::study().slots, [Slot::only()]);
        let changed = base.with("[image.adc_pre]\nlabel = \"ADC\"".parse().unwrap()).unwrap();
        assert_eq!((changed.slots[0].label.as_str(), changed.slots[0].sequence.as_str()), ("ADC", "ADC"));
        assert_eq!(Codebook::parse(&changed.to_toml()).unwrap(), changed);
        let dropped = base.with("[image.adc_pre]\ndrop = true".parse().unwrap()).unwrap();
        assert_eq!(dropped.slots, [Slot::only()]);
    }

    #[test]
    fn quantities_are_never_normalised() {
        let text = "[image.adc]\nunit = \"1e-6 mm2/s\"\npreprocess = { normalise = true }";
        let message = Codebook::parse(text).unwrap_err().to_string();
        assert!(message.contains("image.adc.preprocess.normalise = false"), "{message}");
        assert!(Codebook::parse(&text.replace("true", "false")).is_ok());
        assert!(Codebook::parse("[image.\"T2 FS\"]\nlabel = \"x\"").is_err());
    }
}

//! A model file is read whole or refused: format, version, hash, shape, and numbers that could not be a model's.

use serde_json::{Map, Value};

use crate::model::canonical;
use crate::model::file::{FORMAT, HARMONISED_VERSION, LINEAR_VERSION, LogisticPart, ModelFile, Slot, Source, VERSION};
use crate::pipeline::clinical::Logistic;
use crate::protocol::Protocol;
use crate::protocol::codebook::Codebook;
use osteon_stats::select::scale::Scaling;

/// Why a file is no model that can be applied.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    #[error("not JSON: {0}")]
    Json(String),
    #[error("no model file: its format is {0}, expected \"osteon model\"")]
    Format(String),
    #[error("a model file of version {found}, expected {expected}")]
    Version { found: String, expected: u64 },
    #[error("the file was changed after it was written: its SHA-256 is {computed}, it says {stated}")]
    Tampered { stated: String, computed: String },
    #[error("the file is not of the form that schemas/model-1.schema.json describes: {0}")]
    Shape(String),
    #[error("the model measures images of the slots {wanted}; {missing} is missing")]
    Slot { wanted: String, missing: String },
    #[error("{name} is given in {found}, the model learnt it in {expected}")]
    Unit { name: String, found: String, expected: String },
    #[error("{name} is {found:?}, expected {expected}")]
    Value { name: String, found: String, expected: String },
    #[error("no input {found} of this model; its inputs are {valid}")]
    Input { found: String, valid: String },
    #[error("the model harmonizes features by {by}, and the patient's is not given")]
    NoBatch { by: String },
    #[error("batch {found:?} is none of those that the model's features were harmonized for: {known}")]
    Batch { found: String, known: String },
    #[error("{0}")]
    Measured(String),
}

impl ModelError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            ModelError::Json(_) | ModelError::Format(_) => {
                "osteon model export writes a model file from a study with a fit".to_owned()
            }
            ModelError::Version { .. } => {
                format!(
                    "osteon {} reads versions {VERSION} to {HARMONISED_VERSION}: ask for a file of that version, or use the osteon that wrote it",
                    env!("CARGO_PKG_VERSION")
                )
            }
            ModelError::Tampered { .. } => {
                "get the file again from where it was published; osteon model check tells what else does not fit"
                    .to_owned()
            }
            ModelError::Shape(_) => "osteon model check FILE lists what does not fit".to_owned(),
            ModelError::Slot { .. } => {
                "give an image and a mask for each slot, as SLOT=IMAGE SLOT=MASK where there are several; osteon model show FILE \
                 lists them".to_owned()
            }
            ModelError::Unit { name, expected, .. } => {
                format!("convert the value, and give it as --set {name}=NUMBER, in {expected}")
            }
            ModelError::Value { .. } | ModelError::Input { .. } => {
                "osteon model show FILE lists the inputs with their units and levels".to_owned()
            }
            ModelError::NoBatch { .. } => {
                "--set batch=NAME says it, by the name or by the code that osteon model show FILE lists".to_owned()
            }
            ModelError::Batch { .. } => {
                "a frozen model says nothing of another batch: osteon validate FILE --update batch -o NEW.json estimates it \
                 from the features of at least 10 patients and writes a model file of its own, which names its parent"
                    .to_owned()
            }
            ModelError::Measured(_) => return None,
        })
    }
}

/// A model file that was checked, ready to be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub file: ModelFile,
    pub codebook: Codebook,
    pub clinical: Logistic,
    pub combined: Logistic,
    /// Joins the scores of several sources; `None` where one gives the Rad-score.
    pub fusion: Option<Logistic>,
}

impl Model {
    /// Reads the text of a model file.
    ///
    /// # Errors
    /// When it is none, of another version, not what its hash says, or not of the form of the schema.
    pub fn read(text: &str) -> Result<Model, ModelError> {
        let document = document(text)?;
        let stated = document[canonical::HASH].as_str().unwrap_or_default().to_owned();
        let computed = canonical::hash(&document);
        if stated != computed {
            return Err(ModelError::Tampered { stated, computed });
        }
        Model::of(shape(document)?)
    }

    /// Opens a document whose hash is right or was just made.
    ///
    /// # Errors
    /// When its codebook cannot be read, or its parts are of different lengths.
    pub fn of(file: ModelFile) -> Result<Model, ModelError> {
        let wrong = |what: String| ModelError::Shape(what);
        let codebook = codebook(&file.codebook).map_err(wrong)?;
        for source in &file.sources {
            for slot in source.features.iter().flat_map(|it| std::iter::once(&it.slot).chain(&it.earlier)) {
                if file.slot(slot).is_none() {
                    let wanted: Vec<&str> = file.slots.iter().map(|slot| slot.slot.as_str()).collect();
                    let missing = format!("{slot}, of {},", source.name);
                    return Err(ModelError::Slot { wanted: wanted.join(", "), missing });
                }
            }
            check_source(source).map_err(wrong)?;
        }
        if file.combat.is_some() != file.sources.iter().any(|source| source.combat.is_some()) {
            return Err(wrong("combat and the batches of the sources do not go together".to_owned()));
        }
        let n_terms = file.rad_score.fusion.as_ref().map_or(1, |fusion| fusion.terms.len());
        if file.rad_sources().len() != n_terms {
            return Err(wrong(format!("rad_score names {}, which is not among the sources", file.rad_score.source)));
        }
        let fusion = file.rad_score.fusion.as_ref().map(|part| ("rad_score.fusion", part));
        for (name, part) in [("clinical", &file.clinical), ("combined", &file.combined)].into_iter().chain(fusion) {
            let size = part.terms.len() + 1;
            if part.covariance.len() != size || part.covariance.iter().any(|row| row.len() != size) {
                return Err(wrong(format!("{name}.covariance is not {size} x {size}")));
            }
        }
        for slot in &file.slots {
            protocol(slot).map_err(wrong)?;
        }
        let [clinical, combined] = [&file.clinical, &file.combined].map(logistic);
        let fusion = file.rad_score.fusion.as_ref().map(logistic);
        Ok(Model { file, codebook, clinical, combined, fusion })
    }

    /// The protocol under which a slot's features are measured.
    pub fn protocol(&self, slot: &Slot) -> Protocol {
        protocol(slot).expect("the settings were read when the file was opened")
    }

    /// What the event is called.
    pub fn event_label(&self) -> &str {
        &self.file.outcome.event_label
    }
}

/// The document of a text, if it says that it is a model of this version.
pub fn document(text: &str) -> Result<Value, ModelError> {
    let document: Value = serde_json::from_str(text).map_err(|cause| ModelError::Json(cause.to_string()))?;
    if document["format"] != FORMAT {
        let found = document.get("format").map_or("absent".to_owned(), Value::to_string);
        return Err(ModelError::Format(found));
    }
    let has = |member: &str| {
        let sources = document["sources"].as_array();
        sources.is_some_and(|sources| sources.iter().any(|source| source.get(member).is_some()))
    };
    let expected = match (has("combat"), has("link")) {
        (true, _) => HARMONISED_VERSION,
        (false, true) => LINEAR_VERSION,
        (false, false) => VERSION,
    };
    if document["version"].as_f64() != Some(expected as f64) {
        let found = document.get("version").map_or("absent".to_owned(), Value::to_string);
        return Err(ModelError::Version { found, expected });
    }
    Ok(document)
}

/// The members of a document, each of its type.
pub fn shape(document: Value) -> Result<ModelFile, ModelError> {
    serde_json::from_value(document).map_err(|cause| ModelError::Shape(cause.to_string()))
}

fn check_source(source: &Source) -> Result<(), String> {
    let n = source.features.len();
    let name = &source.name;
    if n == 0 || source.forest.features.len() != n {
        return Err(format!("{name}: {n} features, the forest has {}", source.forest.features.len()));
    }
    if source.covariance.len() != n || source.covariance.iter().any(|row| row.len() != n) {
        return Err(format!("{name}: the covariance is not {n} x {n}"));
    }
    if let Some(feature) = source.features.iter().find(|it| it.earlier.is_some() != it.change.is_some()) {
        return Err(format!("{name}: {} has a change without an earlier slot, or the other way round", feature.name));
    }
    let n_batches = source.combat.as_ref().map_or(0, |combat| combat.batches.len());
    let sound = |it: &crate::model::file::Map| it.intercept.is_finite() && it.slope.is_finite() && it.slope > 0.0;
    if let Some(feature) = source.features.iter().find(|it| it.maps.len() != n_batches || !it.maps.iter().all(sound)) {
        return Err(format!("{name}: {} has no sound map for each of {n_batches} batches", feature.name));
    }
    let reference = source.combat.iter().flat_map(|combat| &combat.reference);
    let uneven =
        reference.clone().any(|it| it.means.len() != it.features.len() || it.variances.len() != it.features.len());
    if uneven || reference.flat_map(|it| &it.variances).any(|it| !it.is_finite() || *it <= 0.0) {
        return Err(format!("{name}: means and variances of its harmonized features do not fit them"));
    }
    match source.features.iter().find(|feature| !feature.sd.is_finite() || feature.sd <= 0.0) {
        Some(feature) => {
            Err(format!("{name}: the SD of {} is {}, expected a number above 0", feature.name, feature.sd))
        }
        None => Ok(()),
    }
}

/// Means and SDs of a source's features.
pub fn scaling(source: &Source) -> Scaling {
    Scaling {
        means: source.features.iter().map(|feature| feature.mean).collect(),
        sds: source.features.iter().map(|feature| feature.sd).collect(),
    }
}

/// The logistic model of a part; ranges are the 2.5th and 97.5th percentiles of training patients.
pub fn logistic(part: &LogisticPart) -> Logistic {
    Logistic {
        terms: part.terms.iter().map(|term| term.name.clone()).collect(),
        intercept: part.intercept,
        coefficients: part.terms.iter().map(|term| term.coefficient).collect(),
        covariance: part.covariance.clone(),
        n: part.n,
        n_missing: part.n_missing,
        n_events: part.n_events,
        ranges: part
            .terms
            .iter()
            .map(|term| (term.p2_5.unwrap_or(f64::NEG_INFINITY), term.p97_5.unwrap_or(f64::INFINITY)))
            .collect(),
        fill: part.terms.iter().map(|term| term.fill).collect(),
        pooled: Vec::new(),
        ridge: None,
        notes: Vec::new(),
    }
}

/// The variables and the outcome that a model declares.
pub fn codebook(tables: &Map<String, Value>) -> Result<Codebook, String> {
    let text = toml_text(tables)?;
    Codebook::parse(&text).map_err(|cause| format!("codebook: {cause}"))
}

/// The protocol of a slot's settings; what does not matter to features is the published study's.
pub fn protocol(slot: &Slot) -> Result<Protocol, String> {
    let text = toml_text(&slot.settings)?;
    let wrong = |cause| format!("settings of slot {}: {cause}", slot.slot);
    let protocol = Protocol::stored(&text).map_err(wrong)?;
    protocol.check().map_err(wrong)?;
    Ok(protocol)
}

fn toml_text(tables: &Map<String, Value>) -> Result<String, String> {
    toml::to_string(tables).map_err(|cause| format!("no settings: {cause}"))
}

//! Parameter files (YAML, JSON) as pyradiomics reads them.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value};

use crate::pyradiomics::class::Class;
use crate::pyradiomics::settings::{self, Settings, Unfit, is_of_image_types};

/// What a parameter file asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Classes in the order of the file, and their features in the order of the result.
    pub classes: Vec<(Class, Vec<String>)>,
    /// Image types in the order of the file, and what of the settings each changes.
    pub images: Vec<(ImageType, Map<String, Value>)>,
    pub settings: Settings,
    /// The settings as a file would give them, pyradiomics' defaults first.
    pub given: Map<String, Value>,
    /// What was left out because it cannot be honoured, one sentence each.
    pub left_out: Vec<String>,
    /// What has no effect, one sentence each.
    pub notes: Vec<String>,
    /// How feature maps are made.
    pub kernel: Kernel,
    /// Settings of feature maps that were given; features of regions do not heed them.
    pub kernel_given: Vec<String>,
}

/// How feature maps are made: pyradiomics' `voxelSetting`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    /// Voxels to each side of a voxel that its value is made of.
    pub radius: usize,
    /// Whether only voxels of the region are looked at, by gray levels of the region; else the whole box around it.
    pub masked: bool,
    /// What voxels outside the region hold.
    pub initial: f64,
}

impl Default for Kernel {
    fn default() -> Kernel {
        Kernel { radius: 1, masked: true, initial: 0.0 }
    }
}

/// What happens to what cannot be honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    Refuse,
    /// It is left out and listed.
    Lenient,
}

/// A kind of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageType {
    Original,
    LoG,
    Wavelet,
    Square,
    SquareRoot,
    Logarithm,
    Exponential,
    Gradient,
    Lbp2D,
}

/// Why a file is no set of parameters that can be honoured.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParametersError {
    #[error("not YAML: {0}")]
    Syntax(String),
    #[error("{what} is {found}, expected {expected}")]
    Kind { what: String, found: String, expected: &'static str },
    #[error("{what} {name} is not known; there are {valid}")]
    Unknown { what: &'static str, name: String, valid: String },
    #[error("{what} {name} cannot be honoured: {because}")]
    NotHonoured { what: &'static str, name: String, because: &'static str },
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

impl ParametersError {
    /// Whether leaving out what was named would mend it.
    pub fn can_be_left_out(&self) -> bool {
        matches!(self, ParametersError::Unknown { .. } | ParametersError::NotHonoured { .. })
    }
}

impl ImageType {
    pub const ALL: [ImageType; 9] = [
        ImageType::Original,
        ImageType::LoG,
        ImageType::Wavelet,
        ImageType::Square,
        ImageType::SquareRoot,
        ImageType::Logarithm,
        ImageType::Exponential,
        ImageType::Gradient,
        ImageType::Lbp2D,
    ];

    pub fn name(self) -> &'static str {
        match self {
            ImageType::Original => "Original",
            ImageType::LoG => "LoG",
            ImageType::Wavelet => "Wavelet",
            ImageType::Square => "Square",
            ImageType::SquareRoot => "SquareRoot",
            ImageType::Logarithm => "Logarithm",
            ImageType::Exponential => "Exponential",
            ImageType::Gradient => "Gradient",
            ImageType::Lbp2D => "LBP2D",
        }
    }
}

/// pyradiomics' defaults as it lists them.
const DEFAULTS: &str = r#"{"minimumROIDimensions": 2, "minimumROISize": null, "normalize": false, "normalizeScale": 1,
    "removeOutliers": null, "resampledPixelSpacing": null, "interpolator": "sitkBSpline", "preCrop": false,
    "padDistance": 5, "distances": [1], "force2D": false, "force2Ddimension": 0, "resegmentRange": null, "label": 1,
    "additionalInfo": true}"#;

impl Default for Parameters {
    /// A run without a parameter file: the original image, every class but `shape2D`.
    fn default() -> Parameters {
        Parameters {
            classes: Class::USUAL.map(all_of).to_vec(),
            images: vec![(ImageType::Original, Map::new())],
            settings: Settings::default(),
            given: serde_json::from_str(DEFAULTS).expect("the defaults are JSON"),
            left_out: Vec::new(),
            notes: Vec::new(),
            kernel: Kernel::default(),
            kernel_given: Vec::new(),
        }
    }
}

fn all_of(class: Class) -> (Class, Vec<String>) {
    (class, class.usual().into_iter().map(str::to_owned).collect())
}

impl Parameters {
    /// Reads a file's text.
    pub fn parse(text: &str, strictness: Strictness) -> Result<Parameters, ParametersError> {
        let document = value_of(text)?;
        let document = map(&document, "the document", "a map with imageType, featureClass, setting or voxelSetting")?;
        let mut parameters = Parameters::default();
        let mut reading = Reading { strictness, left_out: Vec::new() };
        for (name, value) in &document {
            match name.as_str() {
                "setting" => parameters.read_settings(&map(value, name, MAP)?, &mut reading)?,
                "voxelSetting" => parameters.read_voxel_settings(&map(value, name, MAP)?, &mut reading)?,
                "featureClass" => {
                    some(value, name)?;
                    parameters.read_classes(&map(value, name, MAP)?, &mut reading)?;
                }
                "imageType" => some(value, name)?,
                other => reading.leave_out(ParametersError::Unknown {
                    what: "the section",
                    name: other.to_owned(),
                    valid: "imageType, featureClass, setting, voxelSetting".to_owned(),
                })?,
            }
        }
        // Image types start from the settings, wherever these stand in the file.
        if let Some(value) = document.get("imageType") {
            parameters.read_images(&map(value, "imageType", MAP)?, &mut reading)?;
        }
        let asks_log = parameters.images.iter().any(|(kind, _)| *kind == ImageType::LoG);
        if asks_log && parameters.settings_of(ImageType::LoG).sigma_mm.is_empty() {
            parameters.notes.push("LoG has no sigma: it gives no image".to_owned());
        }
        parameters.left_out.extend(reading.left_out);
        Ok(parameters)
    }

    /// What has no effect on features of regions.
    pub fn notes_of_regions(&self) -> Vec<String> {
        let of_maps = |key: &String| format!("voxelSetting {key} has no effect: features are those of regions");
        self.notes.iter().cloned().chain(self.kernel_given.iter().map(of_maps)).collect()
    }

    /// The settings that hold for an image type.
    pub fn settings_of(&self, kind: ImageType) -> Settings {
        let mut settings = self.settings.clone();
        let own = self.images.iter().find(|(own, _)| *own == kind).map(|(_, own)| own);
        for (key, value) in own.into_iter().flatten().filter(|(key, _)| is_of_image_types(key)) {
            settings.set(key, value).expect("the values were checked when they were read");
        }
        settings
    }

    /// One setting over those of the file, as pyradiomics' `--setting`; the value is YAML.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ParametersError> {
        if settings::VOXEL_NAMES.contains(&key) {
            return self.set_kernel(key, &value_of(text)?);
        }
        if !settings::NAMES.contains(&key) {
            return Err(unknown_setting(key));
        }
        self.apply(key, &value_of(text)?)
    }

    fn apply(&mut self, key: &str, value: &Value) -> Result<(), ParametersError> {
        self.settings.set(key, value)?;
        self.given.insert(key.to_owned(), value.clone());
        Ok(())
    }

    fn read_settings(&mut self, section: &Map<String, Value>, reading: &mut Reading) -> Result<(), ParametersError> {
        for (key, value) in section {
            match settings::NAMES.contains(&key.as_str()) {
                true => self.apply(key, value)?,
                false => reading.leave_out(unknown_setting(key))?,
            }
        }
        Ok(())
    }

    fn read_voxel_settings(
        &mut self,
        section: &Map<String, Value>,
        reading: &mut Reading,
    ) -> Result<(), ParametersError> {
        for (key, value) in section {
            if settings::VOXEL_NAMES.contains(&key.as_str()) {
                self.set_kernel(key, value)?;
            } else {
                let valid = settings::VOXEL_NAMES.join(", ");
                reading.leave_out(ParametersError::Unknown { what: "voxelSetting", name: key.clone(), valid })?;
            }
        }
        Ok(())
    }

    fn set_kernel(&mut self, key: &str, value: &Value) -> Result<(), ParametersError> {
        let usual = Kernel::default();
        let wrong = |expected| ParametersError::Kind {
            what: format!("voxelSetting {key}"),
            found: value.to_string(),
            expected,
        };
        match key {
            "kernelRadius" => {
                let radius = if value.is_null() { Some(1) } else { value.as_u64().filter(|n| (1..=50).contains(n)) };
                self.kernel.radius = radius.ok_or_else(|| wrong("a whole number from 1 to 50"))? as usize;
            }
            "maskedKernel" => {
                let masked = if value.is_null() { Some(usual.masked) } else { value.as_bool() };
                self.kernel.masked = masked.ok_or_else(|| wrong("true or false"))?;
            }
            // YAML's .nan is what most people set.
            "initValue" if value.as_str().is_some_and(|word| word.eq_ignore_ascii_case("nan")) => {
                self.kernel.initial = f64::NAN;
            }
            "initValue" => {
                let initial = if value.is_null() { Some(usual.initial) } else { value.as_f64() };
                self.kernel.initial = initial.ok_or_else(|| wrong("a number, or nan"))?;
            }
            // Voxels are measured one by one: no batch of them has to fit into memory.
            _ if value.is_null() || value.is_i64() => (),
            _ => return Err(wrong("a whole number")),
        }
        self.kernel_given.push(key.to_owned());
        Ok(())
    }

    fn read_classes(&mut self, section: &Map<String, Value>, reading: &mut Reading) -> Result<(), ParametersError> {
        self.classes.clear();
        for (name, value) in section {
            let Some(class) = Class::from_name(name) else {
                let valid = Class::USUAL.map(Class::name).join(", ") + ", shape2D";
                reading.leave_out(ParametersError::Unknown { what: "featureClass", name: name.clone(), valid })?;
                continue;
            };
            let kind = || ParametersError::Kind {
                what: format!("featureClass {name}"),
                found: value.to_string(),
                expected: "a list of features, or nothing for all",
            };
            let listed: Vec<&Value> = match value {
                Value::Null => Vec::new(),
                Value::Array(items) => items.iter().collect(),
                _ => return Err(kind()),
            };
            let mut features = Vec::new();
            for item in &listed {
                let feature = item.as_str().ok_or_else(kind)?;
                if !class.knows(feature) {
                    let unknown = ParametersError::Unknown {
                        what: "feature",
                        name: format!("{name} {feature}"),
                        valid: class.usual().join(", "),
                    };
                    reading.leave_out(unknown)?;
                } else if let Some(instead) = class.instead_of(feature) {
                    self.notes
                        .push(format!("{name} {feature} is deprecated and has no value in pyradiomics; see {instead}"));
                } else if !features.iter().any(|known| known == feature) {
                    features.push(feature.to_owned());
                }
            }
            self.classes.push(if listed.is_empty() { all_of(class) } else { (class, features) });
        }
        if section.is_empty() {
            self.classes = Class::USUAL.into_iter().chain([Class::Shape2D]).map(all_of).collect();
        }
        Ok(())
    }

    fn read_images(&mut self, section: &Map<String, Value>, reading: &mut Reading) -> Result<(), ParametersError> {
        if section.is_empty() {
            return Ok(());
        }
        self.images.clear();
        for (name, value) in section {
            let Some(kind) = ImageType::ALL.into_iter().find(|kind| kind.name() == name) else {
                reading.leave_out(match name.as_str() {
                    "LBP3D" => ParametersError::NotHonoured {
                        what: "imageType",
                        name: name.clone(),
                        because: "local binary patterns are computed in planes only (LBP2D)",
                    },
                    _ => ParametersError::Unknown {
                        what: "imageType",
                        name: name.clone(),
                        valid: ImageType::ALL.map(ImageType::name).join(", "),
                    },
                })?;
                continue;
            };
            let mut own = Map::new();
            for (key, value) in map(value, name, MAP)? {
                if !settings::NAMES.contains(&key.as_str()) {
                    reading.leave_out(unknown_setting(&key))?;
                } else if key == "label" {
                    reading.leave_out(ParametersError::NotHonoured {
                        what: "setting",
                        name: format!("label of imageType {name}"),
                        because: "one label is measured on all images",
                    })?;
                } else {
                    self.settings.clone().set(&key, &value)?;
                    if !is_of_image_types(&key) {
                        self.notes.push(format!(
                            "{key} has no effect in imageType {name}, as in pyradiomics: it is used before"
                        ));
                    }
                    own.insert(key, value);
                }
            }
            self.images.push((kind, own));
        }
        Ok(())
    }
}

const MAP: &str = "a map";

fn unknown_setting(key: &str) -> ParametersError {
    ParametersError::Unknown { what: "setting", name: key.to_owned(), valid: settings::NAMES.join(", ") }
}

/// What was left out so far.
struct Reading {
    strictness: Strictness,
    left_out: Vec<String>,
}

impl Reading {
    fn leave_out(&mut self, what: ParametersError) -> Result<(), ParametersError> {
        match self.strictness {
            Strictness::Refuse => Err(what),
            Strictness::Lenient => {
                self.left_out.push(what.to_string());
                Ok(())
            }
        }
    }
}

/// A section that pyradiomics refuses when nothing stands below its name.
fn some(value: &Value, what: &str) -> Result<(), ParametersError> {
    let kind = ParametersError::Kind { what: what.to_owned(), found: "empty".to_owned(), expected: "a map" };
    if value.is_null() { Err(kind) } else { Ok(()) }
}

/// A map; nothing counts as an empty one.
fn map(value: &Value, what: &str, expected: &'static str) -> Result<Map<String, Value>, ParametersError> {
    match value {
        Value::Object(map) => Ok(map.clone()),
        Value::Null => Ok(Map::new()),
        other => Err(ParametersError::Kind { what: what.to_owned(), found: other.to_string(), expected }),
    }
}

/// YAML 1.2, of which JSON is a part.
fn value_of(text: &str) -> Result<Value, ParametersError> {
    let documents = Yaml::load_from_str(text).map_err(|cause| ParametersError::Syntax(cause.to_string()))?;
    match &documents[..] {
        [] => Ok(Value::Null),
        [one] => json(one),
        _ => Err(ParametersError::Syntax(format!("{} documents in one file, expected one", documents.len()))),
    }
}

fn json(yaml: &Yaml) -> Result<Value, ParametersError> {
    let odd = |what: &str| Err(ParametersError::Syntax(format!("{what}, expected maps, lists, numbers and words")));
    match yaml {
        Yaml::Value(Scalar::Null) => Ok(Value::Null),
        Yaml::Value(Scalar::Boolean(flag)) => Ok(Value::Bool(*flag)),
        Yaml::Value(Scalar::Integer(number)) => Ok(Value::from(*number)),
        Yaml::Value(Scalar::FloatingPoint(number)) => match serde_json::Number::from_f64(number.into_inner()) {
            Some(number) => Ok(Value::Number(number)),
            None => odd("a number that is not finite"),
        },
        Yaml::Value(Scalar::String(text)) => Ok(Value::String(text.to_string())),
        Yaml::Sequence(items) => Ok(Value::Array(items.iter().map(json).collect::<Result<_, _>>()?)),
        Yaml::Mapping(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let name = match json(key)? {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                map.insert(name, json(value)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Tagged(_, inner) => json(inner),
        _ => odd("an alias or a broken value"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
imageType:
  Original: {}
  LoG:
    sigma: [1.0, 3]
    binWidth: 5
  Wavelet:
    wavelet: 'haar'  # a comment
featureClass:
  shape:
  firstorder:
    - 'Mean'
    - StandardDeviation
  glcm: ['Contrast', 'Homogeneity1']
setting:
  binWidth: 25
  resampledPixelSpacing: [2, 2, 0]
  weightingNorm: # none
  label: 2
voxelSetting:
  kernelRadius: 2
";

    #[test]
    fn a_file_is_read_as_pyradiomics_does() {
        let read = Parameters::parse(FILE, Strictness::Refuse).unwrap();
        let log = read.settings_of(ImageType::LoG);
        assert_eq!((log.bin_width, read.settings.bin_width, read.settings.label), (5.0, 25.0, 2));
        assert_eq!(log.sigma_mm, [(1.0, "1.0".to_owned()), (3.0, "3".to_owned())]);
        assert_eq!(read.settings_of(ImageType::Wavelet).wavelet, "haar");
        let classes: Vec<(&str, usize)> = read.classes.iter().map(|(class, all)| (class.name(), all.len())).collect();
        assert_eq!(classes, [("shape", 14), ("firstorder", 2), ("glcm", 1)]);
        assert_eq!(read.notes_of_regions().len(), 2, "{:?}", read.notes);
        let as_json = serde_json::to_string(&value_of(FILE).unwrap()).unwrap();
        assert_eq!(Parameters::parse(&as_json, Strictness::Refuse).unwrap(), read);
    }

    #[test]
    fn what_is_not_known_or_not_done_is_refused_by_name_or_left_out_and_listed() {
        let cases = [
            ("imageType: {LBP3D: {}, Original: {}}", "imageType LBP3D cannot be honoured"),
            ("imageType: {Originals: {}, Original: {}}", "imageType Originals is not known; there are Original, LoG"),
            ("featureClass: {glcm: [Contrasts]}", "feature glcm Contrasts is not known"),
            ("featureClass: {glcmm: [], glcm: []}", "featureClass glcmm is not known"),
            ("setting: {binwidth: 3}", "setting binwidth is not known"),
            ("settings: {binWidth: 3}", "the section settings is not known"),
            ("voxelSetting: {kernel: 3}", "voxelSetting kernel is not known"),
        ];
        for (text, told) in cases {
            let refused = Parameters::parse(text, Strictness::Refuse).unwrap_err();
            assert!(refused.to_string().contains(told) && refused.can_be_left_out(), "{refused}");
            let lenient = Parameters::parse(text, Strictness::Lenient).unwrap();
            assert!(lenient.left_out.len() == 1 && lenient.left_out[0].contains(told), "{:?}", lenient.left_out);
        }
        for (text, told) in [
            ("setting: {binWidth: -3}", "binWidth is -3, expected a number above 0"),
            ("setting: {normalize: yes}", "normalize is \"yes\", expected true or false"),
            ("imageType:\n", "imageType is empty, expected a map"),
            ("- 3", "the document is [3], expected a map"),
            ("a: [", "not YAML"),
        ] {
            let refused = Parameters::parse(text, Strictness::Lenient).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }
}

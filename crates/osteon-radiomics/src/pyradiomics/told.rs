//! pyradiomics' `diagnostics_` columns: what was measured, beside the measurements.

use serde_json::{Map, Value};

use crate::diagnose;
use crate::grid::{Mask, Volume};
use crate::pyradiomics::document::Parameters;

type Told = Vec<(String, String)>;

/// The settings and image types as Python prints a dictionary.
pub fn configuration(parameters: &Parameters) -> Told {
    let images = parameters.images.iter().map(|(kind, own)| (kind.name().to_owned(), Value::Object(own.clone())));
    vec![
        ("diagnostics_Configuration_Settings".to_owned(), python(&Value::Object(parameters.given.clone()))),
        (
            "diagnostics_Configuration_EnabledImageTypes".to_owned(),
            python(&Value::Object(images.collect::<Map<_, _>>())),
        ),
    ]
}

pub fn of_image(which: &str, volume: &Volume, told: &mut Told) {
    let mut found = Vec::new();
    diagnose::of_image(&format!("Image-{which}"), volume, &mut found);
    let is_kept = |name: &String| which == "original" || !name.ends_with("_Dimensionality");
    told.extend(found.into_iter().filter(|(name, _)| is_kept(name)).map(prefixed));
}

/// With the intensities inside, where the image is given.
pub fn of_mask(which: &str, mask: &Mask, image: Option<&Volume>, told: &mut Told) {
    let (what, mut found) = (format!("Mask-{which}"), Vec::new());
    diagnose::of_mask(&what, mask, &mut found);
    if let Some(image) = image {
        let cells = image.as_slice().iter().zip(mask.as_slice());
        let inside: Vec<f64> = cells.filter(|(_, inside)| **inside).map(|(value, _)| *value).collect();
        diagnose::of_values(&what, &inside, &mut found);
    }
    told.extend(found.into_iter().map(prefixed));
}

fn prefixed((name, value): (String, String)) -> (String, String) {
    (format!("diagnostics_{name}"), value)
}

/// A value as Python's `str` prints it.
fn python(value: &Value) -> String {
    let listed = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) if number.is_f64() => format!("{:?}", number.as_f64().unwrap_or(f64::NAN)),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Value::Array(items) => format!("[{}]", listed(items.iter().map(python).collect())),
        Value::Object(map) => {
            format!("{{{}}}", listed(map.iter().map(|(key, value)| format!("'{key}': {}", python(value))).collect()))
        }
    }
}

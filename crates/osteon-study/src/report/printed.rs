//! The variables as the published tables print them: order, labels, and labels of the levels.

/// A variable of Tables 1, 2 and 4.
#[derive(Debug, PartialEq)]
pub struct Printed {
    /// The column of the cohort.
    pub name: &'static str,
    pub label: &'static str,
    /// Level and label in printed order; empty for numbers.
    pub levels: &'static [(&'static str, &'static str)],
}

/// In the order of Tables 1 and 2.
pub const PRINTED: &[Printed] = &[
    Printed { name: "sex", label: "Sex", levels: &[("male", "Male"), ("female", "Female")] },
    Printed {
        name: "location",
        label: "Location",
        levels: &[("femur", "Femur"), ("tibia", "Tibia"), ("other", "Others")],
    },
    Printed {
        name: "pathological_fracture",
        label: "Pathological fracture",
        levels: &[("no", "None"), ("yes", "Yes")],
    },
    Printed { name: "lung_metastasis", label: "Lung metastasis", levels: &[("no", "None"), ("yes", "Yes")] },
    Printed { name: "subtype", label: "Pathological subtypes", levels: &[("common", "Common"), ("other", "Others")] },
    Printed { name: "age", label: "Age", levels: &[] },
    Printed { name: "diameter_mm", label: "Diameter", levels: &[] },
    Printed { name: "alp", label: "ALP", levels: &[] },
    Printed { name: "ldh", label: "LDH", levels: &[] },
];

/// The models of Tables 3 and 5 by the names that they have in print.
const MODELS: &[(&str, &str)] = &[
    ("intra", "Intratumoral"),
    ("peri_2mm", "peritumoral 2mm"),
    ("peri_4mm", "peritumoral 4mm"),
    ("peri_6mm", "peritumoral 6mm"),
    ("intra_peri_2mm", "Intratumoral + peritumoral 2mm"),
    ("intra_peri_4mm", "Intratumoral + peritumoral 4mm"),
    ("intra_peri_6mm", "Intratumoral + peritumoral 6mm"),
    ("clinical", "Model_clinical"),
    ("radiomics", "Model_rad-intra+peri2mm"),
    ("combined", "Model_rad-combined"),
];

/// The printed name of a model; its own where there is none.
pub fn model_label(name: &str) -> &str {
    MODELS.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, label)| label)
}

/// The printed form of a variable.
pub fn printed(name: &str) -> &'static Printed {
    PRINTED.iter().find(|printed| printed.name == name).expect("tables name variables of this list")
}

impl Printed {
    /// The printed form of a level; the level itself where there is none.
    pub fn level<'a>(&self, level: &'a str) -> &'a str {
        self.levels.iter().find(|(name, _)| *name == level).map_or(level, |(_, label)| label)
    }
}

/// One cell of a table in the words of the published ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `all`, `training` or `test`.
    pub set: &'static str,
    pub row: String,
    pub column: String,
    pub cell: crate::report::sheet::Cell,
}

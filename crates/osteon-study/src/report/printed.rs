//! Models as the published tables print them, and cells in their words.

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

/// One cell of a table in the words of the published ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `all`, `training` or `test`.
    pub set: &'static str,
    pub row: String,
    pub column: String,
    pub cell: crate::report::sheet::Cell,
}

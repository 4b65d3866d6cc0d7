//! Reporting checklists, filled with what the program knows; the rest is left open for the authors.

use std::collections::BTreeMap;

use crate::report::sheet::{Cell, Sheet};

/// What the program can say of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    Guidelines,
    SampleSize,
    Flow,
    Split,
    /// Patients and events of each set.
    Events,
    /// Clinical predictors with their units and levels.
    Predictors,
    PredictorChoice,
    Outcome,
    Preparation,
    Resampling,
    Discretisation,
    Images,
    Extraction,
    Families,
    FeatureCount,
    Settings,
    Missing,
    Imbalance,
    Agreement,
    /// Features that were left out for the agreement of segmentations.
    Reproducible,
    Scaling,
    Selection,
    Algorithm,
    Tuning,
    Testing,
    Metrics,
    Uncertainty,
    Comparison,
    SideBySide,
    Choice,
    Explanation,
    Baseline,
    Specification,
    Performance,
    Calculator,
    /// What of the models is given, and what is not.
    FullModel,
    /// How much performance differs between centres.
    Heterogeneity,
    /// Validation in patients of others.
    External,
}

pub type Facts = BTreeMap<Fact, String>;

/// Number, topic, and what may answer it.
type Item = (&'static str, &'static str, Option<Fact>);

/// The items of CLEAR with the answers that are known; open ones stay empty.
pub fn clear(facts: &Facts) -> Sheet {
    sheet("CLEAR: checklist for evaluation of radiomics research (Kocak and others 2023)", CLEAR, facts)
}

/// The items of TRIPOD+AI with the answers that are known; open ones stay empty.
pub fn tripod(facts: &Facts) -> Sheet {
    sheet("TRIPOD+AI: reporting of prediction models (Collins and others 2024)", TRIPOD, facts)
}

/// The items of METRICS with the evidence that the study has: no score, which independent readers give.
pub fn metrics(facts: &Facts) -> Sheet {
    evidence(sheet("METRICS: methodological radiomics score (Kocak and others 2024), evidence", METRICS, facts))
}

/// The topics of PROBAST+AI with the evidence that the study has: no judgment, which independent readers give.
pub fn probast(facts: &Facts) -> Sheet {
    evidence(sheet(
        "PROBAST+AI: quality, risk of bias and applicability (Moons and others 2025), evidence",
        PROBAST,
        facts,
    ))
}

fn evidence(sheet: Sheet) -> Sheet {
    let note = "Evidence and where it stands; no score and no total: independent readers judge.".to_owned();
    Sheet {
        headings: ["Item", "Topic", "Evidence in this study"].map(str::to_owned).to_vec(),
        notes: vec![note],
        ..sheet
    }
}

fn sheet(title: &str, items: &[Item], facts: &Facts) -> Sheet {
    let answer =
        |fact: &Option<Fact>| fact.and_then(|fact| facts.get(&fact)).map_or(Cell::Empty, |it| Cell::Text(it.clone()));
    let row =
        |(number, topic, fact): &Item| vec![Cell::Text((*number).into()), Cell::Text((*topic).into()), answer(fact)];
    let rows: Vec<Vec<Cell>> = items.iter().map(row).collect();
    let open = rows.iter().filter(|row| row[2] == Cell::Empty).count();
    Sheet {
        title: title.to_owned(),
        headings: ["Item", "Topic", "In this study"].map(str::to_owned).to_vec(),
        notes: vec![format!("{} of {} items are for the authors to fill in.", open, rows.len())],
        rows,
        provenance: Vec::new(),
    }
}

const METRICS: &[Item] = &[
    ("1", "Adherence to guidelines or checklists", Some(Fact::Guidelines)),
    ("2", "Eligibility criteria that describe a representative population", None),
    ("3", "High-quality reference standard with a clear definition", Some(Fact::Outcome)),
    ("4", "Multicenter data", None),
    ("5", "Clinical translatability of the imaging data source", None),
    ("6", "Imaging protocol with acquisition parameters", None),
    ("7", "Interval between imaging and reference standard", None),
    ("8", "Transparent description of segmentation", None),
    ("9", "Formal evaluation of fully automated segmentation", None),
    ("10", "Test set masks by a single reader or automated tool", None),
    ("11", "Image preprocessing, appropriate and described", Some(Fact::Preparation)),
    ("12", "Standardized feature extraction software", Some(Fact::Extraction)),
    ("13", "Feature extraction parameters reported", Some(Fact::Settings)),
    ("14", "Removal of non-robust features", Some(Fact::Reproducible)),
    ("15", "Removal of redundant features", Some(Fact::Selection)),
    ("16", "Dimensionality in proportion to data size", Some(Fact::SampleSize)),
    ("17", "Robustness of end-to-end deep learning pipelines", None),
    ("18", "Proper data partitioning", Some(Fact::Split)),
    ("19", "Handling of confounding factors", None),
    ("20", "Appropriate performance measures", Some(Fact::Metrics)),
    ("21", "Uncertainty", Some(Fact::Uncertainty)),
    ("22", "Calibration", Some(Fact::Performance)),
    ("23", "Uniparametric imaging or proof of its inferiority", None),
    ("24", "Comparison with a non-radiomic approach", Some(Fact::SideBySide)),
    ("25", "Comparison with classical statistical models", Some(Fact::SideBySide)),
    ("26", "Internal testing", Some(Fact::Testing)),
    ("27", "External testing", Some(Fact::External)),
    ("28", "Availability of data", None),
    ("29", "Availability of code", None),
    ("30", "Availability of the model", Some(Fact::FullModel)),
];

/// Domains of the tool with short topics; the wording of its signaling questions is the authors'.
const PROBAST: &[Item] = &[
    ("Participants", "Appropriate data sources", None),
    ("Participants", "Inclusion and exclusion", Some(Fact::Flow)),
    ("Participants", "Characteristics of participants", Some(Fact::Baseline)),
    ("Predictors", "Defined and assessed in the same way for all", Some(Fact::Predictors)),
    ("Predictors", "Assessed without knowledge of the outcome", None),
    ("Predictors", "Available when the model is to be used", Some(Fact::Predictors)),
    ("Outcome", "Definition and method", Some(Fact::Outcome)),
    ("Outcome", "Defined without predictors, determined in the same way for all", None),
    ("Outcome", "Time between predictors and outcome", None),
    ("Analysis, development", "Sample size", Some(Fact::SampleSize)),
    ("Analysis, development", "Participants and events in each analysis", Some(Fact::Events)),
    ("Analysis, development", "Handling of missing data", Some(Fact::Missing)),
    ("Analysis, development", "Selection of predictors", Some(Fact::Selection)),
    ("Analysis, development", "Class imbalance", Some(Fact::Imbalance)),
    ("Analysis, development", "Tuning and data partitioning", Some(Fact::Tuning)),
    ("Analysis, development", "Overfitting and optimism", Some(Fact::Testing)),
    ("Analysis, evaluation", "Data that had no part in development", Some(Fact::Split)),
    ("Analysis, evaluation", "Discrimination, calibration and benefit", Some(Fact::Metrics)),
    ("Analysis, evaluation", "Uncertainty of performance", Some(Fact::Uncertainty)),
    ("Applicability", "Model given in full", Some(Fact::FullModel)),
];

const CLEAR: &[Item] = &[
    ("1", "Title names the radiomic method", None),
    ("2", "Structured abstract", None),
    ("3", "Keywords", None),
    ("4", "Background", None),
    ("5", "Why radiomics", None),
    ("6", "Objectives", None),
    ("7", "Guidelines followed", Some(Fact::Guidelines)),
    ("8", "Ethics", None),
    ("9", "Sample size", Some(Fact::SampleSize)),
    ("10", "Retrospective or prospective", None),
    ("11", "Eligibility", None),
    ("12", "Chart of the technical pipeline", None),
    ("13", "Source of the data", None),
    ("14", "Overlap with earlier studies", None),
    ("15", "How data were split", Some(Fact::Split)),
    ("16", "Imaging protocol", None),
    ("17", "Definition of clinical predictors", Some(Fact::Predictors)),
    ("18", "Reference standard (outcome)", Some(Fact::Outcome)),
    ("19", "How segmentation was done", None),
    ("20", "Who segmented", None),
    ("21", "Image preparation", Some(Fact::Preparation)),
    ("22", "Resampling", Some(Fact::Resampling)),
    ("23", "Discretization", Some(Fact::Discretisation)),
    ("24", "Image types", Some(Fact::Images)),
    ("25", "Feature extraction: program", Some(Fact::Extraction)),
    ("26", "Feature classes", Some(Fact::Families)),
    ("27", "Number of features", Some(Fact::FeatureCount)),
    ("28", "Remaining settings", Some(Fact::Settings)),
    ("29", "Missing data", Some(Fact::Missing)),
    ("30", "Class imbalance", Some(Fact::Imbalance)),
    ("31", "Reliability of segmentation", Some(Fact::Agreement)),
    ("32", "Scaling of features", Some(Fact::Scaling)),
    ("33", "Reduction of dimensions", Some(Fact::Selection)),
    ("34", "Algorithms", Some(Fact::Algorithm)),
    ("35", "Training and tuning", Some(Fact::Tuning)),
    ("36", "Confounders", None),
    ("37", "How the model was chosen", Some(Fact::Choice)),
    ("38", "Testing: internal or external", Some(Fact::Testing)),
    ("39", "Measures of performance", Some(Fact::Metrics)),
    ("40", "Uncertainty", Some(Fact::Uncertainty)),
    ("41", "Statistical comparison of models", Some(Fact::Comparison)),
    ("42", "Comparison with clinical and combined models: methods", Some(Fact::SideBySide)),
    ("43", "Explanation of the model", Some(Fact::Explanation)),
    ("44", "Baseline characteristics", Some(Fact::Baseline)),
    ("45", "Chart of eligibility", Some(Fact::Flow)),
    ("46", "Feature statistics", Some(Fact::Agreement)),
    ("47", "Performance", Some(Fact::Performance)),
    ("48", "Comparison with clinical and combined models: results", Some(Fact::Performance)),
    ("49", "Main findings", None),
    ("50", "Earlier work", None),
    ("51", "Practical use", None),
    ("52", "Strengths and limitations", None),
    ("53", "Images and masks shared", None),
    ("54", "Feature values shared", None),
    ("55", "Settings shared", Some(Fact::Settings)),
    ("56", "Code shared", None),
    ("57", "Model shared", Some(Fact::FullModel)),
    ("58", "System ready to use", Some(Fact::Calculator)),
];

const TRIPOD: &[Item] = &[
    ("1", "Title: a prediction model, whom for, which outcome", None),
    ("2", "Abstract", None),
    ("3a", "Background: context and rationale", None),
    ("3b", "Background: whom for, intended use and users", None),
    ("3c", "Background: known inequalities", None),
    ("4", "Objectives: development, evaluation or both", None),
    ("5a", "Data: sources and why they represent the patients", None),
    ("5b", "Data: dates", None),
    ("6a", "Participants: setting and centres", None),
    ("6b", "Participants: eligibility", None),
    ("6c", "Participants: treatments", None),
    ("7", "Data preparation and checks", Some(Fact::Preparation)),
    ("8a", "Outcome: definition, time, how assessed", Some(Fact::Outcome)),
    ("8b", "Outcome: qualification of assessors", None),
    ("8c", "Outcome: blinding", None),
    ("9a", "Predictors: choice", Some(Fact::PredictorChoice)),
    ("9b", "Predictors: definition and measurement", Some(Fact::Extraction)),
    ("9c", "Predictors: qualification of assessors", None),
    ("10", "Sample size", Some(Fact::SampleSize)),
    ("11", "Missing data", Some(Fact::Missing)),
    ("12a", "Analysis: how data were used", Some(Fact::Split)),
    ("12b", "Analysis: handling of predictors", Some(Fact::Scaling)),
    ("12c", "Analysis: kind of model, building, internal validation", Some(Fact::Algorithm)),
    ("12d", "Analysis: heterogeneity between clusters", Some(Fact::Heterogeneity)),
    ("12e", "Analysis: measures of performance", Some(Fact::Metrics)),
    ("12f", "Analysis: updating of the model", None),
    ("12g", "Analysis: how predictions were calculated", Some(Fact::Specification)),
    ("13", "Class imbalance", Some(Fact::Imbalance)),
    ("14", "Fairness", None),
    ("15", "Output of the model and its thresholds", Some(Fact::Specification)),
    ("16", "Differences between development and evaluation data", None),
    ("17", "Ethical approval", None),
    ("18a", "Funding", None),
    ("18b", "Conflicts of interest", None),
    ("18c", "Protocol available", Some(Fact::Settings)),
    ("18d", "Registration", None),
    ("18e", "Data sharing", None),
    ("18f", "Code sharing", None),
    ("19", "Involvement of patients and public", None),
    ("20a", "Flow of participants", Some(Fact::Flow)),
    ("20b", "Characteristics of participants", Some(Fact::Baseline)),
    ("20c", "Comparison of predictors between sets", None),
    ("21", "Participants and events in each analysis", Some(Fact::Events)),
    ("22", "The full model", Some(Fact::FullModel)),
    ("23a", "Performance with intervals", Some(Fact::Performance)),
    ("23b", "Heterogeneity of performance", Some(Fact::Heterogeneity)),
    ("24", "Results of updating", None),
    ("25", "Interpretation", None),
    ("26", "Limitations", None),
    ("27a", "Use with poor or missing inputs", None),
    ("27b", "Whether users interact with inputs, and expertise needed", None),
    ("27c", "Next steps", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checklists_are_whole_and_leave_open_what_is_not_known() {
        assert_eq!((CLEAR.len(), TRIPOD.len(), METRICS.len()), (58, 52, 30));
        let facts = Facts::from([(Fact::Flow, "Figure 1".to_owned())]);
        let sheet = clear(&facts);
        assert_eq!(sheet.rows.iter().filter(|row| row[2] != Cell::Empty).count(), 1);
        assert_eq!(sheet.rows[44][2], Cell::Text("Figure 1".into()));
    }
}

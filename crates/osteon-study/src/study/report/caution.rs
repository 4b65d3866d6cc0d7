//! What a reader must know before believing the models: how many patients stand behind them, how much of what they
//! show is optimism, and ways by which the test set may have taken part.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::clinical::Logistic;
use crate::pipeline::recipe::{COMBINED, RADIOMICS, Stored};
use crate::pipeline::validate::Validation;
use crate::protocol::codebook::variable::Variable;
use crate::protocol::learn::{ClinicalRule, RadScore};
use crate::report::page::Block;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Model, PatientId, Role, Side};
use crate::study::learn::performance::recipe;
use crate::study::pages::patient_pages::words;
use crate::study::{Error, ModelTable, Standing, Study};
use osteon_stats::evaluate::sample_size::{auc_se, r2_of_auc, sample_size};
use osteon_stats::model::logistic::screen::Rows;
use osteon_stats::select::Reproducible;
use osteon_stats::stats::distribution::Z_975;

/// Fewer patients of the smaller class for a coefficient than this are few (Peduzzi et al. 1996).
const FEW_EACH: f64 = 10.0;
/// Events and others that a test set should have (Vergouwe et al. 2005; Collins et al. 2016).
const TEST_EVENTS: usize = 100;
/// Riley et al. 2020 take this share of the largest R² where nothing is known.
const UNKNOWN_NAGELKERKE: f64 = 0.15;
const SHRINKAGE: f64 = 0.9;

/// Patients and events of the two sets of the combined model.
struct Sizes {
    fit: Logistic,
    candidates: usize,
    /// Features among which the Rad-score's were chosen, and how many were.
    features: Option<(usize, usize)>,
    test: (usize, usize),
    validation: Option<Validation>,
}

impl Study {
    /// Sample size, optimism and leakage: warnings where they are due, and the figures behind them.
    pub(in crate::study) fn cautions(&self) -> Result<Vec<Block>, Error> {
        let sizes = self.sizes()?;
        let mut blocks = size_blocks(&sizes, self.provenance_of("fit")?);
        blocks.push(optimism(sizes.validation.as_ref()));
        blocks.extend(self.leakage()?);
        Ok(blocks)
    }

    /// The sample in one line, for the checklists.
    pub(in crate::study) fn size_in_words(&self) -> Result<String, Error> {
        let sizes = self.sizes()?;
        let needed = riley(&sizes).1;
        let (n, events, test) = (sizes.fit.n, sizes.fit.n_events, sizes.test);
        Ok(format!(
            "{n} training patients with {events} events, {} with {} in the test set; Riley's criteria ask for {needed} \
             training patients (section “Models”)",
            test.0, test.1
        ))
    }

    /// What refitting says of the combined model's AUC, for the limitations; `None` where nothing was refitted.
    pub(in crate::study) fn optimism_in_words(&self) -> Result<Option<String>, Error> {
        let validation = self.sizes()?.validation;
        let auc = validation.as_ref().and_then(|it| it.optimism.first().copied().flatten());
        Ok(auc.map(|auc| {
            let nested = expected_auc(validation.as_ref())
                .map_or(String::new(), |auc| format!("; expected in new patients: {auc:.3}"));
            format!(
                "The apparent AUC of the combined model ({:.3}) is optimistic by {:.3} (bootstrap){nested}.",
                auc.apparent, auc.optimism
            )
        }))
    }

    fn sizes(&self) -> Result<Sizes, Error> {
        let fit = self.combined()?.logistic;
        let candidates = match self.protocol_of_fit()?.learn.clinical.is_empty() {
            true => 1 + self.protocol.codebook.predictors().into_iter().map(columns).sum::<usize>(),
            false => fit.terms.len(),
        };
        let models = self.store.models()?;
        let of = |name: &str| models.iter().find(|model| model.name == name);
        let combined = recipe(of(COMBINED).ok_or(Error::NoFit)?)?;
        let region = combined.region().and_then(of).map(recipe).transpose()?;
        let features = region.as_ref().and_then(Stored::region_model).map(|it| (it.n_varying, it.features.len()));
        let (rows, ..) = self.scored(ModelTable::Five)?;
        let test = rows.iter().find(|row| row.set == "test" && row.model == "combined");
        let test = test.map_or((0, 0), |row| (row.event.len(), row.event.iter().filter(|&&event| event).count()));
        Ok(Sizes { fit, candidates, features, test, validation: combined.validation })
    }

    /// The ways by which knowledge of the test set could have entered, as far as they are open.
    pub(in crate::study) fn warnings_of_leakage(&self) -> Result<Vec<Block>, Error> {
        let blocks = self.leakage()?;
        Ok(blocks.into_iter().filter(|block| matches!(block, Block::Warning(_))).collect())
    }

    /// One row a way by which knowledge of the test set could have entered, and a warning for each that is open.
    fn leakage(&self) -> Result<Vec<Block>, Error> {
        let validation = self.sizes()?.validation;
        let is_repeated =
            validation.is_some_and(|it| !it.nested_auc.is_empty() || it.optimism.iter().flatten().next().is_some());
        let repeated = if is_repeated { "; validation repeats all of them" } else { "" };
        let mut rows = vec![(
            "Learning",
            format!("scaling, selection, tuning and fitting used training patients only{repeated}"),
            true,
        )];
        let protocol = self.protocol_of_fit()?;
        let learn = &protocol.learn;
        rows.push(match learn.rad_score {
            RadScore::OutOfFold => ("Rad-score of training patients", "out of fold".to_owned(), true),
            RadScore::Lasso => ("Rad-score of training patients", "LASSO's linear score, out of fold".to_owned(), true),
            RadScore::InSample => (
                "Rad-score of training patients",
                "from forests that saw them: training results are too good, and the combined model leans too much on it"
                    .to_owned(),
                false,
            ),
        });
        rows.push(match learn.clinical.as_slice() {
            [] if learn.clinical_rule == ClinicalRule::All => {
                ("Clinical predictors", "all candidates: none was chosen".to_owned(), true)
            }
            [] if protocol.screen.rows == Rows::All => (
                "Clinical predictors",
                "chosen from all patients, those of the test set among them (screen.rows = \"all\"), once: resampling \
                 does not repeat the choice"
                    .to_owned(),
                false,
            ),
            [] => ("Clinical predictors", "chosen by their rule among training patients".to_owned(), true),
            named => (
                "Clinical predictors",
                format!("named by the protocol ({}): leakage if test patients had a say in it", named.join(", ")),
                false,
            ),
        });
        if protocol.select.reproducible == Reproducible::Icc {
            rows.push(("Agreement of segmentations", "judged on training patients".to_owned(), true));
        }
        rows.push(self.shared_images()?);
        rows.push(self.earlier_fits()?);
        rows.push(self.change_since_fit()?);
        let open = rows.iter().filter(|(.., fine)| !fine);
        let mut blocks: Vec<Block> = open.map(|(what, found, _)| Block::Warning(format!("{what}: {found}."))).collect();
        let row = |(what, found, fine): (&str, String, bool)| {
            vec![words(what), words(found), words(if fine { "not detected" } else { "possible" })]
        };
        let rows = rows.into_iter().map(row).collect();
        let title = "Data-leakage checks".to_owned();
        let sheet = self.sheet(title, &["What was checked", "In this study", "Leakage"], rows)?;
        blocks.push(Block::Sheet(Sheet { provenance: self.provenance_of("fit")?, ..sheet }));
        Ok(blocks)
    }

    /// The same file as the image of patients of both sets.
    fn shared_images(&self) -> Result<(&'static str, String, bool), Error> {
        let sides: BTreeMap<PatientId, Side> =
            self.store.split()?.map_or(BTreeMap::new(), |split| split.members.into_iter().collect());
        let mut seen: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        for file in self.store.images()?.into_iter().filter(|file| file.role == Role::Image) {
            if let Some(side) = sides.get(&file.patient) {
                seen.entry(file.sha256).or_default().insert(side.name());
            }
        }
        let shared = seen.values().filter(|sides| sides.len() > 1).count();
        let text = match shared {
            0 => "no image file belongs to patients of both sets".to_owned(),
            n => format!("{n} image files belong to patients of both sets"),
        };
        Ok(("Images", text, shared == 0))
    }

    fn earlier_fits(&self) -> Result<(&'static str, String, bool), Error> {
        let runs = self.store.runs()?;
        let n = runs.iter().filter(|run| run.kind == "fit" && run.finished_at.is_some()).count();
        let text = match n {
            0 | 1 => "one fit was made".to_owned(),
            n => format!("{n} fits were made: choosing among them by their test results would leak"),
        };
        Ok(("Fits of this study", text, n <= 1))
    }

    fn change_since_fit(&self) -> Result<(&'static str, String, bool), Error> {
        Ok(match self.standing_of_fit()?.ok_or(Error::NoFit)? {
            Standing::Current => ("Data", "the data are those of the fit".to_owned(), true),
            Standing::Changed(why) => ("Data", format!("{why} since the fit: fit again"), false),
            Standing::NotComparable => {
                ("Data", "the fit is of an earlier version: not comparable with the present data".to_owned(), false)
            }
        })
    }
}

/// Coefficients that a variable takes.
fn columns(variable: &Variable) -> usize {
    variable.levels().len().saturating_sub(1).max(1)
}

/// The best word on the AUC of new patients: nested, else corrected by bootstrap.
fn expected_auc(validation: Option<&Validation>) -> Option<f64> {
    let it = validation?;
    let nested = (!it.nested_auc.is_empty()).then(|| it.nested_auc.iter().sum::<f64>() / it.nested_auc.len() as f64);
    nested.or_else(|| it.optimism.first().copied().flatten().map(|auc| auc.corrected))
}

/// The R² that was assumed, in words, the patients needed, and what each criterion asks for.
fn riley(sizes: &Sizes) -> (String, usize, [usize; 3]) {
    let prevalence = sizes.fit.n_events as f64 / sizes.fit.n as f64;
    let auc = expected_auc(sizes.validation.as_ref()).filter(|auc| *auc > 0.5);
    let known =
        auc.map(|auc| (r2_of_auc(auc, prevalence), format!("of an AUC of {auc:.3}, cross-validated or corrected")));
    let (r2, source) = known.unwrap_or_else(|| {
        let largest = sample_size(1, prevalence, 0.1, SHRINKAGE).max_r2;
        (UNKNOWN_NAGELKERKE * largest, "15 % of the largest, as nothing is known".to_owned())
    });
    let found = sample_size(sizes.candidates, prevalence, r2, SHRINKAGE);
    (format!("{r2:.3} ({source})"), found.n, [found.for_shrinkage, found.for_optimism, found.for_risk])
}

fn size_blocks(sizes: &Sizes, provenance: Vec<String>) -> Vec<Block> {
    let fit = &sizes.fit;
    let smaller = fit.n_events.min(fit.n - fit.n_events);
    let each = |coefficients: usize| smaller as f64 / coefficients.max(1) as f64;
    let (assumed, needed, criteria) = riley(sizes);
    let (n_test, test_events) = sizes.test;
    let mut blocks = Vec::new();
    if each(sizes.candidates) < FEW_EACH {
        blocks.push(Block::Warning(format!(
            "{smaller} patients of the smaller class stand against {} candidate coefficients, {:.1} for each; with fewer \
             than {FEW_EACH} coefficients and probabilities become too extreme.",
            sizes.candidates,
            each(sizes.candidates)
        )));
    }
    if fit.n < needed {
        blocks.push(Block::Warning(format!(
            "Riley's criteria ask for at least {needed} training patients for {} candidate coefficients; there are {}. \
             The features behind the Rad-score are not even counted here.",
            sizes.candidates, fit.n
        )));
    }
    let least = test_events.min(n_test - test_events);
    let width = (least > 0).then(|| {
        let auc = expected_auc(sizes.validation.as_ref()).unwrap_or(0.75).clamp(0.5, 0.99);
        2.0 * Z_975 * auc_se(auc, test_events, n_test - test_events)
    });
    if least < TEST_EVENTS {
        let wide =
            width.map_or(String::new(), |width| format!(": a 95 % interval of its AUC is about {width:.2} wide"));
        blocks.push(Block::Warning(format!(
            "The test set has {test_events} events and {} others, where at least {TEST_EVENTS} of each are advised{wide}. \
             It cannot tell similar models apart.",
            n_test - test_events
        )));
    }
    let count = |text: &str, n: usize| vec![words(text), Cell::Count(n)];
    let share = |text: &str, value: f64| vec![words(text), Cell::Number { value, digits: 1 }];
    let mut rows = vec![
        count("Training patients of the combined model", fit.n),
        count("… with the event", fit.n_events),
        count("Coefficients of the combined model", fit.terms.len()),
        share("Patients of the smaller class for each", each(fit.terms.len())),
        count("Candidate coefficients (clinical variables and the Rad-score)", sizes.candidates),
        share("Patients of the smaller class for each candidate", each(sizes.candidates)),
    ];
    if let Some((varying, chosen)) = sizes.features {
        rows.push(count("Features among which those of the Rad-score were chosen", varying));
        rows.push(count("… and chosen", chosen));
    }
    rows.push(vec![words("Riley: expected Cox-Snell R²"), words(assumed)]);
    rows.push(count("Riley: patients for a shrinkage of 0.9", criteria[0]));
    rows.push(count("Riley: patients for an optimism in R² of at most 0.05", criteria[1]));
    rows.push(count("Riley: patients for the overall risk within 0.05", criteria[2]));
    rows.push(count("Test patients", n_test));
    rows.push(count("… with the event", test_events));
    rows.push(vec![words("Expected width of the test AUC's 95 % interval"), Cell::number(width, 2)]);
    blocks.push(Block::Sheet(Sheet {
        title: "Sample size".to_owned(),
        headings: ["Quantity", "Value"].map(str::to_owned).to_vec(),
        rows,
        notes: vec![
            "Riley et al. 2019 and 2020 (as pmsampsize); Hanley and McNeil 1982 for the width of the interval"
                .to_owned(),
        ],
        provenance,
    }));
    blocks
}

/// What relearning says of the combined model's AUC.
fn optimism(validation: Option<&Validation>) -> Block {
    /// More than this between what a model shows and what it will do is worth a warning.
    const LARGE: f64 = 0.05;
    let Some(it) = validation else { return Block::Text("No validation is stored.".to_owned()) };
    let nested = match it.nested_auc.len() {
        0 => String::new(),
        n => {
            let mean = it.nested_auc.iter().sum::<f64>() / n as f64;
            format!(" Nested cross-validation ({n} times) gives {mean:.3}.")
        }
    };
    let permuted =
        it.permutation_p.map_or(String::new(), |p| format!(" Permutation test of the entire pipeline: P = {p:.3}."));
    match it.optimism.first().copied().flatten() {
        Some(auc) => {
            let text = format!(
                "The combined model's AUC in the patients it was learnt from, {:.3}, is too good by {:.3}: refitting the entire \
                 modelling pipeline on {} bootstrap samples corrects it to {:.3}.{nested}{permuted}",
                auc.apparent, auc.optimism, auc.used, auc.corrected
            );
            if auc.optimism > LARGE { Block::Warning(text) } else { Block::Text(text) }
        }
        None if nested.is_empty() => Block::Warning(
            "Optimism was not estimated (learn.n_bootstraps and learn.n_repeats are 0): training results are too good by \
             an unknown amount."
                .to_owned(),
        ),
        None => Block::Text(format!("Optimism was not estimated by bootstrap.{nested}{permuted}")),
    }
}

/// The models of regions, with what each learnt.
pub(in crate::study) fn regions(models: &[Model]) -> Result<Vec<(&Model, Stored)>, Error> {
    let regions = models.iter().filter(|model| model.kind == "forest" && model.name != RADIOMICS);
    regions.map(|model| Ok((model, recipe(model)?))).collect()
}

//! The whole chain: nothing is learnt from test patients, noise stays noise, a signal is found, trouble is said.

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::roc;
use osteon_stats::table::{Column, Table, Values};
use osteon_study::pipeline::cohort::{Cohort, Features};
use osteon_study::pipeline::learn::{LearnError, Recipe, auc_of, learn};
use osteon_study::pipeline::region::RegionTrouble;
use osteon_study::pipeline::validate::{METRICS, validate};
use osteon_study::protocol::{Preset, Protocol};
use rand::Rng;

/// The protocol of a preset with forests small enough for tests.
fn protocol(preset: Preset) -> Protocol {
    let small = [
        "forest.n_trees=[25, 40]",
        "forest.max_depth=[2, 0]",
        "forest.min_samples_leaf=[3]",
        "select.mrmr.n_features=8",
        "learn.n_bootstraps=3",
        "learn.n_permutations=1",
        "learn.best_region=by_auc",
    ];
    preset.protocol().set(small).unwrap()
}

/// `n` patients, three regions of 25 features; feature 7 of the second region and ALP tell of the event.
fn cohort(n: usize, signal: f64, seed: u64) -> Cohort {
    let mut rng = Seed(seed).named("cohort").rng();
    let event: Vec<bool> = (0..n).map(|row| row % 2 == 0).collect();
    let noise = |rng: &mut rand_chacha::ChaCha8Rng| -> f64 { (0..4).map(|_| rng.random_range(-1.0..1.0)).sum() };
    let shift = |row: usize| if event[row] { signal } else { 0.0 };
    let regions = ["intra", "peri_2mm", "intra_peri_2mm"].into_iter().enumerate().map(|(region, name)| {
        let value = |row: usize, feature: usize, rng: &mut rand_chacha::ChaCha8Rng| {
            Some(noise(rng) + if region == 1 && feature == 7 { shift(row) } else { 0.0 })
        };
        let rows = (0..n).map(|row| Some((0..25).map(|feature| value(row, feature, &mut rng)).collect())).collect();
        let names = (0..25).map(|feature| format!("feature_{feature}")).collect();
        Features { region: name.to_owned(), names, rows, eligible: vec![true; 25], batch: None }
    });
    let regions = regions.collect();
    let alp = (0..n).map(|row| Some(200.0 + 50.0 * noise(&mut rng) + 40.0 * shift(row))).collect();
    let fracture = (0..n).map(|row| Some(usize::from(rng.random_bool(0.4)) * usize::from(row > 0))).collect();
    let columns = vec![
        Column { name: "alp".to_owned(), values: Values::Numbers(alp) },
        Column {
            name: "pathological_fracture".to_owned(),
            values: Values::Levels { levels: vec!["no".to_owned(), "yes".to_owned()], codes: fracture },
        },
    ];
    let codes: Vec<String> = (0..n).map(|row| format!("P{row:03}")).collect();
    Cohort { codes: codes.clone(), event, clinical: Table::new(codes, columns).unwrap(), regions, strata: Vec::new() }
}

fn learnt(cohort: &Cohort, train: &[usize], protocol: &Protocol) -> Recipe {
    learn(cohort, train, protocol, Seed(1), &Job::unwatched()).unwrap()
}

fn rows(n: usize) -> (Vec<usize>, Vec<usize>) {
    (0..n).partition(|row| row % 4 != 3 && row % 10 != 0)
}

#[test]
fn nothing_is_learnt_from_test_patients() {
    let cohort = cohort(60, 1.5, 1);
    let (train, test) = rows(60);
    // Without imputation, so that a patient who lacks a value has no probability.
    let protocol = protocol(Preset::Recommended).set(["learn.missing=complete_case"]).unwrap();
    let before = learnt(&cohort, &train, &protocol);
    let mut changed = cohort.clone();
    for &row in &test {
        changed.event[row] = !changed.event[row];
        for region in &mut changed.regions {
            region.rows[row] =
                region.rows[row].as_ref().map(|values| values.iter().map(|v| v.map(|v| 1e3 - v)).collect());
        }
    }
    changed.regions[0].rows[test[0]] = None;
    let columns = cohort.clinical.columns().iter().map(|column| {
        let values = match &column.values {
            Values::Numbers(values) => {
                let value = |(row, value): (usize, &Option<f64>)| if test.contains(&row) { None } else { *value };
                Values::Numbers(values.iter().enumerate().map(value).collect())
            }
            other => other.clone(),
        };
        Column { name: column.name.clone(), values }
    });
    changed.clinical = Table::new(cohort.codes.clone(), columns.collect()).unwrap();
    assert_eq!(learnt(&changed, &train, &protocol), before);
    let scores = before.scores(&changed, &test);
    assert_eq!(scores.regions[0][0], None, "a failed region has no Rad-score");
    assert!(scores.clinical.iter().all(Option::is_none), "a patient without ALP has no clinical probability");
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads() {
    let cohort = cohort(48, 1.0, 2);
    let (train, _) = rows(48);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let protocol = protocol(Preset::Study);
            let recipe = learnt(&cohort, &train, &protocol);
            let validation = validate(&cohort, &recipe, &protocol, Seed(5), &Job::unwatched()).unwrap();
            (recipe, validation)
        })
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn noise_stays_noise_out_of_fold_and_not_in_sample() {
    let mut pooled = (Vec::new(), Vec::new());
    for seed in 0..6 {
        let cohort = cohort(60, 0.0, 10 + seed);
        let (train, test) = rows(60);
        let recipe = learnt(&cohort, &train, &protocol(Preset::Recommended));
        let scores = recipe.scores(&cohort, &test);
        pooled.0.extend(cohort.events(&test));
        pooled.1.extend(scores.radiomics.iter().map(|p| p.unwrap()));
        let in_sample = auc_of(&cohort.events(&train), &recipe.scores(&cohort, &train).radiomics).unwrap();
        assert!(in_sample > 0.75, "in sample the forest looks good on noise: {in_sample}");
    }
    let [low, high] = roc::auc(&pooled.1, &pooled.0).unwrap().ci().unwrap();
    assert!(low < 0.5 && high > 0.5, "{low} to {high}");
}

#[test]
fn a_planted_signal_is_found_and_survives_correction() {
    let cohort = cohort(80, 2.5, 3);
    let (train, test) = rows(80);
    let protocol = protocol(Preset::Recommended).set(["learn.n_repeats=1"]).unwrap();
    let recipe = learnt(&cohort, &train, &protocol);
    assert_eq!(recipe.regions[recipe.best].region, "peri_2mm");
    assert_eq!(recipe.regions[1].model.as_ref().unwrap().features[0], "feature_7");
    assert_eq!(recipe.clinical_predictors, ["alp"]);
    let scores = recipe.scores(&cohort, &test);
    let event = cohort.events(&test);
    assert!(auc_of(&event, &scores.combined).unwrap() > 0.85);
    let validation = validate(&cohort, &recipe, &protocol, Seed(2), &Job::unwatched()).unwrap();
    let combined = validation.iter().find(|one| one.model == "combined").unwrap();
    assert_eq!(combined.optimism.len(), METRICS.len());
    let auc = combined.optimism[0].unwrap();
    assert!(auc.optimism > 0.0 && auc.corrected > 0.7, "{auc:?}");
    assert!(combined.nested_auc[0] > 0.75);
    assert_eq!(combined.permuted_auc.len(), 1);
}

#[test]
fn many_resamples_give_intervals_frequencies_and_rivals_in_the_same_folds() {
    let mut cohort = cohort(48, 2.0, 21);
    // A volume without any relation to the event.
    cohort.regions[0].names[3] = "original_shape_MeshVolume".to_owned();
    for (row, values) in cohort.regions[0].rows.iter_mut().enumerate() {
        values.as_mut().unwrap()[3] = Some(1000.0 + (row * 37 % 48) as f64);
    }
    let train: Vec<usize> = (0..48).collect();
    let small = ["learn.n_bootstraps=50", "learn.n_repeats=5", "learn.n_permutations=0", "learn.n_splits=0"];
    let protocol = protocol(Preset::Study).set(small).unwrap();
    let recipe = learnt(&cohort, &train, &protocol);
    let validation = validate(&cohort, &recipe, &protocol, Seed(4), &Job::unwatched()).unwrap();
    let of = |name: &str| validation.iter().find(|one| one.model == name).unwrap();
    let (combined, region) = (of("combined"), of("peri_2mm"));
    let nested = combined.nested.unwrap();
    let mean = combined.nested_auc.iter().sum::<f64>() / 5.0;
    assert!((nested.auc - mean).abs() < 1e-12 && nested.repeats == 5 && nested.ci[0] < mean, "{nested:?}");
    let left = combined.left_out.unwrap();
    assert!(left.used >= 45 && left.pairs > 0.9 && left.ci[0] < left.auc, "{left:?}");
    let apparent = combined.optimism[0].unwrap().apparent;
    assert!((left.auc..=apparent).contains(&combined.point_632_plus.unwrap()));
    let (name, n) = &region.chosen[0];
    assert!(name == "feature_7" && *n > 40 && region.chosen_of >= *n, "{name} {n}");
    assert_eq!(of("radiomics").chosen[0].0, "peri_2mm");
    let names: Vec<&str> = combined.compared.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        ["combined", "radiomics", "clinical", "LASSO score", "ridge logistic", "volume alone", "no model"]
    );
    let auc = |name: &str| combined.compared.iter().find(|it| it.name == name).unwrap().auc.map(|it| it.auc).unwrap();
    assert_eq!(auc("combined"), nested.auc);
    assert!(
        auc("ridge logistic") > 0.7 && auc("LASSO score") > 0.7 && auc("volume alone") < 0.65,
        "{:?}",
        combined.compared
    );
    let none = combined.compared[6].brier.unwrap();
    assert!(combined.compared[0].brier.unwrap() < none && (none - 0.25).abs() < 0.01, "{none}");
    // Few resamples tell nothing of all this, and store as before.
    let few = protocol.set(["learn.n_bootstraps=3", "learn.n_repeats=1"]).unwrap();
    let validation = validate(&cohort, &recipe, &few, Seed(4), &Job::unwatched()).unwrap();
    let text = serde_json::to_string(&validation).unwrap();
    for key in ["left_out", "compared", "chosen", "point_632", "\"nested\""] {
        assert!(!text.contains(key), "{key}");
    }
}

#[test]
fn learners_beside_the_forest_go_through_the_same_folds_and_change_nothing_else() {
    let cohort = cohort(60, 3.0, 31);
    let (train, test) = rows(60);
    let small = ["learn.n_bootstraps=3", "learn.n_repeats=5", "learn.n_permutations=1", "learn.n_splits=1"];
    let alone = protocol(Preset::Study).set(small).unwrap();
    let with = alone.clone().set(["learn.learners=[\"svm\", \"forest\", \"elastic_net\"]"]).unwrap();
    let [before, recipe] = [&alone, &with].map(|protocol| learnt(&cohort, &train, protocol));
    assert!(before.learners.is_empty());
    assert!(Recipe { learners: Vec::new(), ..recipe.clone() } == before, "the other models are as they were");
    let (region, event) = (recipe.regions[recipe.best].model.as_ref().unwrap(), cohort.events(&test));
    let scores = recipe.scores(&cohort, &test);
    assert_eq!(recipe.learners.iter().map(|it| it.learner.name()).collect::<Vec<_>>(), ["elastic_net", "svm"]);
    for (at, learnt) in recipe.learners.iter().enumerate() {
        let (model, name) = (learnt.model.as_ref().unwrap(), learnt.learner.name());
        let from = if name == "svm" { &region.features } else { &region.shortlist };
        assert!(model.region == region.region && model.features.iter().all(|it| from.contains(it)), "{name}");
        assert!(learnt.out_of_fold.iter().all(Option::is_some), "{name}");
        assert!(auc_of(&event, &scores.learners[at]).unwrap() > 0.7, "{name}");
        assert!(auc_of(&cohort.events(&train), &learnt.out_of_fold).unwrap() > 0.7, "{name}");
        assert!(scores.learners[at].iter().flatten().all(|p| (0.0..=1.0).contains(p)), "{name}");
    }
    // Nothing of a test patient is learnt.
    let mut changed = cohort.clone();
    for &row in &test {
        changed.event[row] = !changed.event[row];
        changed.regions.iter_mut().for_each(|region| region.rows[row] = None);
    }
    assert!(learnt(&changed, &train, &with) == recipe);
    let validation = validate(&cohort, &recipe, &with, Seed(4), &Job::unwatched()).unwrap();
    let alone = validate(&cohort, &before, &alone, Seed(4), &Job::unwatched()).unwrap();
    let of = |name: &str| validation.iter().find(|one| one.model == name).unwrap();
    let compared = &of("combined").compared;
    let names: Vec<&str> = compared.iter().map(|it| it.name.as_str()).collect();
    let rivals = ["LASSO score", "ridge logistic", "volume alone", "no model"];
    assert_eq!(names, [&["combined", "radiomics", "clinical", "elastic_net", "svm"][..], &rivals].concat());
    let judged = |name: &str| compared.iter().find(|it| it.name == name).unwrap();
    let stability = |name: &str| judged(name).stability;
    assert!(stability("radiomics").unwrap() > 0.2 && stability("radiomics") == stability("svm"));
    assert!(stability("elastic_net").is_some() && stability("combined").is_none() && stability("no model").is_none());
    assert_eq!(judged("svm").n_missing, 0);
    assert!(of("svm").nested.unwrap().auc == judged("svm").auc.unwrap().auc && of("svm").permutation_p.is_none());
    // The models of the paper are validated as without them.
    for one in &alone {
        assert!(of(&one.model).nested_auc == one.nested_auc && of(&one.model).permuted_auc == one.permuted_auc);
        assert!(of(&one.model).optimism == one.optimism && of(&one.model).split_auc == one.split_auc, "{}", one.model);
    }
}

#[test]
fn a_lasso_rad_score_is_the_linear_score_and_the_forest_stays_as_it_was() {
    let cohort = cohort(60, 2.0, 32);
    let (train, test) = rows(60);
    let usual = protocol(Preset::Study);
    let linear = usual.clone().set(["learn.rad_score=lasso"]).unwrap();
    let [forest, recipe] = [&usual, &linear].map(|protocol| learnt(&cohort, &train, protocol));
    let model = |recipe: &Recipe| recipe.regions[1].model.clone().unwrap();
    let (own, link) = (model(&recipe), model(&recipe).link.unwrap());
    assert!(model(&forest).forest == own.forest && model(&forest).features == own.features && link.slope > 0.0);
    let scores = recipe.scores(&cohort, &test);
    let place = |name: &String| cohort.regions[1].names.iter().position(|other| other == name).unwrap();
    for (at, &row) in test.iter().enumerate() {
        let values = cohort.regions[1].rows[row].as_ref().unwrap();
        let z = own.features.iter().enumerate().map(|(k, name)| own.scaling.z(k, values[place(name)].unwrap()));
        let sum: f64 = own.linear_intercept() + z.zip(&own.weights).map(|(z, weight)| z * weight).sum::<f64>();
        assert!((scores.rad_score[at].unwrap() - sum).abs() < 1e-12);
        let p = 1.0 / (1.0 + (-(link.intercept + link.slope * sum)).exp());
        assert!((scores.radiomics[at].unwrap() - p).abs() < 1e-12 && scores.regions[1][at] == scores.radiomics[at]);
        let alp = cohort.clinical.numbers("alp").unwrap()[row].unwrap();
        assert_eq!(scores.combined[at], Some(recipe.combined.probability(&[sum, alp])));
    }
    let training = recipe.training_scores(&cohort, linear.learn.rad_score);
    assert_eq!(training.rad_score, recipe.regions[1].out_of_fold_linear);
    let ordered =
        |a: &[Option<f64>], b: &[Option<f64>]| auc_of(&cohort.events(&train), a) == auc_of(&cohort.events(&train), b);
    assert!(ordered(&training.rad_score, &training.radiomics), "probabilities are in the order of the scores");
    assert_eq!(recipe.combined.terms, ["rad_score", "alp"]);
    let refused = linear.set(["learn.fusion=late"]).unwrap_err().to_string();
    assert!(refused.contains("learn.fusion") && refused.contains("best or early"), "{refused}");
}

#[test]
fn without_screening_all_candidates_are_in_a_ridge_by_the_corrected_aic() {
    use osteon_stats::model::logistic::ridge::ridge_by_aicc;
    use osteon_stats::table::Design;
    let cohort = cohort(60, 1.0, 33);
    let (train, _) = rows(60);
    let recommended = protocol(Preset::Recommended).set(["learn.clinical_rule=all", "learn.penalty=ridge"]).unwrap();
    let recipe = learnt(&cohort, &train, &recommended);
    let alp = cohort.clinical.numbers("alp").unwrap();
    let fracture = cohort.coded("pathological_fracture").remove(0).1;
    let known: Vec<usize> = train.iter().copied().filter(|&row| fracture[row].is_some()).collect();
    let x = ndarray::Array2::from_shape_fn((known.len(), 2), |(i, j)| [alp[known[i]], fracture[known[i]]][j].unwrap());
    let columns = vec!["alp".to_owned(), "pathological_fracture=yes".to_owned()];
    let design = Design { rows: known.iter().map(usize::to_string).collect(), columns, x };
    let columns = std::slice::from_ref(&(1..2));
    let own = ridge_by_aicc(&design, &cohort.events(&known), columns).unwrap();
    assert_eq!(recipe.clinical.terms, design.columns);
    for (at, b) in recipe.clinical.coefficients.iter().enumerate() {
        assert!((b - own.fit.terms[at + 1].estimate.unwrap()).abs() < 1e-12);
    }
    assert!(recipe.combined.ridge_in_words().unwrap().contains("for 3 coefficients"));
}

#[test]
fn correlated_features_are_left_out_for_the_more_relevant_one() {
    let mut cohort = cohort(60, 2.0, 34);
    // Feature 8 is nearly feature 7, and tells less.
    for (row, values) in cohort.regions[1].rows.iter_mut().enumerate() {
        let values = values.as_mut().unwrap();
        values[8] = values[7].map(|value| value + if row % 2 == 0 { -0.5 } else { 0.5 });
    }
    let (train, _) = rows(60);
    let usual = protocol(Preset::Study);
    let filtered = usual.clone().set(["select.correlation.max=0.9"]).unwrap();
    let model = |protocol: &Protocol| learnt(&cohort, &train, protocol).regions[1].model.clone().unwrap();
    assert!(model(&usual).correlated.is_empty());
    let found = model(&filtered);
    assert_eq!(found.correlated, [("feature_8".to_owned(), "feature_7".to_owned())]);
    assert!(!found.shortlist.contains(&"feature_8".to_owned()) && found.features[0] == "feature_7");
    let listed = filtered.set(["select.correlation.order=listed"]).unwrap();
    assert_eq!(model(&listed).correlated, found.correlated);
    let refused = usual.set(["select.correlation.order=listed"]).unwrap_err().to_string();
    assert!(refused.contains("select.correlation.max is 1"), "{refused}");
}

#[test]
fn missing_clinical_values_are_counted_filled_or_imputed_from_training_rows() {
    let mut cohort = cohort(60, 1.5, 6);
    let (train, test) = rows(60);
    let holes = [train[0], train[5], train[9], test[0]];
    let columns = cohort.clinical.columns().iter().map(|column| {
        let mut values = column.values.clone();
        if let Values::Numbers(values) = &mut values {
            holes.iter().for_each(|&row| values[row] = None);
        }
        Column { name: column.name.clone(), values }
    });
    cohort.clinical = Table::new(cohort.codes.clone(), columns.collect()).unwrap();
    let under = |missing: &str, cohort: &Cohort| {
        let set =
            [format!("learn.missing={missing}"), "learn.clinical=[\"alp\", \"pathological_fracture\"]".to_owned()];
        learnt(cohort, &train, &protocol(Preset::Study).set(set.iter().map(String::as_str)).unwrap())
    };
    let complete = under("complete_case", &cohort);
    assert_eq!((complete.clinical.n, complete.clinical.n_missing), (train.len() - 3, 3));
    assert_eq!(complete.scores(&cohort, &test).clinical[0], None);
    for missing in ["simple", "multiple"] {
        let recipe = under(missing, &cohort);
        assert_eq!((recipe.clinical.n, recipe.clinical.n_missing), (train.len(), 0), "{missing}");
        assert!(recipe.clinical.notes.iter().any(|note| note.starts_with("3 training patients")), "{missing}");
        let scores = recipe.scores(&cohort, &test);
        assert!(scores.clinical[0].is_some() && scores.combined[0].is_some(), "{missing}");
        let slope = recipe.clinical.coefficients[0] / complete.clinical.coefficients[0];
        assert!((0.5..2.0).contains(&slope), "{missing}: {slope}");
        let mut changed = cohort.clone();
        let columns = cohort.clinical.columns().iter().map(|column| {
            let mut values = column.values.clone();
            if let Values::Numbers(values) = &mut values {
                test.iter().for_each(|&row| values[row] = Some(1e6));
            }
            Column { name: column.name.clone(), values }
        });
        changed.clinical = Table::new(cohort.codes.clone(), columns.collect()).unwrap();
        assert_eq!(under(missing, &changed), recipe, "{missing}: nothing is learnt from test patients");
    }
}

#[test]
fn in_sample_rad_scores_make_training_look_better() {
    let cohort = cohort(60, 0.7, 4);
    let (train, _) = rows(60);
    let event = cohort.events(&train);
    let apparent = |preset: Preset| {
        let protocol = protocol(preset);
        let recipe = learnt(&cohort, &train, &protocol);
        auc_of(&event, &recipe.training_scores(&cohort, protocol.learn.rad_score).combined).unwrap()
    };
    assert!(apparent(Preset::Published) > apparent(Preset::Recommended) + 0.05);
}

#[test]
fn trouble_is_said() {
    let protocol = protocol(Preset::Study);
    let attempt = |cohort: &Cohort, train: &[usize]| learn(cohort, train, &protocol, Seed(1), &Job::unwatched());
    let base = cohort(40, 1.0, 5);
    let (train, _) = rows(40);
    let events: Vec<usize> = train.iter().copied().filter(|&row| base.event[row]).collect();
    assert!(matches!(attempt(&base, &events), Err(LearnError::OneClass { others: 0, .. })));
    let few: Vec<usize> =
        train.iter().copied().filter(|&row| !base.event[row]).chain(events[..3].iter().copied()).collect();
    assert!(matches!(attempt(&base, &few), Err(LearnError::TooFew(_))));

    let mut constant = base.clone();
    for values in constant.regions[0].rows.iter_mut().flatten() {
        values.fill(Some(2.0));
    }
    let recipe = attempt(&constant, &train).unwrap();
    assert_eq!(recipe.regions[0].model, Err(RegionTrouble::NothingVaries));
    assert_ne!(recipe.best, 0);

    let mut copies = base.clone();
    for values in copies.regions.iter_mut().flat_map(|region| region.rows.iter_mut().flatten()) {
        values[8] = values[7];
    }
    assert!(attempt(&copies, &train).unwrap().regions.iter().all(|region| region.model.is_ok()));

    let mut holes = base.clone();
    holes.regions[1].rows[train[0]] = None;
    holes.regions[1].rows[train[1]].as_mut().unwrap()[3] = None;
    let recipe = attempt(&holes, &train).unwrap();
    let model = recipe.regions[1].model.as_ref().unwrap();
    assert_eq!((model.n_rows, model.n_candidates), (train.len() - 1, 24));
    assert_eq!(recipe.regions[1].out_of_fold[0], None);
}

#[test]
fn with_five_events_every_training_patient_has_a_score_and_the_fewer_folds_are_said() {
    let base = cohort(60, 1.5, 8);
    let (events, others): (Vec<usize>, Vec<usize>) = (0..60).partition(|&row| base.event[row]);
    let protocol = protocol(Preset::Study).set(["learn.n_repeats=1"]).unwrap();
    for n_events in [5, 6, 7] {
        let train: Vec<usize> = others.iter().chain(&events[..n_events]).copied().collect();
        let recipe = learn(&base, &train, &protocol, Seed(1), &Job::unwatched()).unwrap();
        for region in &recipe.regions {
            assert!(region.out_of_fold.iter().all(Option::is_some), "{n_events}: {:?}", region.notes);
            // Of seven events every training part holds five: as many as folds were asked for.
            let fewer = region.notes.iter().any(|note| note.contains("folds instead of 5"));
            assert_eq!(fewer, n_events < 7, "{n_events}: {:?}", region.notes);
        }
        let validation = validate(&base, &recipe, &protocol, Seed(2), &Job::unwatched()).unwrap();
        assert!(validation.iter().all(|one| one.nested_auc.len() == 1), "{n_events}");
    }
    // Two folds of three events leave one event to learn from: refused before anything is learnt.
    let protocol = protocol.set(["learn.n_folds=2"]).unwrap();
    let train: Vec<usize> = others.iter().chain(&events[..3]).copied().collect();
    let refused = learn(&base, &train, &protocol, Seed(1), &Job::unwatched());
    assert!(matches!(refused, Err(LearnError::TooFew(_))));
}

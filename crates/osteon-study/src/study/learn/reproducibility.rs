//! Agreement of features between the mask and the repeat mask.

use rayon::prelude::*;

use crate::report::sheet::{Cell, Sheet};
use crate::store::{PatientId, Role};
use crate::study::{Error, Study};
use osteon_stats::select::icc::{Form, Icc, icc};

impl Study {
    /// ICC(2,1) of every feature in every region: one row a region, or one a region and feature with the three
    /// single-measurement forms and their intervals.
    pub fn agreement_sheet(&self, every_feature: bool) -> Result<Sheet, Error> {
        let ids: Vec<PatientId> = self.store.patients()?.into_iter().filter(|p| p.included()).map(|p| p.id).collect();
        let mut rows = Vec::new();
        let second_rater = self.second_rater()?.unwrap_or(Role::RepeatMask);
        for source in self.protocol.all_sources() {
            let region = source.name.clone();
            let (names, first) = self.rows_of(&source, &self.rater(), &ids)?;
            let (_, second) = self.rows_of(&source, &second_rater, &ids)?;
            let both: Vec<usize> = (0..ids.len()).filter(|&i| first[i].is_some() && second[i].is_some()).collect();
            let of = |j: usize| {
                let value = |of: &[Option<Vec<Option<f64>>>], i: usize| of[i].as_ref().and_then(|values| values[j]);
                let pairs: Option<Vec<[f64; 2]>> =
                    both.iter().map(|&i| Some([value(&first, i)?, value(&second, i)?])).collect();
                pairs.and_then(|pairs| {
                    icc(ndarray::Array2::from_shape_fn((pairs.len(), 2), |(i, k)| pairs[i][k]).view())
                })
            };
            let found: Vec<Option<[Icc; 6]>> = (0..names.len()).into_par_iter().map(of).collect();
            if every_feature {
                rows.extend(
                    names.iter().zip(&found).map(|(name, found)| feature_row(&region, name, both.len(), found)),
                );
            } else {
                rows.push(region_row(&region, both.len(), &found));
            }
        }
        let headings: &[&str] = if every_feature {
            &["Region", "Feature", "Patients", "ICC(1,1)", "ICC(2,1)", "ICC(3,1)"]
        } else {
            &["Region", "Patients", "Features", "Mean ICC(2,1)", "Lowest", "At least 0.75", "At least 0.90"]
        };
        let doubt = self.doubt_of_features()?.map_or(String::new(), |doubt| format!("{doubt}: "));
        Ok(Sheet {
            title: format!("{doubt}Agreement between {}", self.masks_in_words(&second_rater)),
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            rows,
            notes: vec!["features that are undefined in a patient, or constant, have no ICC".to_owned()],
            provenance: self.provenance()?,
        })
    }
}

fn single(found: &[Icc; 6], form: Form) -> &Icc {
    found.iter().find(|icc| icc.form == form).expect("all forms are there")
}

fn feature_row(region: &str, name: &str, n: usize, found: &Option<[Icc; 6]>) -> Vec<Cell> {
    let cell = |form| match found.as_ref().map(|found| single(found, form)) {
        Some(icc) => Cell::Interval { estimate: icc.value, low: icc.low, high: icc.high, digits: 3 },
        None => Cell::Empty,
    };
    let mut row = vec![Cell::Text(region.to_owned()), Cell::Text(name.to_owned()), Cell::Count(n)];
    row.extend([Form::Icc1, Form::Icc2, Form::Icc3].map(cell));
    row
}

fn region_row(region: &str, n: usize, found: &[Option<[Icc; 6]>]) -> Vec<Cell> {
    let values: Vec<f64> = found.iter().flatten().map(|found| single(found, Form::Icc2).value).collect();
    let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let reach = |limit: f64| Cell::CountPercent { n: values.iter().filter(|v| **v >= limit).count(), of: values.len() };
    vec![
        Cell::Text(region.to_owned()),
        Cell::Count(n),
        Cell::Count(values.len()),
        Cell::number(mean, 3),
        Cell::number(values.iter().copied().reduce(f64::min), 3),
        reach(0.75),
        reach(0.9),
    ]
}

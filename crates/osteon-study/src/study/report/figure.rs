//! The figures of a study, each from what is stored.

use std::collections::BTreeMap;

use ndarray::{Axis, s};

use crate::protocol::source::Source;
use crate::report::figure::flow::{self, Flow, Outcome};
use crate::report::figure::forest;
use crate::report::figure::workflow::{self, Slice};
use crate::report::figure::{Figure, Paper};
use crate::report::odds;
use crate::store::{ImageFile, Patient, PatientId, Side};
use crate::study::data::input;
use crate::study::report::time::Curve;
use crate::study::trust::standing::doubted;
use crate::study::{Error, Study, View};
use osteon_plot::FONT_PT;
use osteon_plot::fit::Tight;
use osteon_radiomics::grid::Mask;
use osteon_radiomics::preprocess::{self, Extent};
use osteon_radiomics::roi::{Roi, Shells};
use osteon_stats::model::logistic::screen::Rows;

/// A figure by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureName {
    Flow,
    Workflow,
    Forest,
    Icc,
    Lasso,
    Selection,
    Nomogram,
    Roc,
    Dca,
    Calibration,
    Shap,
    Waterfall,
    KaplanMeier,
    Incidence,
    Batch,
}

/// Which figure, and on what paper.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureRequest {
    pub name: FigureName,
    pub width_mm: f64,
    /// What the content needs when not given.
    pub height_mm: Option<f64>,
    /// Point size of its words.
    pub font_pt: f64,
    /// Whose, where a figure shows one patient; the first with images when not given.
    pub patient: Option<String>,
    /// Which region's LASSO, agreement or outline; whose forest SHAP values explain, the combined model's when not given.
    pub region: Option<String>,
    /// Threshold probabilities of decision curves; those that the data support when not given.
    pub thresholds: Option<[f64; 2]>,
    /// Numbers name patients by codes that do not tell their ids.
    pub deidentify: bool,
    pub forest_shap: ForestShap,
    /// Which time to event, the first declared when not given; and the variable that tells groups.
    pub outcome: Option<String>,
    pub by: Option<String>,
}

/// What a forest's SHAP values compare a patient with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ForestShap {
    /// The training patients by the cover of the trees: no other data are needed.
    #[default]
    PathDependent,
    /// Each training patient, features taken as independent.
    Interventional,
}

impl FigureRequest {
    /// A figure for everybody, of the model in use.
    pub fn new(name: FigureName, width_mm: f64) -> FigureRequest {
        FigureRequest {
            name,
            width_mm,
            height_mm: None,
            font_pt: FONT_PT,
            patient: None,
            region: None,
            thresholds: None,
            deidentify: false,
            forest_shap: ForestShap::default(),
            outcome: None,
            by: None,
        }
    }
}

impl FigureName {
    /// Options that this figure would not heed.
    fn check(self, request: &FigureRequest) -> Result<(), Error> {
        use FigureName::{Batch, Dca, Icc, Incidence, KaplanMeier, Lasso, Selection, Shap, Waterfall, Workflow};
        let figure = FigureName::every().find(|(name, ..)| *name == self).map_or("", |found| found.1);
        let no = |option, of, verb| Err(Error::NoSay { figure, option, of, verb });
        if request.region.is_some() && !matches!(self, Workflow | Icc | Lasso | Selection | Shap | Waterfall | Batch) {
            return no("--region", "workflow, icc, lasso, selection, shap, waterfall and batch", "show a region");
        }
        if request.patient.is_some() && !matches!(self, Workflow | Waterfall) {
            return no("--patient", "workflow and waterfall", "show one patient");
        }
        if request.forest_shap == ForestShap::Interventional && !matches!(self, Shap | Waterfall) {
            return no("--interventional", "shap and waterfall", "explain a forest");
        }
        let asked = [("--outcome", request.outcome.is_some()), ("--by", request.by.is_some())];
        if let Some((option, _)) =
            asked.into_iter().find(|(_, asked)| *asked && !matches!(self, KaplanMeier | Incidence))
        {
            return no(option, "km and cif", "show a time to event");
        }
        if request.thresholds.is_some() && self != Dca {
            return no("--thresholds", "dca", "has threshold probabilities");
        }
        if request.height_mm.is_some() && self == Workflow {
            return no("--height", "its panels keep the proportions of the image", "and follow --width");
        }
        Ok(())
    }

    /// Figures of a time to event, for studies that declare one.
    pub const TIMED: [(FigureName, &str, &str); 2] = [
        (FigureName::KaplanMeier, "km", "survival of an outcome of kind time, with numbers at risk"),
        (FigureName::Incidence, "cif", "cumulative incidence of an outcome with competing events"),
    ];

    /// Figures of several scanners or centres, for studies that tell them apart.
    pub const BATCHES: [(FigureName, &str, &str); 1] = [(
        FigureName::Batch,
        "batch",
        "first two principal components of the features by batch, as measured and harmonized",
    )];

    /// All figures, of every kind of study.
    pub fn every() -> impl Iterator<Item = (FigureName, &'static str, &'static str)> {
        FigureName::ALL.into_iter().chain(FigureName::TIMED).chain(FigureName::BATCHES)
    }

    /// Every figure of a study with its name on the command line and what it shows; those of a time to event apart.
    pub const ALL: [(FigureName, &str, &str); 12] = [
        (FigureName::Flow, "flow", "participants assessed, excluded and included, and the sets with their events"),
        (FigureName::Workflow, "workflow", "a slice of one patient with each region on it"),
        (FigureName::Forest, "forest", "odds ratios of Table 4 on a logarithmic axis"),
        (FigureName::Icc, "icc", "agreement of features between the mask and the repeat mask"),
        (FigureName::Lasso, "lasso", "coefficient paths, cross-validation and selected features of a region's LASSO"),
        (
            FigureName::Selection,
            "selection",
            "how often bootstrap samples chose each feature, region and clinical variable",
        ),
        (FigureName::Nomogram, "nomogram", "points of each value, and the probability of their total"),
        (FigureName::Roc, "roc", "ROC curves of the models in both sets"),
        (FigureName::Dca, "dca", "decision curves of the models in both sets"),
        (FigureName::Calibration, "calibration", "calibration of the models in both sets"),
        (
            FigureName::Shap,
            "shap",
            "SHAP values of the combined model or a region's forest, over all training patients",
        ),
        (FigureName::Waterfall, "waterfall", "SHAP values of the combined model or a region's forest for one patient"),
    ];
}

/// No figure says anything on less paper.
const LEAST_MM: f64 = 40.0;
/// Words beyond these sizes are no figure's.
const FONTS_PT: std::ops::RangeInclusive<f64> = 4.0..=24.0;

impl Study {
    pub fn figure(&self, request: &FigureRequest) -> Result<Figure, Error> {
        let width_mm = request.width_mm;
        if !(LEAST_MM..=2000.0).contains(&width_mm) {
            let expected = format!("{LEAST_MM} to 2000 mm");
            return Err(Error::Cell { place: "the width".to_owned(), found: width_mm.to_string(), expected });
        }
        let provenance = match request.name {
            FigureName::Flow
            | FigureName::Workflow
            | FigureName::Forest
            | FigureName::KaplanMeier
            | FigureName::Incidence => self.provenance()?,
            FigureName::Icc | FigureName::Batch => self.provenance_of("extract")?,
            _ => self.provenance_of("fit")?,
        };
        if !FONTS_PT.contains(&request.font_pt) {
            let expected = format!("{} to {} points", FONTS_PT.start(), FONTS_PT.end());
            return Err(Error::Cell { place: "the font size".into(), found: request.font_pt.to_string(), expected });
        }
        request.name.check(request)?;
        // Larger words are usual ones on less paper, drawn larger.
        let paper = Paper { width_mm: width_mm * FONT_PT / request.font_pt, provenance };
        let (patient, region) = (request.patient.as_deref(), request.region.as_deref());
        let of_fit = !matches!(
            request.name,
            FigureName::Flow
                | FigureName::Workflow
                | FigureName::Forest
                | FigureName::Icc
                | FigureName::KaplanMeier
                | FigureName::Incidence
                | FigureName::Batch
        );
        let mut figure = match request.name {
            FigureName::Flow => Ok(flow::figure(&self.flow()?, &paper)),
            FigureName::Workflow => Ok(workflow::figure(&self.slice(patient, region)?, &paper)),
            FigureName::Forest => self.odds_figure(&paper),
            FigureName::Icc => self.icc_figure(region, &paper),
            FigureName::Lasso => self.lasso_figure(region, &paper),
            FigureName::Selection => self.selection_figure(region, &paper),
            FigureName::Nomogram => self.nomogram_figure(&paper),
            FigureName::Roc | FigureName::Dca | FigureName::Calibration => self.curves(request, &paper),
            FigureName::Shap => self.shap_figure(request, &paper),
            FigureName::Waterfall => self.waterfall_figure(request, &paper),
            FigureName::Batch => self.batch_figure(region, &paper),
            FigureName::KaplanMeier | FigureName::Incidence => {
                let survival = request.name == FigureName::KaplanMeier;
                let kind = if survival { Curve::Survival } else { Curve::Incidence };
                self.time_figure(request.outcome.as_deref(), request.by.as_deref(), kind, &paper)
            }
        }?;
        figure.plot.width_mm = width_mm;
        figure.plot.font_pt = request.font_pt;
        figure.plot.height_mm = request.height_mm;
        match request.name {
            _ if of_fit => self.told_of(figure),
            FigureName::Icc | FigureName::Batch => Ok(doubted(figure, self.doubt_of_features()?)),
            _ => Ok(figure),
        }
    }

    /// The same, refused where a word would be cut or lie on another at this size; the refusal names a width that does.
    pub fn fitting_figure(&self, request: &FigureRequest) -> Result<Figure, Error> {
        const WIDEST_MM: f64 = 400.0;
        let figure = self.figure(request)?;
        let Err(source) = figure.fits() else { return Ok(figure) };
        let is_enough = |width_mm: &f64| {
            let wider = self.figure(&FigureRequest { width_mm: *width_mm, ..request.clone() });
            wider.is_ok_and(|figure| figure.fits().is_ok())
        };
        let steps = (1..).map(|n| (request.width_mm / 5.0).floor() * 5.0 + 5.0 * f64::from(n));
        let enough = steps.take_while(|width| *width <= WIDEST_MM).find(is_enough);
        let remedy = match (&source, enough) {
            (Tight::Height(_), _) => "a larger --height, a smaller --font-size, or no --height".to_owned(),
            (_, Some(width)) => format!("--width {width:.0} is enough; a smaller --font-size needs less"),
            (_, None) => "a smaller --font-size needs less room".to_owned(),
        };
        let size = format!("{} mm at {} points", request.width_mm, request.font_pt);
        Err(Error::Tight { figure: figure.plot.name, size, source: Box::new(source), remedy })
    }

    /// Table 4 as odds ratios, univariable and multivariable.
    fn odds_figure(&self, paper: &Paper) -> Result<Figure, Error> {
        let screening = self.screening()?;
        let mut figure = forest::figure(&odds::rows(&screening), paper);
        figure.caption = format!(
            "Logistic regression of {} on the clinical variables in {} {}patients. {}",
            screening.event,
            screening.n_rows,
            if screening.rows == Rows::Train { "training " } else { "" },
            figure.caption
        );
        Ok(figure)
    }

    /// Patients from assessment to sets; reasons of exclusion by their number. Events only for a full view.
    pub fn flow(&self) -> Result<Flow, Error> {
        let patients = self.store.patients()?;
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in patients.iter().filter_map(|patient| patient.exclusion.as_deref()) {
            *reasons.entry(reason).or_default() += 1;
        }
        let mut excluded: Vec<(String, usize)> =
            reasons.into_iter().map(|(reason, n)| (reason.to_owned(), n)).collect();
        excluded.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let is_full = self.view == View::Full;
        let mut sets = Vec::new();
        if let Some(split) = self.store.split()? {
            let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
            for (side, name) in [(Side::Train, "Training set"), (Side::Test, "Test set")] {
                let own = patients.iter().filter(|it: &&Patient| it.included() && sides.get(&it.id) == Some(&side));
                let outcome = Outcome::of(own.clone().map(|patient| patient.event));
                sets.push((name.to_owned(), own.count(), is_full.then_some(outcome)));
            }
        }
        let included = patients.iter().filter(|patient| patient.included()).map(|patient| patient.event);
        Ok(Flow {
            assessed: patients.len(),
            excluded,
            outcome: is_full.then(|| Outcome::of(included)),
            sets,
            event: self.protocol.codebook.side(true).to_owned(),
            other: self.protocol.codebook.side(false).to_owned(),
        })
    }

    /// The prepared slice with the largest area of tumour, cut around the regions.
    fn slice(&self, patient: Option<&str>, region: Option<&str>) -> Result<Slice, Error> {
        let drawn_regions = self.drawn_of(region)?;
        let (patient, image, mask) = self.pictured(patient)?;
        let (path, mask_path) = (self.folder().join(&image.path), self.folder().join(&mask.path));
        let file = input::image_bytes(&path, None, self.protocol.mask.uneven)?;
        let on = file.on().ok_or_else(|| Error::NoImageFile(path.clone()))?;
        let volume = file.image(&path)?;
        let drawn = input::image_bytes(&mask_path, None, self.protocol.mask.uneven)?;
        let tumour = drawn.region(&mask_path, mask.picked(), on, &self.protocol.mask)?.mask;
        let prepared = preprocess::prepare(&volume, &tumour, Extent::Whole, &self.protocol.preprocess)
            .map_err(|cause| Error::Describe(cause.into()))?;
        let shells = Shells::around(&prepared.mask, &self.protocol.roi.margins_mm);
        let area = |z: usize| prepared.mask.cells().index_axis(Axis(0), z).iter().filter(|&&inside| inside).count();
        let z = (0..prepared.mask.geometry().shape[0]).max_by_key(|&z| (area(z), z)).unwrap_or(0);
        let [ys, xs] = self.window(&prepared.mask);
        let [_, dy, dx] = prepared.mask.geometry().spacing_mm;
        let cut = s![z, ys[0]..ys[1], xs[0]..xs[1]];
        let region = |roi: Roi| {
            let cells = shells.region(roi)?;
            Some((title(roi), cells.cells().slice(cut).iter().copied().collect()))
        };
        Ok(Slice {
            patient,
            columns: xs[1] - xs[0],
            intensities: prepared.image.volume.cells().slice(cut).iter().copied().collect(),
            spacing_mm: [dx, dy],
            regions: drawn_regions.into_iter().filter_map(region).collect(),
        })
    }

    /// Code, image and mask of the patient, or of the first included one that has both.
    fn pictured(&self, code: Option<&str>) -> Result<(String, ImageFile, ImageFile), Error> {
        let patients = match code {
            Some(code) => vec![self.store.patient(code)?],
            None => self.store.patients()?.into_iter().filter(Patient::included).collect(),
        };
        for patient in patients {
            let files = self.store.images_of(patient.id)?;
            if let Some((image, mask)) = self.pair_to_show(&files) {
                return Ok((patient.code, image, mask));
            }
        }
        Err(Error::NoResult { what: "images", command: "osteon import images" })
    }

    /// Rows and columns around the tumour, the widest margin and a little of what lies beyond.
    fn window(&self, mask: &Mask) -> [[usize; 2]; 2] {
        const BEYOND_MM: f64 = 12.0;
        let shape = mask.geometry().shape;
        let reach = self.protocol.roi.margins_mm.iter().copied().fold(0.0, f64::max) + BEYOND_MM;
        let voxels = mask.geometry().spacing_mm.map(|spacing| (reach / spacing).ceil() as usize);
        match mask.bounds().map(|tumour| tumour.grown(voxels, shape)) {
            Some(it) => [1, 2].map(|k| [it.low[k], it.low[k] + it.shape[k]]),
            None => [[0, shape[1]], [0, shape[2]]],
        }
    }

    /// The regions that are drawn, or the one that is asked for.
    fn drawn_of(&self, region: Option<&str>) -> Result<Vec<Roi>, Error> {
        let all = self.drawn();
        let Some(name) = region else { return Ok(all) };
        let found = all.iter().copied().find(|roi| roi.to_string() == name);
        let valid = || all.iter().map(Roi::to_string).collect::<Vec<_>>().join(", ");
        Ok(vec![found.ok_or_else(|| Error::NoRegion { found: name.to_owned(), valid: valid() })?])
    }

    /// The tumour, then for each margin the ring and the tumour with its ring.
    fn drawn(&self) -> Vec<Roi> {
        let margins = self.protocol.roi.margins_mm.iter();
        [Roi::Intra].into_iter().chain(margins.flat_map(|&mm| [Roi::Peri(mm), Roi::IntraPeri(mm)])).collect()
    }
}

/// The region of a source in words, its slot before it where there are several.
pub(in crate::study) fn title_of(source: &Source) -> String {
    let region = source.region.parse().map_or_else(|_| source.region.clone(), title);
    match source.name.strip_suffix(&format!(".{}", source.region)) {
        None => region,
        Some(slot) => format!("{slot}: {region}"),
    }
}

/// The same as tables spell it out.
pub(in crate::study) fn region_in_tables(source: &Source) -> String {
    let spelled = |roi: Roi| match roi {
        Roi::Intra => "Intratumoral".to_owned(),
        Roi::Peri(mm) => format!("Peritumoral, {mm} mm"),
        Roi::IntraPeri(mm) => format!("Intratumoral and peritumoral, {mm} mm"),
    };
    let region = source.region.parse().map_or_else(|_| source.region.clone(), spelled);
    match source.name.strip_suffix(&format!(".{}", source.region)) {
        None => region,
        Some(slot) => format!("{slot}: {region}"),
    }
}

pub(in crate::study) fn title(roi: Roi) -> String {
    match roi {
        Roi::Intra => "Intra".to_owned(),
        Roi::Peri(mm) => format!("Peri {mm} mm"),
        Roi::IntraPeri(mm) => format!("Intra + peri {mm} mm"),
    }
}

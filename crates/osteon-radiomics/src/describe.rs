//! One patient: image and mask in, the features of every region out.

use rayon::prelude::*;

use crate::feature::ibsi::Outline;
use crate::feature::layout::{Layout, MAX_SHELLS, OUTSIDE};
use crate::feature::levels::{Bins, Edges, Levels, Precision, TooManyLevels};
use crate::feature::links::Links;
use crate::feature::{self, Family, Wanted, firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape};
use crate::filter::{self, Chosen, Crop, Filter, FilterError, Filtered, Input, LogKernel, Sight};
use crate::grid::{Bounds, Element, Geometry, Grid, Image, Mask, Volume};
use crate::preprocess::{self, Alignment, Extent, Interpolation, MaskInterpolation, Prepared, PreprocessError};
use crate::roi::{self, Roi, Shells};
use osteon_base::job::{Cancelled, Job, Stage};
use osteon_base::seed::Seed;

/// Everything that the features of a patient depend on besides image, mask and noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    pub preprocess: preprocess::Params,
    pub roi: roi::Params,
    pub filter: filter::Params,
    pub feature: feature::Params,
}

impl Params {
    /// pyradiomics' defaults: native grid, bin width 25, the original image, every feature of its seven families.
    pub fn pyradiomics() -> Params {
        let families = ["shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"];
        Params {
            preprocess: preprocess::Params {
                normalise: false,
                spacing_mm: Vec::new(),
                grid: Alignment::Corner,
                interpolation: Interpolation::Bspline,
                mask_interpolation: MaskInterpolation::Nearest,
                round: false,
                bin_width: 25.0,
            },
            roi: roi::Params { margins_mm: Vec::new() },
            filter: filter::Params {
                images: vec!["original".to_owned()],
                log_sigma_mm: vec![0.5, 1.0, 1.5, 2.0],
                log_kernel: LogKernel::Recursive,
                crop: Crop::Roi,
            },
            feature: feature::Params {
                families: families.map(str::to_owned).to_vec(),
                exclude: Vec::new(),
                ibsi: feature::ibsi::Params::default(),
            },
        }
    }

    /// The families of the IBSI's manual by its own rules: trilinear interpolation on a grid aligned by its centre
    /// when a spacing is set, 32 grey levels, three-dimensional texture.
    pub fn ibsi() -> Params {
        let base = Params::pyradiomics();
        Params {
            preprocess: preprocess::Params {
                grid: Alignment::Centre,
                interpolation: Interpolation::Linear,
                mask_interpolation: MaskInterpolation::Linear,
                ..base.preprocess
            },
            feature: feature::Params { families: vec!["ibsi".to_owned()], ..base.feature },
            ..base
        }
    }

    /// Thick-slice MRI with peritumoral rings: z-score, 1 x 1 x 3 mm, rings of 2, 4 and 6 mm, all filtered images in
    /// one shared crop, bin width 0.1, without MCC and the two features that repeat others.
    pub fn mr_rings() -> Params {
        let base = Params::pyradiomics();
        let exclude = ["glcm_MCC", "glcm_SumAverage", "glcm_JointAverage"].map(str::to_owned).to_vec();
        Params {
            preprocess: preprocess::Params {
                normalise: true,
                spacing_mm: vec![1.0, 1.0, 3.0],
                bin_width: 0.1,
                ..base.preprocess
            },
            roi: roi::Params { margins_mm: vec![2.0, 4.0, 6.0] },
            filter: filter::Params { images: vec!["all".to_owned()], crop: Crop::Shared, ..base.filter },
            feature: feature::Params { exclude, ..base.feature },
        }
    }
}

/// The features of one region, or why there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionFeatures {
    pub roi: Roi,
    /// One value a name of `catalogue`, in its order; `None` where the feature is undefined.
    pub outcome: Result<Vec<Option<f64>>, RegionError>,
}

/// One region's trouble: data, kept and shown.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RegionError {
    #[error("the region is empty")]
    Empty,
    #[error("the region is a single voxel, at least 2 in 2 dimensions are needed")]
    OneVoxel,
    #[error("the region is a line of {0} voxels, at least 2 dimensions are needed")]
    OneDimension(usize),
    #[error("{image}: {why}")]
    Filter { image: String, why: FilterError },
    #[error("{image}: {why}")]
    Levels { image: String, why: TooManyLevels },
}

/// Why a whole patient could not be described.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescribeError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
}

/// Names of all features under some parameters, `original_shape_Elongation` first.
///
/// # Panics
/// When `params.filter` names an image that no filter has: parameters are checked when they are read.
pub fn catalogue(params: &Params) -> Vec<String> {
    let wanted = params.feature.wanted();
    let name = |image: &str, (family, feature): (Family, &str)| format!("{image}_{}_{feature}", family.name());
    let ibsi = |image: &str, names: &[(usize, String)]| -> Vec<String> {
        names.iter().map(|(_, feature)| format!("{image}_ibsi_{feature}")).collect()
    };
    let outline = wanted.of_outline().into_iter().map(|feature| name("original", feature));
    let outline = outline.chain(ibsi("original", &wanted.ibsi.outline));
    let images = filters(params).into_iter().flat_map(|chosen| chosen.names);
    let of_image = wanted.of_image();
    outline
        .chain(images.flat_map(|image| {
            let own = of_image.iter().map(|&feature| name(&image, feature));
            own.chain(ibsi(&image, &wanted.ibsi.image)).collect::<Vec<_>>()
        }))
        .collect()
}

/// Image, mask and regions as features see them.
pub struct Regions {
    pub prepared: Prepared,
    pub shells: Shells,
}

/// Normalises, resamples and crops, and makes the shells of the regions.
pub fn prepare(image: &Image, mask: &Mask, rois: &[Roi], params: &Params) -> Result<Regions, PreprocessError> {
    let margins = margins(rois)?;
    let extent = extent(image.volume.geometry(), &margins, params);
    prepare_as(image, mask, rois, params, (&margins, extent))
}

/// Ascending, each once.
fn margins(rois: &[Roi]) -> Result<Vec<f64>, PreprocessError> {
    let mut margins: Vec<f64> = rois.iter().filter_map(|roi| roi.margin_mm()).collect();
    margins.sort_by(f64::total_cmp);
    margins.dedup();
    if margins.len() > roi::MAX_MARGINS {
        return Err(PreprocessError::TooManyMargins { n: margins.len(), most: roi::MAX_MARGINS });
    }
    Ok(margins)
}

fn prepare_as(
    image: &Image,
    mask: &Mask,
    rois: &[Roi],
    params: &Params,
    (margins, extent): (&[f64], Extent),
) -> Result<Regions, PreprocessError> {
    let image = preprocess::finite(image, || measured(mask, rois, margins), reads_around(params))?;
    let prepared = preprocess::prepare(&image, mask, extent, &params.preprocess)?;
    let shells = Shells::around(&prepared.mask, margins);
    Ok(Regions { prepared, shells })
}

/// What of an image has to be prepared to be measured: one that keeps its grid gives the bits of the whole within reach
/// of its regions.
fn measured_extent(image: &Image, mask: &Mask, margins_mm: &[f64], params: &Params) -> Extent {
    let geometry = image.volume.geometry();
    let usual = extent(geometry, margins_mm, params);
    if usual != Extent::Whole || !params.preprocess.spacing_mm.is_empty() {
        return usual;
    }
    let Some(tumour) = mask.bounds() else { return usual };
    let beyond = |mm: f64| geometry.spacing_mm.map(|spacing| (mm / spacing).ceil() as usize);
    let margin = beyond(margins_mm.last().copied().unwrap_or(0.0));
    let regions = tumour.grown(margin, geometry.shape);
    let mut kept = [0; 3];
    for chosen in filters(params) {
        let Some(reach) = chosen.filter.reach(&params.filter, geometry) else { return usual };
        let around = reach.around(regions, geometry.shape);
        kept = std::array::from_fn(|k| kept[k].max(around[k]));
    }
    if params.feature.has_ibsi() {
        // Its local intensity is a mean around each voxel.
        let around = beyond(crate::feature::ibsi::RADIUS_MM);
        kept = std::array::from_fn(|k| kept[k].max(around[k] + 1));
    }
    Extent::Around { voxels: std::array::from_fn(|k| kept[k] + margin[k]), counted_from: 5 }
}

/// The features of `rois`; one step of the job an image and region. Noise images hang on the image alone
/// (`Image::noise_seed`), so that everybody who measures it gets the same values.
///
/// # Panics
/// When `params.filter` names an image that no filter has: parameters are checked when they are read.
pub fn describe(
    image: &Image,
    mask: &Mask,
    rois: &[Roi],
    params: &Params,
    job: &Job,
) -> Result<Vec<RegionFeatures>, DescribeError> {
    let margins = margins(rois)?;
    let extent = measured_extent(image, mask, &margins, params);
    let regions = prepare_as(image, mask, rois, params, (&margins, extent))?;
    let n_images: usize = filters(params).iter().map(|chosen| chosen.names.len()).sum();
    // Voxels are hashed only where an image needs it.
    let seed = if params.filter.has_noise() { image.noise_seed() } else { Seed(0) };
    let work =
        Work { params, wanted: params.feature.wanted(), seed, stage: &job.stage("images", n_images * rois.len()) };
    let mut outcomes: Vec<Option<Result<Vec<Option<f64>>, RegionError>>> =
        rois.iter().map(|&roi| refusal(&regions.shells, roi).map(Err)).collect();
    let sound: Vec<usize> = (0..rois.len()).filter(|&at| outcomes[at].is_none()).collect();
    for (part, together) in domains(&regions, rois, &sound, params) {
        let described = work.describe(&part, &together.iter().map(|&at| rois[at]).collect::<Vec<_>>())?;
        for (at, outcome) in together.into_iter().zip(described) {
            outcomes[at] = Some(outcome);
        }
    }
    let outcomes = outcomes.into_iter().map(|outcome| outcome.expect("every region was refused or described"));
    Ok(rois.iter().zip(outcomes).map(|(&roi, outcome)| RegionFeatures { roi, outcome }).collect())
}

fn filters(params: &Params) -> Vec<Chosen> {
    filter::chosen(&params.filter).expect("parameters are checked when they are read")
}

/// Every voxel of some regions.
fn measured(mask: &Mask, rois: &[Roi], margins_mm: &[f64]) -> Mask {
    let shells = Shells::around(mask, margins_mm);
    let all: Vec<(u8, u8)> = rois.iter().filter_map(|&roi| shells.of(roi)).collect();
    // The tumour's box is the crop of every region.
    shells.grid().map(|shell| *shell == 0 || all.iter().any(|(first, last)| (first..=last).contains(&shell)))
}

/// What looks at voxels outside the regions, in words.
fn reads_around(params: &Params) -> Option<&'static str> {
    let is_filtered = filters(params).iter().any(|chosen| chosen.names.iter().any(|name| name != "original"));
    let readers = [
        (params.preprocess.normalise, "z-score normalization"),
        (!params.preprocess.spacing_mm.is_empty(), "resampling"),
        (is_filtered, "a filter"),
        (params.feature.has_ibsi(), "local intensity (IBSI)"),
    ];
    readers.into_iter().find(|(reads, _)| *reads).map(|(_, reader)| reader)
}

/// How much of the image is prepared.
///
/// pyradiomics crops a resampled image to 5 voxels around its mask and filters that. Regions around the tumour do not
/// exist before the image is resampled: it is prepared whole and each region then has its own crop.
fn extent(old: &Geometry, margins_mm: &[f64], params: &Params) -> Extent {
    let asked = &params.preprocess.spacing_mm;
    match params.filter.crop {
        // The IBSI's local intensity reaches beyond the region.
        Crop::Roi if asked.is_empty() || params.feature.has_ibsi() => Extent::Whole,
        Crop::Roi if margins_mm.is_empty() && params.roi.margins_mm.is_empty() => Extent::PYRADIOMICS,
        Crop::Roi => Extent::Whole,
        Crop::Shared => {
            let kept = |k: usize| asked.get(2 - k).is_none_or(|&mm| mm == 0.0);
            // An axis may keep its spacing for other reasons too: the finer of the two needs the wider crop.
            let spacing_mm =
                std::array::from_fn(|k| if kept(k) { old.spacing_mm[k] } else { asked[2 - k].min(old.spacing_mm[k]) });
            let geometry = Geometry { spacing_mm, ..old.clone() };
            let support =
                filter::support(&params.filter, &geometry).expect("parameters are checked when they are read");
            let beyond = if params.feature.has_ibsi() { crate::feature::ibsi::RADIUS_MM } else { 0.0 };
            let reach = margins_mm.iter().copied().fold(0.0, f64::max) + beyond;
            let voxels = std::array::from_fn(|k| (reach / spacing_mm[k]).floor() as usize + support[k] + 1);
            // The references keep 12 voxels around a tumour with margins, pyradiomics 5 around one alone.
            Extent::Around { voxels, counted_from: if margins_mm.is_empty() { 5 } else { 12 } }
        }
    }
}

/// Why a region cannot be described, as pyradiomics decides.
fn refusal(shells: &Shells, roi: Roi) -> Option<RegionError> {
    let region = shells.region(roi).expect("the shells were made for this region");
    let Some(bounds) = region.bounds() else { return Some(RegionError::Empty) };
    match (region.count(), bounds.shape.iter().filter(|&&n| n > 1).count()) {
        (1, _) => Some(RegionError::OneVoxel),
        (n, 0 | 1) => Some(RegionError::OneDimension(n)),
        _ => None,
    }
}

/// A part of the prepared image that is filtered at once, with the shells in it.
struct Part {
    image: Image,
    at: [i64; 3],
    shells: Grid<u8>,
    of: Vec<(u8, u8)>,
    /// The box around its regions.
    regions: Bounds,
}

impl Part {
    fn new(image: Image, at: [i64; 3], shells: Grid<u8>, of: Vec<(u8, u8)>) -> Part {
        let inside = shells.map(|shell| of.iter().any(|of| (of.0..=of.1).contains(shell)));
        let regions = inside.bounds().unwrap_or(Bounds { low: [0; 3], shape: shells.geometry().shape });
        Part { image, at, shells, of, regions }
    }

    /// The part itself, as a box.
    fn whole(&self) -> Bounds {
        Bounds { low: [0; 3], shape: self.shells.geometry().shape }
    }

    /// The voxels of some consecutive shells.
    fn region(&self, (first, last): (u8, u8)) -> Mask {
        self.shells.map(|shell| (first..=last).contains(shell))
    }
}

/// The parts, and which regions each is for.
fn domains(regions: &Regions, rois: &[Roi], sound: &[usize], params: &Params) -> Vec<(Part, Vec<usize>)> {
    let Regions { prepared, shells } = regions;
    let range = |at: usize| shells.of(rois[at]).expect("the shells were made for this region");
    let whole = |together: Vec<usize>| {
        let of = together.iter().map(|&at| range(at)).collect();
        (Part::new(prepared.image.clone(), prepared.at, shells.grid().clone(), of), together)
    };
    let own_grid = params.preprocess.spacing_mm.is_empty();
    let whole_image = params.filter.crop == Crop::Shared || own_grid || params.feature.has_ibsi();
    if whole_image || params.roi.margins_mm.is_empty() && rois == [Roi::Intra] {
        return if sound.is_empty() { Vec::new() } else { vec![whole(sound.to_vec())] };
    }
    let cut = |&at: &usize| {
        let region = shells.region(rois[at]).expect("the shells were made for this region");
        let bounds = region.bounds().expect("an empty region was refused");
        let bounds = bounds.grown([5; 3], prepared.mask.geometry().shape);
        let from: [i64; 3] = std::array::from_fn(|k| prepared.at[k] + bounds.low[k] as i64);
        let part = Part::new(prepared.image.cut(bounds), from, shells.grid().cut(bounds), vec![range(at)]);
        (part, vec![at])
    };
    sound.iter().map(cut).collect()
}

/// What stays the same over all images and regions of a patient.
struct Work<'a> {
    params: &'a Params,
    wanted: Wanted,
    seed: Seed,
    stage: &'a Stage<'a>,
}

type Values = Vec<Option<f64>>;

impl Work<'_> {
    /// One outcome a region of the part.
    fn describe(&self, part: &Part, rois: &[Roi]) -> Result<Vec<Result<Values, RegionError>>, Cancelled> {
        let layouts = layouts(part);
        let spacing_mm = part.image.volume.geometry().spacing_mm;
        let mut outlines: Vec<Values> = layouts.iter().flat_map(|layout| self.outlines(layout, spacing_mm)).collect();
        let ibsi: Vec<Outline> = match self.params.feature.has_ibsi() {
            true => part.of.par_iter().map(|&of| Outline::new(part.region(of))).collect(),
            false => Vec::new(),
        };
        outlines.iter_mut().zip(&ibsi).for_each(|(own, outline)| own.extend(self.wanted.ibsi.of_outline(outline)));
        let chosen = filters(self.params);
        let by_filter: Vec<Vec<Vec<Result<Values, RegionError>>>> = chosen
            .par_iter()
            .map(|chosen| self.images(part, &layouts, &ibsi, chosen))
            .collect::<Result<_, Cancelled>>()?;
        let by_image: Vec<Vec<Result<Values, RegionError>>> = by_filter.into_iter().flatten().collect();
        let mut outcomes: Vec<Result<Values, RegionError>> = outlines.into_iter().map(Ok).collect();
        for image in by_image {
            for (outcome, values) in outcomes.iter_mut().zip(image) {
                match (&mut *outcome, values) {
                    (Ok(all), Ok(values)) => all.extend(values),
                    (Ok(_), Err(error)) => *outcome = Err(error),
                    (Err(_), _) => (),
                }
            }
        }
        debug_assert_eq!(outcomes.len(), rois.len());
        Ok(outcomes)
    }

    fn outlines(&self, layout: &Layout, spacing_mm: [f64; 3]) -> Vec<Values> {
        let regions: Vec<usize> = (0..layout.regions.len()).collect();
        regions.into_par_iter().map(|region| shape::describe(&self.wanted, layout, region, spacing_mm)).collect()
    }

    /// Every image of a filter; of each, one outcome a region.
    fn images(
        &self,
        part: &Part,
        layouts: &[Layout],
        ibsi: &[Outline],
        chosen: &Chosen,
    ) -> Result<Vec<Vec<Result<Values, RegionError>>>, Cancelled> {
        let bounds = self.seen_by(chosen.filter, part);
        let at = std::array::from_fn(|k| part.at[k] + bounds.low[k] as i64);
        let cut = (bounds != part.whole()).then(|| part.image.cut(bounds));
        let image = cut.as_ref().unwrap_or(&part.image);
        let input = Input { image, at, params: &self.params.filter, seed: self.seed };
        let images: Vec<(&String, Filtered)> = chosen.names.iter().zip(chosen.apply(&input)).collect();
        let bins = self.bins((chosen.filter.element)(&input));
        images.into_par_iter().map(|(name, filtered)| self.image(layouts, ibsi, name, filtered, bounds, bins)).collect()
    }

    /// What of a part a filter has to see: in a shared crop, one that looks no further needs its support only; in an
    /// image that keeps its grid, what gives the bits of the whole image.
    fn seen_by(&self, filter: &Filter, part: &Part) -> Bounds {
        let Params { filter: params, feature, preprocess, .. } = self.params;
        let geometry = part.image.volume.geometry();
        let around = match params.crop {
            _ if feature.has_ibsi() => None,
            // One more, for a wavelet's axis of odd length is one voxel longer.
            Crop::Shared if filter.sight == Sight::Support => {
                Some((filter.support)(params, geometry).map(|voxels| voxels + 1))
            }
            Crop::Roi if preprocess.spacing_mm.is_empty() => {
                filter.reach(params, geometry).map(|reach| reach.around(part.regions, geometry.shape))
            }
            Crop::Shared | Crop::Roi => None,
        };
        around.map_or_else(|| part.whole(), |voxels| part.regions.grown(voxels, geometry.shape))
    }

    /// Grey levels are pyradiomics' to the last rounding where the filters' crop is; otherwise no region must move them.
    fn bins(&self, element: Element) -> Bins {
        let precision = if element == Element::F32 { Precision::Single } else { Precision::Double };
        let edges = match self.params.filter.crop {
            Crop::Roi => Edges::Counted(precision),
            Crop::Shared => Edges::Multiples,
        };
        Bins { width: self.params.preprocess.bin_width, edges }
    }

    /// One outcome a region of one image.
    fn image(
        &self,
        layouts: &[Layout],
        ibsi: &[Outline],
        name: &str,
        filtered: Filtered,
        bounds: Bounds,
        bins: Bins,
    ) -> Result<Vec<Result<Values, RegionError>>, Cancelled> {
        let mut outcomes = Vec::new();
        for layout in layouts {
            let error = |why| RegionError::Filter { image: name.to_owned(), why };
            let described = filtered.as_ref().map_err(|why| error(why.clone())).and_then(|volume| {
                let voxel_mm3 = volume.geometry().voxel_mm3();
                measure(&self.wanted, layout, &layout.gather(volume.as_slice(), bounds), bins, voxel_mm3)
                    .map_err(|why| RegionError::Levels { image: name.to_owned(), why })
            });
            outcomes.extend(match described {
                Ok(regions) => regions.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error); layout.regions.len()],
            });
        }
        if let Ok(volume) = &filtered {
            outcomes.iter_mut().zip(ibsi).for_each(|(outcome, outline)| self.add_ibsi(outcome, volume, outline, name));
        }
        outcomes.iter().try_for_each(|_| self.stage.step())?;
        Ok(outcomes)
    }

    /// Appends the features of the IBSI's families.
    fn add_ibsi(&self, outcome: &mut Result<Values, RegionError>, volume: &Volume, outline: &Outline, name: &str) {
        let Ok(values) = outcome else { return };
        let Params { feature, preprocess, .. } = self.params;
        match self.wanted.ibsi.of_image(volume, outline, &feature.ibsi, preprocess.bin_width) {
            Ok(own) => values.extend(own),
            Err(why) => *outcome = Err(RegionError::Levels { image: name.to_owned(), why }),
        }
    }
}

/// One layout for all regions, or one each when they have too many shells for one.
fn layouts(part: &Part) -> Vec<Layout> {
    let low = part.of.iter().map(|of| of.0).min().unwrap_or(0);
    let high = part.of.iter().map(|of| of.1).max().unwrap_or(0);
    if usize::from(high - low) < MAX_SHELLS {
        return vec![Layout::new(&part.shells, &part.of)];
    }
    part.of.iter().map(|&of| Layout::new(&merged(&part.shells, of), &[(0, 0)])).collect()
}

/// A region as a single shell.
fn merged(shells: &Grid<u8>, (first, last): (u8, u8)) -> Grid<u8> {
    shells.map(|shell| if (first..=last).contains(shell) { 0 } else { OUTSIDE })
}

/// Everything but shape, for every region of a layout; `values` are those of its voxels.
pub fn measure(
    wanted: &Wanted,
    layout: &Layout,
    values: &[f64],
    bins: Bins,
    voxel_mm3: f64,
) -> Result<Vec<Values>, TooManyLevels> {
    let levels = Levels::new(layout, values, bins)?;
    let too_many = layout.n_shells > 1 && levels.span > ngtdm::MAX_PACKED;
    if too_many || layout.regions.len() > 1 && !levels.are_those_of_each_region(layout, values, bins) {
        return alone(wanted, layout, values, bins, voxel_mm3);
    }
    let links = Links::new(layout, &levels);
    let families = [
        firstorder::describe(wanted, layout, values, &levels, voxel_mm3),
        glcm::describe(wanted, layout, &levels),
        glrlm::describe(wanted, layout, &levels),
        glszm::describe(wanted, layout, &levels, &links),
        gldm::describe(wanted, layout, &levels, &links),
        ngtdm::describe(wanted, layout, &levels),
    ];
    let of_region = |region: usize| families.iter().flat_map(|family| family[region].iter().copied()).collect();
    Ok((0..layout.regions.len()).map(of_region).collect())
}

/// Each region by itself: with very many levels their sums do not fit beside each other, and with edges counted from
/// each region's minimum a voxel may have two levels.
fn alone(
    wanted: &Wanted,
    layout: &Layout,
    values: &[f64],
    bins: Bins,
    voxel_mm3: f64,
) -> Result<Vec<Values>, TooManyLevels> {
    let mut described = Vec::new();
    for region in 0..layout.regions.len() {
        let (single, values) = layout.single(region, values);
        described.extend(measure(wanted, &single, &values, bins, voxel_mm3)?);
    }
    Ok(described)
}

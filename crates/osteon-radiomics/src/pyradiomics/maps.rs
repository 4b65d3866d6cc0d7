//! Feature maps: the features of the kernel around each voxel of a region, as pyradiomics' voxel-based extraction.

use ndarray::Array3;
use rayon::prelude::*;

use crate::feature::general::{Cells, Rules};
use crate::feature::layout::{Layout, OUTSIDE};
use crate::feature::levels::Levels;
use crate::feature::{Wanted, firstorder, general};
use crate::grid::{Bounds, Element, Grid, Image, Mask, Volume};
use crate::pyradiomics::class::{Class, wanted};
use crate::pyradiomics::document::{Kernel, Parameters};
use crate::pyradiomics::extract::{ExtractError, by_family, ready};
use crate::pyradiomics::images::Source;
use crate::pyradiomics::settings::Settings;
use osteon_base::job::{Cancelled, Job};

/// One feature of one image over its region; the grid is the region's box and the kernel's radius around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// pyradiomics' name, as in `original_glcm_JointEntropy`.
    pub name: String,
    /// Not a number where the kernel has no value; the initial value outside the region.
    pub volume: Volume,
}

/// Why there are no maps.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MapError {
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error("no feature is called {name}; there are {valid}")]
    Unknown { name: String, valid: String },
    #[error("{0} is of a whole region: no voxel has it")]
    OfOutline(String),
}

impl From<Cancelled> for MapError {
    fn from(cancelled: Cancelled) -> MapError {
        MapError::Extract(cancelled.into())
    }
}

/// Maps of some features (`glcm_JointEntropy`, or `glcm` for all of a class) on every image that the parameters ask for,
/// and what could not be made, one sentence each.
pub fn maps(
    image: &Image,
    mask: &Mask,
    parameters: &Parameters,
    names: &[String],
    job: &Job,
) -> Result<(Vec<Map>, Vec<String>), MapError> {
    let classes = classes(names)?;
    let radius = parameters.kernel.radius;
    let ready = ready(image, mask, parameters, radius)?;
    let bounds = ready.bounds.grown([radius; 3], ready.region.geometry().shape);
    let region = ready.region.cut(bounds);
    let source = Source { parameters, image: &ready.prepared.image, bounds, most: ready.most };
    let (mut made, mut notes) = (Vec::new(), Vec::new());
    for (kind, _) in &parameters.images {
        let settings = parameters.settings_of(*kind);
        for (name, volume, element) in source.images(*kind, &mut notes)? {
            let work = Work::new(&name, &volume, &region, &settings, parameters.kernel, element)?;
            made.extend(
                work.maps(&classes, job)?
                    .into_iter()
                    .map(|(feature, volume)| Map { name: format!("{name}_{feature}"), volume }),
            );
        }
    }
    Ok((made, notes))
}

type Classes = Vec<(Class, Vec<String>)>;

/// Classes and their features in the order that was asked for.
fn classes(names: &[String]) -> Result<Classes, MapError> {
    let mut found = Classes::new();
    for name in names {
        let (word, feature) = name.split_once('_').map_or((name.as_str(), None), |(class, own)| (class, Some(own)));
        let class = Class::from_name(word).ok_or_else(|| MapError::Unknown {
            name: name.clone(),
            valid: "firstorder, glcm, gldm, glrlm, glszm, ngtdm, and one of their features, as in glcm_JointEntropy"
                .to_owned(),
        })?;
        if class.is_shape() {
            return Err(MapError::OfOutline(name.clone()));
        }
        let own: Vec<String> = match feature {
            None => class.usual().into_iter().map(str::to_owned).collect(),
            Some(own) if class.knows(own) && class.instead_of(own).is_none() => vec![own.to_owned()],
            Some(_) => {
                let usual = class.usual().into_iter().map(|own| format!("{word}_{own}")).collect::<Vec<_>>();
                return Err(MapError::Unknown { name: name.clone(), valid: usual.join(", ") });
            }
        };
        match found.iter_mut().find(|(known, _)| *known == class) {
            Some((_, all)) => all.extend(own.into_iter().filter(|own| !all.contains(own)).collect::<Vec<_>>()),
            None => found.push((class, own)),
        }
    }
    Ok(found)
}

/// One image in the box of its maps.
struct Work<'a> {
    volume: &'a Volume,
    region: &'a Mask,
    settings: &'a Settings,
    kernel: Kernel,
    rules: Rules,
    /// Gray levels from 1 on, of the region or of the whole box; 0 outside.
    levels: Array3<u32>,
    highest: usize,
}

impl<'a> Work<'a> {
    fn new(
        name: &str,
        volume: &'a Volume,
        region: &'a Mask,
        settings: &'a Settings,
        kernel: Kernel,
        element: Element,
    ) -> Result<Work<'a>, ExtractError> {
        let shells = region.map(|&inside| if inside || !kernel.masked { 0 } else { OUTSIDE });
        let layout = Layout::new(&shells, &[(0, 0)]);
        let values = layout.gather(volume.as_slice(), Bounds { low: [0; 3], shape: volume.geometry().shape });
        let odd = values.iter().filter(|value| !value.is_finite()).count();
        if odd > 0 {
            return Err(ExtractError::NotFinite { image: name.to_owned(), voxels: odd });
        }
        let levels = Levels::new(&layout, &values, settings.bins(element))
            .map_err(|why| ExtractError::Levels { image: name.to_owned(), why })?;
        let below = levels.lowest[0] as u32 - 1;
        let mut cells = Array3::zeros(volume.geometry().shape);
        let mut of_voxel = levels.of_voxel.iter();
        // Voxels of a single shell are listed in the order of the grid.
        for (cell, shell) in cells.iter_mut().zip(shells.as_slice()) {
            if *shell == 0 {
                *cell = u32::from(*of_voxel.next().expect("one level a voxel")) - below;
            }
        }
        let highest = levels.highest[0] + 1 - levels.lowest[0];
        Ok(Work { volume, region, settings, kernel, rules: settings.rules(), levels: cells, highest })
    }

    /// Names and maps.
    fn maps(&self, classes: &Classes, job: &Job) -> Result<Vec<(String, Volume)>, Cancelled> {
        let wanted = wanted(classes).wanted();
        let inside = self.region.cells().indexed_iter().filter(|(_, inside)| **inside);
        let places: Vec<[usize; 3]> = inside.map(|((z, y, x), _)| [z, y, x]).collect();
        let stage = job.stage("kernels", places.len());
        let found: Vec<Vec<Option<f64>>> = places
            .par_iter()
            .map(|&place| {
                stage.step()?;
                Ok(self.at(place, classes, &wanted))
            })
            .collect::<Result<_, Cancelled>>()?;
        let names =
            classes.iter().flat_map(|(class, own)| own.iter().map(move |own| format!("{}_{own}", class.name())));
        let map = |(at, name): (usize, String)| {
            let mut cells = Array3::from_elem(self.volume.geometry().shape, self.kernel.initial);
            for (place, values) in places.iter().zip(&found) {
                cells[*place] = values[at].unwrap_or(f64::NAN);
            }
            (name, Grid::new(self.volume.geometry().clone(), cells).expect("the cells have the volume's shape"))
        };
        Ok(names.enumerate().map(map).collect())
    }

    /// The features of the kernel around a voxel.
    fn at(&self, place: [usize; 3], classes: &Classes, wanted: &Wanted) -> Vec<Option<f64>> {
        let shape = self.volume.geometry().shape;
        let reach = |k: usize| if self.rules.across == Some(k) { 0 } else { self.kernel.radius };
        let bounds = Bounds { low: place, shape: [1; 3] }.grown(std::array::from_fn(reach), shape);
        let [z, y, x] = std::array::from_fn(|k| bounds.low[k]..bounds.low[k] + bounds.shape[k]);
        let levels = self.levels.slice(ndarray::s![z.clone(), y.clone(), x.clone()]);
        let cells = Cells {
            shape: bounds.shape,
            levels: levels.iter().copied().collect(),
            highest: self.highest,
            is_flat: self.highest_is_only(),
        };
        let inside = self.volume.cells().slice(ndarray::s![z, y, x]);
        let values: Vec<f64> =
            inside.iter().zip(&cells.levels).filter(|(_, level)| **level > 0).map(|(value, _)| *value).collect();
        let voxel_mm3 = self.volume.geometry().voxel_mm3();
        let mut all = Vec::new();
        if !wanted.firstorder.is_empty() {
            all.extend(self.distribution(&cells, &values, wanted, voxel_mm3));
        }
        let texture = general::of_cells(wanted, &cells, &self.rules, self.volume.geometry().spacing_mm);
        all.extend(texture.into_iter().flatten());
        let found = by_family(wanted, all, &values, self.settings, voxel_mm3);
        let nothing = Default::default();
        let value = |class: Class, own: &str| class.value(own, found.get(class.name()).unwrap_or(&nothing));
        classes
            .iter()
            .flat_map(|(class, own)| own.iter().map(move |own| (*class, own)))
            .map(|(c, o)| value(c, o))
            .collect()
    }

    /// Whether the region has a single gray level.
    fn highest_is_only(&self) -> bool {
        self.levels.iter().all(|level| *level == 0 || *level as usize == self.highest)
    }

    /// First-order features.
    fn distribution(&self, cells: &Cells, values: &[f64], wanted: &Wanted, voxel_mm3: f64) -> Vec<Option<f64>> {
        let mut counts = vec![0; self.highest + 1];
        cells.levels.iter().filter(|level| **level > 0).for_each(|&level| counts[level as usize] += 1);
        firstorder::of_values(wanted, values, &counts, voxel_mm3)
    }
}

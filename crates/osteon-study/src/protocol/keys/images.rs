//! Settings from the image file to the feature.

use toml::Value;

use crate::protocol::Protocol;
use crate::protocol::keys::takes::{ABOVE_ZERO, ANY_NUMBER, MARGIN, NO_LIMIT, NOT_NEGATIVE, PART_OF_A_VOXEL, POSITIVE};
use crate::protocol::keys::{Key, Takes, empty, listed, names, on, one_of, untold, words};

pub(in crate::protocol::keys) const KEYS: &[Key] = &[
    Key::new("acquisition.repetition_time_ms", "expected repetition time; 0 expects none", Takes::Number(NOT_NEGATIVE), |value| {
        expected("repetition time", value, "ms")
    })
    .unit("ms"),
    Key::new("acquisition.echo_time_ms", "expected echo time; 0 expects none", Takes::Number(NOT_NEGATIVE), |value| {
        expected("echo time", value, "ms")
    })
    .unit("ms"),
    Key::new("acquisition.slice_thickness_mm", "expected slice thickness; 0 expects none", Takes::Number(NOT_NEGATIVE), |value| {
        expected("slice thickness", value, "mm")
    })
    .unit("mm"),
    Key::new("acquisition.field_strength_t", "expected field strength; 0 expects none", Takes::Number(NOT_NEGATIVE), |value| {
        expected("field strength", value, "T")
    })
    .unit("T"),
    Key::new("acquisition.fat_suppressed", "whether fat suppression is expected", Takes::Flag, |value| {
        on(value, "Fat suppression was expected.", "")
    }),
    Key::new("acquisition.modality", "expected modality; empty expects none", Takes::Text("DICOM's word, such as MR"), |value| {
        told(value, |word| format!("The expected modality was {word}."))
    }),
    Key::new("acquisition.contrast", "whether a contrast agent is expected", Takes::Word(&["any", "with", "without"]), |value| {
        let with = ("with", "A contrast agent was expected.");
        one_of(value, &[with, ("without", "Images without a contrast agent were expected.")])
    }),
    Key::new("acquisition.b_value", "expected diffusion weighting; 0 expects none", Takes::Number(NOT_NEGATIVE), |value| {
        expected("b-value", value, "s/mm2")
    })
    .unit("s/mm2"),
    Key::new("acquisition.unit", "expected unit of quantities; empty expects none", Takes::Text("a unit, such as 1e-6 mm2/s"), |value| {
        told(value, |unit| format!("Intensities were expected in {unit}."))
    }),
    Key::new(
        "acquisition.tolerance",
        "part by which a value may differ from the expected one before it is called a deviation",
        Takes::Number(NOT_NEGATIVE),
        |value| {
            let percent = value.as_float()? * 100.0;
            Some(format!("Deviations of more than {percent:.0}% from these values were reported."))
        },
    )
    .needs(expects_numbers, "no number of acquisition is expected"),
    Key::new(
        "mask.tolerance_voxels",
        "largest distance between a mask's corner voxels and the image's grid",
        Takes::Number(PART_OF_A_VOXEL),
        |value| {
            let usual = osteon_radiomics::read::Params::default().tolerance_voxels;
            let other = value.as_float().filter(|number| *number != usual)?;
            Some(format!("A mask could lie up to {other} voxels off its image's grid at the corners."))
        },
    )
    .unit("voxels"),
    Key::new("mask.resample", "what happens to a mask of another grid than its image's", Takes::Word(&["never", "nearest"]), |value| {
        one_of(value, &[("nearest", "A mask on another grid was resampled to the image's by nearest neighbour.")])
    }),
    Key::new("mask.cut", "what happens to a region of which a part lies outside the image", Takes::Word(&["refuse", "accept"]), |value| {
        one_of(value, &[("accept", "A region that the image cuts was measured where the image holds it.")])
    }),
    Key::new(
        "mask.other_frame",
        "what happens to contours and segmentations of another frame of reference than their image's",
        Takes::Word(&["refuse", "accept"]),
        |value| {
            one_of(value, &[(
                "accept",
                "Contours and segmentations of another frame of reference than their image's were accepted.",
            )])
        },
    ),
    Key::new("mask.uneven", "what happens to a series of unevenly spaced slices", Takes::Word(&["refuse", "resample"]), |value| {
        one_of(value, &[("resample", "Unevenly spaced slices of a series were interpolated linearly to even ones.")])
    }),
    Key::new("preprocess.normalise", "z-score normalization over all voxels of the image", Takes::Flag, |value| {
        on(
            value,
            "Intensities were z-score normalized over all voxels of each image.",
            "Intensities were used as they are in the files.",
        )
    }),
    Key::new(
        "preprocess.spacing_mm",
        "voxel size x, y, z to resample to; 0 keeps the file's, [] keeps the image's own grid",
        Takes::Numbers(NOT_NEGATIVE),
        |value| {
            Some(match value.as_array()?.iter().map(words).collect::<Vec<_>>().as_slice() {
                [] => "Images kept their own voxels.".to_owned(),
                sizes => format!("Images were resampled to {} mm.", sizes.join(" × ")),
            })
        },
    )
    .unit("mm"),
    Key::new("preprocess.grid", "where the resampled grid lies on the image's", Takes::Word(&["corner", "centre"]), |value| {
        one_of(value, &[
            ("corner", "The new grid shares its corner with the image's, as in pyradiomics;"),
            ("centre", "The new grid shares its center with the image's, as the IBSI asks;"),
        ])
    })
    .needs(resampled, "preprocess.spacing_mm is empty"),
    Key::new("preprocess.interpolation", "how intensities between voxels are found", Takes::Word(&["linear", "bspline"]), |value| {
        one_of(value, &[
            ("linear", "intensities were interpolated linearly"),
            ("bspline", "intensities were interpolated by cubic B-splines"),
        ])
    })
    .needs(resampled, "preprocess.spacing_mm is empty"),
    Key::new("preprocess.mask_interpolation", "how a mask is resampled", Takes::Word(&["nearest", "linear"]), |value| {
        one_of(value, &[
            ("nearest", "and masks by nearest neighbour."),
            ("linear", "and masks linearly, a voxel being inside from one half on."),
        ])
    })
    .needs(resampled, "preprocess.spacing_mm is empty"),
    Key::new("preprocess.round", "whether resampled intensities are rounded to whole numbers", Takes::Flag, |value| {
        on(value, "Resampled intensities were rounded to whole numbers.", "")
    })
    .needs(resampled, "preprocess.spacing_mm is empty"),
    Key::new("preprocess.bin_width", "width of the gray level bins, anchored at 0", Takes::Number(ABOVE_ZERO), |value| {
        Some(format!("Gray levels were discretized with a fixed bin width of {}, anchored at 0.", words(value)))
    })
    .unit("intensity")
    .needs(has_bins_of_width, "no chosen family bins by a fixed width"),
    Key::new(
        "roi.margins_mm",
        "margins of the peritumoral regions; each gives a ring and the tumor with its ring",
        Takes::Numbers(MARGIN),
        |value| {
            Some(if empty(value) {
                "The tumor was the only region.".to_owned()
            } else {
                let margins: Vec<String> = value.as_array()?.iter().map(words).collect();
                format!(
                    "Besides the tumor, peritumoral regions were generated by {}-mm expansion (exact Euclidean distance), \
                     alone and together with the tumor.",
                    listed(&margins, "and").replace(", ", "-, ").replace(" and ", "- and ")
                )
            })
        },
    )
    .unit("mm"),
    Key::new("filter.images", "images that features are measured on: names or groups, or all", Takes::Names("names of images or groups, or all"), untold),
    Key::new("filter.log_sigma_mm", "scales of the Laplacian of Gaussian", Takes::Numbers(POSITIVE), |value| {
        (!empty(value)).then(|| format!("The Laplacian of Gaussian had sigmas of {} mm", words(value)))
    })
    .unit("mm")
    .needs(has_log, "filter.images has no Laplacian of Gaussian"),
    Key::new("filter.log_kernel", "how the Laplacian of Gaussian is computed", Takes::Word(&["recursive", "exact"]), |value| {
        one_of(value, &[
            ("recursive", "and the recursive Gaussian of ITK, as in pyradiomics."),
            ("exact", "and a sampled Gaussian truncated at four sigma."),
        ])
    })
    .needs(has_log, "filter.images has no Laplacian of Gaussian"),
    Key::new("filter.crop", "the part of the image that filters see", Takes::Word(&["roi", "shared"]), |value| {
        one_of(value, &[
            ("shared", "Filters were applied to one box around all regions of a patient."),
            ("roi", "Filters were applied to each region's box and 5 voxels around it, as in pyradiomics."),
        ])
    })
    .needs(filtered, "filter.images is the original image alone"),
    Key::new("feature.families", "feature families: those of pyradiomics, and ibsi for those of the IBSI's manual", Takes::Names("names of families"), |value| {
        Some(format!("Feature families (names of pyradiomics): {}.", names(value)))
    }),
    Key::new("feature.exclude", "features left out, as family_Name", Takes::Names("names of features"), |value| {
        (!empty(value)).then(|| format!("Excluded features: {}.", names(value)))
    }),
    Key::new("feature.ibsi.range", "least and largest intensity that stays in a region; [] keeps all", Takes::Numbers(ANY_NUMBER), |value| {
        Some(match value.as_array()?.iter().map(words).collect::<Vec<_>>().as_slice() {
            [low, high] => format!("IBSI families: intensities outside {low} to {high} were excluded from a region,"),
            _ => "IBSI families: no intensity was excluded by its range,".to_owned(),
        })
    })
    .unit("intensity")
    .needs(ibsi, "feature.families has no ibsi"),
    Key::new("feature.ibsi.outliers_sd", "standard deviations from the mean beyond which a voxel is excluded; 0 keeps all", Takes::Number(NOT_NEGATIVE), |value| {
        Some(match value.as_float()? {
            0.0 => "none as an outlier.".to_owned(),
            sd => format!("and those more than {sd} standard deviations from the mean."),
        })
    })
    .unit("SD")
    .needs(ibsi, "feature.families has no ibsi"),
    Key::new("feature.ibsi.n_bins", "number of gray levels of the IBSI families; 0 takes bins of preprocess.bin_width", Takes::Whole(0, MAX_BINS), |value| {
        Some(match value.as_integer()? {
            0 => {
                "Their gray levels are bins of the fixed width that begin at the range's lower end, or at a region's least \
                 intensity."
                    .to_owned()
            }
            n => format!("Their gray levels are {n} bins of equal width between a region's extremes."),
        })
    })
    .needs(ibsi, "feature.families has no ibsi"),
    Key::new("feature.ibsi.volume_n_bins", "bins of the intensity-volume histogram; 0 takes volume_bin_width", Takes::Whole(0, MAX_BINS), |value| {
        Some(match value.as_integer()? {
            0 => "Their intensity-volume histogram has no fixed number of bins".to_owned(),
            n => format!("Their intensity-volume histogram has {n} bins."),
        })
    })
    .needs(ibsi, "feature.families has no ibsi"),
    Key::new(
        "feature.ibsi.volume_bin_width",
        "bin width of the intensity-volume histogram; 0 takes intensities as they are",
        Takes::Number(NOT_NEGATIVE),
        |value| {
            Some(match value.as_float()? {
                0.0 => "and no fixed bin width.".to_owned(),
                width => format!("and a bin width of {width}."),
            })
        },
    )
    .unit("intensity")
    .needs(
        |it| ibsi(it) && it.feature.ibsi.volume_n_bins == 0,
        "feature.families has no ibsi, or feature.ibsi.volume_n_bins is not 0",
    ),
    Key::new("feature.ibsi.dimensions", "neighborhoods of texture", Takes::Words(&["2D", "2.5D", "3D"]), |value| {
        Some(format!("Their neighborhoods were taken in {}.", words(value)))
    })
    .needs(ibsi, "feature.families has no ibsi"),
];

/// More bins have no room in the tables of levels.
const MAX_BINS: i64 = 20_000;
const _: () = assert!(MAX_BINS < NO_LIMIT);

/// What the acquisition was expected to be; 0 means that any value would do.
fn expected(what: &str, value: &Value, unit: &str) -> Option<String> {
    let number = value.as_float().filter(|number| *number > 0.0)?;
    Some(format!("The expected {what} was {number} {unit}."))
}

/// A sentence on a word that is not empty.
fn told(value: &Value, sentence: impl Fn(&str) -> String) -> Option<String> {
    value.as_str().filter(|word| !word.is_empty()).map(sentence)
}

fn expects_numbers(protocol: &Protocol) -> bool {
    let it = &protocol.acquisition;
    [it.repetition_time_ms, it.echo_time_ms, it.slice_thickness_mm, it.field_strength_t, it.b_value]
        .iter()
        .any(|it| *it > 0.0)
}

fn resampled(protocol: &Protocol) -> bool {
    !protocol.preprocess.spacing_mm.is_empty()
}

fn has_bins_of_width(protocol: &Protocol) -> bool {
    let of_width = |family: &String| match family.as_str() {
        "shape" => false,
        "ibsi" => protocol.feature.ibsi.n_bins == 0,
        _ => true,
    };
    protocol.feature.families.iter().any(of_width)
}

fn has_log(protocol: &Protocol) -> bool {
    osteon_radiomics::filter::chosen(&protocol.filter)
        .is_ok_and(|chosen| chosen.iter().any(|it| it.filter.key == "log"))
}

fn filtered(protocol: &Protocol) -> bool {
    let names = |it: &osteon_radiomics::filter::Chosen| it.names.iter().any(|name| name != "original");
    osteon_radiomics::filter::chosen(&protocol.filter).is_ok_and(|chosen| chosen.iter().any(names))
}

fn ibsi(protocol: &Protocol) -> bool {
    protocol.feature.has_ibsi()
}

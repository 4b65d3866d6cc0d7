//! The one error that sees all others, with its exit code and its hint.

use std::path::PathBuf;

use crate::model::ModelError;
use crate::pipeline::learn::LearnError;
use crate::protocol::ProtocolError;
use crate::store::StoreError;
use osteon_radiomics::describe::{DescribeError, RegionError};
use osteon_radiomics::preprocess::PreprocessError;
use osteon_radiomics::read::ReadError;
use osteon_radiomics::read::dicom::DicomError;

/// Why a request could not be met.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: not written by this program, or changed since: {names}", folder.display())]
    WouldReplace { folder: PathBuf, names: String },
    #[error("internal error while {0}; standard error tells where")]
    Internal(&'static str),
    #[error("{}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error("{option} takes one file, {found} are given")]
    OneFile { option: &'static str, found: usize },
    #[error("{}", path.display())]
    Published { path: PathBuf, source: osteon_reconcile::read::ReadError },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}", path.display())]
    Image { path: PathBuf, source: ReadError },
    #[error("{}", path.display())]
    Dicom { path: PathBuf, source: Box<DicomError> },
    #[error("{}", path.display())]
    Zip { path: PathBuf, source: osteon_radiomics::read::zip::ZipError },
    #[error("{}: not DICOM, so it has no series or structure {part}", path.display())]
    NoParts { path: PathBuf, part: String },
    #[error("{}: a structure by name and one by number, expected one of the two", .0.display())]
    NameAndLabel(PathBuf),
    #[error("{}: contours or a segmentation, expected an image", .0.display())]
    NoImageFile(PathBuf),
    #[error("{}: the file is not the one that was imported", .0.display())]
    Changed(PathBuf),
    #[error("{}: the folder is not empty", .0.display())]
    NotEmpty(PathBuf),
    #[error("feature values are printed as CSV only")]
    OnlyCsv,
    #[error("features are printed as csv or json")]
    OnlyCsvOrJson,
    #[error("{roi}")]
    Region { roi: String, source: RegionError },
    #[error("no job {0} that this osteon can run")]
    NoJob(i64),
    #[error("job {0} is waiting or running")]
    JobBusy(i64),
    #[error("{0} findings: the study is not what it says it is")]
    NotVerified(usize),
    #[error("{}: a study that is not the synthetic one", .0.display())]
    NotDemo(PathBuf),
    #[error(transparent)]
    Describe(DescribeError),
    #[error("{}", path.display())]
    Parameters { path: PathBuf, source: osteon_radiomics::pyradiomics::ParametersError },
    #[error(transparent)]
    Extract(osteon_radiomics::pyradiomics::ExtractError),
    #[error("the CSV file")]
    Csv(#[from] csv::Error),
    #[error("{}", path.display())]
    InFile { path: PathBuf, source: Box<Error> },
    #[error("{}: no image, but what stands for a file elsewhere: {text}", path.display())]
    StandIn { path: PathBuf, text: String },
    #[error("{0}")]
    Header(String),
    #[error("{0}")]
    Map(String),
    #[error(transparent)]
    Cells(#[from] osteon_base::cells::CellsError),
    #[error("{file}: {n} refused, nothing was imported")]
    Refused { file: String, n: usize },
    #[error("the file replaces {0} stored values, which needs a reason; nothing was imported")]
    ImportReason(usize),
    #[error("{place} is {found:?}, expected {expected}")]
    Cell { place: String, found: String, expected: String },
    #[error("no field {found}; the fields are {valid}")]
    Field { found: String, valid: String },
    #[error("this shows the response, which is hidden from a blind reader")]
    Blind,
    #[error("{}: unsupported file type, expected {expected}", path.display())]
    Ending { path: PathBuf, expected: &'static str },
    #[error("the study has no {what} yet")]
    NoResult { what: &'static str, command: &'static str },
    #[error(transparent)]
    Picture(#[from] osteon_plot::png::PngError),
    #[error("{figure} does not fit {size}")]
    Tight { figure: String, size: String, source: Box<osteon_plot::fit::Tight>, remedy: String },
    #[error("no region {found}, expected one of {valid}")]
    NoRegion { found: String, valid: String },
    #[error("{figure} has no {option}; {of} {verb}")]
    NoSay { figure: &'static str, option: &'static str, of: &'static str, verb: &'static str },
    #[error("the dashboard needs a terminal, and this is none")]
    NoTerminal,
    #[error("{}: {cause}", path.display())]
    Keys { path: PathBuf, cause: String },
    #[error("the filter {text:?}")]
    Filter { text: String, source: osteon_stats::table::filter::FilterError },
    #[error("patient {0} has no change to turn back")]
    NothingToUndo(String),
    #[error("patient {0} has no {1} linked")]
    NoImage(String, &'static str),
    #[error("the study has no split into training and test set")]
    NoSplit,
    #[error("the study has no features")]
    NoFeatures,
    #[error("{}", path.display())]
    Model { path: PathBuf, source: ModelError },
    #[error("{}: {findings} numbers of the model file do not fit", path.display())]
    BadModel { path: PathBuf, findings: usize },
    #[error(transparent)]
    Apply(#[from] ModelError),
    #[error("no fit of the split in force")]
    NoFit,
    #[error("the stored {model} model")]
    Recipe { model: String, source: serde_json::Error },
    #[error("{event} does not divide the rows of any set: rows with and without the event are needed in one of them")]
    OneClass { event: String },
    #[error(transparent)]
    Learn(LearnError),
    #[error("{0}: {1}")]
    LearnTime(String, crate::pipeline::timed::learn::LearnError),
    #[error("{}: a file of another plan, protocol or version", .0.display())]
    OtherPlan(PathBuf),
    #[error("nothing was merged: {0}")]
    Incomplete(String),
    #[error("a change needs a reason")]
    NoReason,
    #[error("{}", path.display())]
    Read { path: PathBuf, source: osteon_stats::table::read::ReadError },
    #[error(transparent)]
    Table(#[from] osteon_stats::table::TableError),
    #[error(transparent)]
    Event(#[from] osteon_stats::table::event::EventError),
    #[error(transparent)]
    Encode(#[from] osteon_stats::table::encode::EncodeError),
    #[error(transparent)]
    Fit(#[from] osteon_stats::model::logistic::FitError),
    #[error(transparent)]
    Hazards(#[from] osteon_stats::survival::cox::FitError),
    #[error(transparent)]
    FollowUp(#[from] osteon_stats::survival::follow_up::FollowUpError),
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Cancelled(#[from] osteon_base::job::Cancelled),
}

impl From<LearnError> for Error {
    fn from(error: LearnError) -> Error {
        match error {
            LearnError::Cancelled(cancelled) => Error::Cancelled(cancelled),
            other => Error::Learn(other),
        }
    }
}

impl Error {
    /// The same error, told of a file.
    pub fn within(self, path: &std::path::Path) -> Error {
        Error::InFile { path: path.to_owned(), source: Box::new(self) }
    }

    /// 2 wrong request, file or protocol; 3 database; 130 cancelled.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Cancelled(_) => 130,
            Error::NotVerified(_) => 3,
            Error::Store(cause) if !cause.is_request() => 3,
            _ => 2,
        }
    }

    /// The message with its causes, on one line.
    pub fn in_full(&self) -> String {
        with_causes(self)
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Protocol(ProtocolError::UnknownKey { .. }) => {
                Some("osteon protocol show prints every key with its value".to_owned())
            }
            Error::Store(StoreError::Missing(_)) => {
                Some("osteon init makes one; --study FILE or OSTEON_STUDY names another".to_owned())
            }
            Error::Tight { remedy, .. } => Some(remedy.clone()),
            Error::InFile { source, .. } => source.hint(),
            Error::Header(why) if why.starts_with("no column patient_id") => {
                Some("--map FILE.toml names the file's headers: [columns] patient_id = \"Nr\"".to_owned())
            }
            Error::StandIn { .. } => Some(
                "a symbolic link that was copied as text, or a pointer of git-annex or Git LFS: datalad get, git annex get \
                 or git lfs pull fetches the files, on a file system with symbolic links"
                    .to_owned(),
            ),
            Error::Map(_) => Some(
                "a map is TOML: [columns] alp = \"ALP (U/l)\", and [levels.sex] female = [\"w\", \"F\"]; osteon import clinical \
                 --help lists all of it"
                    .to_owned(),
            ),
            Error::Cells(cause) => cause.hint().map(str::to_owned),
            Error::Read { source, .. } => source.hint(),
            Error::Refused { .. } => Some("--skip-bad-rows imports the other rows".to_owned()),
            Error::ImportReason(_) => Some(
                "--reason TEXT goes to the trail with each of them; --dry-run shows old and new values".to_owned(),
            ),
            Error::Changed(_) => Some("osteon import images takes the file as it is now".to_owned()),
            Error::Image { source, .. } => region_hint(source).map(str::to_owned),
            Error::Describe(DescribeError::Preprocess(
                PreprocessError::NotFinite { .. } | PreprocessError::NotFiniteAround { .. },
            )) => Some(
                "save the image with a number in every voxel, 0 say where nothing was measured; outside the regions \
                 --preset pyradiomics, without resampling or filters, reads none"
                    .to_owned(),
            ),
            Error::Dicom { source, .. } => match **source {
                DicomError::SeveralSeries(_) | DicomError::UnknownSeries { .. } => {
                    Some("--series takes its number in this list, its description or its UID, and so does the column series of a manifest".to_owned())
                }
                DicomError::SeveralStructures(_)
                | DicomError::NoStructure { .. }
                | DicomError::StructureTwice { .. } => {
                    Some("--structure NAME or --label NUMBER picks one, the column label of a manifest too".to_owned())
                }
                ref other => drawing_hint(other).map(str::to_owned),
            },
            Error::Parameters { source, .. } if source.can_be_left_out() => {
                Some("--lenient leaves it out and lists it".to_owned())
            }
            Error::NotDemo(_) => Some("osteon demo DIR makes the synthetic study in another folder".to_owned()),
            Error::NoResult { command, .. } => Some(format!("{command} makes it")),
            Error::Published { .. } => Some("osteon reconcile --help tells the format".to_owned()),
            Error::NoTerminal => Some("osteon help lists the commands that print".to_owned()),
            Error::NoSplit => Some("osteon split new draws one, osteon split import FILE takes one".to_owned()),
            Error::NoFeatures => Some("osteon extract measures them".to_owned()),
            Error::BadModel { .. } => {
                Some("get the file again from where it was published, or export it again".to_owned())
            }
            Error::Model { source, .. } | Error::Apply(source) => source.hint(),
            Error::Learn(LearnError::Harmonise(_)) => Some(
                "learn.batch names what tells batches apart: another variable, or one whose small levels are joined; \
                 learn.harmonise = \"none\" takes features as measured"
                    .to_owned(),
            ),
            Error::NoFit => Some("osteon fit learns the models".to_owned()),
            Error::Store(StoreError::Damaged(_)) => Some(DAMAGED.to_owned()),
            Error::Store(StoreError::ReadOnly(why)) if why.starts_with("it is damaged") => Some(DAMAGED.to_owned()),
            Error::WouldReplace { .. } => Some("give another folder, or move these files away".to_owned()),
            Error::Store(StoreError::Orphan { .. }) => {
                Some("move it away or delete it: SQLite would take it for this file's own".to_owned())
            }
            Error::Store(StoreError::Foreign(_)) => Some("give another name, or move that file away".to_owned()),
            Error::Store(StoreError::LogGone(_)) => Some(
                "the last change may be lost: open the study again, and keep -wal files with their study".to_owned(),
            ),
            Error::Store(StoreError::ReadOnly(why)) if why.contains("hard links") => {
                Some("find DIR -samefile FILE lists the names; remove all but one, or work on a backup".to_owned())
            }
            Error::Store(StoreError::Older { .. }) => {
                Some("open it once where it can be written; a copy of it as it is will be made".to_owned())
            }
            Error::OtherPlan(_) => Some("a plan wants a folder of its own".to_owned()),
            Error::Incomplete(_) => Some(
                "osteon shard status DIR --missing tells what to run again; --partial merges the others".to_owned(),
            ),
            Error::NoReason => Some("--reason TEXT goes to the trail with the change".to_owned()),
            Error::Store(StoreError::Refused(why)) if why.starts_with("the study is locked") => {
                Some("osteon unlock --reason TEXT lets clinical data be changed again".to_owned())
            }
            _ => None,
        }
    }
}

/// What to do about a mask.
fn region_hint(error: &ReadError) -> Option<&'static str> {
    match error {
        ReadError::SeveralLabels { .. } | ReadError::NoLabel { .. } | ReadError::NoSegments { .. } => Some(
            "--label N picks one, --label all takes their union; so does the column label of a manifest. Hundreds of \
             labels are intensities: the mask has to be saved as one",
        ),
        ReadError::SeveralSegments { .. }
        | ReadError::NoSegment { .. }
        | ReadError::EmptySegment { .. }
        | ReadError::Layers { .. } => Some(
            "--structure NAME picks a segment, the column label of a manifest too; it has to be one of these names",
        ),
        ReadError::SegmentTwice { .. } => Some(
            "--structure ID picks one (the manifest's column too), as does its label (--label N) where labels differ",
        ),
        ReadError::Values { .. } | ReadError::NoHalf { .. } => {
            Some("save the mask as labels, or as parts of a voxel from 0 to 1, of which half and more is inside")
        }
        ReadError::Negative { .. } => Some(
            "save the mask as 0 and 1 without intercept; --label with the value, or the column label of a manifest, takes the \
             voxels that have it",
        ),
        ReadError::MaskNotFinite => Some("save the mask with 0 where there is no region"),
        ReadError::CutOff { .. } => Some(CUT),
        ReadError::Outside { .. } => Some("the mask belongs to another image, or one of the two lost its origin"),
        ReadError::Pair { .. } => Some(
            "if both show the same patient space, --resample-mask nearest puts the mask on the image's grid \
             (mask.resample=\"nearest\" in the protocol), and mask.tolerance_voxels allows for rounding; else the mask \
             belongs to another image",
        ),
        ReadError::Missing("space directions") => {
            Some("a size of voxels is needed: save the file with its space directions, or its spacings, in mm")
        }
        _ => None,
    }
}

/// What to do about a series, contours or a segmentation.
fn drawing_hint(error: &DicomError) -> Option<&'static str> {
    match error {
        DicomError::CutOff { .. } => Some(CUT),
        DicomError::OtherFrame { .. } => Some(
            "give the image on which it was drawn; --other-frame, or mask.other_frame=\"accept\" in the protocol, takes it \
             where both show the same space, and records that",
        ),
        DicomError::NoVoxel { .. } => {
            Some("--structure or --label picks another segment; else the program that drew it has to export it again")
        }
        DicomError::NoHalf { .. } => Some(
            "values of 0 and 1 under a maximum of 255 are a slip of the program that wrote them: export the segmentation as \
             BINARY, or with a MaximumFractionalValue of 1",
        ),
        DicomError::Duplicate { .. } => Some(
            "several images under one series UID, or one image twice: export them as series of their own, or keep the files \
             of one in the folder",
        ),
        DicomError::EmptyStructure { .. } => Some("the contours or the segmentation belong to another image"),
        DicomError::OffSlice { .. } => Some(
            "contours halfway between slices, or across them, belong to another image or another reconstruction: give the \
             series on which they were drawn",
        ),
        DicomError::Grid { .. } => Some(
            "give the series on which it was drawn; --resample-mask nearest, or mask.resample=\"nearest\" in the protocol, \
             puts it on the image's grid and records how its volume changed",
        ),
        DicomError::Uneven { .. } => Some(
            "is the series complete? --uneven resample, or mask.uneven=\"resample\" in the protocol, interpolates even \
             slices",
        ),
        DicomError::Mixed { .. } => Some(
            "scouts and other stacks belong in series of their own: keep the slices of one stack in the folder, or give a \
             folder of them",
        ),
        DicomError::Field { field: "ContourData", .. } => {
            Some("the contours belong to another image: give the series on which they were drawn")
        }
        DicomError::Field { field: "ImagePositionPatient" | "ImageOrientationPatient", .. } => Some(
            "radiographs, photographs and secondary captures have no place in the patient; the original series has",
        ),
        DicomError::TransferSyntax { .. } => {
            Some("dcmdjpeg, gdcmconv --raw or the archive's export write it without compression")
        }
        DicomError::NoSeries { .. } => Some("a folder, an archive or a file of DICOM slices of one series is needed"),
        _ => None,
    }
}

const CUT: &str = "is the series complete? --cut accept, or mask.cut=\"accept\" in the protocol, measures what is inside \
                   and records the proportion";

const DAMAGED: &str = "osteon verify tells what is damaged, osteon restore puts a backup in its place";

/// An error's message with its causes, on one line.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

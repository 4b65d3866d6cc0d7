//! Images and masks linked to patients.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{Row, params};

use crate::store::{PatientId, Store, StoreError, Write};
use osteon_radiomics::grid::Geometry;
use osteon_radiomics::read::dicom::Acquisition;

/// What a file is to its patient: an image, or a mask by its rater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Image,
    /// The mask of a study that names no raters.
    Mask,
    /// The mask drawn a second time, for the agreement of raters.
    RepeatMask,
    /// A mask by a rater who is named.
    Rater(String),
}

/// Which of a patient's results one is: measured in which slot's image and region, of which lesion as whom drew it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub slot: String,
    /// Such as `peri_2mm`.
    pub region: String,
    /// Empty never: the only lesion is `1`, all of a patient's together are `all`.
    pub lesion: String,
    pub rater: Role,
}

/// A file of a patient as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFile {
    pub patient: PatientId,
    pub role: Role,
    /// The slot that it fills, or whose image it was drawn on.
    pub slot: String,
    /// The lesion that a mask is of; empty for an image.
    pub lesion: String,
    /// Relative to the study file's folder where it lies below it. `#NAME` behind it is the series of a folder or
    /// archive, or the structure of contours, where there are several.
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
    /// The mask's label; `None` where it has but one.
    pub label: Option<i64>,
    pub geometry: Geometry,
    /// What a DICOM image says of its sequence.
    pub acquisition: Option<Acquisition>,
}

/// What a linked file's hash covers.
pub(in crate::store) const COLUMNS: &str =
    "patient, kind, slot, lesion, rater, path, sha256, bytes, label, geometry, acquisition";
/// What a file is to its patient.
const ROLE: &str = "iif(kind = 'image', 'image', rater), slot, lesion";
const FILE: &str = "path, sha256, bytes, label, geometry";

/// The slot of a study that declares none, and the lesion of a patient who has one.
pub const SLOT: &str = "image";
pub const LESION: &str = "1";
/// All lesions of a patient as one.
pub const ALL_LESIONS: &str = "all";

impl Role {
    /// As the database writes it.
    pub fn name(&self) -> &str {
        match self {
            Role::Image => "image",
            Role::Mask => "mask",
            Role::RepeatMask => "repeat mask",
            Role::Rater(name) => name,
        }
    }

    pub fn named(name: &str) -> Role {
        match name {
            "image" => Role::Image,
            "mask" => Role::Mask,
            "repeat mask" => Role::RepeatMask,
            name => Role::Rater(name.to_owned()),
        }
    }
}

impl Place {
    /// In a study of one image, one lesion and no named raters.
    pub fn of(region: &str, rater: Role) -> Place {
        Place { slot: SLOT.to_owned(), region: region.to_owned(), lesion: LESION.to_owned(), rater }
    }

    /// The region, and the slot and lesion where they are not the only ones.
    pub fn region_name(&self) -> String {
        let slot = if self.slot == SLOT { String::new() } else { format!("{}.", self.slot) };
        let lesion = match self.lesion.as_str() {
            LESION => String::new(),
            ALL_LESIONS => ", all lesions".to_owned(),
            lesion => format!(", lesion {lesion}"),
        };
        format!("{slot}{}{lesion}", self.region)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.region_name(), self.rater.name())
    }
}

/// A name that is one word among others: its blanks are marked, so that no two pairs of names read alike.
fn one_word(name: &str) -> String {
    name.replace('\\', "\\\\").replace(' ', "\\ ")
}

/// The same in SQL, of a column.
pub(in crate::store) fn escaped(column: &str) -> String {
    format!("replace(replace({column}, '\\', '\\\\'), ' ', '\\ ')")
}

impl ImageFile {
    /// What it is to its patient, in words: the role, and slot and lesion where they are not the only ones.
    pub fn title(&self) -> String {
        let slot = if self.slot == SLOT { String::new() } else { format!("{} ", self.slot) };
        let lesion = if self.lesion.is_empty() || self.lesion == LESION {
            String::new()
        } else {
            format!(", lesion {}", self.lesion)
        };
        format!("{slot}{}{lesion}", self.role.name())
    }

    /// What the trail calls it.
    pub(in crate::store) fn in_trail(&self) -> String {
        if self.slot == SLOT && (self.lesion.is_empty() || self.lesion == LESION) {
            return self.role.name().to_owned();
        }
        match &self.role {
            Role::Image => format!("image {}", self.slot),
            mask => format!("mask {} {} {}", self.slot, one_word(&self.lesion), one_word(mask.name())),
        }
    }

    /// What a result depends on: the file, and the label or the structure that is read from it.
    pub fn input(&self) -> String {
        let label = self.label.map(|label| format!(" label {label}")).unwrap_or_default();
        let path = self.path.to_string_lossy();
        let part = path.split_once('#').map(|(_, part)| format!(" part {part}")).unwrap_or_default();
        format!("{}{label}{part}", self.sha256)
    }

    /// The label that was named, or the only one.
    pub fn picked(&self) -> osteon_radiomics::read::Label {
        self.label.map_or(osteon_radiomics::read::Label::Only, osteon_radiomics::read::Label::Value)
    }

    /// As the database writes it.
    pub(in crate::store) fn acquisition_json(&self) -> Option<String> {
        self.acquisition.as_ref().map(|it| serde_json::to_string(it).expect("an acquisition is plain data"))
    }
}

impl Store {
    /// All linked files, by patient and role.
    pub fn images(&self) -> Result<Vec<ImageFile>, StoreError> {
        let sql = format!("SELECT {} FROM image ORDER BY patient, id", self.image_columns()?);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], image)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is linked to each patient that has files, in words.
    pub fn image_titles(&self) -> Result<BTreeMap<PatientId, Vec<String>>, StoreError> {
        let mut titles: BTreeMap<PatientId, Vec<String>> = BTreeMap::new();
        for file in self.images()? {
            titles.entry(file.patient).or_default().push(file.title());
        }
        Ok(titles)
    }

    /// Who drew masks, by name.
    pub fn raters(&self) -> Result<Vec<Role>, StoreError> {
        let sql = "SELECT DISTINCT rater FROM image WHERE kind = 'mask' ORDER BY rater";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok(Role::named(&row.get::<_, String>(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Slots that images or masks are linked to, by name.
    pub fn linked_slots(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT DISTINCT slot FROM image ORDER BY slot")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The files of one patient.
    pub fn images_of(&self, patient: PatientId) -> Result<Vec<ImageFile>, StoreError> {
        let sql = format!("SELECT {} FROM image WHERE patient = ?1 ORDER BY id", self.image_columns()?);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([patient], image)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A copy of an older schema, which is read to be checked, knows roles and no acquisition.
    fn image_columns(&self) -> Result<String, StoreError> {
        Ok(match self.version()? {
            ..3 => format!("patient, role, '{SLOT}', iif(role = 'image', '', '{LESION}'), {FILE}, NULL"),
            3..6 => format!("patient, role, '{SLOT}', iif(role = 'image', '', '{LESION}'), {FILE}, acquisition"),
            _ => format!("patient, {ROLE}, {FILE}, acquisition"),
        })
    }
}

impl Write<'_> {
    /// Links a file, in place of the one that had its role, slot and lesion; `false` when it was linked just so before.
    pub fn link_image(&self, image: &ImageFile) -> Result<bool, StoreError> {
        let sql = format!(
            "INSERT INTO image ({COLUMNS}, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
                     osteon_seal(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11))
             ON CONFLICT (patient, kind, slot, lesion, rater) DO UPDATE
             SET path = excluded.path, sha256 = excluded.sha256, bytes = excluded.bytes, label = excluded.label,
                 geometry = excluded.geometry, acquisition = excluded.acquisition, seal = excluded.seal
             WHERE path <> excluded.path OR sha256 <> excluded.sha256 OR label IS NOT excluded.label
                OR acquisition IS NOT excluded.acquisition"
        );
        let geometry = serde_json::to_string(&image.geometry).expect("a geometry is plain data");
        let acquisition = image.acquisition_json();
        let bytes = i64::try_from(image.bytes).unwrap_or(i64::MAX);
        let path = image.path.to_string_lossy();
        let (kind, lesion, rater) = match &image.role {
            Role::Image => ("image", "", ""),
            mask => ("mask", image.lesion.as_str(), mask.name()),
        };
        let file = params![
            image.patient,
            kind,
            image.slot,
            lesion,
            rater,
            path,
            image.sha256,
            bytes,
            image.label,
            geometry,
            acquisition
        ];
        Ok(self.connection.prepare_cached(&sql)?.execute(file)? == 1)
    }
}

fn image(row: &Row) -> rusqlite::Result<ImageFile> {
    let geometry: String = row.get(8)?;
    let acquisition: Option<String> = row.get(9)?;
    let place = format!("table image, row of {}", row.get::<_, String>(4)?);
    let broken = |at: usize, cause: serde_json::Error| {
        let what = if at == 8 { "geometry" } else { "acquisition" };
        let told = format!("{place}: {what} is not what osteon writes ({cause}): it was altered");
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, told.into())
    };
    Ok(ImageFile {
        patient: row.get(0)?,
        role: Role::named(&row.get::<_, String>(1)?),
        slot: row.get(2)?,
        lesion: row.get(3)?,
        path: PathBuf::from(row.get::<_, String>(4)?),
        sha256: row.get(5)?,
        bytes: u64::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        label: row.get(7)?,
        geometry: serde_json::from_str(&geometry).map_err(|cause| broken(8, cause))?,
        acquisition: acquisition
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|cause| broken(9, cause))?,
    })
}

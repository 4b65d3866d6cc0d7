//! Images and masks linked to patients.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{Row, params};

use crate::store::{PatientId, Store, StoreError, Write};
use osteon_radiomics::grid::Geometry;
use osteon_radiomics::read::dicom::Acquisition;

/// What a file is to its patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Image,
    Mask,
    /// The mask drawn a second time, for the agreement of raters.
    RepeatMask,
}

/// A file of a patient as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFile {
    pub patient: PatientId,
    pub role: Role,
    /// Relative to the study file's folder where it lies below it. `#NAME` behind it is the series of a folder or
    /// archive, or the structure of contours, where there are several.
    pub path: PathBuf,
    pub sha256: String,
    pub bytes: u64,
    /// The mask's label; `None` is every voxel that is not zero.
    pub label: Option<i64>,
    pub geometry: Geometry,
    /// What a DICOM image says of its sequence.
    pub acquisition: Option<Acquisition>,
}

/// What a linked file's hash covers.
pub(in crate::store) const COLUMNS: &str =
    "patient, kind, slot, lesion, rater, path, sha256, bytes, label, geometry, acquisition";
/// What a file is to its patient, in the words of the trail.
pub(in crate::store) const ROLE: &str = "iif(kind = 'image', 'image', rater)";
const FILE: &str = "path, sha256, bytes, label, geometry";

/// The slot of a study that declares none, and the lesion of a patient who has one.
pub(in crate::store) const SLOT: &str = "image";
pub(in crate::store) const LESION: &str = "1";

impl Role {
    pub const ALL: [Role; 3] = [Role::Image, Role::Mask, Role::RepeatMask];

    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Image => "image",
            Role::Mask => "mask",
            Role::RepeatMask => "repeat mask",
        }
    }
}

impl ImageFile {
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

    /// What is linked to each patient that has files.
    pub fn image_roles(&self) -> Result<BTreeMap<PatientId, Vec<Role>>, StoreError> {
        let sql = format!("SELECT patient, {ROLE} FROM image ORDER BY patient, id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        let mut roles: BTreeMap<PatientId, Vec<Role>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(1)?;
            let role = Role::ALL.into_iter().find(|known| known.name() == name);
            roles.entry(row.get(0)?).or_default().extend(role);
        }
        Ok(roles)
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
            ..3 => format!("patient, role, {FILE}, NULL"),
            3..6 => format!("patient, role, {FILE}, acquisition"),
            _ => format!("patient, {ROLE}, {FILE}, acquisition"),
        })
    }
}

impl Write<'_> {
    /// Links a file, in place of the one that had its role; `false` when it was linked just so before.
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
        let (kind, lesion, rater) = match image.role {
            Role::Image => ("image", "", ""),
            mask => ("mask", LESION, mask.name()),
        };
        let file = params![
            image.patient,
            kind,
            SLOT,
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
    let role: String = row.get(1)?;
    let geometry: String = row.get(6)?;
    let acquisition: Option<String> = row.get(7)?;
    let broken = |at: usize, cause: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, cause)
    };
    Ok(ImageFile {
        patient: row.get(0)?,
        role: Role::ALL.into_iter().find(|known| known.name() == role).ok_or_else(|| broken(1, role.into()))?,
        path: PathBuf::from(row.get::<_, String>(2)?),
        sha256: row.get(3)?,
        bytes: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        label: row.get(5)?,
        geometry: serde_json::from_str(&geometry).map_err(|cause| broken(6, cause.into()))?,
        acquisition: acquisition
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|cause| broken(7, cause.into()))?,
    })
}

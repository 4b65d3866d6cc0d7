//! Files that the study reads: whole, of bounded size, images checked against their recorded hash.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::study::Error;
use osteon_radiomics::grid::{Geometry, Image};
use osteon_radiomics::read::dicom::{self, DicomError, Draw, Instance, Kind, On, Scan, Wanted, Which};
use osteon_radiomics::read::{self, Header, Label, Limits, Params, Pick, Region, Source, Uneven, zip};

/// No file that the study reads as text is larger.
const MAX_TEXT: u64 = 64 << 20;
/// Nor is a table that a statistical command reads.
const MAX_TABLE: u64 = 1 << 30;
/// A compressed image is never larger than the voxels it may hold, but for its header.
const MAX_IMAGE: u64 = (2 << 30) + (1 << 20);
/// How deep below a folder the files of a series are looked for.
const DEPTH: usize = 6;

/// What a path holds: an image file, a series of slices, or a drawing that needs its image's grid.
pub struct ImageBytes {
    content: Content,
    /// SHA-256 of the bytes: a header's before the voxels', a series' files in the order of their names.
    pub sha256: String,
    /// Size of the file or files.
    pub len: u64,
    notes: Vec<String>,
}

enum Content {
    /// An image file; for a header that stands alone, the bytes of its voxels too.
    File {
        bytes: Vec<u8>,
        data: Option<Vec<u8>>,
        header: Box<Header>,
        /// Segment of a mask, or `all` labels.
        part: Option<String>,
    },
    Series(Box<Scan>),
    /// RTSTRUCT or SEG: which structure of it, when there are several.
    Drawing {
        file: (String, Vec<u8>),
        part: Option<String>,
    },
}

/// The bytes of a file of text.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    limited(path, MAX_TEXT)
}

/// The bytes of a table of any study's size, for the commands that work without a study file.
pub fn table_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    limited(path, MAX_TABLE)
}

/// A file of UTF-8 text.
pub fn text(path: &Path) -> Result<String, Error> {
    let wrong = |cause| Error::File { path: path.to_owned(), source: std::io::Error::other(cause) };
    String::from_utf8(bytes(path)?).map_err(wrong)
}

/// Reads an image file, a DICOM series (a folder, an archive, or one of its files), or a DICOM drawing. `part` names
/// the series or the structure where there are several; so does `#NAME` behind a path that is none by itself.
pub fn image_bytes(path: &Path, part: Option<&str>, uneven: Uneven) -> Result<ImageBytes, Error> {
    let text = path.to_string_lossy();
    if let Some((plain, part)) = text.split_once('#').filter(|_| part.is_none() && !path.exists()) {
        return image_bytes(Path::new(plain), Some(part), uneven);
    }
    let wanted = part.map_or(Wanted::Only, Wanted::Named);
    if path.is_dir() {
        return series(path, &dicom_files(path)?, wanted, uneven);
    }
    let header = header_of(path);
    let path = header.as_deref().unwrap_or(path);
    let bytes = limited(path, MAX_IMAGE)?;
    if zip::is_zip(&bytes) {
        let wrong = |source| Error::Zip { path: path.to_owned(), source };
        let files = zip::files(&bytes, &Limits::default(), dicom::is_dicom).map_err(wrong)?;
        drop(bytes);
        return series(path, &Folder { files, notes: Vec::new() }, wanted, uneven);
    }
    if dicom::is_dicom(&bytes) {
        return dicom_file(path, bytes, part, uneven);
    }
    file(path, bytes, part)
}

/// The same for the image of a mask: of several series the one on which the mask was drawn, and its UID where that
/// decided.
pub fn image_under(
    path: &Path,
    part: Option<&str>,
    mask: Option<&Path>,
    uneven: Uneven,
) -> Result<(ImageBytes, Option<String>), Error> {
    let is = |cause: &Error, of: fn(&DicomError) -> bool| matches!(cause, Error::Dicom { source, .. } if of(source));
    match image_bytes(path, part, uneven) {
        Err(several) if part.is_none() && is(&several, |cause| matches!(cause, DicomError::SeveralSeries(_))) => {
            for uid in mask.into_iter().flat_map(drawn_on) {
                match image_bytes(path, Some(&uid), uneven) {
                    Err(cause) if is(&cause, |cause| matches!(cause, DicomError::UnknownSeries { .. })) => (),
                    Err(cause) => return Err(cause),
                    Ok(mut found) => {
                        found.notes.push("of several series, the one on which the mask was drawn was read".to_owned());
                        return Ok((found, Some(uid)));
                    }
                }
            }
            Err(several)
        }
        found => Ok((found?, None)),
    }
}

/// UIDs of the series on which a mask was drawn; none where it is no drawing.
fn drawn_on(mask: &Path) -> Vec<String> {
    let drawing = Some(mask).filter(|mask| is_dicom_file(mask)).and_then(kind_of);
    drawing.filter(|file| file.kind != Kind::Image).map(|file| file.series).unwrap_or_default()
}

/// The header beside voxels that stand alone: `name.hdr` of `name.img`.
fn header_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = [".img", ".img.gz", ".IMG", ".IMG.GZ"].iter().find_map(|ending| name.strip_suffix(ending))?;
    [".hdr", ".hdr.gz", ".HDR", ".HDR.GZ"]
        .iter()
        .map(|ending| path.with_file_name(format!("{stem}{ending}")))
        .find(|path| path.is_file())
}

/// The file that a header names beside itself; `.img` takes the place of the header's own ending.
fn data_path(path: &Path, name: &str) -> PathBuf {
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.starts_with(".img") {
        return path.with_file_name(name);
    }
    let endings = [".hdr.gz", ".hdr", ".HDR.GZ", ".HDR"];
    let stem = endings.iter().find_map(|ending| own.strip_suffix(ending)).unwrap_or(&own);
    let named = |ending: &str| path.with_file_name(format!("{stem}{ending}"));
    let found = [".img", ".img.gz", ".IMG", ".IMG.GZ"].into_iter().map(named).find(|path| path.exists());
    found.unwrap_or_else(|| named(".img"))
}

/// The files of voxels that a header names; none where it cannot be read.
pub fn voxel_files(path: &Path) -> Vec<PathBuf> {
    let Some(header) = limited(path, MAX_TEXT).ok().and_then(|bytes| read::header(&bytes, &Limits::default()).ok())
    else {
        return Vec::new();
    };
    let first = header.data_file.iter().map(|name| data_path(path, name));
    first.chain(header.further_files.iter().map(|name| path.with_file_name(name))).collect()
}

/// What stands for a file that was not fetched: a symbolic link as text, or a pointer of git-annex or Git LFS.
fn stand_in(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() < 1024)?.trim();
    let is_link = text.starts_with("../") || text.starts_with("./") || text.starts_with(".git/annex/");
    let is_pointer = text.starts_with("/annex/objects/") || text.starts_with("version https://git-lfs");
    let is_one = is_pointer || is_link && text.lines().count() == 1;
    is_one.then(|| osteon_base::text::clean(text.lines().next().unwrap_or_default()).into_owned())
}

fn file(path: &Path, bytes: Vec<u8>, part: Option<&str>) -> Result<ImageBytes, Error> {
    let wrong = |source| Error::Image { path: path.to_owned(), source };
    if let Some(text) = stand_in(&bytes) {
        return Err(Error::StandIn { path: path.to_owned(), text });
    }
    let header = read::header(&bytes, &Limits::default()).map_err(wrong)?;
    let elsewhere = |cause: Error| match (&header.elsewhere, cause) {
        (Some(name), Error::File { path, source }) => {
            let told = format!("{source}; the header names {name}, and only a file beside the header is read");
            Error::File { path, source: std::io::Error::new(source.kind(), told) }
        }
        (_, cause) => cause,
    };
    let first = header.data_file.iter().map(|name| data_path(path, name));
    let further = header.further_files.iter().map(|name| path.with_file_name(name));
    let (mut files, mut total) = (Vec::new(), 0);
    for place in first.chain(further) {
        let own = beside(&place, MAX_IMAGE - total).map_err(elsewhere)?;
        total += own.len() as u64;
        files.push((shown(&place), own));
    }
    let sha256 = sha256([&bytes[..]].into_iter().chain(files.iter().map(|file| &file.1[..])));
    let len = bytes.len() as u64 + total;
    let data = match files.len() {
        0 | 1 => files.pop().map(|file| file.1),
        _ => Some(header.joined(&files).map_err(wrong)?),
    };
    Ok(ImageBytes {
        sha256,
        len,
        notes: header.notes.clone(),
        content: Content::File { bytes, data, header: Box::new(header), part: part.map(str::to_owned) },
    })
}

/// A drawing, or an image: alone when it holds many frames, else with the other slices of its series beside it.
fn dicom_file(path: &Path, bytes: Vec<u8>, part: Option<&str>, uneven: Uneven) -> Result<ImageBytes, Error> {
    let wrong = |source: DicomError| Error::Dicom { path: path.to_owned(), source: Box::new(source) };
    let file = (shown(path), bytes);
    let kind = dicom::kind(&instance(&file), &Limits::default()).map_err(wrong)?;
    match kind {
        Kind::Structures | Kind::Segmentation => Ok(ImageBytes {
            sha256: sha256([&file.1[..]]),
            len: file.1.len() as u64,
            notes: Vec::new(),
            content: Content::Drawing { file, part: part.map(str::to_owned) },
        }),
        Kind::Image => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let listed = dicom::list(&[instance(&file)], &Limits::default()).map_err(wrong)?;
            match &listed[..] {
                // A DICOMDIR lists the files below its folder.
                [] if dicom::is_directory(&instance(&file), &Limits::default()) => {
                    series(path, &dicom_files(folder)?, part.map_or(Wanted::Only, Wanted::Named), uneven)
                }
                [] => Err(wrong(DicomError::NoSeries { files: 1 })),
                [own, ..] if own.is_multi_frame => {
                    let wanted = part.map_or(Wanted::Only, Wanted::Named);
                    series(path, &Folder { files: vec![file], notes: Vec::new() }, wanted, uneven)
                }
                _ => {
                    let found = dicom_files(folder)?;
                    let own = found.files.iter().position(|(name, _)| Path::new(name) == Path::new(&file.0));
                    series(path, &found, own.map_or(Wanted::Only, Wanted::Holding), uneven)
                }
            }
        }
    }
}

fn series(path: &Path, folder: &Folder, wanted: Wanted, uneven: Uneven) -> Result<ImageBytes, Error> {
    let files = &folder.files;
    let wrong = |source: DicomError| Error::Dicom { path: path.to_owned(), source: Box::new(source) };
    let instances: Vec<Instance> = files.iter().map(instance).collect();
    let scan = dicom::scan_of(&instances, wanted, uneven, &Limits::default()).map_err(wrong)?;
    let own = || scan.files.iter().map(|&at| &files[at].1[..]);
    Ok(ImageBytes {
        sha256: sha256(own()),
        len: own().map(|bytes| bytes.len() as u64).sum(),
        notes: folder.notes.iter().chain(&scan.notes).cloned().collect(),
        content: Content::Series(Box::new(scan)),
    })
}

fn instance(file: &(String, Vec<u8>)) -> Instance<'_> {
    Instance { name: file.0.clone(), bytes: &file.1 }
}

/// The DICOM files of a folder or archive, by name, and what is said of the others.
struct Folder {
    files: Vec<(String, Vec<u8>)>,
    notes: Vec<String>,
}

/// The DICOM files below a folder, by name; others are counted and not read whole.
fn dicom_files(folder: &Path) -> Result<Folder, Error> {
    let mut walk = Walk::default();
    below(folder, DEPTH, &mut walk)?;
    walk.files.sort();
    let (slices, others): (Vec<PathBuf>, Vec<PathBuf>) = walk.files.into_iter().partition(|path| is_dicom_file(path));
    let (mut files, mut total) = (Vec::new(), 0);
    let mut absent: Vec<PathBuf> = Vec::new();
    for path in slices {
        let bytes = limited(&path, MAX_IMAGE - total)?;
        total += bytes.len() as u64;
        let is_list = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"));
        if let Some(home) = path.parent().filter(|_| is_list) {
            let named = dicom::directory_files(&Instance { name: shown(&path), bytes: &bytes }, &Limits::default());
            absent.extend(named.iter().map(|name| home.join(name)).filter(|file| !exists_in_any_case(file)));
        }
        files.push((path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned(), bytes));
    }
    let said = |paths: &[PathBuf], what: &str| {
        let first: Vec<String> = paths.iter().take(3).map(|path| shown(path)).collect();
        let more = if paths.len() > first.len() { ", ..." } else { "" };
        let note = format!("{} {what} and were left out: {}{more}", paths.len(), first.join(", "));
        (!paths.is_empty()).then_some(note)
    };
    let others = said(&others, "files of the folder are no DICOM");
    let absent = said(&absent, "files that the DICOMDIR names are not there");
    let notes = others.into_iter().chain(said(&walk.dead, "links of the folder lead nowhere")).chain(absent).collect();
    Ok(Folder { files, notes })
}

/// Whether a file is there, where archives may have changed its letters to small ones.
fn exists_in_any_case(file: &Path) -> bool {
    file.exists() || PathBuf::from(file.to_string_lossy().to_lowercase()).exists() || {
        let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase());
        name.is_some_and(|name| file.with_file_name(name).exists())
    }
}

/// Whether a file carries the mark of DICOM.
pub fn is_dicom_file(path: &Path) -> bool {
    let mut head = Vec::new();
    if !path.is_file() {
        return false;
    }
    let read = std::fs::File::open(path).and_then(|file| file.take(dicom::HEAD).read_to_end(&mut head));
    read.is_ok() && dicom::is_dicom(&head)
}

/// What a DICOM file is to a study.
pub struct DicomFile {
    pub kind: Kind,
    /// UIDs of its series, or of those on which it was drawn.
    pub series: Vec<String>,
    pub instance: Option<String>,
    /// What its series is called, and the modality; empty for a drawing.
    pub description: String,
    pub modality: String,
}

/// What a DICOM file is to a study; `None` when it cannot be read or holds no image and no drawing.
pub fn kind_of(path: &Path) -> Option<DicomFile> {
    let file = (shown(path), limited(path, MAX_IMAGE).ok()?);
    let limits = Limits::default();
    let kind = dicom::kind(&instance(&file), &limits).ok()?;
    let (mut description, mut modality) = (String::new(), String::new());
    let series = match kind {
        Kind::Image => {
            let own = dicom::list(&[instance(&file)], &limits).ok()?.into_iter().next()?;
            (description, modality) = (own.description, own.modality);
            vec![own.uid]
        }
        _ => dicom::referenced_series(&instance(&file), &limits).ok()?,
    };
    let instance = dicom::instance_uid(&instance(&file), &limits);
    Some(DicomFile { kind, series, instance, description, modality })
}

/// What lies below a folder.
#[derive(Default)]
pub struct Walk {
    pub files: Vec<PathBuf>,
    /// Symbolic links that lead nowhere.
    pub dead: Vec<PathBuf>,
    /// Folders with nothing in them.
    pub empty: Vec<PathBuf>,
    /// Real paths of the folders that are being looked through.
    above: Vec<PathBuf>,
}

/// The files below a folder. Symbolic links are followed, but never into a folder that holds them.
pub fn below(folder: &Path, depth: usize, walk: &mut Walk) -> Result<(), Error> {
    let wrong = |source| Error::File { path: folder.to_owned(), source };
    let real = folder.canonicalize().map_err(wrong)?;
    if walk.above.contains(&real) {
        return Ok(());
    }
    walk.above.push(real);
    let mut is_empty = true;
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        is_empty = false;
        let path = entry.map_err(wrong)?.path();
        match std::fs::metadata(&path) {
            Ok(kind) if kind.is_dir() && depth > 0 => below(&path, depth - 1, walk)?,
            Ok(kind) if kind.is_file() => walk.files.push(path),
            Ok(_) => (),
            Err(_) => walk.dead.push(path),
        }
    }
    if is_empty {
        walk.empty.push(folder.to_owned());
    }
    walk.above.pop();
    Ok(())
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    parts.into_iter().for_each(|part| hash.update(part));
    osteon_base::text::hex(hash.finalize())
}

impl ImageBytes {
    /// Where the voxels lie; `None` for a drawing, which lies on its image's grid.
    pub fn geometry(&self) -> Option<&Geometry> {
        match &self.content {
            Content::File { header, .. } => Some(&header.geometry),
            Content::Series(scan) => Some(scan.image.volume.geometry()),
            Content::Drawing { .. } => None,
        }
    }

    /// How a series was acquired.
    pub fn acquisition(&self) -> Option<&dicom::Acquisition> {
        match &self.content {
            Content::Series(scan) => Some(&scan.acquisition),
            _ => None,
        }
    }

    /// What should be said of how the file or files were read, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Slices that a series lacks between its first and its last. `None` where the image is no series.
    pub fn missing_slices(&self) -> Option<usize> {
        match &self.content {
            Content::Series(scan) => Some(scan.missing_slices),
            _ => None,
        }
    }

    /// The image to be measured, its voxels that are no finite numbers too, and what should be said of it.
    pub fn image_as_stored(&self, path: &Path) -> Result<(Image, Vec<String>), Error> {
        match &self.content {
            Content::File { part: None, .. } => {
                let wrong = |source| Error::Image { path: path.to_owned(), source };
                read::image_as_stored(self.source(), &Limits::default()).map_err(wrong)
            }
            _ => Ok((self.image(path)?, self.notes().to_vec())),
        }
    }

    pub fn image(&self, path: &Path) -> Result<Image, Error> {
        match &self.content {
            Content::File { part: Some(part), .. } => {
                Err(Error::NoParts { path: path.to_owned(), part: part.to_owned() })
            }
            Content::File { .. } => {
                let wrong = |source| Error::Image { path: path.to_owned(), source };
                read::image(self.source(), &Limits::default()).map_err(wrong)
            }
            Content::Series(scan) => Ok(scan.image.clone()),
            Content::Drawing { .. } => Err(Error::NoImageFile(path.to_owned())),
        }
    }

    /// What drawings call a series by.
    pub fn identity(&self) -> Option<&dicom::Identity> {
        match &self.content {
            Content::Series(scan) => Some(&scan.identity),
            _ => None,
        }
    }

    /// What a mask is put on: this image's grid, and its names where it is a series.
    pub fn on(&self) -> Option<On<'_>> {
        Some(On { geometry: self.geometry()?, identity: self.identity() })
    }

    /// The region on the grid of its image, and how it came there. A mask with several labels wants one to be named.
    pub fn region(&self, path: &Path, label: Label, on: On, params: &Params) -> Result<Region, Error> {
        self.region_in(path, label, None, on, params)
    }

    /// The same of one of several layers, counted from 0; a file of one layer has no other.
    pub fn region_in(
        &self,
        path: &Path,
        label: Label,
        channel: Option<usize>,
        on: On,
        params: &Params,
    ) -> Result<Region, Error> {
        let wrong = |source| Error::Image { path: path.to_owned(), source };
        match &self.content {
            // A segment has a name or a label; `all` of a file is no name.
            Content::File { part: Some(_), .. } if label != Label::Only && channel.is_none() => {
                Err(Error::NameAndLabel(path.to_owned()))
            }
            Content::File { part, .. } => {
                let pick = Pick { label, name: part.as_deref(), channel };
                read::region(self.source(), pick, on.geometry, params, &Limits::default()).map_err(wrong)
            }
            Content::Series(scan) => read::region_of(&scan.image.volume, label, on.geometry, params).map_err(wrong),
            Content::Drawing { part: Some(_), .. } if label != Label::Only => Err(Error::NameAndLabel(path.to_owned())),
            Content::Drawing { file, part } => {
                let which = match (part, label) {
                    (Some(name), _) => Which::Name(name),
                    (None, Label::Value(number)) => Which::Number(number),
                    (None, Label::AnyNonZero) => Which::All,
                    (None, Label::Only) => Which::Only,
                };
                dicom::region(&instance(file), &Draw { which, params: *params }, on, &Limits::default())
                    .map_err(|source| Error::Dicom { path: path.to_owned(), source: Box::new(source) })
            }
        }
    }

    fn source(&self) -> Source<'_> {
        match &self.content {
            Content::File { bytes, data, .. } => Source { bytes, data: data.as_deref() },
            _ => Source { bytes: &[], data: None },
        }
    }
}

/// The file that a header names; a symbolic link could lead anywhere.
fn beside(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    if path.is_symlink() {
        let source = std::io::Error::other("a symbolic link, expected the file of the voxels");
        return Err(Error::File { path: path.to_owned(), source });
    }
    limited(path, most)
}

fn limited(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let wrong = |source| Error::File { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe waits for whoever writes to it.
    let kind = std::fs::metadata(path).map_err(wrong)?.file_type();
    if !kind.is_file() {
        let what =
            if kind.is_dir() { "a folder, expected a file" } else { "a pipe or device, expected a file on disk" };
        return Err(wrong(std::io::Error::other(what)));
    }
    let file = std::fs::File::open(path).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(wrong(std::io::Error::other(format!("larger than {most} bytes"))));
    }
    Ok(bytes)
}

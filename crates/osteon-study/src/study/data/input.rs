//! Files that the study reads: whole, of bounded size, images checked against their recorded hash.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::study::Error;
use osteon_radiomics::grid::{Geometry, Image};
use osteon_radiomics::read::dicom::{self, DicomError, Instance, Kind, Scan};
use osteon_radiomics::read::{self, Header, Label, Limits, Params, Pick, Reading, Region, Source, zip};

/// No file that the study reads as text is larger.
const MAX_TEXT: u64 = 64 << 20;
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
        kind: Kind,
        part: Option<String>,
    },
}

/// The bytes of a file of text.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    limited(path, MAX_TEXT)
}

/// A file of UTF-8 text.
pub fn text(path: &Path) -> Result<String, Error> {
    let wrong = |cause| Error::File { path: path.to_owned(), source: std::io::Error::other(cause) };
    String::from_utf8(bytes(path)?).map_err(wrong)
}

/// Reads an image file, a DICOM series (a folder, an archive, or one of its files), or a DICOM drawing. `part` names
/// the series or the structure where there are several; so does `#NAME` behind a path that is none by itself.
pub fn image_bytes(path: &Path, part: Option<&str>) -> Result<ImageBytes, Error> {
    let text = path.to_string_lossy();
    if let Some((plain, part)) = text.split_once('#').filter(|_| part.is_none() && !path.exists()) {
        return image_bytes(Path::new(plain), Some(part));
    }
    if path.is_dir() {
        return series(path, &dicom_files(path)?, part);
    }
    let header = header_of(path);
    let path = header.as_deref().unwrap_or(path);
    let bytes = limited(path, MAX_IMAGE)?;
    if zip::is_zip(&bytes) {
        let wrong = |source| Error::Zip { path: path.to_owned(), source };
        let files = zip::files(&bytes, &Limits::default(), dicom::is_dicom).map_err(wrong)?;
        drop(bytes);
        return series(path, &files, part);
    }
    if dicom::is_dicom(&bytes) {
        return dicom_file(path, bytes, part);
    }
    file(path, bytes, part)
}

/// The header beside voxels that stand alone: `name.hdr` of `name.img`.
fn header_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".img").or(name.strip_suffix(".img.gz"))?;
    [".hdr", ".hdr.gz"].iter().map(|ending| path.with_file_name(format!("{stem}{ending}"))).find(|path| path.is_file())
}

/// The file that a header names beside itself; `.img` takes the place of the header's own ending.
fn data_path(path: &Path, name: &str) -> PathBuf {
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.starts_with(".img") {
        return path.with_file_name(name);
    }
    let stem = own.strip_suffix(".hdr.gz").or(own.strip_suffix(".hdr")).unwrap_or(&own);
    let plain = path.with_file_name(format!("{stem}.img"));
    if plain.exists() { plain } else { path.with_file_name(format!("{stem}.img.gz")) }
}

fn file(path: &Path, bytes: Vec<u8>, part: Option<&str>) -> Result<ImageBytes, Error> {
    let wrong = |source| Error::Image { path: path.to_owned(), source };
    let header = read::header(&bytes, &Limits::default()).map_err(wrong)?;
    let mut data = header.data_file.as_ref().map(|name| beside(&data_path(path, name), MAX_IMAGE)).transpose()?;
    for name in &header.further_files {
        let all = data.get_or_insert_default();
        let more = beside(&path.with_file_name(name), MAX_IMAGE - all.len() as u64)?;
        all.extend(more);
    }
    let parts = [&bytes[..], data.as_deref().unwrap_or_default()];
    Ok(ImageBytes {
        sha256: sha256(parts),
        len: parts.iter().map(|part| part.len() as u64).sum(),
        content: Content::File { bytes, data, header: Box::new(header), part: part.map(str::to_owned) },
    })
}

/// A drawing, or an image: alone when it holds many frames, else with the other slices of its series beside it.
fn dicom_file(path: &Path, bytes: Vec<u8>, part: Option<&str>) -> Result<ImageBytes, Error> {
    let wrong = |source: DicomError| Error::Dicom { path: path.to_owned(), source: Box::new(source) };
    let file = (shown(path), bytes);
    let kind = dicom::kind(&instance(&file), &Limits::default()).map_err(wrong)?;
    match kind {
        Kind::Structures | Kind::Segmentation => Ok(ImageBytes {
            sha256: sha256([&file.1[..]]),
            len: file.1.len() as u64,
            content: Content::Drawing { file, kind, part: part.map(str::to_owned) },
        }),
        Kind::Image => {
            let listed = dicom::list(&[instance(&file)], &Limits::default()).map_err(wrong)?;
            let [own] = &listed[..] else { return Err(wrong(DicomError::NoSeries { files: 1 })) };
            match path.parent() {
                Some(folder) if !own.is_multi_frame => {
                    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                    series(path, &dicom_files(folder)?, Some(&own.uid))
                }
                _ => series(path, &[file], None),
            }
        }
    }
}

fn series(path: &Path, files: &[(String, Vec<u8>)], part: Option<&str>) -> Result<ImageBytes, Error> {
    let wrong = |source: DicomError| Error::Dicom { path: path.to_owned(), source: Box::new(source) };
    let instances: Vec<Instance> = files.iter().map(instance).collect();
    let scan = dicom::scan(&instances, part, &Limits::default()).map_err(wrong)?;
    let own = || scan.files.iter().map(|&at| &files[at].1[..]);
    Ok(ImageBytes {
        sha256: sha256(own()),
        len: own().map(|bytes| bytes.len() as u64).sum(),
        content: Content::Series(Box::new(scan)),
    })
}

fn instance(file: &(String, Vec<u8>)) -> Instance<'_> {
    Instance { name: file.0.clone(), bytes: &file.1 }
}

/// The DICOM files below a folder, by name; others are not read whole.
fn dicom_files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut paths = Vec::new();
    below(folder, DEPTH, &mut paths)?;
    paths.sort();
    let (mut files, mut total) = (Vec::new(), 0);
    for path in paths.into_iter().filter(|path| is_dicom_file(path)) {
        let bytes = limited(&path, MAX_IMAGE - total)?;
        total += bytes.len() as u64;
        files.push((path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned(), bytes));
    }
    Ok(files)
}

/// Whether a file carries the mark of DICOM.
pub fn is_dicom_file(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(132).read_to_end(&mut head));
    read.is_ok() && dicom::is_dicom(&head)
}

/// What a DICOM file is to a study; `None` when it cannot be read.
pub fn kind_of(path: &Path) -> Option<Kind> {
    let file = (shown(path), limited(path, MAX_IMAGE).ok()?);
    dicom::kind(&instance(&file), &Limits::default()).ok()
}

/// A symbolic link is neither a file nor a folder here.
fn below(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Error> {
    let wrong = |source| Error::File { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let kind = entry.file_type().map_err(wrong)?;
        if kind.is_dir() && depth > 0 {
            below(&entry.path(), depth - 1, paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
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

    /// What should be said of the file as an image.
    pub fn notes(&self) -> &[String] {
        match &self.content {
            Content::File { header, .. } => &header.notes,
            _ => &[],
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

    /// The region on the grid of its image, and how it came there. A mask with several labels wants one to be named.
    pub fn region(&self, path: &Path, label: Label, on: &Geometry, params: &Params) -> Result<Region, Error> {
        let wrong = |source| Error::Image { path: path.to_owned(), source };
        let plain = |mask| Region { mask, reading: Reading::default() };
        let wrong_dicom = |source: DicomError| Error::Dicom { path: path.to_owned(), source: Box::new(source) };
        match &self.content {
            Content::File { part, .. } => {
                let pick = Pick { label, name: part.as_deref() };
                read::region(self.source(), pick, on, params, &Limits::default()).map_err(wrong)
            }
            Content::Series(scan) => read::region_of(&scan.image.volume, label, on, params).map_err(wrong),
            Content::Drawing { .. } if matches!(label, Label::Value(_)) => Err(Error::NoLabels(path.to_owned())),
            Content::Drawing { file, kind: Kind::Segmentation, part } => {
                dicom::segmentation(&instance(file), part.as_deref(), on, &Limits::default())
                    .map(plain)
                    .map_err(wrong_dicom)
            }
            Content::Drawing { file, part, .. } => {
                dicom::contours(&instance(file), part.as_deref(), on, &Limits::default())
                    .map(plain)
                    .map_err(wrong_dicom)
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
    let file = std::fs::File::open(path).map_err(wrong)?;
    if !file.metadata().map_err(wrong)?.is_file() {
        return Err(wrong(std::io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(wrong(std::io::Error::other(format!("larger than {most} bytes"))));
    }
    Ok(bytes)
}

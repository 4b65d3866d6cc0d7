//! Voxels that lie in several files, each with what stands before and behind them.

use crate::read::data::{Coding, Gzip, Layout, Skip};
use crate::read::{Header, ReadError};

/// Files of a list.
const MOST: usize = 4096;

/// The files beside a header that hold its voxels, one after the other, and the name of one that leads elsewhere: one
/// name; `LIST`, with a name on each line that follows; or `PATTERN MIN MAX STEP`.
pub fn files<'a>(
    field: &'static str,
    first: &str,
    lines: impl Iterator<Item = &'a str>,
) -> Result<(Vec<String>, Option<String>), ReadError> {
    let wrong = |expected| ReadError::Field { field, found: first.to_owned(), expected };
    let words: Vec<&str> = first.split_whitespace().collect();
    let found: Vec<(String, Option<String>)> = if words.first() == Some(&"LIST") {
        // A number behind LIST tells how many axes a file holds; it follows from the order of the voxels.
        let names = lines.map(str::trim).filter(|line| !line.is_empty()).take(MOST + 1);
        names.map(|name| beside(field, name)).collect::<Result<_, _>>()?
    } else if let Some((pattern, from, to, step)) = counted(&words) {
        let n = if step == 0 { i64::MAX } else { (to - from) / step };
        if !(0..MOST as i64).contains(&n) {
            return Err(wrong("at most 4096 files"));
        }
        (0..=n).map(|at| beside(field, &numbered(&pattern, from + at * step))).collect::<Result<_, _>>()?
    } else {
        vec![beside(field, first)?]
    };
    if found.is_empty() || found.len() > MOST {
        return Err(wrong("one file in the header's folder, or a list of up to 4096"));
    }
    let elsewhere = found.iter().find_map(|(_, elsewhere)| elsewhere.clone());
    Ok((found.into_iter().map(|(name, _)| name).collect(), elsewhere))
}

/// `PATTERN MIN MAX STEP`, the pattern with one `%d` or `%03d`.
fn counted(words: &[&str]) -> Option<([String; 3], i64, i64, i64)> {
    let [pattern, from, to, step, ..] = words else { return None };
    let (head, rest) = pattern.split_once('%')?;
    let (width, tail) = rest.split_once('d')?;
    let bound = |text: &str| text.parse::<i64>().ok().filter(|n| n.abs() < 1 << 40);
    let width_is_number = width.is_empty() || width.parse::<usize>().is_ok_and(|width| width < 20);
    width_is_number.then_some(())?;
    Some(([head, width, tail].map(str::to_owned), bound(from)?, bound(to)?, bound(step)?))
}

fn numbered([head, width, tail]: &[String; 3], n: i64) -> String {
    let pad = width.parse::<usize>().unwrap_or(0);
    if width.starts_with('0') { format!("{head}{n:0pad$}{tail}") } else { format!("{head}{n:pad$}{tail}") }
}

/// The file of voxels that a header names, and the name as it stands there where it leads elsewhere: headers move with
/// their voxels, so the file of that name beside the header is meant, and a header never reaches for other files.
pub fn beside(field: &'static str, name: &str) -> Result<(String, Option<String>), ReadError> {
    let wrong = || ReadError::Field { field, found: name.to_owned(), expected: "one file in the header's folder" };
    let path = name.replace('\\', "/");
    let parts: Vec<&str> = path.split('/').collect();
    let own = parts[parts.len() - 1];
    if name.contains(['%', '\0']) || matches!(own, "" | "." | "..") {
        return Err(wrong());
    }
    let has_drive = parts[0].len() == 2 && parts[0].ends_with(':');
    if path.starts_with('/') || has_drive || parts.contains(&"..") {
        return Ok((own.to_owned(), Some(name.to_owned())));
    }
    Ok((path, None))
}

impl Header {
    /// The same of a header that names several files: what its layout says holds in each of them, as Teem and MetaIO have
    /// it, and `joined` makes plain voxels of them.
    pub(in crate::read) fn of_list(self) -> Header {
        if self.further_files.is_empty() {
            return self;
        }
        let each = self.layout.clone();
        let skip = Skip::Bytes { stored: 0, content: 0 };
        let layout = Layout { gzip: Gzip::None, coding: Coding::Binary, skip, ..each.clone() };
        Header { layout, each: Some(each), ..self }
    }

    /// Numbers that each of several files holds; `None` where they cannot hold equally many.
    pub(in crate::read) fn numbers_each(total: Option<u64>, n_files: usize) -> Option<u64> {
        total.filter(|total| n_files > 0 && total % n_files as u64 == 0).map(|total| total / n_files as u64)
    }

    /// The voxels of the files that the header names, in its order, as `Source::data` takes them: `name` calls a file in
    /// messages. One byte more stands behind them where a file went on after its voxels, which readers then say.
    pub fn joined(&self, files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, ReadError> {
        let Some(each) = &self.each else { return Ok(files.iter().flat_map(|(_, bytes)| bytes.clone()).collect()) };
        let total = self.geometry.len() * self.layers.count;
        let wrong = |found| ReadError::Field {
            field: "the list of files",
            found,
            expected: "files that hold equally many voxels, as many as the sizes say",
        };
        let own = Header::numbers_each(Some(total as u64), files.len());
        let own = own.ok_or_else(|| wrong(format!("{} files for {total} numbers", files.len())))? as usize;
        let (mut joined, mut goes_on) = (Vec::new(), false);
        for (name, bytes) in files {
            let in_file = |cause: ReadError| ReadError::InFile { name: name.clone(), cause: Box::new(cause) };
            let (voxels, more) = each.bytes(bytes, own).map_err(in_file)?;
            joined.extend(voxels);
            goes_on |= more;
        }
        if goes_on {
            joined.push(0);
        }
        Ok(joined)
    }
}

//! One shard: measured on local disk, without the study file, and published as one whole file.

use std::path::Path;

use crate::protocol::Protocol;
use crate::store::{Scratch, ShardRow, Store};
use crate::study::shard::Plan;
use crate::study::{Error, ExtractReport, ExtractRequest, Study};
use osteon_base::job::Job;

impl Plan {
    /// Measures one shard into a file. A whole file of this shard stays as it is, unless `force`: then, and when the
    /// file is damaged, it is made again. The report is empty for a file that stayed.
    pub fn run_shard(&self, number: usize, to: &Path, force: bool, job: &Job) -> Result<ExtractReport, Error> {
        self.same_version()?;
        let patients = self.shard(number)?;
        let mut is_own = false;
        let mut aside = None;
        if to.symlink_metadata().is_ok() {
            match crate::study::shard::status::inspect(self, to) {
                Ok(found) if found.number == number && !force => {
                    return Ok(ExtractReport { skipped: patients.len(), ..ExtractReport::default() });
                }
                Ok(found) if found.number == number => is_own = true,
                Ok(found) => return Err(Error::Request(format!("{}: shard {}", to.display(), found.number))),
                Err(Error::OtherPlan(path)) => return Err(Error::OtherPlan(path)),
                Err(_) => aside = Some(Store::move_damaged_aside(to)?),
            }
        }
        // On local disk: SQLite's locks and its log do not suit every network file system.
        let scratch = Scratch::in_folder(&std::env::temp_dir(), &format!("osteon-shard-{number}"));
        let study = self.study_of(number, scratch.path())?;
        let report = study.extract(&ExtractRequest::default(), job)?;
        study.store.write("shard", |write| {
            let run = write.runs()?.first().map(|run| run.id).expect("an extraction has a run");
            let (plan, n_shards) = (self.hash.clone(), self.shards.len());
            write.put_shard(&ShardRow { plan, number, n_shards, run, sha256: None })
        })?;
        study.store.close_as_one_file()?;
        if is_own {
            scratch.publish_over(to)?;
        } else {
            scratch.publish(to)?;
        }
        Ok(ExtractReport { aside, ..report })
    }

    /// A study of the shard's patients, with their files by absolute paths and nothing clinical.
    fn study_of(&self, number: usize, path: &Path) -> Result<Study, Error> {
        let title = format!("Shard {number} of {} of plan {}", self.shards.len(), &self.hash[..12]);
        let study = Study::create(path, &title, Protocol::stored(&self.protocol)?)?;
        let folder = self.study.parent().unwrap_or(Path::new("/"));
        let nothing = vec![None; study.protocol.codebook.variables.len()];
        study.store.write("shard plan", |write| {
            for patient in self.shard(number)? {
                let id = write.add_patient(&patient.code, &nothing)?;
                for file in patient.files.iter().map(|file| file.linked(id, folder)) {
                    write.link_image(&file)?;
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(study)
    }
}

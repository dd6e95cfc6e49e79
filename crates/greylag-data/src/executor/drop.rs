//! `data/drop`: after retention the retired dataset is deleted. That cannot be undone.

use super::retire::Retired;
use super::{Job, OnPath, Work, done};
use crate::durable::{Identity, parent, remove, walk};
use crate::error::{dropped, lost};
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_model::task::Failure;

pub(super) struct Drop;

impl Work for Drop {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let retired: Retired = job.output_needed("data/retire")?;
        let due = retired.at.plus_millis(job.request.header.retention_millis);
        if job.context.now() < due {
            return Ok(Outcome::Pending { handle: "retention".to_owned(), wake: due });
        }
        let hidden = &retired.hidden;
        match Identity::probe(hidden).on("read", hidden)? {
            Some(there) if there.same_place(&retired.identity) => {
                // Without permissions not even its owner can list it.
                let directory = std::fs::symlink_metadata(hidden).on("read", hidden)?.is_dir();
                if directory {
                    job.disk().set_access(hidden, 0o700, None).on("change", hidden)?;
                }
                job.fault("write", hidden)?;
                if directory && let Some((first, metadata)) = walk(hidden).on("list", hidden)?.pop() {
                    let removed =
                        if metadata.is_dir() { remove(job.disk(), &first) } else { job.disk().remove_file(&first) };
                    removed.on("remove", &first)?;
                }
                job.fault("in-effect", hidden)?;
                remove(job.disk(), hidden).on("remove", hidden)?;
            }
            Some(_) => return Err(lost("the retired dataset")),
            None => {}
        }
        job.disk().sync(parent(hidden)).on("sync", parent(hidden))?;
        Ok(done(StepReport::default()))
    }

    /// Undo never begins once a drop has; this is the last guard.
    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let obstacles = self.undo(job).err().map(Failure::from).into_iter().collect();
        Ok(Rehearsal { obstacles, ..Rehearsal::default() })
    }

    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        let Some(retired) = job.output::<Retired>("data/retire")? else { return Ok(Vec::new()) };
        let hidden = &retired.hidden;
        // A drop that never began has nothing to take back.
        match Identity::probe(hidden).on("read", hidden)? {
            Some(there) if there.same_place(&retired.identity) => Ok(Vec::new()),
            _ => Err(dropped(hidden)),
        }
    }
}

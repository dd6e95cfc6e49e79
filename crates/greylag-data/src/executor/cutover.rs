//! `data/cutover`: the new dataset is authoritative; beside the old one stands a view that gives its columns from the
//! new one: `users_v1.parquet.sql` beside `users_v1.parquet`.

use super::dataset::{Access, Place};
use super::{Job, OnPath, Work, done, output};
use crate::durable::{parent, remove};
use crate::error::view_exists;
use greylag_driver::error::DriverError;
use greylag_driver::executor::{Outcome, Rehearsal, StepReport};
use greylag_model::view::{ViewRequest, compatibility_view};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::PathBuf;

pub(super) struct Cutover;

/// What cutover wrote down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CutOver {
    /// The view, if there is one.
    view: PathBuf,
}

/// The view's file and text.
struct View {
    path: PathBuf,
    hidden: PathBuf,
    text: String,
}

impl View {
    fn of(job: &Job<'_>, source: &Place) -> Result<Self, DriverError> {
        let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let holder = parent(&source.path);
        let target = job.target()?.path;
        let plan = job.work;
        let text = compatibility_view(ViewRequest {
            name: &plan.source.dataset.entity.name,
            mapping: &plan.mapping,
            source: &plan.source.layout,
            layout: &plan.target_layout,
            path: &target.display().to_string(),
        })
        .map_err(|diagnostic| {
            let error = DriverError::permanent(diagnostic.code, diagnostic.message);
            diagnostic.hints.into_iter().fold(error, DriverError::hint)
        })?;
        let hidden = holder.join(format!(".greylag-{:016x}.sql", xxhash_rust::xxh3::xxh3_64(name.as_bytes())));
        Ok(Self { path: holder.join(format!("{name}.sql")), hidden, text })
    }

    /// Whether it stands there already.
    fn stands(&self) -> Result<bool, DriverError> {
        match self.now()? {
            Now::Absent => Ok(false),
            Now::Stands => Ok(true),
            Now::Other => Err(view_exists(&self.path)),
        }
    }

    fn now(&self) -> Result<Now, DriverError> {
        match std::fs::read(&self.path) {
            Ok(bytes) if bytes == self.text.as_bytes() => Ok(Now::Stands),
            Ok(_) => Ok(Now::Other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Now::Absent),
            Err(error) => Err(error).on("read", &self.path),
        }
    }

    fn kept(&self) -> String {
        format!("`{}` is not the view that was written, so it is kept", self.path.display())
    }
}

/// What stands at a view's place.
enum Now {
    Absent,
    Stands,
    /// Something else.
    Other,
}

impl Work for Cutover {
    fn forward(&self, job: &Job<'_>) -> Result<Outcome, DriverError> {
        let source = job.source()?;
        let view = View::of(job, &source)?;
        let access = Access::of(&std::fs::metadata(&source.path).on("read", &source.path)?);
        if !view.stands()? {
            remove(job.disk(), &view.hidden).on("remove", &view.hidden)?;
            job.fault("write", &view.path)?;
            let written = job.disk().write_new(&view.hidden, view.text.as_bytes(), 0o600);
            // A disk that is full half-way leaves nothing.
            if let Err(error) = written {
                let _ = remove(job.disk(), &view.hidden);
                return Err(error).on("write", &view.path);
            }
            let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
            let owner = Some(access.owner()).filter(|owner| *owner != own);
            job.disk().set_access(&view.hidden, access.mode & 0o666 | 0o400, owner).on("change", &view.hidden)?;
            job.disk().sync(&view.hidden).on("sync", &view.hidden)?;
            job.fault("in-effect", &view.path)?;
            match job.disk().rename(&view.hidden, &view.path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(view_exists(&view.path)),
                renamed => renamed.on("write", &view.path)?,
            }
        }
        job.disk().sync(parent(&view.path)).on("sync", parent(&view.path))?;
        let report = CutOver { view: view.path };
        Ok(done(StepReport { output: output(&report)?, ..StepReport::default() }))
    }

    fn rehearse(&self, job: &Job<'_>) -> Result<Rehearsal, DriverError> {
        let view = View::of(job, &job.source()?)?;
        Ok(match view.now()? {
            Now::Absent => Rehearsal::default(),
            Now::Stands => Rehearsal::does(format!("remove the view `{}`", view.path.display())),
            Now::Other => Rehearsal { kept: vec![view.kept()], ..Rehearsal::default() },
        })
    }

    /// A view that somebody has edited since is theirs and stays.
    fn undo(&self, job: &Job<'_>) -> Result<Vec<String>, DriverError> {
        let view = View::of(job, &job.source()?)?;
        job.fault("in-effect", &view.path)?;
        remove(job.disk(), &view.hidden).on("remove", &view.hidden)?;
        let mut notes = Vec::new();
        match view.now()? {
            Now::Absent => {}
            Now::Stands => job.disk().remove_file(&view.path).on("remove", &view.path)?,
            Now::Other => notes.push(view.kept()),
        }
        job.disk().sync(parent(&view.path)).on("sync", parent(&view.path))?;
        Ok(notes)
    }
}

//! Reads objects, as many as are asked for, from one process.

use super::object::{ObjectId, damaged, missing};
use super::process::Process;
use super::repository::Repository;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blob,
    Tree,
    Other,
}

/// An object as it was read.
pub(super) struct Object {
    pub(super) id: ObjectId,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// A process that reads objects.
pub(super) struct Batch {
    process: Process,
    heard: Vec<u8>,
    /// How much of what was heard is taken.
    taken: usize,
    most: usize,
}

impl Batch {
    pub(super) fn start(repository: &Repository) -> Result<Self, DriverError> {
        let limits = repository.git.limits();
        let command = repository.git.command(&repository.folder, repository.safety, &["cat-file", "--batch-command"]);
        let process = Process::start(command, "read objects", limits, true)?;
        Ok(Self { process, heard: Vec::new(), taken: 0, most: limits.file_bytes })
    }

    /// Reads objects in the order asked. A name is an id, or an expression of ours without line ends. After an error the
    /// process is of no use any more.
    pub(super) fn read(
        &mut self,
        names: &[String],
        take: &mut dyn FnMut(Option<Object>) -> Result<(), DriverError>,
    ) -> Result<(), DriverError> {
        self.ask("contents", names)?;
        for _ in names {
            let object = self.next()?;
            take(object)?;
        }
        Ok(())
    }

    /// How many bytes objects have, in the order asked; none of one that is not there.
    pub(super) fn sizes(&mut self, names: &[String]) -> Result<Vec<Option<usize>>, DriverError> {
        self.ask("info", names)?;
        names.iter().map(|_| Ok(self.head()?.map(|(_, _, size)| size))).collect()
    }

    fn ask(&mut self, what: &str, names: &[String]) -> Result<(), DriverError> {
        self.process.rewind();
        let asked: String = names.iter().flat_map(|name| [what, " ", name, "\n"]).collect();
        self.process.say(asked.as_bytes(), &mut self.heard)
    }

    /// Reads one object that must be there.
    pub(super) fn one(&mut self, name: &str) -> Result<Object, DriverError> {
        let mut found = None;
        self.read(&[name.to_owned()], &mut |object| {
            found = object;
            Ok(())
        })?;
        found.ok_or_else(|| missing(&format!("object `{name}`")))
    }

    fn next(&mut self) -> Result<Option<Object>, DriverError> {
        let Some((id, kind, size)) = self.head()? else { return Ok(None) };
        if size > self.most {
            let message = format!("the object `{id}` has {size} bytes, and at most {} are read", self.most);
            return Err(DriverError::permanent(code::GIT_LIMIT, message));
        }
        let mut bytes = self.take(size + 1)?;
        bytes.pop();
        Ok(Some(Object { id, kind, bytes }))
    }

    /// What comes before an object's bytes, or stands for one that is not there.
    fn head(&mut self) -> Result<Option<(ObjectId, Kind, usize)>, DriverError> {
        let line = self.line()?;
        let mut words = line.split(' ');
        let (id, kind, size) = (words.next(), words.next(), words.next());
        let (Some(id), Some(kind), Some(size)) = (id, kind, size) else {
            return if line.ends_with(" missing") { Ok(None) } else { Err(damaged(&line)) };
        };
        let size: usize = size.parse().map_err(|_| damaged(&line))?;
        let kind = match kind {
            "blob" => Kind::Blob,
            "tree" => Kind::Tree,
            _ => Kind::Other,
        };
        Ok(Some((ObjectId::parse(id)?, kind, size)))
    }

    fn line(&mut self) -> Result<String, DriverError> {
        let mut looked = self.taken;
        loop {
            let rest = self.heard.get(looked..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = self.heard.get(self.taken..looked + end).unwrap_or_default();
                let line = String::from_utf8_lossy(line).into_owned();
                self.taken = looked + end + 1;
                return Ok(line);
            }
            looked = self.heard.len();
            self.process.hear(&mut self.heard)?;
        }
    }

    fn take(&mut self, length: usize) -> Result<Vec<u8>, DriverError> {
        while self.heard.len() - self.taken < length {
            self.process.hear(&mut self.heard)?;
        }
        let bytes = self.heard.get(self.taken..self.taken + length).unwrap_or_default().to_vec();
        self.taken += length;
        if self.taken == self.heard.len() {
            self.heard.clear();
            self.taken = 0;
        }
        Ok(bytes)
    }
}

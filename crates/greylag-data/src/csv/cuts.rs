//! Where a large CSV file can be cut: at the first record boundary behind each multiple of a size.
//!
//! Finding them reads the whole file once (about as fast as the disk gives it), because only a reader from the start
//! knows which line breaks stand inside quotes. It pays where a file is several chunks large, and is done for UTF-8 only.

use super::read::CsvFile;
use crate::chunk::{Cut, Extent};
use greylag_driver::error::DriverError;

/// Records looked at between two looks at the offset.
const STEP: usize = 256;

impl CsvFile {
    /// Record starts about every `every` bytes, the first record's first; empty if the file cannot be cut.
    pub fn cuts(&self, every: u64) -> Result<Vec<Cut>, DriverError> {
        let Some((offset, line)) = self.first_record().filter(|_| !self.names.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut cuts = vec![Cut { offset, line }];
        let mut records = self.records(&Extent::Bytes { start: offset, end: u64::MAX, line }, self.names.len());
        let mut next = offset + every;
        while records.advance(STEP)? {
            let (read, line) = records.position();
            if offset + read >= next {
                cuts.push(Cut { offset: offset + read, line });
                next = offset + read + every;
            }
        }
        let end = offset + records.position().0;
        // Nothing lies behind a cut at the very end.
        if cuts.len() > 1 && cuts.last().is_some_and(|last| last.offset >= end) {
            cuts.pop();
        }
        Ok(cuts)
    }
}

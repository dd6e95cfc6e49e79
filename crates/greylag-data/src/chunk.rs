//! Chunks: the smallest pieces of a backfill that are done or not done.
//!
//! [`plan_chunks`] is a pure function of what [`FileFacts`] say, so that the same files give the same chunks with the
//! same names in every attempt. A caller that resumes compares names only after it has made sure that the files are
//! still the same (relative path, length, time of change).
//!
//! A chunk never mixes partitions. Files are taken in path order: small neighbours of one partition share a chunk up to
//! the target size; a larger Parquet file is cut between row groups, a larger CSV file at the record boundaries that
//! its reader found. Within a chunk, and from chunk to chunk, rows keep the order of the files.

use crate::listing::DataFile;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a reader knows of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// The file.
    pub file: DataFile,
    /// Where it can be cut.
    pub pieces: Pieces,
}

/// Where a file can be cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pieces {
    /// Row groups of a Parquet file, in order.
    RowGroups(Vec<RowGroupFacts>),
    /// Boundaries of records, lines or blocks of a file in another format; empty if it is not to be cut.
    Records(Vec<Cut>),
}

/// Size of one row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroupFacts {
    /// Rows.
    pub rows: u64,
    /// Compressed bytes.
    pub bytes: u64,
}

/// A place in a file where a record, line or block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// Offset of the record's first byte.
    pub offset: u64,
    /// Its line, counted from 1; of a block the number of its first row.
    pub line: u64,
}

/// A piece of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The file: [`DataFile::relative`].
    pub relative: String,
    /// Which piece.
    pub extent: Extent,
    /// Rows, where metadata tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Bytes in the file.
    pub bytes: u64,
}

/// Which piece of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// Row groups of a Parquet file.
    RowGroups(Range<usize>),
    /// Bytes of a file in another format from one record's start to another's.
    Bytes {
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
        /// Line of the first record, or the number of its row.
        line: u64,
    },
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// `chunk-00012`: its place in the plan.
    pub key: String,
    /// Values of the source's partition columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partition: Vec<Option<String>>,
    /// What it reads, in order.
    pub parts: Vec<Part>,
}

impl Chunk {
    /// Rows, if all parts tell.
    pub fn rows(&self) -> Option<u64> {
        self.parts.iter().map(|part| part.rows).sum()
    }
    /// Bytes of all parts.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }
}

/// Cuts a dataset into chunks of about `target_bytes` (of the source). `files` are in path order.
pub fn plan_chunks(files: &[FileFacts], target_bytes: u64) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut open = 0;
    for facts in files {
        let pieces = cut(facts, target_bytes);
        let whole = pieces.len() == 1;
        for part in pieces {
            let bytes = part.bytes;
            let last = chunks.last_mut().filter(|last| {
                whole && open + bytes <= target_bytes && open > 0 && last.partition == facts.file.partition
            });
            if let Some(last) = last {
                last.parts.push(part);
                open += bytes;
            } else {
                let key = format!("chunk-{:05}", chunks.len());
                chunks.push(Chunk { key, partition: facts.file.partition.clone(), parts: vec![part] });
                // The last piece of a cut file stays alone: sharing it would couple two files' chunks.
                open = if whole { bytes.max(1) } else { 0 };
            }
        }
    }
    chunks
}

fn cut(facts: &FileFacts, target_bytes: u64) -> Vec<Part> {
    let relative = &facts.file.relative;
    match &facts.pieces {
        Pieces::RowGroups(groups) => {
            let rows = groups.iter().map(|group| group.rows).sum();
            if facts.file.bytes <= target_bytes || groups.len() < 2 {
                let (extent, bytes) = (Extent::Whole, facts.file.bytes);
                return vec![Part { relative: relative.clone(), extent, rows: Some(rows), bytes }];
            }
            cut_row_groups(relative, groups, target_bytes)
        }
        Pieces::Records(cuts) if cuts.is_empty() || facts.file.bytes <= target_bytes => {
            vec![Part { relative: relative.clone(), extent: Extent::Whole, rows: None, bytes: facts.file.bytes }]
        }
        Pieces::Records(cuts) => cut_records(relative, cuts, facts.file.bytes, target_bytes),
    }
}

fn cut_row_groups(relative: &str, groups: &[RowGroupFacts], target_bytes: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = 0;
    while start < groups.len() {
        let (mut end, mut rows, mut bytes) = (start, 0, 0);
        while end < groups.len() && (end == start || bytes + groups[end].bytes <= target_bytes) {
            rows += groups[end].rows;
            bytes += groups[end].bytes;
            end += 1;
        }
        let extent = Extent::RowGroups(start..end);
        parts.push(Part { relative: relative.to_owned(), extent, rows: Some(rows), bytes });
        start = end;
    }
    parts
}

fn cut_records(relative: &str, cuts: &[Cut], length: u64, target_bytes: u64) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut start = cuts[0];
    let mut part = |start: Cut, end: u64| {
        let extent = Extent::Bytes { start: start.offset, end, line: start.line };
        parts.push(Part { relative: relative.to_owned(), extent, rows: None, bytes: end - start.offset });
    };
    for (index, cut) in cuts.iter().enumerate().skip(1) {
        let next = cuts.get(index + 1).map_or(length, |next| next.offset);
        if next - start.offset > target_bytes {
            part(start, cut.offset);
            start = *cut;
        }
    }
    part(start, length);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(relative: &str, bytes: u64, partition: &[&str], pieces: Pieces) -> FileFacts {
        let partition = partition.iter().map(|value| Some((*value).to_owned())).collect();
        FileFacts { file: DataFile { relative: relative.to_owned(), bytes, modified_nanos: 0, partition }, pieces }
    }

    fn groups(sizes: &[u64]) -> Pieces {
        Pieces::RowGroups(sizes.iter().map(|bytes| RowGroupFacts { rows: 10, bytes: *bytes }).collect())
    }

    fn show(files: &[FileFacts], target: u64) -> String {
        let part = |part: &Part| match &part.extent {
            Extent::Whole => part.relative.clone(),
            Extent::RowGroups(range) => format!("{}[{range:?}]", part.relative),
            Extent::Bytes { start, end, line } => format!("{}[{start}-{end} line {line}]", part.relative),
        };
        let line = |chunk: &Chunk| {
            let parts: Vec<_> = chunk.parts.iter().map(part).collect();
            format!("{} {}\n", chunk.key, parts.join(" + "))
        };
        plan_chunks(files, target).iter().map(line).collect()
    }

    #[test]
    fn small_files_of_one_partition_share() {
        let files = [
            facts("p=1/a", 40, &["1"], groups(&[40])),
            facts("p=1/b", 50, &["1"], groups(&[50])),
            facts("p=1/c", 20, &["1"], groups(&[20])),
            facts("p=2/a", 10, &["2"], groups(&[10])),
        ];
        insta::assert_snapshot!(show(&files, 100), @r"
        chunk-00000 p=1/a + p=1/b
        chunk-00001 p=1/c
        chunk-00002 p=2/a
        ");
    }

    #[test]
    fn large_files_are_cut_between_row_groups() {
        let files = [
            facts("a", 10, &[], groups(&[10])),
            facts("b", 250, &[], groups(&[60, 30, 110, 50])),
            facts("c", 10, &[], groups(&[10])),
            facts("d", 10, &[], groups(&[10])),
        ];
        insta::assert_snapshot!(show(&files, 100), @r"
        chunk-00000 a
        chunk-00001 b[0..2]
        chunk-00002 b[2..3]
        chunk-00003 b[3..4]
        chunk-00004 c + d
        ");
    }

    #[test]
    fn large_csv_files_are_cut_at_records() {
        let cuts = [(5, 2), (60, 9), (115, 20), (190, 31)].map(|(offset, line)| Cut { offset, line });
        let files =
            [facts("a", 250, &[], Pieces::Records(cuts.to_vec())), facts("b", 250, &[], Pieces::Records(Vec::new()))];
        insta::assert_snapshot!(show(&files, 120), @r"
        chunk-00000 a[5-115 line 2]
        chunk-00001 a[115-190 line 20]
        chunk-00002 a[190-250 line 31]
        chunk-00003 b
        ");
    }

    #[test]
    fn no_files_no_chunks() {
        assert_eq!(plan_chunks(&[], 100), []);
    }
}

//! Everything that the data plane asks of reader processes, and what they answer.

use crate::avro::container::AvroFile;
use crate::chunk::{Extent, FileFacts, Part, Pieces};
use crate::convert::{ConvertReply, ConvertRequest, MarkRequest, Marked};
use crate::csv::read::CsvFile;
use crate::describe::{FileCalls, FileReply, FileRequest};
use crate::diff::{DigestReply, DigestRequest, PickReply, PickRequest};
use crate::io_error::io_error;
use crate::json::lines::JsonFile;
use crate::listing::{Anchor, DataFile};
use crate::parquet::assemble::assemble;
use crate::parquet::footer::{Limits, ParquetFile};
use crate::pool::ReaderPool;
use crate::proof::duckdb::{FillReply, FillRequest, JudgeRequest, Judged, StageReply, StageRequest};
use crate::verify::{VerifyReply, VerifyRequest};
use arrow::array::RecordBatch;
use greylag_driver::error::DriverError;
use greylag_model::dataset::{Format, Layout};
use greylag_model::proof::{ProofRequest, ProofVerdict};
use greylag_model::schema::Schema;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// A pool of readers for these requests.
pub type Readers = ReaderPool<Request, Reply>;

/// What a reader is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// What datasets are.
    Files(FileRequest),
    /// Where large files can be cut.
    Facts(FactsRequest),
    /// Convert a chunk.
    Convert(Box<ConvertRequest>),
    /// Find the largest value of a column.
    Mark(Box<MarkRequest>),
    /// Put a single file together.
    Assemble(AssembleRequest),
    /// Read a chunk of the target back.
    Verify(Box<VerifyRequest>),
    /// Hash rows to compare them.
    Digest(Box<DigestRequest>),
    /// Rows that differ.
    Pick(Box<PickRequest>),
    /// Whether two texts give the same.
    Prove(Box<ProofRequest>),
    /// Rows for a proof in DuckDB.
    Stage(Box<StageRequest>),
    /// Rows for the builds of a project.
    Fill(Box<FillRequest>),
    /// What came of it there.
    Judge(Box<JudgeRequest>),
}

/// What a reader answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// To [`Request::Files`].
    Files(FileReply),
    /// To [`Request::Facts`], in the order asked.
    Facts(Vec<FileFacts>),
    /// To [`Request::Convert`].
    Convert(Box<ConvertReply>),
    /// To [`Request::Mark`].
    Marked(Marked),
    /// To [`Request::Assemble`]: bytes of the file.
    Assembled(u64),
    /// To [`Request::Verify`].
    Verify(Box<VerifyReply>),
    /// To [`Request::Digest`].
    Digest(Box<DigestReply>),
    /// To [`Request::Pick`].
    Pick(Box<PickReply>),
    /// To [`Request::Prove`].
    Proven(Box<ProofVerdict>),
    /// To [`Request::Stage`].
    Staged(StageReply),
    /// To [`Request::Fill`].
    Filled(FillReply),
    /// To [`Request::Judge`].
    Judged(Box<Judged>),
}

impl FileCalls for Readers {
    fn call(&self, request: &FileRequest) -> Result<FileReply, DriverError> {
        match Self::call(self, &Request::Files(request.clone()))? {
            Reply::Files(reply) => Ok(reply),
            _ => Err(crate::error::odd_reply()),
        }
    }

    fn width(&self) -> usize {
        self.at_once()
    }
}

/// Files that are too large for one chunk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FactsRequest {
    /// Where the dataset lies.
    pub anchor: Anchor,
    /// How it is laid out.
    pub layout: Layout,
    /// The files.
    pub files: Vec<DataFile>,
    /// About how many bytes a chunk is to have.
    pub chunk_bytes: u64,
}

/// Pieces of a single file, in order, and the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssembleRequest {
    /// Format of pieces and file.
    pub format: Format,
    /// The pieces.
    pub pieces: Vec<PathBuf>,
    /// The file.
    pub output: PathBuf,
}

/// Answers a request: the handler that a reader process serves.
pub fn handle(request: Request) -> Result<Reply, DriverError> {
    Ok(match request {
        Request::Files(request) => Reply::Files(crate::describe::answer::answer(&request)?),
        Request::Facts(request) => Reply::Facts(facts(&request)?),
        Request::Convert(request) => Reply::Convert(Box::new(crate::convert::convert(&request)?)),
        Request::Mark(request) => Reply::Marked(crate::convert::largest(&request)?),
        Request::Assemble(request) => Reply::Assembled(put_together(&request)?),
        Request::Verify(request) => Reply::Verify(Box::new(crate::verify::verify(&request)?)),
        Request::Digest(request) => Reply::Digest(Box::new(crate::diff::digest(&request)?)),
        Request::Pick(request) => Reply::Pick(Box::new(crate::diff::pick(&request)?)),
        Request::Prove(request) => Reply::Proven(Box::new(crate::proof::answer(&request)?)),
        Request::Stage(request) => Reply::Staged(crate::proof::duckdb::stage(&request)?),
        Request::Fill(request) => Reply::Filled(crate::proof::duckdb::fill(&request)?),
        Request::Judge(request) => Reply::Judged(Box::new(crate::proof::duckdb::judge(&request)?)),
    })
}

/// The rows of one file of a dataset, partition columns included: for tests and for people who look at samples.
pub fn read_rows(
    anchor: &Anchor,
    layout: &Layout,
    schema: &Schema,
    file: &DataFile,
) -> Result<Vec<RecordBatch>, DriverError> {
    let source = crate::convert::Source { anchor, layout, schema, batch_rows: 8192 };
    let part = Part { relative: file.relative.clone(), extent: Extent::Whole, rows: None, bytes: file.bytes };
    source.open(&part, &file.partition)?.collect()
}

fn facts(request: &FactsRequest) -> Result<Vec<FileFacts>, DriverError> {
    let of = |file: &DataFile| {
        let opened = request.anchor.open(&file.relative)?;
        let name = request.anchor.absolute().join(&file.relative).display().to_string();
        let pieces = match &request.layout.format {
            Format::Parquet { .. } => {
                Pieces::RowGroups(ParquetFile::open_footer(opened, &name, &Limits::default())?.row_groups())
            }
            Format::Csv(dialect) => Pieces::Records(CsvFile::open(opened, &name, dialect)?.cuts(request.chunk_bytes)?),
            Format::Json => Pieces::Records(JsonFile::open(opened, &name)?.cuts(request.chunk_bytes)?),
            Format::Avro { .. } => Pieces::Records(AvroFile::open(opened, &name)?.cuts(request.chunk_bytes)?),
        };
        Ok(FileFacts { file: file.clone(), pieces })
    };
    request.files.iter().map(of).collect()
}

fn put_together(request: &AssembleRequest) -> Result<u64, DriverError> {
    let path = &request.output;
    let create = OpenOptions::new().write(true).create(true).truncate(true).open(path);
    let out = BufWriter::with_capacity(1 << 18, create.map_err(|error| io_error("create", path, &error))?);
    let open = |piece: &PathBuf| File::open(piece).map_err(|error| io_error("open", piece, &error));
    match &request.format {
        Format::Parquet { .. } => {
            let named = |piece: &PathBuf| Ok((piece.display().to_string(), open(piece)?));
            let pieces = request.pieces.iter().map(named).collect::<Result<_, DriverError>>()?;
            Ok(assemble(pieces, out, &path.display().to_string())?.1.bytes)
        }
        // Only the first piece has a header.
        Format::Csv(_) | Format::Json | Format::Avro { .. } => {
            let mut out = out;
            let mut bytes = 0;
            for piece in &request.pieces {
                bytes += std::io::copy(&mut open(piece)?, &mut out).map_err(|error| io_error("write", path, &error))?;
            }
            out.flush().map_err(|error| io_error("write", path, &error))?;
            Ok(bytes)
        }
    }
}

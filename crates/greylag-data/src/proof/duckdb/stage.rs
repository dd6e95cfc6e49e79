//! In a reader process: the rows of all rounds as files, and what DuckDB is to be told of both texts.

use super::side::{Order, Side};
use super::text::Text;
use crate::io_error::io_error;
use crate::parquet::write::{ParquetFileWriter, ParquetOptions};
use crate::proof::guess::{self, Asked};
use crate::proof::rows::pool::Literals;
use crate::proof::rows::view::{change, spelled_by_engines};
use crate::proof::run::{table, unprovable};
use crate::proof::trials::{Trial, Trials, guesses, replaced};
use crate::proof::{literals, parse};
use crate::reader::BatchWriter;
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema, TimeUnit};
use greylag_driver::error::DriverError;
use greylag_model::dataset::Compression;
use greylag_model::proof::{Content, Outcome, ProofRequest, ProofVerdict, Reach, Reason};
use greylag_model::schema::Schema;
use greylag_model::table::TableName;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A request to make rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StageRequest {
    /// What is to be proven.
    pub(super) proof: ProofRequest,
    /// Which of the guesses of unknown types is tried.
    pub(super) guess: usize,
    /// An empty folder, which gets one for each round.
    pub(super) folder: PathBuf,
}

/// Rows, or why there is no need for any.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum StageReply {
    /// The verdict, without a run.
    Told(Box<ProofVerdict>),
    /// What is to be run.
    Staged(Box<Staged>),
}

/// What is to be run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Staged {
    /// What begins every mark of the output.
    pub(super) nonce: String,
    /// Commands of the old text, the same with its rows in other orders, and those of the new one.
    pub(super) old: Vec<String>,
    pub(super) again: Vec<Vec<String>>,
    pub(super) new: Vec<String>,
    pub(super) rounds: Vec<Round>,
    /// How many guesses there are.
    pub(super) guesses: usize,
    /// What can be said before anything has run.
    pub(super) reach: Reach,
}

/// Counts of one round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Round {
    pub(super) rows_in: u64,
    pub(super) drawn: u64,
    pub(super) unfit: u64,
    pub(super) sampled: u64,
    pub(super) look: bool,
}

/// The names of all relations on one side.
pub(super) fn names(request: &ProofRequest, old: bool) -> Vec<&[TableName]> {
    request.relations.iter().map(|known| if old { &known.old[..] } else { &known.new[..] }).collect()
}

/// What nobody can know who wrote a text before it was asked about.
fn nonce(request: &ProofRequest) -> String {
    let whole = format!("{}\0{}\0{}\0{}", request.subject, request.effort.seed, request.old, request.new);
    format!("greylag {:032x}", xxhash_rust::xxh3::xxh3_128(whole.as_bytes()))
}

/// Works on a request.
pub(crate) fn stage(asked: &StageRequest) -> Result<StageReply, DriverError> {
    let told = |outcome| Ok(StageReply::Told(Box::new(ProofVerdict { outcome, reach: Reach::default() })));
    let mut request = asked.proof.clone();
    let mut known = Literals::default();
    let texts = Text::of(&request.old, &mut known).and_then(|old| Ok((old, Text::of(&request.new, &mut known)?)));
    let (old, new) = match texts {
        Ok(texts) => texts,
        Err(outcome) => return told(outcome),
    };
    let mut used = Asked::default();
    // Where the text is understood, it says more of its columns and literals.
    for (at, text) in [&request.old, &request.new].into_iter().enumerate() {
        for statement in parse::statements(text, &request.dialect).unwrap_or_default() {
            literals::collect(&statement, &mut known);
            if at == 0 {
                used.add(&statement);
            }
        }
    }
    guess::types(&mut request, &used);
    let guesses = guesses(&request);
    let guess = guesses.get(asked.guess).and_then(Option::as_ref);
    let trials = Trials { request: &request, literals: &known, guess };
    let nonce = nonce(&request);
    let commands = |text, old: bool, order| {
        let word = if old { "old" } else { "new" };
        let side = Side { word, text, names: &names(&request, old), nonce: &nonce };
        side.commands(&schemas(&trials, old), order)
    };
    let all = commands(&old, true, Order::Drawn).and_then(|before| {
        let again = [Order::Reversed, Order::Mixed].into_iter().map(|order| commands(&old, true, order));
        Ok((before, again.collect::<Result<_, _>>()?, commands(&new, false, Order::Drawn)?))
    });
    let (before, again, after) = match all {
        Ok(all) => all,
        Err(why) => return told(unprovable(Reason::Unsupported, why)),
    };
    let mut reach = Reach { seed: request.effort.seed, replaced: replaced(&request), ..Reach::default() };
    reach.assumed = assumed(&request, &[&old, &new]);
    let rounds = match written(&trials, &asked.folder, &mut reach)? {
        Ok(rounds) => rounds,
        Err(outcome) => return told(outcome),
    };
    let guesses = guesses.len();
    Ok(StageReply::Staged(Box::new(Staged { nonce, old: before, again, new: after, rounds, guesses, reach })))
}

fn assumed(request: &ProofRequest, texts: &[&Text]) -> Vec<String> {
    let mut words = Vec::new();
    if request.dialect != "duckdb" {
        words.push("what it says means what it means in DuckDB".to_owned());
    }
    if texts.iter().any(|text| text.has_clock) {
        words.push("the time is the same for both".to_owned());
    }
    if texts.iter().any(|text| text.is_lowered) {
        words.push("a limit is tried with fewer rows than it says".to_owned());
    }
    words
}

/// Writes the rows of all rounds.
fn written(trials: &Trials<'_>, folder: &Path, reach: &mut Reach) -> Result<Result<Vec<Round>, Outcome>, DriverError> {
    let mut rounds = Vec::new();
    let count = trials.request.effort.rounds;
    for at in 0..=count {
        let trial = if at < count { Some(trials.made(at)?) } else { trials.real(&mut reach.unread)? };
        let Some(trial) = trial else { break };
        match round(trials, &trial, &folder.join(rounds.len().to_string()))? {
            Ok(round) => rounds.push(round),
            Err(why) => return Ok(Err(unprovable(Reason::Unsupported, why))),
        }
    }
    Ok(Ok(rounds))
}

/// Writes the rows of one round into a folder, which it makes; `Err` says why there are none.
pub(super) fn round(trials: &Trials<'_>, trial: &Trial, place: &Path) -> Result<Result<Round, String>, DriverError> {
    fs::create_dir(place).map_err(|error| io_error("create", place, &error))?;
    for side in [true, false] {
        if let Err(why) = tables(trials, trial, side, place)? {
            return Ok(Err(why));
        }
    }
    Ok(Ok(Round {
        rows_in: trial.rows_in(),
        drawn: trial.rows.iter().map(|rows| rows.drawn).sum(),
        unfit: trial.rows.iter().map(|rows| rows.unfit).sum(),
        sampled: trial.sampled,
        look: trial.look,
    }))
}

/// The columns of each relation as its table has them.
pub(super) fn schemas(trials: &Trials<'_>, old: bool) -> Vec<Schema> {
    let of = |content: &Content| match content {
        Content::Changed(mapping) if old => mapping.source.clone(),
        Content::Changed(mapping) => mapping.target.clone(),
        Content::Same { schema, guessed } => trials.typed(schema, *guessed),
    };
    trials.request.relations.iter().map(|relation| of(&relation.content)).collect()
}

/// Writes the rows of one side.
fn tables(trials: &Trials<'_>, trial: &Trial, old: bool, place: &Path) -> Result<Result<(), String>, DriverError> {
    let schemas = schemas(trials, old);
    for (at, (schema, rows)) in schemas.iter().zip(&trial.rows).enumerate() {
        let values = if old { &rows.old } else { &rows.new };
        let (mut schema, mut values) = (schema.clone(), values.clone());
        if let Content::Changed(mapping) = &trials.request.relations[at].content
            && old
        {
            // DuckDB spells them itself, from the values.
            for (index, made) in spelled_by_engines(mapping, &change(mapping)) {
                schema.columns[index].data_type.clone_from(&mapping.target.columns[made].data_type);
                for (row, new) in values.iter_mut().zip(&rows.new) {
                    row[index].clone_from(&new[made]);
                }
            }
        }
        let batch = match table(&schema, &values).and_then(|batch| stored(&batch)) {
            Ok(batch) => batch,
            Err(why) => return Ok(Err(why)),
        };
        write(&place.join(format!("{}-{at}.parquet", if old { "old" } else { "new" })), &batch)?;
    }
    Ok(Ok(()))
}

/// A batch as a file has it: Parquet's times have no seconds.
fn stored(batch: &RecordBatch) -> Result<RecordBatch, String> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let to = match field.data_type() {
            ArrowType::Timestamp(TimeUnit::Second, zone) => ArrowType::Timestamp(TimeUnit::Millisecond, zone.clone()),
            ArrowType::Time32(_) => ArrowType::Time32(TimeUnit::Millisecond),
            other => other.clone(),
        };
        arrays.push(cast(array, &to).map_err(|error| format!("rows cannot be made: {error}"))?);
        fields.push(Field::new(field.name(), to, true));
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(ArrowSchema::new(fields)), arrays, &options)
        .map_err(|error| format!("rows cannot be made: {error}"))
}

fn write(path: &Path, batch: &RecordBatch) -> Result<(), DriverError> {
    let file = File::create_new(path).map_err(|error| io_error("create", path, &error))?;
    let options = ParquetOptions {
        compression: Compression::Uncompressed,
        expected_rows: Some(batch.num_rows() as u64),
        ..ParquetOptions::default()
    };
    let mut writer = Box::new(ParquetFileWriter::new(file, &path.display().to_string(), batch.schema(), options));
    writer.write(batch)?;
    writer.finish().map(|_| ())
}

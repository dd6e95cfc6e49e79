//! Errors of the Arrow and Parquet libraries as driver errors.

use crate::io_error::io_error;
use arrow::error::ArrowError;
use greylag_driver::error::DriverError;
use greylag_model::code::data as code;
use parquet::errors::ParquetError;
use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;

/// What reading `name` failed with. Input and output errors may pass; everything else is the file's fault.
pub fn read_failure(name: &str, error: &ParquetError) -> DriverError {
    let text = error.to_string();
    if let ParquetError::External(inner) = error
        && let Some(failure) = system_failure(name, inner.as_ref())
    {
        return failure;
    }
    if matches!(error, ParquetError::NYI(_)) { unsupported(name, &text) } else { in_words(name, &text) }
}

/// A failure that only its words tell of.
fn in_words(name: &str, text: &str) -> DriverError {
    let known = ["Disabled feature", "encrypt"].iter().any(|words| text.contains(words));
    if known { unsupported(name, text) } else { corrupt(name, text) }
}

fn unsupported(name: &str, text: &str) -> DriverError {
    DriverError::permanent(code::UNSUPPORTED_FEATURE, format!("`{name}` cannot be read: {}", tidy(text)))
        .hint("rewrite the file with zstd or snappy and without encryption")
}

/// What a stream of batches from `name` failed with.
pub fn batch_failure(name: &str, error: &ArrowError) -> DriverError {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<ParquetError>() {
            Some(inner) => read_failure(name, inner),
            None => system_failure(name, inner.as_ref()).unwrap_or_else(|| in_words(name, &error.to_string())),
        },
        ArrowError::IoError(_, inner) => {
            system_failure(name, inner).unwrap_or_else(|| corrupt(name, &error.to_string()))
        }
        other => in_words(name, &other.to_string()),
    }
}

/// A corrupt file, in the library's words.
pub fn corrupt(name: &str, words: &str) -> DriverError {
    DriverError::permanent(code::CORRUPT_PARQUET, format!("`{name}` is corrupt: {}", tidy(words)))
        .hint("restore the file or write it again")
}

/// A file whose sizes are impossible.
pub fn hostile(name: &str, words: &str) -> DriverError {
    DriverError::permanent(code::HOSTILE_FILE, format!("`{name}` is not read: {words}"))
        .hint("the file is damaged or made to exhaust memory; write it again if its origin is known")
}

/// What writing `name` failed with.
pub fn write_failure(name: &str, error: &ParquetError) -> DriverError {
    let inner: Option<&(dyn Error + 'static)> = match error {
        ParquetError::External(inner) => Some(inner.as_ref()),
        _ => None,
    };
    let io = inner.and_then(|inner| inner.downcast_ref::<std::io::Error>());
    match io {
        Some(io) => io_error("write", Path::new(name), io),
        None => DriverError::permanent(code::PARQUET_WRITE, format!("`{name}`: {}", tidy(&error.to_string()))),
    }
}

fn system_failure(name: &str, error: &(dyn Error + Send + Sync + 'static)) -> Option<DriverError> {
    let error = error.downcast_ref::<std::io::Error>()?;
    let own = matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::Other);
    (!own).then(|| io_error("read", Path::new(name), error))
}

/// A library's words in our form: one line, bounded, first letter small, no `Parquet error:` before them.
fn tidy(words: &str) -> String {
    let words = words.lines().next().unwrap_or_default();
    let prefixes = ["Parquet argument error: ", "Parquet error: ", "Arrow: ", "External: ", "EOF: ", "Cast error: "];
    let words = prefixes.iter().fold(words, |words, prefix| words.strip_prefix(prefix).unwrap_or(words));
    let mut letters = words.chars().take(300);
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

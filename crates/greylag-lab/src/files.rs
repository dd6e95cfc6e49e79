//! The files of the old dataset and of the expected rows.

use crate::attribute::Column;
use crate::cell::Cell;
use crate::csv_file;
use crate::design::{Design, Slot, Writer};
use crate::error::LabError;
use crate::layout::{Format, Layout, Shape, partition_directory};
use crate::parquet_file;
use crate::rows::Rows;
use greylag_model::dataset::Compression;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Writes the old dataset below `root`.
pub(crate) fn write_old(root: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let place = root.join(&design.old_path);
    match design.old.shape {
        Shape::File => {
            let bytes = encode(&design.old_slots, &rows.old, 0..design.rows, &design.old, design.writer)?;
            let bytes = match design.hostile {
                Some(hostile) => hostile.spoil(bytes),
                None => Some(bytes),
            };
            if let Some(bytes) = bytes {
                write_file(&place, &bytes, design.file_mode)?;
            }
            if design.litter {
                litter_beside(&place)?;
            }
        }
        Shape::Directory => {
            create_directory(&place, design.directory_mode)?;
            if design.old.partition_by.is_empty() {
                write_flat(&place, design, rows)?;
            } else {
                write_partitions(&place, design, rows)?;
            }
            if design.litter {
                litter_within(&place, design.old.format.extension())?;
            }
        }
    }
    Ok(())
}

/// Writes the expected rows, partition columns among them, as one file.
pub(crate) fn write_truth(place: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let count = design.rows - rows.rejected;
    let layout = Layout {
        format: Format::Parquet { compression: Compression::Lz4 },
        shape: Shape::File,
        partition_by: vec![],
    };
    let bytes = encode(&design.new_slots, &rows.new, 0..count, &layout, Writer::Arrow)?;
    write_file(place, &bytes, 0o644)
}

fn write_flat(place: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let files = if design.rows == 0 { 1 } else { design.files };
    for number in 0..files {
        let range = design.rows * number / files..design.rows * (number + 1) / files;
        let bytes = encode(&design.old_slots, &rows.old, range, &design.old, design.writer)?;
        write_file(&place.join(file_name(number, design)), &bytes, design.file_mode)?;
    }
    Ok(())
}

fn file_name(number: usize, design: &Design) -> String {
    let extension = design.old.format.extension();
    if design.index % 13 == 4 {
        format!("teil {number} (übertragen).{extension}")
    } else {
        format!("part-{number:05}.{extension}")
    }
}

fn write_partitions(place: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let columns = design.old_slots.len() - design.old.partition_by.len();
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for row in 0..design.rows {
        let directories = (columns..design.old_slots.len()).map(|at| {
            let column = &design.old_slots[at].column;
            partition_directory(&column.name, rows.old[at][row].to_text(&column.data_type).as_deref())
        });
        groups.entry(directories.collect()).or_default().push(row);
    }
    for (directories, group) in groups {
        let mut directory = place.to_path_buf();
        for name in directories {
            directory.push(name);
            create_directory(&directory, design.directory_mode)?;
        }
        let cells: Vec<(&Column, Vec<&Cell>)> = design.old_slots[..columns]
            .iter()
            .zip(&rows.old)
            .map(|(slot, cells)| (&slot.column, group.iter().map(|row| &cells[*row]).collect()))
            .collect();
        let bytes = encode_columns(&cells, group.len(), &design.old, design.writer)?;
        write_file(&directory.join(file_name(0, design)), &bytes, design.file_mode)?;
    }
    Ok(())
}

fn encode(
    slots: &[Slot],
    cells: &[Vec<Cell>],
    range: std::ops::Range<usize>,
    layout: &Layout,
    writer: Writer,
) -> Result<Vec<u8>, LabError> {
    let columns: Vec<(&Column, Vec<&Cell>)> =
        slots.iter().zip(cells).map(|(slot, cells)| (&slot.column, cells[range.clone()].iter().collect())).collect();
    encode_columns(&columns, range.len(), layout, writer)
}

fn encode_columns(
    columns: &[(&Column, Vec<&Cell>)],
    rows: usize,
    layout: &Layout,
    writer: Writer,
) -> Result<Vec<u8>, LabError> {
    match &layout.format {
        Format::Parquet { compression } => Ok(parquet_file::bytes(columns, rows, *compression, writer)?),
        Format::Csv(dialect) => Ok(csv_file::bytes(columns, rows, dialect)),
    }
}

/// Hidden and half-written files in a directory of data: nobody's business.
fn litter_within(place: &Path, extension: &str) -> Result<(), LabError> {
    write_file(&place.join("_SUCCESS"), b"", 0o644)?;
    write_file(&place.join(format!(".part-00000.{extension}.crc")), b"crc\0\x01\x02\x03\x04", 0o644)?;
    write_file(&place.join(format!("part-00099.{extension}.tmp")), b"PAR1 half of a file", 0o600)?;
    let temporary = place.join("_temporary");
    create_directory(&temporary, 0o700)?;
    write_file(&temporary.join(format!("part-00001.{extension}")), b"not yet a file", 0o644)
}

/// Files of editors and copies under way beside a single file.
fn litter_beside(place: &Path) -> Result<(), LabError> {
    let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
    write_file(&place.with_file_name(format!(".{name}.swp")), b"swap", 0o600)?;
    write_file(&place.with_file_name(format!("{name}.inprogress")), b"half of a", 0o644)
}

/// Creates a directory (its parents must exist) with a mode, whatever the process's mask; an existing one is left as it
/// is.
pub(crate) fn create_directory(path: &Path, mode: u32) -> Result<(), LabError> {
    match fs::create_dir(path) {
        Ok(()) => set_mode(path, mode),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(LabError::io("create", path, error)),
    }
}

/// Creates the directories of `relative` below `root`.
pub(crate) fn create_directories(root: &Path, relative: &str) -> Result<(), LabError> {
    let mut path = root.to_path_buf();
    for name in relative.split('/') {
        path.push(name);
        create_directory(&path, 0o755)?;
    }
    Ok(())
}

/// Writes a file with a mode.
pub(crate) fn write_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), LabError> {
    fs::write(path, bytes).map_err(|error| LabError::io("write", path, error))?;
    set_mode(path, mode)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), LabError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|error| LabError::io("change the mode of", path, error))
}

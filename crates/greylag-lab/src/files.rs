//! The files of the old dataset and of the expected rows.

use crate::attribute::Column;
use crate::cell::Cell;
use crate::csv_file;
use crate::design::{Design, Slot, Writer};
use crate::error::LabError;
use crate::json_file;
use crate::layout::{Format, Layout, Shape, partition_directory};
use crate::parquet_file;
use crate::rows::Rows;
use greylag_model::dataset::Compression;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Rows and how they are to lie on disk.
pub(crate) struct Writing<'a> {
    pub(crate) layout: &'a Layout,
    /// Columns, partition columns last.
    pub(crate) slots: &'a [Slot],
    pub(crate) cells: &'a [Vec<Cell>],
    pub(crate) rows: usize,
    /// Files of a flat directory.
    pub(crate) files: usize,
    pub(crate) file_mode: u32,
    pub(crate) directory_mode: u32,
    pub(crate) writer: Writer,
    /// Whether files have odd names.
    pub(crate) odd: bool,
}

/// Writes the old dataset below `root`.
pub(crate) fn write_old(root: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let place = root.join(&design.old_path);
    let writing = Writing {
        layout: &design.old,
        slots: &design.old_slots,
        cells: &rows.old,
        rows: design.rows,
        files: design.files,
        file_mode: design.file_mode,
        directory_mode: design.directory_mode,
        writer: design.writer,
        odd: design.index % 13 == 4,
    };
    if let Some(hostile) = design.hostile {
        if let Some(bytes) = hostile.spoil(writing.encode(0..design.rows)?) {
            write_file(&place, &bytes, design.file_mode)?;
        }
        return Ok(());
    }
    writing.write(&place)?;
    match design.old.shape {
        _ if !design.litter => Ok(()),
        Shape::File => litter_beside(&place),
        Shape::Directory => litter_within(&place, design.old.format.extension()),
    }
}

/// Writes the expected rows, partition columns among them, as one file.
pub(crate) fn write_truth(place: &Path, design: &Design, rows: &Rows) -> Result<(), LabError> {
    let layout =
        Layout { format: Format::Parquet { compression: Compression::Lz4 }, shape: Shape::File, partition_by: vec![] };
    let writing = Writing {
        layout: &layout,
        slots: &design.new_slots,
        cells: &rows.new,
        rows: design.rows - rows.rejected,
        files: 1,
        file_mode: 0o644,
        directory_mode: 0o755,
        writer: Writer::Arrow,
        odd: false,
    };
    writing.write(place)
}

impl Writing<'_> {
    /// Writes the dataset as a file or directory of this path.
    pub(crate) fn write(&self, place: &Path) -> Result<(), LabError> {
        if self.layout.shape == Shape::File {
            return write_file(place, &self.encode(0..self.rows)?, self.file_mode);
        }
        create_directory(place, self.directory_mode)?;
        if !self.layout.partition_by.is_empty() {
            return self.write_partitions(place);
        }
        let files = if self.rows == 0 { 1 } else { self.files };
        for number in 0..files {
            let bytes = self.encode(self.rows * number / files..self.rows * (number + 1) / files)?;
            write_file(&place.join(self.file_name(number)), &bytes, self.file_mode)?;
        }
        Ok(())
    }

    fn file_name(&self, number: usize) -> String {
        let extension = self.layout.format.extension();
        if self.odd {
            format!("teil {number} (übertragen).{extension}")
        } else {
            format!("part-{number:05}.{extension}")
        }
    }

    fn write_partitions(&self, place: &Path) -> Result<(), LabError> {
        let own = self.slots.len() - self.layout.partition_by.len();
        let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
        for row in 0..self.rows {
            let directories = self.slots.iter().zip(self.cells).skip(own).map(|(slot, cells)| {
                partition_directory(&slot.column.name, cells[row].to_text(&slot.column.data_type).as_deref())
            });
            groups.entry(directories.collect()).or_default().push(row);
        }
        for (directories, group) in groups {
            let mut directory = place.to_path_buf();
            for name in directories {
                directory.push(name);
                create_directory(&directory, self.directory_mode)?;
            }
            let cells = self.slots[..own]
                .iter()
                .zip(self.cells)
                .map(|(slot, cells)| (&slot.column, group.iter().map(|row| &cells[*row]).collect()));
            let bytes = self.encode_columns(&cells.collect::<Vec<_>>(), group.len())?;
            write_file(&directory.join(self.file_name(0)), &bytes, self.file_mode)?;
        }
        Ok(())
    }

    fn encode(&self, range: Range<usize>) -> Result<Vec<u8>, LabError> {
        let columns: Vec<(&Column, Vec<&Cell>)> = (self.slots.iter().zip(self.cells))
            .map(|(slot, cells)| (&slot.column, cells[range.clone()].iter().collect()))
            .collect();
        self.encode_columns(&columns, range.len())
    }

    fn encode_columns(&self, columns: &[(&Column, Vec<&Cell>)], rows: usize) -> Result<Vec<u8>, LabError> {
        match &self.layout.format {
            Format::Parquet { compression } => Ok(parquet_file::bytes(columns, rows, *compression, self.writer)?),
            Format::Csv(dialect) => Ok(csv_file::bytes(columns, rows, dialect)),
            Format::Json => Ok(json_file::bytes(columns, rows)),
        }
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
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| LabError::io("change the mode of", path, error))
}

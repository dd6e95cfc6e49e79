//! What a dataset is to be like, before any row is drawn: names, places, layouts, attributes. A pure function of the
//! seed and the dataset's number.

mod frame;
mod slots;

use crate::attribute::{Attribute, Column, Making};
use crate::draws::Draws;
use crate::hostile::Hostile;
use crate::layout::{Encoding, Format, Layout, Shape, codec_name};
use crate::names::{ColumnNames, DOMAINS, ODD_PLACES, QUALIFIERS, SUBJECTS};
use crate::values::Letters;
use crate::yaml::Node;
use frame::{Frame, NewPartitions, frame, with_partitions};
use greylag_model::types::{DataType, TimeUnit};
use slots::{attributes, new_slots, old_slots};
use std::collections::BTreeMap;

/// What holds for the whole estate.
pub(crate) struct Estate {
    pub(crate) seed: u64,
    pub(crate) datasets: usize,
    /// Largest number of rows that a dataset may have.
    pub(crate) most_rows: usize,
    /// Rank by size of each dataset, from 0.
    pub(crate) ranks: Vec<usize>,
    /// Pairs that must not be migrated: number of the dataset and why.
    pub(crate) hostile: BTreeMap<usize, Hostile>,
    /// How many repositories read it.
    pub(crate) repositories: usize,
}

/// Datasets of one system.
pub(crate) const PER_SYSTEM: usize = 25;

/// A column of a dataset and where its cells come from.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) column: Column,
    pub(crate) attribute: usize,
    pub(crate) cell: usize,
}

/// Everything about a dataset but its rows.
pub(crate) struct Design {
    pub(crate) index: usize,
    pub(crate) system: System,
    /// Name of the old entity as the descriptor spells it.
    pub(crate) from: String,
    /// Name of the new entity.
    pub(crate) to: String,
    /// Words for people.
    pub(crate) title: String,
    /// Path of the old dataset below the estate.
    pub(crate) old_path: String,
    /// Path of the new dataset below the estate.
    pub(crate) new_path: String,
    /// The `location` of the pair, if it has one: below the system's directory.
    pub(crate) location: Option<String>,
    pub(crate) old: Layout,
    pub(crate) new: Layout,
    /// The `layout` part of the pair, if it has one.
    pub(crate) layout: Option<Node>,
    pub(crate) attributes: Vec<Attribute>,
    /// Columns of the old dataset, partition columns last.
    pub(crate) old_slots: Vec<Slot>,
    /// Columns of the new dataset, partition columns last.
    pub(crate) new_slots: Vec<Slot>,
    /// Whether the descriptor declares the columns' types.
    pub(crate) declares: bool,
    pub(crate) rows: usize,
    /// Files of a flat directory.
    pub(crate) files: usize,
    pub(crate) file_mode: u32,
    pub(crate) directory_mode: u32,
    /// How Parquet files came about.
    pub(crate) writer: Writer,
    /// Files beside the data that are nobody's business.
    pub(crate) litter: bool,
    pub(crate) hostile: Option<Hostile>,
    pub(crate) marks: Vec<String>,
}

/// Habits of the program that wrote the old Parquet files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// Arrow's own schema is inside.
    Arrow,
    /// Only Parquet's schema is inside.
    Plain,
    /// Texts are dictionaries of Arrow.
    Dictionary,
    /// Texts have 64-bit offsets.
    Large,
}

/// A system: a directory, a descriptor file, a migration file.
#[derive(Clone, Debug)]
pub(crate) struct System {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) domain: String,
    /// Namespace of its entities.
    pub(crate) namespace: String,
    /// Team that owns it.
    pub(crate) team: String,
    /// Path of its data below the estate.
    pub(crate) directory: String,
    /// Name of the connection whose root that directory is, if its datasets are reached by one.
    pub(crate) connection: Option<String>,
}

impl Estate {
    /// How many systems there are.
    pub(crate) fn systems(&self) -> usize {
        self.datasets.div_ceil(PER_SYSTEM).max(1)
    }

    /// The system of this number.
    pub(crate) fn system(&self, index: usize) -> System {
        let domain = domain_name(index / 3);
        let name = format!("{domain}-{}", ["ledger", "hub", "store"][index % 3]);
        let directory = if index % 4 == 3 {
            format!("data/{domain}/{} {}", ODD_PLACES[(index / 4) % ODD_PLACES.len()], index)
        } else {
            format!("data/{domain}/{name}")
        };
        System {
            index,
            namespace: if index % 5 == 1 { domain.clone() } else { "default".to_owned() },
            connection: (index % 4 == 2).then(|| format!("{name}-files")),
            team: format!("{domain}-{}", ["data", "core"][index % 2]),
            name,
            domain,
            directory,
        }
    }

    /// Rows of the dataset: a few large ones, most of about a thousand, some empty. Integers only, so that every machine
    /// gives the same; the curve is Zipf's with an exponent of 1.5.
    fn rows(&self, index: usize, draws: &mut Draws) -> usize {
        if index % 29 == 11 {
            return 0;
        }
        let largest = (self.datasets as u64 * 530).min(160_000);
        let rank = self.ranks[index] as u64 + 3;
        // ((rank / 3) ^ 1.5) in thousandths.
        let shrink = (rank * rank * rank * 1_000_000 / 27).isqrt();
        let rows = (largest * 1_000 / shrink).max(400 + draws.below(1_400) as u64);
        usize::try_from(rows).unwrap_or(usize::MAX).min(self.most_rows)
    }
}

fn domain_name(index: usize) -> String {
    let name = DOMAINS[index % DOMAINS.len()];
    let round = index / DOMAINS.len();
    if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) }
}

/// The stem of a dataset's name, unique in the estate.
fn stem(index: usize) -> String {
    let subject = SUBJECTS[index % SUBJECTS.len()];
    let rest = index / SUBJECTS.len();
    match (rest % (QUALIFIERS.len() + 1), rest / (QUALIFIERS.len() + 1)) {
        (0, 0) => subject.to_owned(),
        (0, round) => format!("{subject}_{round}"),
        (qualifier, 0) => format!("{}_{subject}", QUALIFIERS[qualifier - 1]),
        (qualifier, round) => format!("{}_{subject}_{round}", QUALIFIERS[qualifier - 1]),
    }
}

/// Names of the old and the new entity of a dataset.
pub(crate) fn names(index: usize) -> (String, String) {
    let stem = stem(index);
    // References are compared without regard to case.
    let from = if index % 17 == 5 { format!("{}.V1", stem.to_uppercase()) } else { format!("{stem}_v1") };
    (from, format!("{stem}_v2"))
}

/// The design of the dataset of this number.
pub(crate) fn design(estate: &Estate, index: usize) -> Design {
    let mut draws = Draws::new(estate.seed, "design", index as u64);
    let hostile = estate.hostile.get(&index).copied();
    let system = estate.system(index / PER_SYSTEM);
    let (from, to) = names(index);
    let mut rows = estate.rows(index, &mut draws);
    if hostile.is_some() {
        rows = rows.clamp(50.min(estate.most_rows), 2_000);
    }
    let mut frame = frame(&mut draws, rows, hostile);
    if hostile.is_none() && index % 5 == 2 {
        frame.make_json();
    }
    let flat = frame.old.format.is_flat() || frame.new.format.is_flat();
    let latin = |layout: &Layout| matches!(&layout.format, Format::Csv(csv) if csv.encoding == Encoding::Latin1);
    let letters = if latin(&frame.old) || latin(&frame.new) { Letters::Latin } else { Letters::Any };
    let mut names = ColumnNames::default();
    let mut marks = Vec::new();
    let odd = if letters == Letters::Latin { 0 } else { 8 };
    let mut making = Making { draws: &mut draws, names: &mut names, turn: index, flat, letters, odd };
    let wide = hostile.is_none() && index % 60 == 7;
    let (attributes, partitions) = attributes(&mut making, &frame, hostile, wide);
    if wide {
        marks.push("columns/200".to_owned());
        rows = rows.min(1_000);
    }
    marks.extend(names.odd.iter().map(|_| "name/odd column".to_owned()));
    marks.extend(names.odd.iter().filter(|name| name.contains('\n')).map(|_| "name/newline in column".to_owned()));

    let old_partitions: Vec<usize> = partitions[..frame.old_partitions].to_vec();
    let new_partitions: Vec<usize> = match frame.new_partitions {
        NewPartitions::Same => old_partitions.clone(),
        NewPartitions::None => vec![],
        NewPartitions::Other => vec![partitions[frame.old_partitions]],
    };
    frame.old.partition_by = old_partitions.iter().map(|at| attributes[*at].old[0].name.clone()).collect();
    frame.new.partition_by = new_partitions.iter().map(|at| attributes[*at].new[0].column.name.clone()).collect();
    let layout = with_partitions(&frame);
    let old_slots = old_slots(&attributes, &frame.old.partition_by);
    let new_slots = new_slots(&attributes, &old_slots, &frame.new.partition_by);

    let place = if draws.chance(15) && hostile.is_none() {
        marks.push("name/odd place".to_owned());
        format!("{} {index}", draws.pick(ODD_PLACES))
    } else {
        from.clone()
    };
    let extension = match &frame.old.format {
        Format::Csv(csv) if csv.delimiter == '\t' => "tsv",
        format => format.extension(),
    };
    let old_path = match frame.old.shape {
        Shape::File => format!("{}/{place}.{extension}", system.directory),
        Shape::Directory => format!("{}/{place}", system.directory),
    };
    let explicit = draws.chance(12) && hostile.is_none();
    let stem = if explicit { format!("{to} for {} {index}", new_place(&mut draws)) } else { to.clone() };
    let name = match frame.new.shape {
        Shape::File => format!("{stem}.{}", frame.new.format.extension()),
        Shape::Directory => stem,
    };
    let new_path = format!("{}/{name}", system.directory);
    let location = explicit.then_some(name);
    if explicit {
        marks.push("location/given".to_owned());
    }
    if system.connection.is_some() {
        marks.push("location/connection".to_owned());
    }
    let inferred = old_partitions
        .iter()
        .all(|at| matches!(attributes[*at].old[0].data_type, DataType::String | DataType::Date | DataType::Int64));
    let writer = writer(&mut draws, &old_slots);
    let file_mode = [0o644, 0o644, 0o644, 0o640, 0o600, 0o664, 0o444][draws.below(7)];
    let directory_mode = [0o755, 0o755, 0o750, 0o700, 0o775][draws.below(5)];
    marks.extend(layout_marks(&frame, file_mode, rows));
    for attribute in &attributes {
        marks.extend(attribute.marks.iter().cloned());
    }
    marks.extend(old_slots.iter().map(|slot| format!("type/{}", type_family(&slot.column.data_type))));
    Design {
        index,
        system,
        title: format!("{} ({})", from.replace('_', " "), place),
        from,
        to,
        old_path,
        new_path,
        location,
        declares: frame.old.format.is_flat() || !inferred,
        layout,
        old: frame.old,
        new: frame.new,
        attributes,
        old_slots,
        new_slots,
        rows,
        files: 2 + draws.below(3),
        file_mode,
        directory_mode,
        writer,
        litter: draws.chance(25),
        hostile,
        marks,
    }
}

/// Part of the name of a new dataset's place: DuckDB takes a backslash in a path for a separator, so that the
/// compatibility view could not read below it.
fn new_place(draws: &mut Draws) -> &'static str {
    let places: Vec<&str> = ODD_PLACES.iter().copied().filter(|place| !place.contains('\\')).collect();
    draws.pick(&places)
}

/// The name of a type in the coverage table: without parameters, but timestamps with unit and zone.
fn type_family(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal { .. } => "decimal".to_owned(),
        DataType::List(_) => "list".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        DataType::Timestamp { unit, zone } => {
            format!("timestamp({unit}{})", if zone.is_some() { ", zone" } else { "" })
        }
        other => other.to_string(),
    }
}

fn layout_marks(frame: &Frame, file_mode: u32, rows: usize) -> Vec<String> {
    let name = |layout: &Layout, partitions: bool| {
        let shape = match (layout.shape, partitions) {
            (_, true) => "hive",
            (Shape::File, false) => "file",
            (Shape::Directory, false) => "directory",
        };
        (layout.format.extension(), shape)
    };
    let old = name(&frame.old, frame.old_partitions > 0);
    let new = name(&frame.new, !frame.new.partition_by.is_empty());
    let mut marks = vec![format!("format/{} → {}", old.0, new.0), format!("shape/{} → {}", old.1, new.1)];
    for (when, layout) in [("old", &frame.old), ("new", &frame.new)] {
        match &layout.format {
            Format::Parquet { compression } => marks.push(format!("codec/{when} {}", codec_name(*compression))),
            Format::Json => {}
            Format::Csv(csv) => {
                marks.push(format!("csv/{when} {}", csv.encoding.name()));
                marks.push(format!("csv/{when} delimiter {:?}", csv.delimiter));
                for (mark, holds) in [
                    ("byte-order mark", csv.mark),
                    ("crlf", csv.crlf),
                    ("escape", csv.escape.is_some()),
                    ("no header", !csv.header),
                    ("null text", !csv.null.is_empty()),
                    ("quote", csv.quote != '"'),
                ] {
                    if holds {
                        marks.push(format!("csv/{when} {mark}"));
                    }
                }
            }
        }
    }
    if file_mode != 0o644 {
        marks.push("mode/other than 0644".to_owned());
    }
    marks.push(
        match rows {
            0 => "rows/none",
            1..100_000 => "rows/some",
            _ => "rows/100,000 and more",
        }
        .to_owned(),
    );
    marks
}

fn writer(draws: &mut Draws, slots: &[Slot]) -> Writer {
    // What Parquet's own schema cannot say needs Arrow's.
    let plain = slots.iter().all(|slot| is_plain(&slot.column.data_type));
    match draws.below(10) {
        0..3 if plain => Writer::Plain,
        3 => Writer::Dictionary,
        4 => Writer::Large,
        _ => Writer::Arrow,
    }
}

fn is_plain(data_type: &DataType) -> bool {
    match data_type {
        DataType::Time(TimeUnit::S) | DataType::Timestamp { unit: TimeUnit::S, .. } => false,
        DataType::Timestamp { zone: Some(zone), .. } => zone == "UTC",
        DataType::List(item) => is_plain(item),
        DataType::Struct(fields) => fields.iter().all(|(_, field)| is_plain(field)),
        DataType::Map(key, value) => is_plain(key) && is_plain(value),
        _ => true,
    }
}

//! Equal datasets for measuring: 12 columns, one Parquet file each, one migration file with one mapping for all.

use crate::attribute::{Attribute, Column, Draw, NewColumn, Place, Rules};
use crate::cell::{Cell, decimal_text};
use crate::design::{Design, Estate, PER_SYSTEM, Slot, System, Writer};
use crate::layout::{Format, Layout, Shape};
use crate::values::{decimal, stamp};
use crate::yaml::{Node, document, text};
use greylag_model::dataset::Compression;
use greylag_model::types::{DataType, TimeUnit};

struct Uniform {
    name: &'static str,
    old: DataType,
    new: Option<(&'static str, DataType)>,
    draw: Draw,
}

fn columns() -> Vec<Uniform> {
    let us = || stamp(TimeUnit::Us, None);
    let one = |name, old, new, draw| Uniform { name, old, new, draw };
    vec![
        one(
            "id",
            DataType::Int64,
            Some(("id", DataType::Int64)),
            Box::new(|draws, record| {
                record.same(Cell::Int(draws.between(1, 1 << 40).into()));
            }),
        ),
        one(
            "uid",
            DataType::Int32,
            Some(("user_id", DataType::Int64)),
            Box::new(|draws, record| {
                record.same(Cell::Int(draws.between(1, 50_000_000).into()));
            }),
        ),
        one(
            "amount",
            decimal(12, 2),
            Some(("amount", DataType::Float64)),
            Box::new(|draws, record| {
                let cents = draws.between(-100_000, 10_000_000).into();
                let float = decimal_text(cents, 2).parse().map_or(Cell::Null, Cell::Float64);
                record.both(Cell::Decimal(cents), float);
            }),
        ),
        one(
            "tax",
            decimal(12, 2),
            Some(("tax", decimal(15, 2))),
            Box::new(|draws, record| {
                record.same(Cell::Decimal(draws.between(0, 1_000_000).into()));
            }),
        ),
        one(
            "ts",
            us(),
            Some(("created_at", us())),
            Box::new(|draws, record| {
                record.same(Cell::Ticks(draws.between(1_500_000_000_000_000, 1_700_000_000_000_000)));
            }),
        ),
        one(
            "day",
            DataType::Date,
            Some(("day", us())),
            Box::new(|draws, record| {
                let day = draws.between(17_000, 20_000);
                record.both(Cell::Date(day as i32), Cell::Ticks(day * 86_400_000_000));
            }),
        ),
        one(
            "active",
            DataType::Boolean,
            Some(("active", DataType::Boolean)),
            Box::new(|draws, record| {
                record.same(Cell::Bool(draws.chance(80)));
            }),
        ),
        one(
            "country",
            DataType::String,
            Some(("country", DataType::String)),
            Box::new(|draws, record| {
                record.same(Cell::text(draws.pick(&["se", "de", "us", "jp", "br", "in"])));
            }),
        ),
        one(
            "name",
            DataType::String,
            Some(("name", DataType::String)),
            Box::new(|draws, record| {
                let name = format!("name-{}", draws.below(100_000));
                record.same(if draws.chance(5) { Cell::Null } else { Cell::Text(name) });
            }),
        ),
        one(
            "qty",
            DataType::Int32,
            Some(("quantity", DataType::Int32)),
            Box::new(|draws, record| {
                record.same(Cell::Int(draws.between(1, 50).into()));
            }),
        ),
        one(
            "price",
            DataType::Float64,
            Some(("price", DataType::Float64)),
            Box::new(|draws, record| {
                record.same(Cell::Float64(draws.between(0, 1_000_000) as f64 / 64.0));
            }),
        ),
        one(
            "comment",
            DataType::String,
            None,
            Box::new(|draws, record| {
                record.old.push(Cell::Text(format!("comment {} of somebody", draws.below(1_000))));
            }),
        ),
    ]
}

/// The design of the dataset of this number.
pub(crate) fn design(estate: &Estate, index: usize, rows: usize) -> Design {
    let mut attributes = Vec::new();
    let (mut old_slots, mut new_slots) = (Vec::new(), Vec::new());
    for (attribute, uniform) in columns().into_iter().enumerate() {
        let old = Column { name: uniform.name.to_owned(), data_type: uniform.old };
        let new = uniform.new.map(|(name, data_type)| Column { name: name.to_owned(), data_type });
        old_slots.push(Slot { column: old.clone(), attribute, cell: 0 });
        new_slots.extend(new.clone().map(|column| Slot { column, attribute, cell: 0 }));
        attributes.push(Attribute {
            old: vec![old],
            new: new.into_iter().map(|column| NewColumn::new(column, Place::At(0))).collect(),
            rules: Rules::default(),
            marks: vec![],
            draw: uniform.draw,
        });
    }
    let system = System { connection: None, ..estate.system(index / PER_SYSTEM) };
    let layout = Layout {
        format: Format::Parquet { compression: Compression::Snappy },
        shape: Shape::File,
        partition_by: vec![],
    };
    let (from, to) = (format!("d{index:05}_v1"), format!("d{index:05}_v2"));
    Design {
        index,
        title: from.clone(),
        old_path: format!("{}/{from}.parquet", system.directory),
        new_path: format!("{}/{to}.parquet", system.directory),
        location: None,
        from,
        to,
        system,
        new: Layout { format: Format::Parquet { compression: Compression::Zstd }, ..layout.clone() },
        old: layout,
        layout: None,
        attributes,
        old_slots,
        new_slots,
        declares: false,
        rows: rows.min(estate.most_rows),
        files: 1,
        file_mode: 0o644,
        directory_mode: 0o755,
        writer: Writer::Arrow,
        litter: false,
        hostile: None,
        marks: vec![],
    }
}

/// The pair of a dataset: two names.
pub(crate) fn pair(design: &Design) -> Node {
    let reference = |name: &str| match design.system.namespace.as_str() {
        "default" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    };
    Node::map([("from", text(reference(&design.from))), ("to", text(reference(&design.to)))])
}

/// The migration file of all of them.
pub(crate) fn file(pairs: Vec<Node>) -> String {
    let column = |pairs: &[(&str, &str)]| {
        Node::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), text(*value))).collect())
    };
    let mapping = Node::map([
        (
            "columns",
            Node::List(vec![
                column(&[("name", "user_id"), ("from", "uid"), ("type", "int64")]),
                column(&[("name", "amount"), ("type", "float64"), ("loss", "round")])
                    .with("tolerance", Node::map([("absolute", Node::Plain("0.001".to_owned()))])),
                column(&[("name", "tax"), ("type", "decimal(15,2)")]),
                column(&[("name", "created_at"), ("from", "ts")]),
                column(&[("name", "day"), ("type", "timestamp(us)")]),
                column(&[("name", "quantity"), ("from", "qty")]),
            ]),
        ),
        ("drop", Node::List(vec![column(&[("name", "comment"), ("reason", "nobody reads it")])])),
    ]);
    document(&Node::map([
        ("apiVersion", text("greylag.dev/v1alpha1")),
        ("kind", text("Migration")),
        ("metadata", Node::map([("name", text("uniform"))])),
        ("spec", Node::map([("mapping", mapping), ("datasets", Node::List(pairs))])),
    ]))
}

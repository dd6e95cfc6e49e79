//! Unequal datasets that one template fits: every one has columns of its own, and most have a `uid`, a timestamp of
//! nanoseconds, or both, which become `user_id` and microseconds. Lineage is three deep.

use crate::attribute::{Attribute, Column, Making, NewColumn, Place, Rules, keep};
use crate::catalog::old_reference;
use crate::cell::Cell;
use crate::design::{Design, Estate, PER_SYSTEM, Slot, System, Writer, names};
use crate::draws::Draws;
use crate::layout::{Format, Layout, Shape};
use crate::names::ColumnNames;
use crate::truth::Flow;
use crate::values::{Letters, instant, stamp};
use greylag_model::dataset::Compression;
use greylag_model::types::{DataType, TimeUnit};
use std::collections::BTreeMap;

/// Datasets of one chain of lineage.
const DEPTH: usize = 3;

/// A column that the template changes.
fn changed(old: (&str, DataType), new: (&str, DataType), draw: crate::attribute::Draw) -> Attribute {
    let column = |(name, data_type): (&str, DataType)| Column { name: name.to_owned(), data_type };
    Attribute {
        old: vec![column(old)],
        new: vec![NewColumn::new(column(new), Place::At(0))],
        rules: Rules::default(),
        marks: vec![],
        draw,
    }
}

fn user(draws: &mut Draws) -> Attribute {
    let data_type = [DataType::Int32, DataType::Int64, DataType::String][draws.below(3)].clone();
    let is_text = data_type == DataType::String;
    let draw: crate::attribute::Draw = Box::new(move |draws, record| {
        let number = draws.between(1, 2_000_000_000);
        record.same(if is_text { Cell::Text(format!("u-{number}")) } else { Cell::Int(number.into()) });
    });
    changed(("uid", data_type.clone()), ("user_id", data_type), draw)
}

/// Nanoseconds, and the microsecond in which they lie.
fn moment(name: &str) -> Attribute {
    let of = |unit| stamp(unit, Some("UTC"));
    let draw: crate::attribute::Draw = Box::new(|draws, record| {
        let micros = instant(draws, TimeUnit::Us);
        let rest = if draws.chance(30) { 0 } else { draws.between(1, 999) };
        record.both(Cell::Ticks(micros * 1_000 + rest), Cell::Ticks(micros));
    });
    changed((name, of(TimeUnit::Ns)), (name, of(TimeUnit::Us)), draw)
}

/// The design of the dataset of this number.
pub(crate) fn design(estate: &Estate, index: usize, rows: usize) -> Design {
    let mut draws = Draws::new(estate.seed, "varied", index as u64);
    let mut names_of_columns = ColumnNames::default();
    let mut attributes = Vec::new();
    let own = 1 + draws.below(9);
    let mut making = Making {
        draws: &mut draws,
        names: &mut names_of_columns,
        turn: index,
        flat: false,
        letters: Letters::Any,
        odd: 8,
    };
    for turn in 0..own {
        making.turn = index + turn;
        // The template would change a moment of any name.
        let own = keep::make(&mut making).filter(|own| own.old[0].data_type != stamp(TimeUnit::Ns, Some("UTC")));
        attributes.extend(own);
    }
    // One in three has both, one in six neither a user nor more than one moment.
    let (has_user, moments) = [(true, 1), (true, 0), (false, 1), (true, 2), (true, 0), (false, 2)][index % 6];
    for name in ["created_at", "seen_at"].into_iter().take(moments) {
        let at = draws.below(attributes.len() + 1);
        attributes.insert(at, moment(name));
    }
    if has_user {
        let at = draws.below(attributes.len() + 1);
        attributes.insert(at, user(&mut draws));
    }
    let slot = |(attribute, column): (usize, &Column)| Slot { column: column.clone(), attribute, cell: 0 };
    let old_slots = attributes.iter().map(|attribute| &attribute.old[0]).enumerate().map(slot).collect();
    let new_slots = attributes.iter().map(|attribute| &attribute.new[0].column).enumerate().map(slot).collect();
    let system = System { connection: None, ..estate.system(index / PER_SYSTEM) };
    let layout =
        Layout { format: Format::Parquet { compression: Compression::Zstd }, shape: Shape::File, partition_by: vec![] };
    let (from, _) = names(index);
    let to = format!("{}_next", from.to_lowercase());
    Design {
        index,
        title: from.clone(),
        old_path: format!("{}/{from}.parquet", system.directory),
        new_path: format!("{}/{to}.parquet", system.directory),
        location: None,
        from,
        to,
        system,
        new: layout.clone(),
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

/// Pipelines that make each dataset of a chain from the one before.
pub(crate) fn consumers(estate: &Estate) -> BTreeMap<String, (usize, Flow)> {
    let makes = |index: &usize| !index.is_multiple_of(DEPTH);
    let pipeline = |index: usize| {
        let stem = names(index).0.to_lowercase().replace(['_', '.'], "-");
        let flow = Flow { reads: vec![old_reference(estate, index - 1)], writes: vec![old_reference(estate, index)] };
        (format!("{stem}-pipeline"), (index, flow))
    };
    (0..estate.datasets).filter(makes).map(pipeline).collect()
}

/// The template that fits all of them.
pub(crate) const TEMPLATE: &str = r#"# One template for datasets of many shapes: users get one name, moments one precision.
apiVersion: greylag.dev/v1alpha1
kind: MigrationTemplate
metadata: {name: varied, title: Users by one name and moments in microseconds}
spec:
  select: columns.exists(c, c.name == 'uid' || c.type == 'timestamp(ns, UTC)')
  to: ${{ dataset.name }}_next
  rules:
    - {name: users, match: {name: uid}, set: {name: user_id}, unmatched: allow}
    - name: moments
      match: {type: "timestamp(ns, UTC)"}
      set: {type: "timestamp(us, UTC)", loss: truncate}
      unmatched: allow
  rollout:
    cohorts:
      - {name: canary, count: 3, gate: {approval: true}}
      - {name: tenth, percent: 10}
"#;

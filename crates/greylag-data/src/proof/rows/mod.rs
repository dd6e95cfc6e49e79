//! Rows for both sides.
//!
//! A relation that stays has the same rows on both sides. Of a changed dataset, old rows are drawn, mapped by the reference
//! evaluator, and turned back to what readers of the new row have; the old side gets that. A draw counts if a second round trip
//! changes nothing, so that both sides hold what a migration could have made; the others are counted.

pub(super) mod draws;
pub(super) mod parts;
pub(super) mod pool;
pub(super) mod sample;
pub(super) mod view;

use draws::Draws;
use greylag_driver::error::DriverError;
use greylag_model::mapping::Mapping;
use greylag_model::schema::Schema;
use greylag_model::value::Value;
use parts::{Part, parts};
use pool::{Literals, Pool};
use view::{Back, Few, View, change};

/// How often a part is drawn until one survives.
const TRIES: usize = 40;
/// How many surviving draws of a part are kept to choose from.
const KEPT: usize = 48;

/// Rows of one relation on both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) old: Vec<Vec<Value>>,
    pub(super) new: Vec<Vec<Value>>,
    /// Draws.
    pub(super) drawn: u64,
    /// Draws that did not survive.
    pub(super) unfit: u64,
}

/// How rows are drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawing<'a> {
    pub(super) seed: u64,
    pub(super) rows: usize,
    pub(super) literals: &'a Literals,
    pub(super) wild: bool,
}

/// Rows of a relation that stays.
pub(super) fn same(schema: &Schema, drawing: Drawing<'_>, what: &str) -> Rows {
    let mut draws = Draws::new(drawing.seed, what);
    let pools = pools(schema, drawing);
    let row = |draws: &mut Draws| -> Vec<Value> {
        pools.iter().zip(&schema.columns).map(|(pool, column)| pool.draw(draws, column.nullable)).collect()
    };
    let old: Vec<Vec<Value>> = (0..drawing.rows).map(|_| row(&mut draws)).collect();
    let old = doubled(old, &mut draws);
    Rows { new: old.clone(), old, drawn: 0, unfit: 0 }
}

/// Rows of a changed dataset.
pub(super) fn changed(mapping: &Mapping, drawing: Drawing<'_>, what: &str) -> Result<Rows, DriverError> {
    let change = change(mapping);
    let view = View::new(mapping, &change)?;
    let mut draws = Draws::new(drawing.seed, what);
    let mut rows = Rows::default();
    let pools = pools(&mapping.source, drawing);
    let mut survivors = Vec::new();
    for part in parts(mapping, &change) {
        let kept = surviving(mapping, &view, &part, &pools, &mut draws, &mut rows);
        if kept.is_empty() {
            // No row survives, as none of its parts does.
            return Ok(rows);
        }
        survivors.push((part, kept));
    }
    let mut pairs = Vec::new();
    for _ in 0..drawing.rows {
        let mut old = vec![Value::Null; mapping.source.columns.len()];
        let mut new = vec![Value::Null; mapping.columns.len()];
        for (part, kept) in &survivors {
            let Some((from_old, from_new)) = draws.one(kept) else { continue };
            part.old.iter().zip(from_old).for_each(|(at, value)| old[*at] = value.clone());
            part.new.iter().zip(from_new).for_each(|(at, value)| new[*at] = value.clone());
        }
        pairs.push((old, new));
    }
    (rows.old, rows.new) = doubled(pairs, &mut draws).into_iter().unzip();
    Ok(rows)
}

fn pools(schema: &Schema, drawing: Drawing<'_>) -> Vec<Pool> {
    schema.columns.iter().map(|column| Pool::of(&column.data_type, drawing.literals, drawing.wild)).collect()
}

/// Some rows stand twice.
fn doubled<T: Clone>(mut rows: Vec<T>, draws: &mut Draws) -> Vec<T> {
    for _ in 0..rows.len() / 12 {
        if let Some(row) = draws.one(&rows).cloned() {
            rows.push(row);
        }
    }
    rows
}

type Pair = (Vec<Value>, Vec<Value>);

/// Draws of a part that survive the round trip: values of its old and of its new columns.
fn surviving(
    mapping: &Mapping,
    view: &View<'_>,
    part: &Part,
    pools: &[Pool],
    draws: &mut Draws,
    rows: &mut Rows,
) -> Vec<Pair> {
    let mut kept: Vec<Pair> = Vec::new();
    for tried in 0..KEPT * 2 {
        if kept.len() >= KEPT || (kept.is_empty() && tried > TRIES * (1 + part.old.len())) {
            break;
        }
        let old = part.old.iter().map(|at| pools[*at].draw(draws, mapping.source.columns[*at].nullable));
        rows.drawn += 1;
        match round_trip(view, part, old.collect()) {
            Some(pair) => kept.push(pair),
            None => rows.unfit += 1,
        }
    }
    kept
}

/// What both sides have of a draw of a part's old columns, if it is stable.
fn round_trip(view: &View<'_>, part: &Part, mut old: Vec<Value>) -> Option<Pair> {
    let new_of = |old: &[Value]| view.new_of(&Few { columns: &part.old, values: old }, &part.new);
    let old_of = |new: &[Value], kept: &[Value]| view.old_of(&Few { columns: &part.new, values: new }, kept, &part.old);
    let once = old_of(&new_of(&old)?, &old)?;
    // What replaced columns show is not what was mapped: they are mapped from what was drawn.
    let exact: Vec<bool> =
        part.old.iter().map(|at| matches!(view.back()[*at], Back::Column(_) | Back::Exact(_))).collect();
    for ((value, back), _) in old.iter_mut().zip(&once).zip(&exact).filter(|(_, exact)| **exact) {
        value.clone_from(back);
    }
    let new = new_of(&old)?;
    let twice = old_of(&new, &old)?;
    let is_stable = once.iter().zip(&twice).zip(&exact).all(|((once, twice), exact)| !exact || once == twice);
    is_stable.then_some((twice, new))
}

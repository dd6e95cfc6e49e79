//! Another type, with every policy for what the type cannot carry (`loss`) and for what does not fit (`misfit`).

use super::{Attribute, Column, Making, NewColumn, Rules, at, cast_number, cast_text, cast_time, rule};
use crate::cell::Cell;
use crate::draws::Draws;
use crate::yaml::{Node, text};
use greylag_model::types::DataType;

/// Policies of `loss`, where values may lose something.
pub(super) const LOSSES: &[&str] = &["truncate", "round", "fail"];
/// Policies of `misfit`, where values may not fit at all.
pub(super) const MISFITS: &[&str] = &["fail", "null", "reject"];

/// One conversion: how its values are drawn, as the old cell and what becomes of it. `None` is a value that does not
/// fit (under this policy for losses).
pub(super) struct Case {
    pub(super) from: DataType,
    pub(super) to: DataType,
    /// Policies that the file may give; empty if nothing can be lost.
    pub(super) losses: &'static [&'static str],
    /// Whether values can be out of range or malformed.
    pub(super) misfits: bool,
    pub(super) draw: fn(&mut Draws, &str) -> (Cell, Option<Cell>),
    /// Absolute tolerance that the file declares.
    pub(super) tolerance: Option<&'static str>,
}

impl Case {
    /// A conversion in which every value has an equal.
    pub(super) fn exact(from: DataType, to: DataType, draw: fn(&mut Draws, &str) -> (Cell, Option<Cell>)) -> Self {
        Self { from, to, losses: &[], misfits: false, draw, tolerance: None }
    }

    /// The same, with policies for losses.
    pub(super) fn loses(self, losses: &'static [&'static str]) -> Self {
        Self { losses, ..self }
    }

    /// The same, and some values do not fit.
    pub(super) fn misfits(self) -> Self {
        Self { misfits: true, ..self }
    }

    fn variants(&self) -> Vec<(Option<&'static str>, Option<&'static str>)> {
        let losses: Vec<_> =
            if self.losses.is_empty() { vec![None] } else { self.losses.iter().copied().map(Some).collect() };
        losses
            .into_iter()
            .flat_map(|loss| {
                let misfits = self.misfits || loss == Some("fail");
                let misfits: Vec<_> = if misfits { MISFITS.iter().copied().map(Some).collect() } else { vec![None] };
                misfits.into_iter().map(move |misfit| (loss, misfit))
            })
            .collect()
    }
}

pub(super) fn make(making: &mut Making<'_>) -> Option<Attribute> {
    let mut cases = cast_number::cases();
    cases.extend(cast_text::cases(making.flat));
    cases.extend(cast_time::cases(making.flat));
    let mut variants: Vec<(Case, Option<&str>, Option<&str>)> = Vec::new();
    for case in cases {
        for (loss, misfit) in case.variants() {
            let case = Case { from: case.from.clone(), to: case.to.clone(), ..case };
            variants.push((case, loss, misfit));
        }
    }
    let turn = making.turn % variants.len();
    let (case, loss, misfit) = variants.swap_remove(turn);
    Some(attribute(making, case, loss, misfit))
}

fn attribute(
    making: &mut Making<'_>,
    case: Case,
    loss: Option<&'static str>,
    misfit: Option<&'static str>,
) -> Attribute {
    let source = making.column(case.from.clone());
    let renamed = making.draws.chance(40);
    let name = if renamed { making.name() } else { source.name.clone() };
    let mut column = rule([("name", &name)]);
    if renamed {
        column = column.with("from", text(&source.name));
    }
    column = column.with("type", text(case.to.to_string()));
    let mut marks = vec!["operation/cast".to_owned(), format!("cast/{} → {}", case.from, case.to)];
    if let Some(loss) = loss {
        column = column.with("loss", text(loss));
        marks.push(format!("loss/{loss}"));
    }
    if let Some(misfit) = misfit {
        // `fail` is the default: it is written down every other time.
        if misfit != "fail" || making.draws.chance(50) {
            column = column.with("misfit", text(misfit));
        }
        marks.push(format!("misfit/{misfit}"));
    }
    if let Some(tolerance) = case.tolerance {
        column = column.with("tolerance", Node::map([("absolute", Node::Plain(tolerance.to_owned()))]));
        marks.push("tolerance".to_owned());
    }
    let draw = case.draw;
    let tolerance = case.tolerance.and_then(|tolerance| tolerance.parse().ok());
    Attribute {
        old: vec![source],
        new: vec![NewColumn { tolerance, ..at(0, Column { name, data_type: case.to }) }],
        rules: Rules { columns: vec![column], ..Rules::default() },
        marks,
        draw: Box::new(move |draws, record| {
            if draws.chance(8) {
                return record.same(Cell::Null);
            }
            let (old, new) = draw(draws, loss.unwrap_or(""));
            match (new, misfit) {
                (Some(new), _) => record.both(old, new),
                (None, Some("null")) => record.both(old, Cell::Null),
                (None, Some("reject")) => {
                    record.both(old, Cell::Null);
                    record.rejected = true;
                }
                // Where a misfit fails the step, none may be drawn (the hostile pairs see to that).
                (None, _) => record.same(Cell::Null),
            }
        }),
    }
}

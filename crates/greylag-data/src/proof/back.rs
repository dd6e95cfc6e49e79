//! A changed dataset that texts wrote, as readers have it on both sides.

use super::compare::{How, compare};
use super::frame::Frame;
use super::rows::view::{Back, View, change};
use greylag_driver::error::DriverError;
use greylag_model::cast::convert;
use greylag_model::mapping::Mapping;
use greylag_model::proof::{Difference, DifferenceKind};
use greylag_model::value::Value;

/// How the rows that the texts left in a changed dataset differ. Columns whose old values cannot be had from the new dataset are left out.
pub(super) fn compare_changed(
    old: &Frame,
    new: &Frame,
    mapping: &Mapping,
    what: &str,
) -> Result<Option<Difference>, DriverError> {
    let change = change(mapping);
    let view = View::new(mapping, &change)?;
    let place = |frame: &Frame, name: &str| frame.names.iter().position(|known| known.eq_ignore_ascii_case(name));
    let source = &mapping.source.columns;
    let had: Vec<Option<usize>> = source.iter().map(|column| place(old, &column.name)).collect();
    let kept: Vec<usize> = (0..source.len())
        .filter(|at| had[*at].is_some() && matches!(view.back()[*at], Back::Column(_) | Back::Exact(_)))
        .collect();
    let mut before = blank(mapping, &kept);
    before.rows =
        old.rows.iter().map(|row| kept.iter().filter_map(|at| row.get(had[*at]?).cloned()).collect()).collect();
    before.types = kept.iter().filter_map(|at| old.types.get(had[*at]?).cloned()).collect();
    let has: Vec<Option<usize>> = mapping.target.columns.iter().map(|column| place(new, &column.name)).collect();
    let mut after = blank(mapping, &kept);
    for row in &new.rows {
        let values = has.iter().zip(&mapping.target.columns).map(|(at, column)| {
            let Some(at) = at else { return Some(Value::Null) };
            convert(row[*at].clone(), &new.types[*at], &column.data_type, None).ok()
        });
        let nulls = vec![Value::Null; kept.len()];
        let back = values.collect::<Option<Vec<Value>>>().and_then(|values| view.old_of(&values, &nulls, &kept));
        let Some(back) = back else {
            let why = format!("{what}: a row that the new text writes cannot be told back");
            return Ok(Some(Difference { kind: DifferenceKind::Rows, why, only_new: 1, ..Difference::default() }));
        };
        after.rows.push(back);
    }
    // What was put into an old column had its type all along.
    after.types.clone_from(&kept.iter().map(|at| source[*at].data_type.clone()).collect());
    Ok(compare(&before, &after, How::default(), what))
}

fn blank(mapping: &Mapping, kept: &[usize]) -> Frame {
    let names = kept.iter().map(|at| mapping.source.columns[*at].name.clone()).collect();
    Frame { names, types: Vec::new(), rows: Vec::new() }
}

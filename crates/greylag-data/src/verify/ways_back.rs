//! Which source columns can be had back from the target, and how sharply.

use greylag_model::cast::{Conversion, conversion};
use greylag_model::mapping::{ColumnMapping, Mapping, OperationKind, Reverse, ReverseWay};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::{Misfit, Tolerance};

/// The source columns of a mapping by their way back, as indices into its source schema, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WaysBack {
    /// The way back gives the very value.
    pub exact: Vec<usize>,
    /// The way back gives a value within a tolerance.
    pub tolerant: Vec<(usize, Tolerance)>,
    /// There is none that holds for every row.
    pub none: Vec<usize>,
    /// Whether every target column is needed for some exact way back: then a wrong value anywhere is found by it.
    pub covers_target: bool,
    /// The target columns, as indices into the mapping, whose every value is found to be right or wrong by a derived way
    /// back: none of them is rejected, defaulted or made null.
    pub proven: Vec<usize>,
}

impl WaysBack {
    /// Sorts the columns of a mapping.
    pub fn of(mapping: &Mapping) -> Self {
        let mut ways = Self::default();
        let mut covered = vec![false; mapping.columns.len()];
        let mut proven = covered.clone();
        for (index, Reverse { way, .. }) in mapping.reverse.iter().enumerate() {
            let needed = needed(way, mapping);
            match way {
                ReverseWay::Lost(_) => ways.none.push(index),
                _ if gives_up(way, &needed, mapping) => ways.none.push(index),
                ReverseWay::Expr { tolerance: Some(tolerance), .. } => ways.tolerant.push((index, *tolerance)),
                ReverseWay::Same(_) | ReverseWay::Expr { .. } => {
                    ways.exact.push(index);
                    // An expression over several columns may hide errors that cancel each other in it.
                    if let [only] = needed[..] {
                        covered[only] = true;
                        let column = &mapping.columns[only];
                        let given = matches!(way, ReverseWay::Expr { derived: false, .. });
                        proven[only] |= !given && column.default.is_none() && !may_misfit(column);
                    }
                }
            }
        }
        ways.covers_target = covered.into_iter().all(|covered| covered);
        ways.proven = (0..proven.len()).filter(|index| proven[*index]).collect();
        ways
    }

    /// The tolerant columns as a schema.
    pub fn tolerant_schema(&self, mapping: &Mapping) -> Schema {
        let column = |(index, _): &(usize, Tolerance)| -> Column { mapping.source.columns[*index].clone() };
        Schema { columns: self.tolerant.iter().map(column).collect() }
    }

    /// The ways back as columns to compute over the target: first the exact ones, then the tolerant ones.
    pub fn program(&self, mapping: &Mapping) -> Vec<ColumnMapping> {
        let indices = self.exact.iter().copied().chain(self.tolerant.iter().map(|(index, _)| *index));
        indices.filter_map(|index| column_back(mapping, index)).collect()
    }
}

fn column_back(mapping: &Mapping, index: usize) -> Option<ColumnMapping> {
    let expr = match &mapping.reverse[index].way {
        ReverseWay::Same(target) => greylag_model::expr::TypedExpr::column(mapping.target.find(target)?.1),
        ReverseWay::Expr { expr, .. } => expr.clone(),
        ReverseWay::Lost(_) => return None,
    };
    Some(ColumnMapping {
        target: mapping.source.columns[index].name.clone(),
        operation: OperationKind::Expression,
        expr,
        cast: None,
        // A way back that fails on a row makes a null there, and so another hash: found, without ending the pass.
        misfit: Misfit::Null,
        default: None,
        tolerance: None,
        judgement: None,
    })
}

/// The target columns that a way back reads.
fn needed(way: &ReverseWay, mapping: &Mapping) -> Vec<usize> {
    let names = match way {
        ReverseWay::Same(name) => vec![name.as_str()],
        ReverseWay::Expr { expr, .. } => expr.columns(),
        ReverseWay::Lost(_) => Vec::new(),
    };
    let mut indices: Vec<usize> =
        names.into_iter().filter_map(|name| mapping.target.find(name).map(|(index, _)| index)).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

/// Whether a way back cannot hold for rows on which the way there made a null or a default. A way that the file's author
/// gave is held to its word.
fn gives_up(way: &ReverseWay, needed: &[usize], mapping: &Mapping) -> bool {
    let given = matches!(way, ReverseWay::Expr { derived: false, .. });
    !given
        && needed.iter().any(|index| {
            let column = &mapping.columns[*index];
            column.default.is_some() || (column.misfit == Misfit::Null && may_misfit(column))
        })
}

fn may_misfit(column: &ColumnMapping) -> bool {
    let cast =
        column.cast.as_ref().is_some_and(|cast| conversion(&column.expr.data_type, &cast.to) != Conversion::Exact);
    cast || column.expr.may_fail()
}

//! What did not fit in a sample: counts by column and reason, and where the first one stands.

use crate::chunk::Part;
use crate::expr::Unfit;
use crate::listing::Anchor;
use greylag_model::code::expr as code;
use greylag_model::mapping::Mapping;
use greylag_model::sample::{Misfits, RowPlace};

/// Counts what does not fit, over batches.
pub(super) struct UnfitRows<'a> {
    anchor: &'a Anchor,
    mapping: &'a Mapping,
    found: Vec<(usize, Misfits)>,
}

impl<'a> UnfitRows<'a> {
    pub(super) fn new(anchor: &'a Anchor, mapping: &'a Mapping) -> Self {
        Self { anchor, mapping, found: Vec::new() }
    }

    /// Adds those of a batch that begins at a row of a part.
    pub(super) fn add(&mut self, part: &Part, first_row: u64, unfit: &[Unfit]) {
        for more in unfit {
            let known = self.found.iter_mut().find(|(at, found)| *at == more.column && found.reason == more.reason);
            if let Some((_, found)) = known {
                found.rows += more.rows;
                continue;
            }
            let column = &self.mapping.columns[more.column];
            let file = if part.relative.is_empty() { self.name() } else { part.relative.clone() };
            let found = Misfits {
                column: column.target.clone(),
                policy: column.misfit,
                code: code::ROW,
                reason: more.reason.to_owned(),
                rows: more.rows,
                first: RowPlace { file, row: first_row + more.first as u64 + 1 },
            };
            self.found.push((more.column, found));
        }
    }

    /// The name of a dataset that is one file.
    fn name(&self) -> String {
        let path = self.anchor.absolute();
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// In the order of the mapping.
    pub(super) fn finish(mut self) -> Vec<Misfits> {
        self.found.sort_by_key(|(column, _)| *column);
        self.found.into_iter().map(|(_, found)| found).collect()
    }
}

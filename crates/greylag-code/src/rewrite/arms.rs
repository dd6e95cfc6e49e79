//! The blocks whose select lists name what a query gives.

use greylag_syntax::sql::{Feed, Origin, QueryKind, Reading};

/// How many blocks over blocks are looked through.
const DEPTH: usize = 32;

/// The blocks whose select lists name what a query gives: its own, those of the arms of a set operation, or that of a block
/// which it shows by `select *` and which nothing else reads.
pub(super) fn arms_of(reading: &Reading, query: usize) -> Result<Vec<usize>, String> {
    arms_within(reading, query, DEPTH)
}

fn arms_within(reading: &Reading, query: usize, depth: usize) -> Result<Vec<usize>, String> {
    let depth = depth.checked_sub(1).ok_or("its query is nested too deeply")?;
    let block = reading.queries.get(query).ok_or("its query was not understood")?;
    match block.kind {
        QueryKind::SetOperation => {
            let mut arms = Vec::new();
            for feed in block.outputs.iter().flat_map(|output| &output.feeds) {
                match feed {
                    Feed::Column(Origin::Output { query, .. }, _) if !arms.contains(query) => arms.push(*query),
                    Feed::Column(Origin::Output { .. }, _) => {}
                    _ => return Err("an arm of a set operation was not understood".to_owned()),
                }
            }
            let all = arms.into_iter().map(|arm| arms_within(reading, arm, depth)).collect::<Result<Vec<_>, _>>()?;
            Ok(all.concat())
        }
        QueryKind::Select => {
            let star = reading.stars.iter().find(|star| star.query == query);
            let Some(star) = star else { return Ok(vec![query]) };
            let alone = block.outputs.iter().all(|output| output.range == star.item);
            if !alone {
                return Ok(vec![query]);
            }
            let listed = !(star.except.is_empty() && star.replace.is_empty() && star.rename.is_empty());
            match star.queries.as_slice() {
                [below] if !listed && is_read_once(reading, *below, query) => arms_within(reading, *below, depth),
                _ => Err("its columns come through a star".to_owned()),
            }
        }
        _ => Err("its query is no select".to_owned()),
    }
}

/// Whether nothing reads a block but the star of another one.
fn is_read_once(reading: &Reading, query: usize, by: usize) -> bool {
    let reads = |feed: &Feed| match feed {
        Feed::Column(Origin::Output { query: of, .. }, _) | Feed::All(Origin::Output { query: of, .. }) => *of == query,
        _ => false,
    };
    let others = reading.queries.iter().enumerate().filter(|(number, _)| *number != by);
    let fed = others.flat_map(|(_, block)| &block.outputs).flat_map(|output| &output.feeds).any(reads);
    let stars = reading.stars.iter().filter(|star| star.query != by).any(|star| star.queries.contains(&query));
    let used = reading.columns.iter().any(|column| {
        let of = |origin: &Origin| matches!(origin, Origin::Output { query: of, .. } if *of == query);
        column.from.iter().any(of) && column.query != Some(by) && column.query != Some(query)
    });
    !fed && !stars && !used
}

//! Trees of pieces, kept for whoever reads the same text soon again.
//!
//! A text is read several times in a row: by rules, by the check that rules leave what they made alone, by what resolves its names
//! against other schemas. What is known of columns differs between them, and the tree does not: it follows from the bytes of a
//! piece, where they stand, the dialect and the form, and parsing them is most of the work. So each thread keeps the trees that it
//! made last.
//!
//! **Invariants:** a tree that is found is the one that parsing would give; errors are not kept, since they tell of places in the
//! whole text. What is kept is bounded in bytes of text, and in depth: a tree is taken down wherever another one takes its place,
//! which must need no more of the stack than every piece has.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::collections::hash_map::{DefaultHasher, Entry, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::rc::Rc;

use super::dialect::Dialect;
use super::lex::Token;
use super::parse::{self, Outcome};
use super::split::Form;

/// How much text a thread keeps the trees of, in bytes. A tree is some two hundred times as large.
const MOST: usize = 32 << 10;
/// The longest chain and the deepest parentheses of a piece that is kept.
const CHAIN: usize = 256;
const DEEPEST: usize = 12;

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

#[derive(Default)]
struct Kept {
    by_hash: HashMap<u64, Tree>,
    /// In the order in which they came.
    order: VecDeque<u64>,
    bytes: usize,
}

struct Tree {
    text: Box<str>,
    start: usize,
    dialect: Dialect,
    form: Form,
    outcome: Rc<Outcome>,
}

impl Tree {
    fn is_of(&self, text: &str, start: usize, dialect: Dialect, form: Form) -> bool {
        (&*self.text, self.start, self.dialect, self.form) == (text, start, dialect, form)
    }
}

/// Parses a piece, or finds what that gave. `chain` is its longest one.
pub(super) fn parse(
    whole: &str,
    piece: Range<usize>,
    tokens: &[Token],
    (dialect, form): (Dialect, Form),
    chain: usize,
) -> Result<Rc<Outcome>, String> {
    let (text, start) = (whole.get(piece.clone()).unwrap_or_default(), piece.start);
    let parse = || parse::parse(whole, piece, tokens, dialect, form).map(Rc::new);
    if chain > CHAIN || text.len() > MOST / 4 || parse::depth(tokens) > DEEPEST {
        return parse();
    }
    let mut hasher = DefaultHasher::new();
    (text, start, dialect, form).hash(&mut hasher);
    let hash = hasher.finish();
    let found = KEPT.with_borrow(|kept| {
        let tree = kept.by_hash.get(&hash).filter(|tree| tree.is_of(text, start, dialect, form));
        tree.map(|tree| Rc::clone(&tree.outcome))
    });
    if let Some(found) = found {
        return Ok(found);
    }
    let outcome = parse()?;
    let tree = Tree { text: text.into(), start, dialect, form, outcome: Rc::clone(&outcome) };
    KEPT.with_borrow_mut(|kept| kept.take(hash, tree));
    Ok(outcome)
}

impl Kept {
    fn take(&mut self, hash: u64, tree: Tree) {
        // Two texts of one hash: the first stays until its turn comes.
        let Entry::Vacant(place) = self.by_hash.entry(hash) else { return };
        self.bytes += tree.text.len();
        place.insert(tree);
        self.order.push_back(hash);
        while self.bytes > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.by_hash.remove(&oldest);
            self.bytes -= gone.map_or(0, |tree| tree.text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::{Dialect, NoSchemas, read};
    use super::{KEPT, MOST};
    use std::fmt::Write as _;

    fn kept() -> (usize, usize) {
        KEPT.with_borrow(|kept| (kept.by_hash.len(), kept.bytes))
    }

    #[test]
    fn a_text_that_is_read_again_is_read_the_same() {
        let text = "select a, b as c from t where a > 1; select t.x from t, u; merge into t using u on t.a = u.a \
                    when matched then update set b = u.b; select (from;";
        for dialect in [Dialect::Postgres, Dialect::ClickHouse, Dialect::Snowflake] {
            let first = format!("{:?}", read(text, dialect, &NoSchemas));
            let before = kept();
            assert!(before.0 > 0);
            assert_eq!(format!("{:?}", read(text, dialect, &NoSchemas)), first);
            assert_eq!(kept(), before);
            // Elsewhere in a text it is another piece, and says so.
            let moved = format!("select 1;\n{text}");
            let reading = read(&moved, dialect, &NoSchemas);
            assert!(reading.columns.iter().all(|column| column.name.range.start >= 10));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut text = String::new();
        for number in 0..20_000 {
            writeln!(text, "select a{number} from t where b = {number};").unwrap();
        }
        read(&text, Dialect::Generic, &NoSchemas);
        let (trees, bytes) = kept();
        assert!(bytes <= MOST && trees > 500 && bytes > MOST / 2, "{trees} trees of {bytes} bytes");
        // What is as deep as it is long would be taken down where there is no stack for it.
        let before = kept();
        read(&format!("select {}1", "a + ".repeat(5_000)), Dialect::Generic, &NoSchemas);
        read(&format!("select {}1{}", "(".repeat(60), ")".repeat(60)), Dialect::Generic, &NoSchemas);
        assert_eq!(kept(), before);
    }
}

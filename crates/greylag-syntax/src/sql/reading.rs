//! What a text says: the values that reading gives.

use std::fmt;
use std::ops::Range;

/// All that was read from one text. Every range is in bytes of that text; every number is an index into a list of this value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The statements, in order.
    pub statements: Vec<Statement>,
    /// Every place that names a relation which is not made by the statement itself, in order of resolution.
    pub relations: Vec<RelationUse>,
    /// Every place that names a column, in order of resolution.
    pub columns: Vec<ColumnUse>,
    /// Every block that has columns of its own.
    pub queries: Vec<Query>,
    /// Every star of a select list.
    pub stars: Vec<Star>,
    /// Every place where relations are taken as a whole: by `pivot` and the like, or by the places of columns.
    pub wholes: Vec<Whole>,
    /// What was not understood. Uses that were found by words alone in such a region have confidence `Unknown`.
    pub unknown: Vec<Unknown>,
}

/// An identifier in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Where it stands, with its quotes if it has its own.
    pub range: Range<usize>,
    /// Its letters without quotes.
    pub text: Box<str>,
    /// How it is quoted.
    pub quoting: Quoting,
}

/// How an identifier is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Not at all.
    None,
    /// By quotes that stand around it alone, and inside its range.
    Own,
    /// By quotes that stand around a whole path of names, outside its range.
    Shared,
}

impl Name {
    pub(super) fn written(&self) -> (&str, bool) {
        (&self.text, self.quoting != Quoting::None)
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From its first to its last token.
    pub range: Range<usize>,
    /// How it was read.
    pub parsed: Parsed,
    /// The query whose rows it gives or writes.
    pub query: Option<usize>,
    /// The relation that it writes.
    pub target: Option<usize>,
    /// The target's columns in the order of the query's outputs, where the statement lists them.
    pub target_columns: Vec<usize>,
    /// Blocks that assign expressions to columns of the target: `update … set`, branches of `merge`.
    pub assignments: Vec<usize>,
}

/// How a statement was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// In its dialect.
    Dialect,
    /// In the generic dialect, after its own failed.
    Generic,
    /// With parts left out that name nothing; see the list in the module that blanks them.
    Blanked,
    /// By tokens alone.
    Unknown,
}

/// What a statement does to a relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelationRole {
    /// Its rows are read.
    Read,
    /// Rows are inserted.
    Insert,
    /// Rows are merged into it.
    Merge,
    /// Rows are updated.
    Update,
    /// Rows are deleted.
    Delete,
    /// It is made.
    Create,
    /// It is dropped.
    Drop,
    /// It is altered.
    Alter,
    /// It is emptied.
    Truncate,
    /// It is named otherwise: a comment on it, a grant, an index, a foreign key.
    Mention,
}

/// A place that names a relation. A name that means a common table expression is never listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationUse {
    /// The whole name, quotes included.
    pub range: Range<usize>,
    /// Its parts in order, such as project, dataset and table.
    pub parts: Vec<Name>,
    /// The alias that it is given here.
    pub alias: Option<Name>,
    /// What is done to it.
    pub role: RelationRole,
    /// How sure it is that this is a relation.
    pub confidence: Confidence,
    /// The statement.
    pub statement: usize,
}

/// What a column is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// It makes an output of a query block.
    Select,
    /// It joins.
    Join,
    /// It stands in the list of `using`.
    Using,
    /// It filters rows: `where`, `filter`.
    Filter,
    /// It groups.
    Group,
    /// It filters groups.
    Having,
    /// It filters by windows.
    Qualify,
    /// It partitions or orders a window.
    Window,
    /// It sorts.
    Order,
    /// It bounds a number of rows.
    Limit,
    /// It is an argument of what stands in `from`: an unnested array, a table function.
    From,
    /// It is compared in `merge … on`.
    MergeKey,
    /// It is the column of a target that rows are inserted into.
    InsertTarget,
    /// It is the column of a target that is assigned to.
    UpdateTarget,
    /// It makes a value that is assigned or inserted.
    Assign,
    /// It stands in the lists of a star: `except`, `replace`, `rename`.
    Star,
    /// It is defined or named by a definition of a relation.
    Define,
    /// Not known: found by its word alone.
    Unknown,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Confidence {
    /// It may be, or be one of several.
    Unknown,
    /// Most likely, but what is not known could make it another.
    Likely,
    /// In a valid statement it can be nothing else.
    Certain,
}

/// Why a column was resolved as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Its qualifier names the relation, whose schema has it.
    Qualified,
    /// Its qualifier names the relation, whose schema is not known.
    QualifiedUnseen,
    /// All relations in scope are known, and this one alone has it.
    OnlyKnown,
    /// This is the only relation in scope that can have it, and nothing around could supply it.
    OnlySource,
    /// One known relation has it; others are not known.
    KnownAmongUnknown,
    /// This is the only relation near that can have it, but something around could supply it, too.
    Nearest,
    /// It is the name of an output of the same block.
    OwnOutput,
    /// It is joined by `using` or `natural` and is the column of all sides.
    Merged,
    /// A column that the engine gives to every relation.
    Pseudo,
    /// A part of a statement that names columns of its target.
    Target,
    /// Several relations may have it.
    Several,
    /// The relation's schema is known and has no such column.
    NotInSchema,
    /// No relation is in scope, or none can have it.
    NoSource,
    /// The name before it names no relation in scope: perhaps a struct whose field it is.
    NoSuchQualifier,
    /// The whole row of a relation.
    WholeRow,
    /// The statement was not understood.
    NotParsed,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qualified => "the qualifier names a relation that has it",
            Self::QualifiedUnseen => "the qualifier names a relation whose schema is not known",
            Self::OnlyKnown => "all relations in scope are known and only this one has it",
            Self::OnlySource => "no other relation in scope can have it",
            Self::KnownAmongUnknown => "this relation has it, but others in scope are not known",
            Self::Nearest => "nothing nearer can have it, but something around could",
            Self::OwnOutput => "it is a name of the select list",
            Self::Merged => "it is joined by `using` or `natural`",
            Self::Pseudo => "the engine gives it to every relation",
            Self::Target => "the statement lists columns of its target",
            Self::Several => "several relations in scope may have it",
            Self::NotInSchema => "the relation's schema has no such column",
            Self::NoSource => "no relation in scope can have it",
            Self::NoSuchQualifier => "the name before it names no relation in scope",
            Self::WholeRow => "it names the whole row of a relation",
            Self::NotParsed => "the statement was not understood",
        })
    }
}

/// Where a column may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A relation of the world.
    Relation(usize),
    /// An output of a query block.
    Output {
        /// The block.
        query: usize,
        /// The output.
        output: usize,
    },
}

/// What a rewriter must know of the place of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// The use is all that its select item is, without an alias: renaming it renames the output. Where an alias would be put.
    pub bare: Option<usize>,
    /// It is the direct operand of a cast.
    pub cast: bool,
    /// A field, subscript or path of it follows.
    pub field: bool,
    /// It stands inside an aggregate function.
    pub aggregate: bool,
    /// It decides which value is taken, or whether: a condition of `case` or `if`.
    pub condition: bool,
    /// It is not used as it is: something is computed from it.
    pub computed: bool,
}

/// A place that names a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// The column's own name.
    pub name: Name,
    /// The whole path: qualifier, name, and fields that dots alone join to it.
    pub range: Range<usize>,
    /// The qualifier without its last dot.
    pub qualifier: Option<Range<usize>>,
    /// Where it may come from: one place, several sides of a join by `using`, or candidates, of which the first 64 are listed.
    pub from: Vec<Origin>,
    /// What it is used for.
    pub role: Role,
    /// How sure its own origin is; see [`Reading::bases`] for the whole way.
    pub confidence: Confidence,
    /// Why.
    pub why: Why,
    /// What a rewriter must know.
    pub place: Place,
    /// The list of `using (…)` with its parentheses that it stands in.
    pub using: Option<Range<usize>>,
    /// The block that uses it.
    pub query: Option<usize>,
    /// The statement.
    pub statement: usize,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// `select`.
    Select,
    /// `union`, `intersect`, `except`.
    SetOperation,
    /// `values`.
    Values,
    /// What stands in `from` and makes rows: an unnested array, a table function.
    Function,
    /// A relation that is pivoted, unpivoted or searched for a pattern.
    Pivot,
    /// A relation whose columns are renamed by position: `t as x (a, b)`.
    Renamed,
    /// Expressions that are assigned to columns of a target, which name the outputs.
    Assignment,
}

/// A block that has columns of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its text: a select from that word on; of others what names them; empty where nothing is known.
    pub range: Range<usize>,
    /// What it is.
    pub kind: QueryKind,
    /// The name that it has as a common table expression, where that is defined.
    pub name: Option<Name>,
    /// The block around it.
    pub parent: Option<usize>,
    /// The statement.
    pub statement: usize,
    /// Its columns, in order.
    pub outputs: Vec<Output>,
    /// `group by 2`, `order by 1`: the number's place, the role and the output.
    pub positional: Vec<(Range<usize>, Role, usize)>,
}

/// A column of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its name; none when the engine invents one, or for an open one.
    pub name: Option<Box<str>>,
    /// Whether the name keeps the case of its letters.
    pub quoted: bool,
    /// The whole item.
    pub range: Range<usize>,
    /// The alias, where one names it.
    pub alias: Option<Range<usize>>,
    /// How it is made.
    pub kind: OutputKind,
    /// What it is made of.
    pub feeds: Vec<Feed>,
}

impl Output {
    pub(super) fn written(&self) -> Option<(&str, bool)> {
        self.name.as_deref().map(|name| (name, self.quoted))
    }

    /// Whether it stands for an unknown number of columns.
    pub fn is_open(&self) -> bool {
        matches!(self.kind, OutputKind::Open | OutputKind::Star(_))
    }
}

/// How an output is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputKind {
    /// The value of one column as it is.
    Copy,
    /// Computed from columns of the same row.
    Transformation,
    /// Computed from columns of many rows.
    Aggregation,
    /// A star over relations whose columns are not all known: any name that it does not leave out may be one of it.
    Star(usize),
    /// What a function makes, or what goes through a pivot: any name may be one of it.
    Open,
}

/// What an output is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// A use in its expression.
    Use(usize),
    /// A column that is not written out: from an expanded star or an arm of a set operation.
    Column(Origin, Box<str>),
    /// All columns that are not known by name.
    All(Origin),
}

/// A star of a select list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// `*` or `t.*`, without the lists after it.
    pub range: Range<usize>,
    /// The whole item with its lists.
    pub item: Range<usize>,
    /// The `t` of `t.*`.
    pub qualifier: Option<Range<usize>>,
    /// What it covers.
    pub from: Vec<Origin>,
    /// Blocks that it covers.
    pub queries: Vec<usize>,
    /// Columns left out by `except` or `exclude`.
    pub except: Vec<Name>,
    /// Columns replaced.
    pub replace: Vec<Name>,
    /// Columns renamed: old and new.
    pub rename: Vec<(Name, Name)>,
    /// What it expands to, when all that it covers is known.
    pub columns: Option<Vec<Box<str>>>,
    /// The block.
    pub query: usize,
    /// The statement.
    pub statement: usize,
}

/// What is pivoted, unpivoted, searched for a pattern or read by place: columns of it that are not named count, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Where the columns that are not named come from.
    pub from: Vec<Origin>,
    /// Uses of columns in whose place no expression can stand.
    pub bare: Vec<usize>,
    /// Those among them whose names become values: another name is another value.
    pub spelled: Vec<usize>,
    /// The block that it makes, or that reads by place.
    pub query: usize,
    /// The statement.
    pub statement: usize,
}

/// A region that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Where.
    pub range: Range<usize>,
    /// Why, in words.
    pub reason: String,
    /// The statement; none for a text that was not looked into at all.
    pub statement: Option<usize>,
}

//! The closed set of functions and operators, one file each: types, meaning, text in DuckDB, test.

use super::TypedExpr;
use super::duckdb::Duck;
use super::eval::RowError;
use crate::types::DataType;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

mod args;
mod padding;
mod prelude;
#[cfg(test)]
pub(crate) mod testing;
mod trimming;

pub(super) use args::Args;

/// Declares the functions: their names in code and their files.
macro_rules! functions {
    ($($function:ident => $module:ident,)*) => {
        $(mod $module;)*

        /// A function or operator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Function {
            $(
                #[doc = concat!("See the file `", stringify!($module), ".rs`.")]
                $function,
            )*
        }

        impl Function {
            /// All of them, in the order of the reference page.
            pub const ALL: &[Self] = &[$(Self::$function,)*];

            pub(crate) fn spec(self) -> &'static Spec {
                match self {
                    $(Self::$function => &$module::SPEC,)*
                }
            }
        }
    };
}

functions! {
    Add => add,
    Subtract => subtract,
    Multiply => multiply,
    Divide => divide,
    Modulo => modulo,
    Negate => negate,
    Equal => equal,
    NotEqual => not_equal,
    Less => less,
    LessEqual => less_equal,
    Greater => greater,
    GreaterEqual => greater_equal,
    IsDistinct => is_distinct,
    IsNotDistinct => is_not_distinct,
    IsNull => is_null,
    IsNotNull => is_not_null,
    And => and,
    Or => or,
    Not => not,
    In => in_list,
    Like => like,
    Concat => concat,
    ConcatAll => concat_all,
    ConcatWith => concat_with,
    Lower => lower,
    Upper => upper,
    Trim => trim,
    TrimLeft => trim_left,
    TrimRight => trim_right,
    Substring => substring,
    Left => left,
    Right => right,
    Length => length,
    Replace => replace,
    SplitPart => split_part,
    StartsWith => starts_with,
    EndsWith => ends_with,
    Contains => contains,
    PadLeft => pad_left,
    PadRight => pad_right,
    Position => position,
    Reverse => reverse,
    Md5 => md5,
    Sha256 => sha256,
    Coalesce => coalesce,
    NullIf => null_if,
    Greatest => greatest,
    Least => least,
    Abs => abs,
    Sign => sign,
    Truncate => truncate,
    Floor => floor,
    Ceil => ceil,
    Round => round,
    Power => power,
    Sqrt => sqrt,
    Ln => ln,
    Exp => exp,
    DateTrunc => date_trunc,
    DatePart => date_part,
    MakeDate => make_date,
    FromUnixSeconds => from_unix_seconds,
    FromUnixMillis => from_unix_millis,
    FromUnixMicros => from_unix_micros,
    ToUnixSeconds => to_unix_seconds,
    ToUnixMillis => to_unix_millis,
    ToUnixMicros => to_unix_micros,
    AtTimeZone => at_time_zone,
    Field => field,
    Element => element,
    Cardinality => cardinality,
}

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `name(a, b)`.
    Call,
    /// `a NAME b`.
    Infix,
    /// `NAME a`.
    Prefix,
    /// `a NAME`.
    Postfix,
}

/// Whether null arguments make the result null without the function being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    Strict,
    Own,
}

/// When the result can be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nullable {
    IfAny,
    IfAll,
    IfFirst,
    Always,
    Never,
}

/// Whether it can fail on a row whose arguments are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    Never,
    Always,
    UnlessFloat,
}

/// Where a function is called: its typed arguments and the type of its result.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// Arguments.
    pub args: &'a [TypedExpr],
    /// Type of the result.
    pub data_type: &'a DataType,
}

/// Everything there is to know of a function.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// Fewest and most arguments.
    pub(crate) arity: (usize, usize),
    pub(crate) signature: &'static str,
    pub(crate) semantics: &'static str,
    /// Converts the arguments to what it takes and says the result's type.
    pub(crate) check: fn(&mut Args) -> Result<DataType, super::ExprError>,
    pub(crate) nullable: Nullable,
    pub(crate) nulls: Nulls,
    pub(crate) fails: Fails,
    pub(crate) eval: fn(Site<'_>, &[Value]) -> Result<Value, RowError>,
    /// Text in DuckDB; arguments are texts that read as one, whatever stands beside them.
    pub(crate) duckdb: fn(Site<'_>, &mut Duck, &[String]) -> String,
}

/// Other names that are understood.
const ALIASES: &[(&str, Function)] = &[
    ("substr", Function::Substring),
    ("char_length", Function::Length),
    ("ceiling", Function::Ceil),
    ("truncate", Function::Truncate),
    ("pow", Function::Power),
    ("array_length", Function::Cardinality),
];

impl Function {
    /// The function that is called by a name in lower case.
    pub fn by_name(name: &str) -> Option<Self> {
        let called = |function: &&Self| function.spec().form == Form::Call && function.spec().name == name;
        let hidden = |function: &Self| matches!(function, Self::Field | Self::Element);
        let found = Self::ALL.iter().find(called).copied().filter(|function| !hidden(function));
        found.or_else(|| ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, function)| *function))
    }

    /// Names that can be called.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|function| function.spec()).filter(|spec| spec.form == Form::Call).map(|spec| spec.name)
    }

    /// Name or operator, as written.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// How it is written.
    pub fn form(self) -> Form {
        self.spec().form
    }

    /// Argument types and result, for people.
    pub fn signature(self) -> &'static str {
        self.spec().signature
    }

    /// What it means, for people.
    pub fn semantics(self) -> &'static str {
        self.spec().semantics
    }

    /// Whether conversion evaluates it row by row by its reference meaning, which is slower: no kernel over whole columns
    /// is written for it. A test of the data plane holds this against its kernels.
    pub fn runs_by_row(self) -> bool {
        matches!(
            self,
            Self::ConcatAll
                | Self::ConcatWith
                | Self::PadLeft
                | Self::PadRight
                | Self::Md5
                | Self::Sha256
                | Self::Sign
                | Self::DateTrunc
                | Self::MakeDate
                | Self::FromUnixSeconds
                | Self::FromUnixMillis
                | Self::FromUnixMicros
                | Self::ToUnixSeconds
                | Self::ToUnixMillis
                | Self::ToUnixMicros
                | Self::Element
                | Self::Cardinality
        )
    }

    pub(crate) fn may_fail(self, result: &DataType) -> bool {
        match self.spec().fails {
            Fails::Never => false,
            Fails::Always => true,
            Fails::UnlessFloat => !result.is_float(),
        }
    }

    /// The argument whose type's zone it works in, if it works on a wall clock.
    pub(super) fn works_on_wall_clock(self) -> Option<usize> {
        matches!(self, Self::DateTrunc | Self::DatePart).then_some(1)
    }
}

/// The reference page's table of functions and operators.
pub fn function_markdown() -> String {
    let mut page = String::from("|Name|Form|Meaning|\n|---|---|---|\n");
    for function in Function::ALL {
        let spec = function.spec();
        let escape = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(page, "|`{}`|`{}`|{}|", escape(spec.name), escape(spec.signature), escape(spec.semantics));
    }
    let by_row = Function::ALL.iter().filter(|function| function.runs_by_row());
    let by_row: Vec<String> = by_row.map(|function| format!("`{}`", function.name().replace('|', "\\|"))).collect();
    let _ = write!(
        page,
        "\nConversion evaluates expressions over whole columns. These it evaluates row by row, which is slower: {}. So \
         are arguments of nested types, an empty text in `replace` and `split_part`, patterns and parts that are not \
         literals, and a batch in which a row fails.\n",
        by_row.join(", ")
    );
    page.push_str("\nAlso understood: ");
    let aliases: Vec<String> =
        ALIASES.iter().map(|(alias, function)| format!("`{alias}` for `{}`", function.name())).collect();
    page.push_str(&aliases.join(", "));
    page.push_str(".\n\nNot offered:\n\n");
    page.push_str(&super::left_out_markdown());
    page
}

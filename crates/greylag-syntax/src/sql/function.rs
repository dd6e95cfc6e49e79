//! Calls of functions: arguments that are columns, and words that only look like some.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArgumentClause, FunctionArguments,
    WindowFrameBound, WindowSpec, WindowType,
};

use super::dialect::Dialect;
use super::expr::Reach;
use super::reading::{QueryKind, Role};
use super::scope::Scope;
use super::walk::Walker;

/// Words for parts of dates and times.
const PARTS: &[&str] = &[
    "year",
    "years",
    "yyyy",
    "yy",
    "isoyear",
    "quarter",
    "quarters",
    "qtr",
    "month",
    "months",
    "mon",
    "mm",
    "week",
    "weeks",
    "isoweek",
    "wk",
    "day",
    "days",
    "dd",
    "d",
    "dayofweek",
    "dayofyear",
    "dow",
    "doy",
    "hour",
    "hours",
    "hh",
    "minute",
    "minutes",
    "mi",
    "second",
    "seconds",
    "ss",
    "millisecond",
    "milliseconds",
    "ms",
    "microsecond",
    "microseconds",
    "us",
    "nanosecond",
    "nanoseconds",
    "ns",
    "date",
    "time",
    "datetime",
    "epoch",
    "epoch_second",
    "epoch_millisecond",
    "decade",
    "century",
    "millennium",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "weekiso",
    "yearofweek",
    "yearofweekiso",
    "dayofweekiso",
    "dayofweek_iso",
    "timezone_hour",
    "timezone_minute",
    "weekofyear",
    "y",
    "m",
    "w",
    "h",
    "s",
    "q",
];

/// Functions whose last argument is such a part.
const PART_LAST: &[&str] = &[
    "date_trunc",
    "datetime_trunc",
    "timestamp_trunc",
    "time_trunc",
    "date_diff",
    "datetime_diff",
    "timestamp_diff",
    "time_diff",
    "last_day",
    "trunc",
    "date_bucket",
    "next_day",
    "previous_day",
];

/// Functions of whose three arguments the second is such a part.
const ZONED: &[&str] = &["date_trunc", "datetime_trunc", "timestamp_trunc"];

/// Functions whose first argument is such a part.
const PART_FIRST: &[&str] = &[
    "dateadd",
    "datediff",
    "datepart",
    "date_part",
    "datename",
    "date_trunc",
    "datetrunc",
    "timestampadd",
    "timestampdiff",
    "timeadd",
    "timediff",
    "date_add",
    "date_diff",
];

/// Aggregate functions: what they take from many rows makes one value.
const AGGREGATES: &[&str] = &[
    "any_value",
    "approx_count_distinct",
    "approx_distinct",
    "approx_percentile",
    "approx_quantiles",
    "approx_top_count",
    "approx_top_sum",
    "arg_max",
    "arg_min",
    "array_agg",
    "array_concat_agg",
    "arrayagg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "booland_agg",
    "boolor_agg",
    "checksum",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "count_if",
    "countif",
    "covar_pop",
    "covar_samp",
    "every",
    "first",
    "group_concat",
    "grouping",
    "hll_count_init",
    "histogram",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "kurtosis",
    "last",
    "list",
    "listagg",
    "logical_and",
    "logical_or",
    "map_agg",
    "max",
    "max_by",
    "mean",
    "median",
    "min",
    "min_by",
    "mode",
    "object_agg",
    "percentile",
    "percentile_approx",
    "percentile_cont",
    "percentile_disc",
    "product",
    "quantile",
    "quantile_cont",
    "regr_slope",
    "skewness",
    "some",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
    "multimap_agg",
    "set_agg",
    "approx_count_distinct_sk",
    "hll",
];

/// Functions that are given whole rows.
const OF_ROWS: &[&str] = &[
    "any_value",
    "array_agg",
    "count",
    "farm_fingerprint",
    "format",
    "hash",
    "hstore",
    "json_agg",
    "json_build_object",
    "jsonb_agg",
    "list",
    "md5",
    "row_to_json",
    "struct",
    "to_json",
    "to_json_string",
    "to_jsonb",
    "to_record",
];

/// Words after the name of an aggregate function of ClickHouse, in small letters.
const COMBINATORS: &[&str] =
    &["if", "array", "map", "state", "merge", "foreach", "distinct", "ordefault", "ornull", "resample"];

impl Walker<'_> {
    pub(super) fn function(&mut self, function: &Function, scope: &Scope<'_>, reach: Reach) {
        let name = function.name.0.last().and_then(|part| part.as_ident()).map_or("", |ident| ident.value.as_str());
        let aggregates = self.is_aggregate(name) && function.over.is_none();
        self.aggregated |= aggregates;
        let around = std::mem::replace(&mut self.takes_rows, is_any(name, OF_ROWS));
        let inside = if aggregates { reach.aggregate() } else { reach.computed() };
        self.method(function, scope, inside);
        self.arguments(name, &function.parameters, scope, inside);
        self.arguments(name, &function.args, scope, inside);
        if let Some(filter) = &function.filter {
            self.expr(filter, scope, reach.role(Role::Filter));
        }
        self.order(&function.within_group, scope, inside);
        if let Some(WindowType::WindowSpec(window)) = &function.over {
            self.window(window, scope, reach);
        }
        self.takes_rows = around;
    }

    /// Whether a function makes one value of many rows. In ClickHouse a name may have words after it that say of which, and how.
    fn is_aggregate(&self, name: &str) -> bool {
        if self.dialect != Dialect::ClickHouse {
            return is_any(name, AGGREGATES);
        }
        let name = name.to_ascii_lowercase();
        let mut bare = name.as_str();
        while let Some(shorter) = COMBINATORS.iter().find_map(|suffix| bare.strip_suffix(suffix)) {
            bare = shorter;
        }
        [&*name, bare].into_iter().any(|name| {
            is_any(name, AGGREGATES)
                || is_any(
                    name,
                    &["any", "anylast", "anyheavy", "argmax", "argmin", "avgweighted", "topk", "windowfunnel"],
                )
                || ["quantile", "group", "uniq", "stddev", "var", "sum"].iter().any(|family| name.starts_with(family))
        })
    }

    /// `x.trim()` where a function may be called on a column: the path before the last name is one if it names a column that
    /// is known, or a source's. Otherwise it is the schema of the function.
    fn method(&mut self, function: &Function, scope: &Scope<'_>, reach: Reach) {
        let Some((_, before @ [_, ..])) = function.name.0.split_last() else { return };
        if self.dialect != Dialect::DuckDb {
            return;
        }
        let idents: Vec<_> = before.iter().filter_map(|part| part.as_ident().cloned()).collect();
        let Some(first) = idents.first().and_then(|ident| self.token_of(ident)).and_then(|at| self.name_at(at)) else {
            return;
        };
        let column = self.source_named(scope, &[first]).is_some();
        if column && idents.len() > 1 {
            self.compound(&idents, scope, reach, false);
        }
    }

    pub(super) fn window(&mut self, window: &WindowSpec, scope: &Scope<'_>, reach: Reach) {
        let reach = reach.role(Role::Window);
        self.each(&window.partition_by, scope, reach);
        self.order(&window.order_by, scope, reach);
        let Some(frame) = &window.window_frame else { return };
        for bound in [Some(&frame.start_bound), frame.end_bound.as_ref()].into_iter().flatten() {
            if let WindowFrameBound::Preceding(Some(expr)) | WindowFrameBound::Following(Some(expr)) = bound {
                self.expr(expr, scope, reach);
            }
        }
    }

    fn arguments(&mut self, name: &str, arguments: &FunctionArguments, scope: &Scope<'_>, reach: Reach) {
        match arguments {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(query) => {
                let block = self.push_block(QueryKind::Select, self.block, 0..0);
                self.query(query, Some(scope), block);
                self.scalars.push(block);
            }
            FunctionArguments::List(list) => {
                let part = self.date_part(name, &list.args);
                for (at, argument) in list.args.iter().enumerate() {
                    let conditional = at == 0 && is_any(name, &["if", "iff"]);
                    if Some(at) != part {
                        self.argument(argument, scope, if conditional { reach.condition() } else { reach });
                    }
                }
                for clause in &list.clauses {
                    match clause {
                        FunctionArgumentClause::OrderBy(order) => self.order(order, scope, reach),
                        FunctionArgumentClause::Limit(expr) => self.expr(expr, scope, reach),
                        FunctionArgumentClause::Having(bound) => self.expr(&bound.1, scope, reach),
                        _ => {}
                    }
                }
            }
        }
    }

    pub(super) fn argument(&mut self, argument: &FunctionArg, scope: &Scope<'_>, reach: Reach) {
        let value = match argument {
            FunctionArg::Unnamed(value) => value,
            FunctionArg::Named { arg, .. } => arg,
            FunctionArg::ExprNamed { name, arg, operator } => {
                let is_key = matches!(operator, FunctionArgOperator::Colon | FunctionArgOperator::Value);
                if is_key || !matches!(name, Expr::Identifier(_)) {
                    self.expr(name, scope, reach);
                }
                arg
            }
        };
        match value {
            FunctionArgExpr::Expr(expr) => self.expr(expr, scope, reach),
            FunctionArgExpr::QualifiedWildcard(name) => self.row(name, scope, reach),
            FunctionArgExpr::Wildcard => {}
        }
    }

    /// Which argument is a word for a part of a date and no column. Where both ends look like one, the side is the one that
    /// the dialect takes.
    fn date_part(&self, name: &str, args: &[FunctionArg]) -> Option<usize> {
        if name.eq_ignore_ascii_case("normalize") || name.eq_ignore_ascii_case("normalize_and_casefold") {
            return (args.len() > 1).then_some(1);
        }
        let last = args.len().checked_sub(1)?;
        let at = |at: usize| args.get(at).is_some_and(is_part).then_some(at);
        // Snowflake takes quotes around such a word.
        let quoted = self.dialect == Dialect::Snowflake && args.len() > 1 && args.first().is_some_and(is_quoted_part);
        let first = || is_any(name, PART_FIRST).then(|| at(0).or(quoted.then_some(0))).flatten();
        // A time zone may follow.
        let second = || (last == 2 && is_any(name, ZONED)).then(|| at(1)).flatten();
        let last = || (last > 0 && is_any(name, PART_LAST)).then(|| at(last)).flatten();
        match self.dialect {
            Dialect::Trino | Dialect::DuckDb => None,
            Dialect::BigQuery => last().or_else(second).or_else(first),
            Dialect::Postgres | Dialect::Spark | Dialect::ClickHouse => first(),
            _ if args.first().is_some_and(is_text) => None,
            Dialect::Generic if name.to_ascii_lowercase().ends_with("_diff") => last().or_else(first),
            _ => first().or_else(last),
        }
    }
}

fn is_text(argument: &FunctionArg) -> bool {
    matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(_))))
}

fn is_quoted_part(argument: &FunctionArg) -> bool {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(ident))) = argument else { return false };
    ident.quote_style == Some('"') && is_any(&ident.value, PARTS)
}

fn is_part(argument: &FunctionArg) -> bool {
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = argument else { return false };
    match expr {
        Expr::Identifier(ident) => ident.quote_style.is_none() && is_any(&ident.value, PARTS),
        // `week(monday)`
        Expr::Function(function) => function
            .name
            .0
            .last()
            .and_then(|part| part.as_ident())
            .is_some_and(|ident| ident.value.eq_ignore_ascii_case("week")),
        _ => false,
    }
}

pub(super) fn is_any(name: &str, list: &[&str]) -> bool {
    list.iter().any(|other| other.eq_ignore_ascii_case(name))
}

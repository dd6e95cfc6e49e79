//! Conversions as DuckDB SQL. Where DuckDB is more lenient than the matrix (it reads `1e3` as an integer, rounds
//! unasked), a guard stands before its cast; what does not fit is an error of the query, or null in a `TRY_CAST`.

use super::{Duck, data_type_name};
use crate::cast::zone::{Zone, is_fixed};
use crate::spec::Loss;
use crate::types::{DataType, TimeUnit};

/// One conversion.
struct Ways<'a> {
    from: &'a DataType,
    to: &'a DataType,
    loss: Option<Loss>,
    /// `CAST` or `TRY_CAST`.
    cast: &'static str,
    /// What stands for a value that does not fit.
    misfit: String,
}

impl Ways<'_> {
    fn plain(&self, sql: &str) -> String {
        format!("{}({sql} AS {})", self.cast, data_type_name(self.to))
    }

    fn guarded(&self, bad: &str, good: &str) -> String {
        format!("(CASE WHEN {bad} THEN {} ELSE {good} END)", self.misfit)
    }

    fn forbids(&self) -> bool {
        matches!(self.loss, None | Some(Loss::Fail))
    }
}

impl Duck {
    pub(super) fn cast(
        &mut self,
        sql: &str,
        simple: bool,
        from: &DataType,
        to: &DataType,
        loss: Option<Loss>,
        safe: bool,
    ) -> String {
        if from == to {
            return sql.to_owned();
        }
        let ways = Ways {
            from,
            to,
            loss,
            cast: if safe { "TRY_CAST" } else { "CAST" },
            misfit: if safe { "NULL".to_owned() } else { self.error("value does not fit") },
        };
        self.once_if(simple, sql, |duck, value| duck.cast_simple(value, &ways))
    }

    fn cast_simple(&mut self, value: &str, ways: &Ways<'_>) -> String {
        use DataType as T;
        match (ways.from, ways.to) {
            (T::List(from), T::List(to)) => {
                let item = self.name();
                let body = self.cast(&item, true, from, to, ways.loss, false);
                format!("list_transform({value}, lambda {item}: {body})")
            }
            (T::Struct(from), T::Struct(to)) => self.cast_struct(value, from, to, ways),
            (T::Map(from_key, from_value), T::Map(to_key, to_value)) => {
                let entry = self.name();
                let key = self.cast(&format!("{entry}.key"), true, from_key, to_key, ways.loss, false);
                let item = self.cast(&format!("{entry}.value"), true, from_value, to_value, ways.loss, false);
                let pair = format!("struct_pack(k := {key}, v := {item})");
                let entries = format!("list_transform(map_entries({value}), lambda {entry}: {pair})");
                format!("(CASE WHEN {value} IS NULL THEN NULL ELSE map_from_entries({entries}) END)")
            }
            (T::Binary, T::String) => format!("decode({value})"),
            (T::String, T::Binary) => format!("encode({value})"),
            (T::String, _) => from_text(value, ways),
            (from, T::String) => to_text(value, from, ways),
            (from, T::Boolean) if from.integer().is_some() => {
                ways.guarded(&format!("{value} NOT IN (0, 1)"), &format!("{value} = 1"))
            }
            (T::Decimal { scale, .. }, to) if to.is_number() => from_decimal(self, value, *scale, ways),
            (from, to) if from.is_float() && to.is_number() => from_float(value, ways),
            (from, to) if from.integer().is_some() && to.is_float() => from_integer_to_float(value, ways),
            (T::Time(from), T::Time(to)) => time_to_time(value, *from, *to, ways),
            (T::Date | T::Timestamp { .. }, _) => from_instant(value, ways),
            _ => ways.plain(value),
        }
    }

    fn cast_struct(
        &mut self,
        value: &str,
        from: &[(String, DataType)],
        to: &[(String, DataType)],
        ways: &Ways<'_>,
    ) -> String {
        let mut fields = Vec::new();
        for ((name, from), (_, to)) in from.iter().zip(to) {
            let field = format!("struct_extract({value}, {})", super::text(name));
            let body = self.cast(&field, true, from, to, ways.loss, false);
            fields.push(format!("{} := {body}", super::quoted(name)));
        }
        format!("(CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({}) END)", fields.join(", "))
    }
}

fn to_text(value: &str, from: &DataType, ways: &Ways<'_>) -> String {
    let years = |wall: &str| format!("date_part('year', {wall}) NOT BETWEEN 1 AND 9999");
    match from {
        from if from.is_float() => {
            format!("(CASE WHEN isnan({value}) THEN 'nan' ELSE CAST({value} AS VARCHAR) END)")
        }
        DataType::Date | DataType::Timestamp { zone: None, .. } => {
            ways.guarded(&years(value), &format!("CAST({value} AS VARCHAR)"))
        }
        DataType::Timestamp { .. } => {
            let wall = format!("({value} AT TIME ZONE 'UTC')");
            ways.guarded(&years(&wall), &format!("(CAST({wall} AS VARCHAR) || 'Z')"))
        }
        _ => format!("CAST({value} AS VARCHAR)"),
    }
}

const DATE: &str = "[0-9]{4}-[0-9]{2}-[0-9]{2}";

/// Hours to seconds, and a fraction of which the type keeps `digits`.
fn clock(digits: usize, cut: bool) -> String {
    let fraction = if cut {
        "[0-9]{1,9}".to_owned()
    } else if digits == 0 {
        "0{1,9}".to_owned()
    } else {
        format!("([0-9]{{1,{digits}}}|[0-9]{{{digits}}}0{{1,9}})")
    };
    format!("([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.{fraction})?)?")
}

fn from_text(value: &str, ways: &Ways<'_>) -> String {
    let checked = |form: &str, good: &str| ways.guarded(&format!("NOT regexp_full_match({value}, '{form}')"), good);
    let cut = ways.loss == Some(Loss::Truncate);
    match ways.to {
        DataType::Boolean => format!(
            "(CASE WHEN lower({value}) IN ('true', 't', 'yes', 'y', '1') THEN true \
             WHEN lower({value}) IN ('false', 'f', 'no', 'n', '0') THEN false \
             WHEN {value} IS NULL THEN NULL ELSE {} END)",
            ways.misfit
        ),
        to if to.is_float() => {
            let number = r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,6})?|(?i:nan|inf|infinity))";
            let plain = format!("CAST({value} AS {})", data_type_name(to));
            let overflow = format!("isinf(CAST({value} AS DOUBLE)) AND regexp_matches({value}, '[0-9]')");
            let overflow = if *to == DataType::Float32 {
                format!(
                    "({overflow}) OR (abs(CAST({value} AS DOUBLE)) >= 3.4028235677973366e38 AND isfinite(CAST({value} AS DOUBLE)))"
                )
            } else {
                overflow
            };
            let form = format!("NOT regexp_full_match({value}, '{number}')");
            format!("(CASE WHEN {form} THEN {0} WHEN {overflow} THEN {0} ELSE {plain} END)", ways.misfit)
        }
        DataType::Decimal { scale, .. } => decimal_from_text(value, *scale, ways),
        to if to.integer().is_some() => checked("[+-]?[0-9]+", &ways.plain(&format!("ltrim({value}, '+')"))),
        DataType::Date => ways.guarded(
            &format!("NOT regexp_full_match({value}, '{DATE}') OR left({value}, 4) = '0000'"),
            &ways.plain(value),
        ),
        DataType::Time(unit) => {
            let kept = format!("left({value}, {})", if unit.digits() == 0 { 8 } else { 9 + unit.digits() });
            let full = format!("(CASE WHEN length({value}) = 5 THEN {value} || ':00' ELSE {kept} END)");
            checked(&clock(unit.digits(), cut), &ways.plain(&full))
        }
        DataType::Timestamp { unit, zone } => timestamp_from_text(value, *unit, zone.as_deref(), ways),
        _ => ways.plain(value),
    }
}

fn decimal_from_text(value: &str, scale: u8, ways: &Ways<'_>) -> String {
    let fraction = match ways.loss {
        Some(Loss::Truncate | Loss::Round) => "[0-9]*".to_owned(),
        _ => format!("([0-9]{{0,{scale}}}|[0-9]{{{scale}}}0+)"),
    };
    let form = format!("[+-]?([0-9]+(\\.{fraction})?|\\.{fraction})");
    let bad = format!("NOT regexp_full_match({value}, '{form}') OR NOT regexp_matches({value}, '[0-9]')");
    let kept = match ways.loss {
        Some(Loss::Round) => value.to_owned(),
        _ => format!("regexp_extract({value}, '^[+-]?[0-9]*(\\.[0-9]{{0,{scale}}})?')"),
    };
    // A lone sign or point is left when everything behind it was cut.
    let kept = format!("regexp_replace({kept}, '^([+-]?)(\\.?)$', '\\10')");
    ways.guarded(&bad, &ways.plain(&kept))
}

fn timestamp_from_text(value: &str, unit: TimeUnit, zone: Option<&str>, ways: &Ways<'_>) -> String {
    let cut = ways.loss == Some(Loss::Truncate);
    let clock = clock(unit.digits(), cut);
    let suffix = if zone.is_some() { "(Z|[+-][0-9]{2}(:?[0-9]{2})?)?" } else { "" };
    let form = format!("{DATE}([ T]{clock}{suffix})?");
    let bad = format!("NOT regexp_full_match({value}, '{form}') OR left({value}, 4) = '0000'");
    let bare = DataType::Timestamp { unit, zone: None };
    let wall_type = if unit == TimeUnit::Ns { "TIMESTAMP_NS" } else { "TIMESTAMP" };
    let length = if unit.digits() == 0 { 19 } else { 20 + unit.digits() };
    // The wall clock without the zone behind it, filled up to seconds, cut to the unit.
    let wall = format!("regexp_extract({value}, '^{DATE}([ T][0-9:]+(\\.[0-9]+)?)?')");
    let wall = format!("replace({wall}, 'T', ' ')");
    let wall = format!("(CASE WHEN length({wall}) = 16 THEN {wall} || ':00' ELSE left({wall}, {length}) END)");
    let wall = format!("{}({}({wall} AS {wall_type}) AS {})", ways.cast, ways.cast, data_type_name(&bare));
    let Some(zone) = zone else { return ways.guarded(&bad, &wall) };
    let offset = format!("regexp_extract({value}, ':[0-9.]+([+-][0-9:]+|Z)$', 1)");
    let digits = format!("replace(ltrim({offset}, '+-'), ':', '')");
    let minutes = format!("(CAST(left({digits}, 2) AS INTEGER) * 60 + CAST('0' || substring({digits}, 3) AS INTEGER))");
    let too_far = format!(
        "{offset} NOT IN ('', 'Z') AND (CAST(left({digits}, 2) AS INTEGER) > 18 OR CAST('0' || substring({digits}, 3) AS INTEGER) > 59)"
    );
    let signed =
        format!("(CASE WHEN {offset} = 'Z' THEN 0 WHEN left({offset}, 1) = '-' THEN -{minutes} ELSE {minutes} END)");
    let duck = Duck::default();
    let local = duck.at_time_zone(&wall, &bare, zone);
    let to = data_type_name(ways.to);
    let fixed = format!("CAST((({wall} - to_minutes({signed})) AT TIME ZONE 'UTC') AS {to})");
    format!(
        "(CASE WHEN {bad} THEN {misfit} WHEN {too_far} THEN {misfit} WHEN {offset} = '' THEN {local} \
         WHEN {value} IS NULL THEN NULL ELSE {fixed} END)",
        misfit = ways.misfit
    )
}

fn from_decimal(duck: &mut Duck, value: &str, scale: u8, ways: &Ways<'_>) -> String {
    let to_scale = match ways.to {
        DataType::Decimal { scale, .. } => *scale,
        DataType::Float64 => {
            let good = duck.decimal_to_double(value, ways.from);
            if !ways.forbids() || matches!(ways.from, DataType::Decimal { precision: 0..=15, .. }) {
                return good;
            }
            let back = format!("TRY_CAST(({good}) AS {})", data_type_name(ways.from));
            return ways.guarded(&format!("{back} IS DISTINCT FROM {value} AND {value} IS NOT NULL"), &good);
        }
        DataType::Float32 => {
            let good = format!("CAST(CAST({value} AS VARCHAR) AS FLOAT)");
            if !ways.forbids() || matches!(ways.from, DataType::Decimal { precision: 0..=6, .. }) {
                return good;
            }
            let back = format!("TRY_CAST(CAST({good} AS DOUBLE) AS {})", data_type_name(ways.from));
            return ways.guarded(&format!("{back} IS DISTINCT FROM {value} AND {value} IS NOT NULL"), &good);
        }
        _ => 0,
    };
    if to_scale >= scale {
        return ways.plain(value);
    }
    let coarse = format!("DECIMAL(38,{to_scale})");
    let cut = format!("trunc({value}, {to_scale})");
    match ways.loss {
        Some(Loss::Round) => ways.plain(value),
        Some(Loss::Truncate) => ways.plain(&cut),
        _ => ways.guarded(&format!("CAST({cut} AS {coarse}) <> {value}"), &ways.plain(value)),
    }
}

fn from_integer_to_float(value: &str, ways: &Ways<'_>) -> String {
    let good = ways.plain(value);
    if !ways.forbids() || crate::cast::conversion(ways.from, ways.to).is_exact() {
        return good;
    }
    let back = format!("TRY_CAST({good} AS {})", data_type_name(ways.from));
    ways.guarded(&format!("{back} IS DISTINCT FROM {value} AND {value} IS NOT NULL"), &good)
}

fn from_float(value: &str, ways: &Ways<'_>) -> String {
    let double = match ways.from {
        DataType::Float64 => value.to_owned(),
        _ => format!("CAST({value} AS DOUBLE)"),
    };
    let whole = if ways.loss == Some(Loss::Truncate) { "trunc" } else { "round" };
    match ways.to {
        DataType::Float64 => double,
        DataType::Float32 => {
            let good = ways.plain(value);
            // What rounds to infinity is out of range, which DuckDB's own cast says of finite doubles.
            if !ways.forbids() {
                return good;
            }
            ways.guarded(&format!("CAST(TRY_CAST({value} AS FLOAT) AS DOUBLE) <> {value}"), &good)
        }
        DataType::Decimal { precision, scale } => {
            let good = float_to_decimal(&double, whole, *precision, *scale, ways);
            if !ways.forbids() {
                return good;
            }
            let bad = format!("CAST(CAST({good} AS VARCHAR) AS DOUBLE) <> {double}");
            ways.guarded(&bad, &good)
        }
        _ => {
            let good = ways.plain(&format!("{whole}({double})"));
            if ways.forbids() { ways.guarded(&format!("trunc({double}) <> {double}"), &good) } else { good }
        }
    }
}

/// The scaled double's digits as a decimal.
fn float_to_decimal(double: &str, whole: &str, precision: u8, scale: u8, ways: &Ways<'_>) -> String {
    let unit = format!("1e{scale}");
    let scaled = if scale == 0 { double.to_owned() } else { format!("({double} * {unit})") };
    let steps = format!("{whole}({scaled})");
    if scale == 0 {
        return ways.plain(&steps);
    }
    // Below 2^52 a quotient of whole doubles converts to just its digits.
    let quotient = format!("({steps} / {unit})");
    if precision <= 15 {
        return ways.plain(&quotient);
    }
    // Above, doubles are whole anyway: their digits, with the point put in.
    let digits = format!("CAST(TRY_CAST({steps} AS HUGEINT) AS VARCHAR)");
    let pointed = format!("left({digits}, length({digits}) - {scale}) || '.' || right({digits}, {scale})");
    let wide = format!("DECIMAL(38,{scale})");
    let small = format!("CAST({quotient} AS {wide})");
    let large = format!("{}(coalesce({pointed}, 'out of range') AS {wide})", ways.cast);
    let either = format!(
        "(CASE WHEN {double} IS NULL THEN NULL WHEN abs({scaled}) < 4503599627370496 THEN {small} ELSE {large} END)"
    );
    ways.plain(&either)
}

/// Units since midnight or the epoch to coarser ones: the text of the whole number of coarse units.
fn coarser(units: &str, by: i64, loss: Option<Loss>) -> String {
    match loss {
        Some(Loss::Round) => {
            let away = format!("CASE WHEN abs({units} % {by}) * 2 >= {by} THEN sign({units}) ELSE 0 END");
            format!("({units} // {by} + {away})")
        }
        _ => super::floor_divide(units, by),
    }
}

fn time_to_time(value: &str, from: TimeUnit, to: TimeUnit, ways: &Ways<'_>) -> String {
    if to >= from {
        return ways.plain(value);
    }
    let (units, resolution) = match from {
        TimeUnit::Ns => (format!("epoch_ns({value})"), TimeUnit::Ns),
        _ => (format!("epoch_us({value})"), TimeUnit::Us),
    };
    let by = resolution.per_second() / to.per_second();
    let whole = coarser(&units, by, ways.loss);
    let micros = format!("({whole} * {})", 1_000_000 / to.per_second().min(1_000_000));
    let back = format!("CAST(make_timestamp({micros}) AS TIME)");
    let mut bad = format!("{micros} >= 86400000000");
    if ways.forbids() {
        bad = format!("{bad} OR {units} % {by} <> 0");
    }
    ways.guarded(&bad, &back)
}

fn from_instant(value: &str, ways: &Ways<'_>) -> String {
    let (from_unit, from_zone) = match ways.from {
        DataType::Timestamp { unit, zone } => (*unit, zone.as_deref()),
        _ => (TimeUnit::S, None),
    };
    let duck = Duck::default();
    match ways.to {
        DataType::Date => {
            let wall = match from_zone {
                Some(zone) => duck.at_time_zone(value, ways.from, zone),
                None => value.to_owned(),
            };
            if from_unit != TimeUnit::Ns && ways.loss != Some(Loss::Round) {
                let good = ways.plain(&wall);
                return if ways.forbids() { ways.guarded(&format!("{good} <> {wall}"), &good) } else { good };
            }
            let whole = coarsened(&wall, from_unit, 86_400, ways.loss);
            let micros = format!("({whole} * 86400000000)");
            let good = format!("CAST(make_timestamp({micros}) AS DATE)");
            let rest = format!("{} <> {whole} * {}", epoch(&wall, from_unit), 86_400 * resolution(from_unit));
            if ways.forbids() { ways.guarded(&rest, &good) } else { good }
        }
        DataType::Timestamp { unit, zone } => {
            let bare_from = DataType::Timestamp { unit: from_unit, zone: None };
            let source = match ways.from {
                DataType::Date => format!("CAST({value} AS TIMESTAMP)"),
                _ => value.to_owned(),
            };
            let zoned = |wall: &str, name: &str, of: &DataType| duck.at_time_zone(wall, of, name);
            let unit_of = if *ways.from == DataType::Date { TimeUnit::Us } else { from_unit };
            let bare_source = if *ways.from == DataType::Date {
                DataType::Timestamp { unit: TimeUnit::Us, zone: None }
            } else {
                bare_from
            };
            let (moved, ambiguous) = match (from_zone, zone.as_deref()) {
                (None, Some(name)) => {
                    let moved = zoned(&source, name, &bare_source);
                    let instant_type = DataType::Timestamp { unit: unit_of, zone: Some(name.to_owned()) };
                    (moved.clone(), not_unique(&duck, &source, &moved, name, &instant_type))
                }
                (Some(name), None) => {
                    let wall = zoned(&source, name, ways.from);
                    (wall.clone(), not_unique(&duck, &wall, &source, name, ways.from))
                }
                _ => (source, None),
            };
            let good = change_unit(&moved, unit_of, *unit, ways);
            match ambiguous {
                Some(bad) if ways.forbids() => ways.guarded(&bad, &good),
                _ => good,
            }
        }
        _ => ways.plain(value),
    }
}

/// Whether a wall clock does not exist or exists twice: a few hours around it, some other instant has it, or none.
fn not_unique(duck: &Duck, wall: &str, instant: &str, zone: &str, instant_type: &DataType) -> Option<String> {
    if is_fixed(zone) || matches!(Zone::find(zone), None | Some(Zone::Fixed(_))) {
        return None;
    }
    let again = |shift: i64| {
        let moved = match instant_type {
            DataType::Timestamp { unit: TimeUnit::Ns, .. } => {
                format!("(TRY(make_timestamp_ns(epoch_ns({instant}) + {shift} * 60000000000)) AT TIME ZONE 'UTC')")
            }
            _ => format!("({instant} + to_minutes({shift}))"),
        };
        duck.at_time_zone(&moved, instant_type, zone)
    };
    let shifts = [-180, -120, -60, -30, -20, -40, 30, 60, 120, 180, 20, 40];
    let same: Vec<String> = shifts.iter().map(|shift| format!("TRY({} = {wall})", again(*shift))).collect();
    let exact = duck.at_time_zone(instant, instant_type, zone);
    Some(format!("{exact} <> {wall} OR {}", same.join(" OR ")))
}

fn resolution(unit: TimeUnit) -> i64 {
    if unit == TimeUnit::Ns { 1_000_000_000 } else { 1_000_000 }
}

fn epoch(value: &str, unit: TimeUnit) -> String {
    if unit == TimeUnit::Ns { format!("epoch_ns({value})") } else { format!("epoch_us({value})") }
}

/// Whole units of so many seconds since the epoch.
fn coarsened(value: &str, from: TimeUnit, seconds: i64, loss: Option<Loss>) -> String {
    coarser(&epoch(value, from), resolution(from) * seconds, loss)
}

fn change_unit(value: &str, from: TimeUnit, to: TimeUnit, ways: &Ways<'_>) -> String {
    if to >= from {
        return ways.plain(value);
    }
    let units = epoch(value, from);
    let by = resolution(from) / to.per_second();
    let whole = coarser(&units, by, ways.loss);
    let micros = format!("({whole} * {})", 1_000_000 / to.per_second());
    let zoned = matches!(ways.to, DataType::Timestamp { zone: Some(_), .. });
    let instant = format!("make_timestamp({micros})");
    let instant = if zoned { format!("({instant} AT TIME ZONE 'UTC')") } else { instant };
    let good = format!("CAST({instant} AS {})", data_type_name(ways.to));
    if ways.forbids() { ways.guarded(&format!("{units} % {by} <> 0"), &good) } else { good }
}

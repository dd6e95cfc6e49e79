//! Schemas of Avro: from the JSON of a file's header, and for new files.

use greylag_model::schema::Schema;
use greylag_model::types::{DataType, TimeUnit};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Types of one schema, names spelled out.
const MOST_TYPES: usize = 20_000;
/// Types are not nested deeper than this.
const DEEPEST: usize = 64;

/// A type as it lies in the file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Avro {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Date,
    Time(TimeUnit),
    Timestamp {
        unit: TimeUnit,
        is_instant: bool,
    },
    /// Of `fixed` of so many bytes, else of `bytes`.
    Decimal {
        precision: u8,
        scale: u8,
        fixed: Option<usize>,
    },
    Fixed(usize),
    Enum(Vec<String>),
    Array(Box<Avro>),
    Map(Box<Avro>),
    Record(Vec<(String, Avro)>),
    /// A union with null, which is its first branch or its second.
    Nullable(Box<Avro>, bool),
    /// What Greylag has no equal for, and why. Nothing behind it can be read.
    Unsupported(String),
}

impl Avro {
    /// The fields of a file's rows.
    pub(crate) fn parse(text: &[u8]) -> Result<Vec<(String, Self)>, String> {
        let value: Value = serde_json::from_slice(text).map_err(|error| format!("its schema is not JSON: {error}"))?;
        let mut names = Names { known: HashMap::new(), types: 0 };
        match names.avro(&value, "", 0)? {
            Self::Record(fields) => Ok(fields),
            _ => Err("its rows are not records".to_owned()),
        }
    }

    /// Greylag's type, or why there is none.
    pub(crate) fn data_type(&self) -> Result<DataType, String> {
        Ok(match self {
            Self::Null | Self::String | Self::Enum(_) => DataType::String,
            Self::Boolean => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Bytes | Self::Fixed(_) => DataType::Binary,
            Self::Date => DataType::Date,
            Self::Time(unit) => DataType::Time(*unit),
            Self::Timestamp { unit, is_instant } => {
                DataType::Timestamp { unit: *unit, zone: is_instant.then(|| "UTC".to_owned()) }
            }
            Self::Decimal { precision, scale, .. } => DataType::Decimal { precision: *precision, scale: *scale },
            Self::Array(item) => DataType::List(Box::new(item.data_type()?)),
            Self::Map(item) => DataType::Map(Box::new(DataType::String), Box::new(item.data_type()?)),
            Self::Record(fields) if fields.is_empty() => return Err("a record without fields has no equal".to_owned()),
            Self::Record(fields) => {
                let field = |(name, avro): &(String, Self)| Ok((name.clone(), avro.data_type()?));
                DataType::Struct(fields.iter().map(field).collect::<Result<_, String>>()?)
            }
            Self::Nullable(inner, _) => inner.data_type()?,
            Self::Unsupported(reason) => return Err(reason.clone()),
        })
    }

    /// Whether a column may be null.
    pub(crate) fn is_nullable(&self) -> bool {
        matches!(self, Self::Null | Self::Nullable(..))
    }
}

/// Whether a column that is `found` in a file may be declared to be `wanted`: every value of that type has its place there.
pub(crate) fn carries(found: &DataType, wanted: &DataType) -> bool {
    use DataType as D;
    match (found, wanted) {
        (D::Int32, D::Int8 | D::Int16 | D::UInt8 | D::UInt16) | (D::Int64, D::UInt32) => true,
        (D::Timestamp { unit, zone: Some(_) }, D::Timestamp { unit: wanted, zone: Some(_) }) => unit == wanted,
        (D::List(found), D::List(wanted)) => carries(found, wanted),
        (D::Map(_, found), D::Map(key, wanted)) => **key == D::String && carries(found, wanted),
        (D::Struct(found), D::Struct(wanted)) => {
            let both = || found.iter().zip(wanted);
            found.len() == wanted.len()
                && both().all(|(found, wanted)| found.0 == wanted.0 && carries(&found.1, &wanted.1))
        }
        _ => found == wanted,
    }
}

struct Names {
    /// By full name; `None` while it is being read.
    known: HashMap<String, Option<Avro>>,
    types: usize,
}

impl Names {
    fn avro(&mut self, value: &Value, space: &str, depth: usize) -> Result<Avro, String> {
        self.count(1)?;
        if depth > DEEPEST {
            return Err(format!("its schema is nested deeper than {DEEPEST}"));
        }
        match value {
            Value::String(name) => self.named(name, space),
            Value::Array(branches) => self.union(branches, space, depth),
            Value::Object(object) => self.object(object, space, depth),
            _ => Err("its schema has a type that is neither a name, an object nor a union".to_owned()),
        }
    }

    fn count(&mut self, types: usize) -> Result<(), String> {
        self.types += types;
        if self.types > MOST_TYPES {
            return Err(format!("its schema claims more than {MOST_TYPES} types"));
        }
        Ok(())
    }

    fn named(&mut self, name: &str, space: &str) -> Result<Avro, String> {
        let primitive = match name {
            "null" => Avro::Null,
            "boolean" => Avro::Boolean,
            "int" => Avro::Int,
            "long" => Avro::Long,
            "float" => Avro::Float,
            "double" => Avro::Double,
            "bytes" => Avro::Bytes,
            "string" => Avro::String,
            _ => {
                let known = self.known.get(&full_name(name, space)).or_else(|| self.known.get(name));
                let known =
                    known.ok_or_else(|| format!("its schema names the type `{name}`, which it does not define"))?;
                let Some(known) = known.clone() else {
                    return Ok(Avro::Unsupported(format!("the record `{name}` holds itself, which has no equal")));
                };
                self.count(size(&known))?;
                return Ok(known);
            }
        };
        Ok(primitive)
    }

    fn union(&mut self, branches: &[Value], space: &str, depth: usize) -> Result<Avro, String> {
        let branches = branches.iter().map(|branch| self.avro(branch, space, depth + 1));
        let mut branches: Vec<Avro> = branches.collect::<Result<_, _>>()?;
        if branches.len() == 2
            && let Some(null) = branches.iter().position(|branch| *branch == Avro::Null)
        {
            let other = branches.swap_remove(1 - null);
            if !other.is_nullable() {
                return Ok(Avro::Nullable(Box::new(other), null == 0));
            }
        }
        Ok(Avro::Unsupported("a union of other than null and one type has no equal".to_owned()))
    }

    fn object(&mut self, object: &Map<String, Value>, space: &str, depth: usize) -> Result<Avro, String> {
        let kind = object.get("type").ok_or("its schema has an object without `type`")?;
        let Some(kind) = kind.as_str() else { return self.avro(kind, space, depth + 1) };
        let inside = |key: &str| object.get(key).ok_or_else(|| format!("its schema has `{kind}` without `{key}`"));
        match kind {
            "array" => Ok(Avro::Array(Box::new(self.avro(inside("items")?, space, depth + 1)?))),
            "map" => Ok(Avro::Map(Box::new(self.avro(inside("values")?, space, depth + 1)?))),
            "record" | "error" | "enum" | "fixed" => {
                let name = inside("name")?.as_str().ok_or("its schema has a name that is not text")?;
                let space = object.get("namespace").and_then(Value::as_str).unwrap_or(space);
                let full = full_name(name, space);
                let space = full.rsplit_once('.').map_or("", |(space, _)| space).to_owned();
                if self.known.insert(full.clone(), None).is_some() {
                    return Err(format!("its schema defines `{full}` twice"));
                }
                let avro = match kind {
                    "enum" => Avro::Enum(symbols(inside("symbols")?)?),
                    "fixed" => fixed(object, inside("size")?)?,
                    _ => self.record(inside("fields")?, &space, depth)?,
                };
                self.known.insert(full, Some(avro.clone()));
                Ok(avro)
            }
            name => Ok(logical(object, self.named(name, space)?)),
        }
    }

    fn record(&mut self, fields: &Value, space: &str, depth: usize) -> Result<Avro, String> {
        let fields = fields.as_array().ok_or("its schema has `fields` that are no list")?;
        let mut read: Vec<(String, Avro)> = Vec::with_capacity(fields.len().min(MOST_TYPES));
        for field in fields {
            let name = field.get("name").and_then(Value::as_str).ok_or("its schema has a field without a name")?;
            let of = field.get("type").ok_or("its schema has a field without a type")?;
            read.push((name.to_owned(), self.avro(of, space, depth + 1)?));
        }
        let mut names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some([twice, _]) = names.array_windows().find(|[left, right]| left == right) {
            return Err(format!("its schema names a field `{twice}` twice"));
        }
        Ok(Avro::Record(read))
    }
}

fn full_name(name: &str, space: &str) -> String {
    if name.contains('.') || space.is_empty() { name.to_owned() } else { format!("{space}.{name}") }
}

/// Types in a type.
fn size(avro: &Avro) -> usize {
    1 + match avro {
        Avro::Array(inner) | Avro::Map(inner) | Avro::Nullable(inner, _) => size(inner),
        Avro::Record(fields) => fields.iter().map(|(_, avro)| size(avro)).sum(),
        _ => 0,
    }
}

fn symbols(value: &Value) -> Result<Vec<String>, String> {
    let symbols = value.as_array().ok_or("its schema has `symbols` that are no list")?;
    let text = |symbol: &Value| symbol.as_str().map(str::to_owned);
    symbols.iter().map(text).collect::<Option<_>>().ok_or_else(|| "its schema has a symbol that is not text".to_owned())
}

fn fixed(object: &Map<String, Value>, size: &Value) -> Result<Avro, String> {
    let size = size.as_u64().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0 && *size <= 1 << 30);
    let size = size.ok_or("its schema has a `fixed` of an impossible size")?;
    Ok(decimal(object, Some(size)).unwrap_or(Avro::Fixed(size)))
}

/// A decimal, if the object says so and it makes sense. One of more than 38 digits has no equal.
fn decimal(object: &Map<String, Value>, fixed: Option<usize>) -> Option<Avro> {
    if object.get("logicalType").and_then(Value::as_str) != Some("decimal") {
        return None;
    }
    let precision = object.get("precision").and_then(Value::as_u64).filter(|precision| *precision > 0)?;
    let scale = object.get("scale").map_or(Some(0), Value::as_u64).filter(|scale| *scale <= precision)?;
    if precision > 38 {
        return Some(Avro::Unsupported(format!("a decimal of {precision} digits has no equal: at most 38")));
    }
    Some(Avro::Decimal { precision: precision as u8, scale: scale as u8, fixed })
}

/// A logical type over a primitive one; left aside where it is unknown or does not fit.
fn logical(object: &Map<String, Value>, primitive: Avro) -> Avro {
    let name = object.get("logicalType").and_then(Value::as_str).unwrap_or_default();
    let (is_instant, unit) = match name.strip_prefix("local-") {
        Some(rest) => (false, rest.strip_prefix("timestamp-")),
        None => (true, name.strip_prefix("timestamp-")),
    };
    let unit = match unit {
        Some("millis") => Some(TimeUnit::Ms),
        Some("micros") => Some(TimeUnit::Us),
        Some("nanos") => Some(TimeUnit::Ns),
        _ => None,
    };
    match (primitive, name, unit) {
        (Avro::Int, "date", _) => Avro::Date,
        (Avro::Int, "time-millis", _) => Avro::Time(TimeUnit::Ms),
        (Avro::Long, "time-micros", _) => Avro::Time(TimeUnit::Us),
        (Avro::Long, _, Some(unit)) => Avro::Timestamp { unit, is_instant },
        (Avro::Bytes, "decimal", _) => decimal(object, None).unwrap_or(Avro::Bytes),
        (primitive, ..) => primitive,
    }
}

/// The schema of new files, as JSON. The same columns give the same text.
pub(crate) fn write(schema: &Schema) -> String {
    let mut records = 0;
    let field = |column: &greylag_model::schema::Column| {
        let of = of_type(&column.data_type, &mut records);
        let of = if column.nullable { json!(["null", of]) } else { of };
        json!({"name": column.name, "type": of})
    };
    let fields: Vec<Value> = schema.columns.iter().map(field).collect();
    json!({"type": "record", "name": "row", "fields": fields}).to_string()
}

fn of_type(data_type: &DataType, records: &mut usize) -> Value {
    let nullable = |of: Value| json!(["null", of]);
    match data_type {
        DataType::Boolean => json!("boolean"),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => json!("int"),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::Decimal { precision, scale } => {
            json!({"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale})
        }
        DataType::Date => json!({"type": "int", "logicalType": "date"}),
        DataType::Time(TimeUnit::S | TimeUnit::Ms) => json!({"type": "int", "logicalType": "time-millis"}),
        DataType::Time(_) => json!({"type": "long", "logicalType": "time-micros"}),
        DataType::Timestamp { unit, zone } => {
            let local = if zone.is_some() { "" } else { "local-" };
            let unit = match unit {
                TimeUnit::S | TimeUnit::Ms => "millis",
                TimeUnit::Us => "micros",
                TimeUnit::Ns => "nanos",
            };
            json!({"type": "long", "logicalType": format!("{local}timestamp-{unit}")})
        }
        DataType::String => json!("string"),
        DataType::Binary => json!("bytes"),
        DataType::List(item) => json!({"type": "array", "items": nullable(of_type(item, records))}),
        DataType::Map(_, item) => json!({"type": "map", "values": nullable(of_type(item, records))}),
        DataType::Struct(fields) => {
            *records += 1;
            let name = format!("row{records}");
            let field = |(name, of): &(String, DataType)| json!({"name": name, "type": nullable(of_type(of, records))});
            let fields: Vec<Value> = fields.iter().map(field).collect();
            json!({"type": "record", "name": name, "fields": fields})
        }
    }
}

//! One value of a column: what the reference evaluator of expressions computes with.

/// A value, or null. Equality is that of contents: any NaN equals any NaN, `0.0` differs from `-0.0`.
#[derive(Clone, Debug)]
pub enum Value {
    /// Null of any type.
    Null,
    /// Boolean.
    Boolean(bool),
    /// Any signed or unsigned integer up to 64 bits.
    Int(i128),
    /// Float32, kept at its own precision.
    Float32(f32),
    /// Float64.
    Float64(f64),
    /// Unscaled decimal and its scale.
    Decimal(i128, u8),
    /// Days since 1970-01-01.
    Date(i32),
    /// Time of day in the type's unit since midnight.
    Time(i64),
    /// Timestamp in the type's unit since the epoch (UTC, or wall clock where the type has no zone).
    Timestamp(i64),
    /// Text.
    String(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// List.
    List(Vec<Value>),
    /// Struct: values in field order.
    Struct(Vec<Value>),
    /// Map: entries in order.
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float32(a), Self::Float32(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Self::Float64(a), Self::Float64(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Self::Decimal(a, c), Self::Decimal(b, d)) => (a, c) == (b, d),
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::Time(a), Self::Time(b)) | (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Binary(a), Self::Binary(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Struct(a), Self::Struct(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

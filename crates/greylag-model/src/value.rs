//! One value of a column: what the reference evaluator of expressions computes with.

/// A value, or null. Equality is bitwise for floats (NaN equals NaN, `0.0` differs from `-0.0`).
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

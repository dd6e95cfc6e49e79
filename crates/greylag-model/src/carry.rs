//! What Avro can carry: fewer types than Greylag has, and names of letters, digits and underscores.

use crate::types::{DataType, TimeUnit};

/// Why a column of this name and type cannot stand in an Avro file, and what helps; `None` if it can.
pub fn avro_refuses(name: &str, data_type: &DataType) -> Option<(String, &'static str)> {
    if !is_avro_name(name) {
        let reason =
            format!("Avro names begin with a letter or `_` and go on with those and digits, and `{name}` does not");
        return Some((reason, "rename the column"));
    }
    match data_type {
        DataType::UInt64 => {
            Some(("Avro has no unsigned 64-bit numbers".to_owned(), "give it the type `decimal(20,0)`"))
        }
        DataType::Time(TimeUnit::S) | DataType::Timestamp { unit: TimeUnit::S, .. } => {
            Some(("Avro has no times in whole seconds".to_owned(), "give it the unit `ms`"))
        }
        DataType::Time(TimeUnit::Ns) => {
            Some(("Avro has no times of day in nanoseconds".to_owned(), "give it the unit `us`"))
        }
        DataType::Map(key, _) if **key != DataType::String => {
            Some((format!("keys of Avro's maps are strings, not `{key}`"), "keep the dataset in Parquet"))
        }
        DataType::Map(_, item) | DataType::List(item) => avro_refuses("item", item),
        DataType::Struct(fields) => fields.iter().find_map(|(name, data_type)| avro_refuses(name, data_type)),
        _ => None,
    }
}

fn is_avro_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let first = name.bytes().next().is_some_and(letter);
    first && name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit())
}

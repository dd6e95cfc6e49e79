//! Mappings in requests, read once.
//!
//! A run sends the same few mappings over and over: two requests of a dataset carry the same one, and so do thousands of
//! datasets of one kind. To read a mapping with all its expressions takes longer than to read the rest of a request. So it
//! travels as bytes, and a thread that gets the same bytes as the last time takes what it made of them then.

use greylag_model::mapping::Mapping;
use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserializer, Serializer};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

pub(crate) fn serialize<S: Serializer>(mapping: &Arc<Mapping>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&rmp_serde::to_vec_named(&**mapping).map_err(S::Error::custom)?)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Mapping>, D::Error> {
    deserializer.deserialize_bytes(Bytes)
}

thread_local! {
    static LAST: RefCell<Option<(Vec<u8>, Arc<Mapping>)>> = const { RefCell::new(None) };
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Arc<Mapping>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a mapping as bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Arc<Mapping>, E> {
        LAST.with_borrow_mut(|last| match last {
            Some((same, mapping)) if same == bytes => Ok(Arc::clone(mapping)),
            _ => {
                let mapping: Arc<Mapping> = Arc::new(rmp_serde::from_slice(bytes).map_err(E::custom)?);
                *last = Some((bytes.to_vec(), Arc::clone(&mapping)));
                Ok(mapping)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use greylag_model::mapping::Mapping;
    use greylag_model::schema::Schema;
    use serde::{Deserialize, Serialize};
    use std::sync::Arc;

    #[derive(Serialize, Deserialize)]
    struct Message {
        #[serde(with = "super")]
        mapping: Arc<Mapping>,
    }

    fn there_and_back(dropped: &[&str]) -> Arc<Mapping> {
        let dropped = dropped.iter().map(|name| serde_json::json!({"name": name, "reason": "unused"}));
        let empty = serde_json::to_value(Schema::default()).unwrap();
        let mapping = serde_json::json!({
            "source": empty, "target": empty, "columns": [], "dropped": dropped.collect::<Vec<_>>(), "reverse": [],
        });
        let mapping: Arc<Mapping> = Arc::new(serde_json::from_value(mapping).unwrap());
        let bytes = rmp_serde::to_vec_named(&Message { mapping: Arc::clone(&mapping) }).unwrap();
        let back = rmp_serde::from_slice::<Message>(&bytes).unwrap().mapping;
        assert_eq!(back, mapping);
        back
    }

    #[test]
    fn the_same_one_is_read_once_and_another_one_is_another() {
        let first = there_and_back(&[]);
        assert!(Arc::ptr_eq(&first, &there_and_back(&[])));
        let other = there_and_back(&["old"]);
        assert_ne!(first, other);
        assert!(Arc::ptr_eq(&other, &there_and_back(&["old"])));
        assert!(!Arc::ptr_eq(&first, &there_and_back(&[])), "only the last one is kept");
    }
}

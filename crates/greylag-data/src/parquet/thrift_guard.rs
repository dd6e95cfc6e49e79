//! Walks a Parquet footer (Thrift's compact protocol) without building anything, before the library does.
//!
//! The library reserves memory for as many elements as a list claims. Ten bytes can claim four billion, so every count
//! is held against the bytes that are left (an element takes at least one), and nesting against a limit. See the
//! protocol's specification, `thrift-compact-protocol.md`.

/// Deepest nesting of a real footer is 6.
const DEEPEST: u8 = 24;

/// Whether the bytes are one well-formed structure whose counts can be true; else what is wrong.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    let mut walk = Walk { bytes, at: 0 };
    walk.structure(0)
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Walk<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let byte = *self.bytes.get(self.at).ok_or("the footer ends in the middle of a field")?;
        self.at += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("a number in the footer has no end")
    }

    fn skip(&mut self, length: u64) -> Result<(), &'static str> {
        let left = (self.bytes.len() - self.at) as u64;
        if length > left {
            return Err("the footer claims more bytes than it has");
        }
        self.at += length as usize;
        Ok(())
    }

    fn structure(&mut self, depth: u8) -> Result<(), &'static str> {
        if depth > DEEPEST {
            return Err("the footer is nested too deeply");
        }
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(());
            }
            if header >> 4 == 0 {
                self.varint()?;
            }
            // A boolean field has its value in its type.
            if !matches!(header & 0x0f, 1 | 2) {
                self.value(header & 0x0f, depth)?;
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u8) -> Result<(), &'static str> {
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let count = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
                self.elements(count, &[header & 0x0f], depth)
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                self.elements(count, &[kinds >> 4, kinds & 0x0f], depth)
            }
            12 => self.structure(depth + 1),
            13 => self.skip(16),
            _ => Err("the footer has a field of an unknown kind"),
        }
    }

    fn elements(&mut self, count: u64, kinds: &[u8], depth: u8) -> Result<(), &'static str> {
        if count > (self.bytes.len() - self.at) as u64 {
            return Err("the footer claims more elements than it has bytes");
        }
        if depth >= DEEPEST {
            return Err("the footer is nested too deeply");
        }
        for _ in 0..count {
            for kind in kinds {
                self.value(*kind, depth + 1)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn counts_are_held_against_what_is_left() {
        assert_eq!(check(&[0]), Ok(()));
        // Field 1: a list of 2^31 structures, in 8 bytes.
        let bomb = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0];
        assert_eq!(check(&bomb), Err("the footer claims more elements than it has bytes"));
        let text = [0x18, 0xff, 0xff, 0x03, b'x', 0];
        assert_eq!(check(&text), Err("the footer claims more bytes than it has"));
        assert_eq!(check(&[0x1c; 64]), Err("the footer is nested too deeply"));
        assert_eq!(check(&[0x19; 64]), Err("the footer is nested too deeply"));
        assert_eq!(check(&[0x16, 0xff]), Err("the footer ends in the middle of a field"));
        assert_eq!(check(&[0x1e, 0]), Err("the footer has a field of an unknown kind"));
    }
}

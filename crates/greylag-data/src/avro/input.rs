//! Bytes that are read from the front, never beyond their end.

/// What is wrong with bytes of Avro.
#[derive(Debug, PartialEq)]
pub(crate) enum Bad {
    /// They contradict themselves or the schema.
    Corrupt(String),
    /// They claim what they cannot hold.
    Hostile(String),
}

impl Bad {
    pub(crate) fn corrupt(words: &str) -> Self {
        Self::Corrupt(words.to_owned())
    }
}

/// What is left.
pub(crate) struct Input<'a> {
    pub(crate) left: &'a [u8],
}

impl<'a> Input<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Bad> {
        let (taken, left) = self.left.split_at_checked(length).ok_or_else(|| Bad::corrupt("a value is cut off"))?;
        self.left = left;
        Ok(taken)
    }

    /// A number of up to 64 bits, as Avro writes `long`.
    pub(crate) fn long(&mut self) -> Result<i64, Bad> {
        let mut value = 0_u64;
        for (place, byte) in self.left.iter().take(10).enumerate() {
            let bits = u64::from(byte & 0x7F);
            if place == 9 && bits > 1 {
                break;
            }
            value |= bits << (place * 7);
            if byte & 0x80 == 0 {
                self.left = &self.left[place + 1..];
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(Bad::corrupt(if self.left.len() < 10 { "a number is cut off" } else { "a number has more than 64 bits" }))
    }

    pub(crate) fn int(&mut self) -> Result<i32, Bad> {
        self.long()?.try_into().map_err(|_| Bad::corrupt("an `int` has more than 32 bits"))
    }

    /// A length, and so many bytes.
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Bad> {
        let length = self.long()?;
        let length = usize::try_from(length).map_err(|_| Bad::corrupt("a length is negative"))?;
        self.take(length)
    }

    /// So many bytes, or as many as a length before them says.
    pub(crate) fn sized(&mut self, fixed: Option<usize>) -> Result<&'a [u8], Bad> {
        match fixed {
            Some(size) => self.take(size),
            None => self.bytes(),
        }
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Bad> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Bad::corrupt("a string is not UTF-8"))
    }

    /// The items of an array or map, block by block; gives their number.
    pub(crate) fn items(&mut self, mut each: impl FnMut(&mut Self) -> Result<(), Bad>) -> Result<usize, Bad> {
        let mut all = 0;
        loop {
            let mut count = self.long()?;
            if count == 0 {
                return Ok(all);
            }
            if count < 0 {
                // The block's size follows, which nobody needs here.
                self.long()?;
                count = count.checked_neg().unwrap_or(i64::MAX);
            }
            // An item has a byte at least (but for nulls, of which nobody has such arrays).
            let count = usize::try_from(count).ok().filter(|count| *count <= self.left.len());
            let count = count.ok_or_else(|| Bad::Hostile("an array claims more items than it has bytes".to_owned()))?;
            for _ in 0..count {
                each(self)?;
            }
            all += count;
        }
    }
}

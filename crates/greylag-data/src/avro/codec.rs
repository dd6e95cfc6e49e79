//! Codecs of blocks.

use super::input::Bad;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use greylag_model::dataset::Compression;
use std::io::{Read, Write};

/// A block unpacks to no more bytes than this.
pub(crate) const MOST_UNPACKED: usize = 128 << 20;
/// Zstandard's level for new files.
const LEVEL: i32 = 3;

/// How blocks are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

impl Codec {
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"null" => Self::Null,
            b"deflate" => Self::Deflate,
            b"snappy" => Self::Snappy,
            b"zstandard" => Self::Zstandard,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Deflate => "deflate",
            Self::Snappy => "snappy",
            Self::Zstandard => "zstandard",
        }
    }

    /// Of a layout: Avro has no LZ4, and a plan refuses it.
    pub(crate) fn of(compression: Compression) -> Self {
        match compression {
            Compression::Uncompressed | Compression::Lz4 => Self::Null,
            Compression::Snappy => Self::Snappy,
            Compression::Gzip => Self::Deflate,
            Compression::Zstd => Self::Zstandard,
        }
    }

    /// Unpacks a block into `out`.
    pub(crate) fn unpack(self, packed: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
        out.clear();
        let too_large = || Bad::Hostile(format!("a block unpacks to more than {} MiB", MOST_UNPACKED >> 20));
        let most = MOST_UNPACKED as u64 + 1;
        match self {
            Self::Null => out.extend_from_slice(packed),
            Self::Deflate => {
                let mut reader = DeflateDecoder::new(packed);
                let read = (&mut reader).take(most).read_to_end(out);
                read.map_err(|error| Bad::Corrupt(format!("a block does not unpack: {error}")))?;
            }
            Self::Zstandard => {
                let reader = zstd::Decoder::new(packed);
                let read = reader.and_then(|reader| reader.take(most).read_to_end(out));
                read.map_err(|error| Bad::Corrupt(format!("a block does not unpack: {error}")))?;
            }
            Self::Snappy => {
                let (packed, sum) =
                    packed.split_last_chunk::<4>().ok_or_else(|| Bad::corrupt("a block has no checksum"))?;
                let failed = |error: snap::Error| Bad::Corrupt(format!("a block does not unpack: {error}"));
                let length = snap::raw::decompress_len(packed).map_err(failed)?;
                // What is claimed is held against what snappy can do at best.
                if length > MOST_UNPACKED || length > packed.len().saturating_mul(64) {
                    return Err(too_large());
                }
                out.resize(length, 0);
                snap::raw::Decoder::new().decompress(packed, out).map_err(failed)?;
                let mut crc = Crc::new();
                crc.update(out);
                if crc.sum() != u32::from_be_bytes(*sum) {
                    return Err(Bad::corrupt("a block has another checksum than it says"));
                }
            }
        }
        if out.len() > MOST_UNPACKED { Err(too_large()) } else { Ok(()) }
    }

    /// Packs a block. The same bytes give the same bytes.
    pub(crate) fn pack(self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        Ok(match self {
            Self::Null => plain.to_vec(),
            Self::Deflate => {
                let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(plain)?;
                encoder.finish()?
            }
            Self::Zstandard => zstd::encode_all(plain, LEVEL)?,
            Self::Snappy => {
                let mut packed = snap::raw::Encoder::new().compress_vec(plain).map_err(std::io::Error::other)?;
                let mut crc = Crc::new();
                crc.update(plain);
                packed.extend_from_slice(&crc.sum().to_be_bytes());
                packed
            }
        })
    }
}

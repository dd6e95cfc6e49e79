//! What is chosen before the attributes, because they depend on it: the layouts.

use crate::draws::Draws;
use crate::hostile::Hostile;
use crate::layout::{Dialect, Encoding, Format, Layout, Shape, codec_name, dialect_node};
use crate::yaml::{Node, text};
use greylag_model::dataset::Compression;

/// What is chosen before the attributes: they depend on it.
pub(super) struct Frame {
    pub(super) old: Layout,
    pub(super) new: Layout,
    pub(super) layout: Option<Node>,
    pub(super) old_partitions: usize,
    pub(super) new_partitions: NewPartitions,
}

impl Frame {
    /// Turns what is CSV into JSON lines. Nothing is drawn for it: all other datasets are as they would be.
    pub(super) fn make_json(&mut self) {
        if self.old.format.is_csv() {
            self.old.format = Format::Json;
        }
        if !self.new.format.is_csv() {
            return;
        }
        self.new.format = Format::Json;
        if let Some(Node::Map(layout)) = &mut self.layout {
            layout.retain(|(key, _)| key != "csv");
            for (_, format) in layout.iter_mut().filter(|(key, _)| key == "format") {
                *format = text("json");
            }
        }
        self.layout = self.layout.take().filter(|layout| !matches!(layout, Node::Map(pairs) if pairs.is_empty()));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NewPartitions {
    /// Those of the old dataset, whatever they are called now.
    Same,
    /// None.
    None,
    /// By another column.
    Other,
}

fn dialect(draws: &mut Draws) -> Dialect {
    let encoding = match draws.below(10) {
        0 | 1 => Encoding::Latin1,
        2 => Encoding::Utf16Le,
        3 => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    };
    let escape = draws.chance(15).then_some('\\');
    // A null text with the escape in it would make the escape work outside quotes, which the lab's writer leaves out.
    let nulls = ["", "", "NULL", if escape.is_some() { "NULL" } else { "\\N" }, "NA", "-"];
    Dialect {
        delimiter: [',', ',', ';', '|', '\t'][draws.below(5)],
        quote: if draws.chance(15) { '\'' } else { '"' },
        escape,
        header: !draws.chance(15),
        null: nulls[draws.below(6)].to_owned(),
        mark: match encoding {
            Encoding::Latin1 => false,
            Encoding::Utf8 => draws.chance(25),
            Encoding::Utf16Le | Encoding::Utf16Be => draws.chance(60),
        },
        encoding,
        crlf: draws.chance(30),
    }
}

fn codec(draws: &mut Draws) -> Compression {
    [Compression::Snappy, Compression::Uncompressed, Compression::Gzip, Compression::Lz4, Compression::Zstd]
        [draws.below(5)]
}

/// Draws the layouts. The `layout` part says only what changes: the rest is as in the old dataset.
pub(super) fn frame(draws: &mut Draws, rows: usize, hostile: Option<Hostile>) -> Frame {
    let csv = draws.chance(30);
    let mut old = Layout {
        format: if csv { Format::Csv(dialect(draws)) } else { Format::Parquet { compression: codec(draws) } },
        shape: Shape::File,
        partition_by: vec![],
    };
    if let Format::Csv(csv) = &mut old.format {
        // Without rows and without a header there would be nothing at all in the file.
        csv.header |= rows == 0;
    }
    if let Some(hostile) = hostile {
        old.format = hostile.format();
        let new = Layout { format: Format::Parquet { compression: Compression::Zstd }, ..old.clone() };
        let layout = old.format.is_csv().then(|| Node::map([("format", text("parquet"))]));
        return Frame { old, new, layout, old_partitions: 0, new_partitions: NewPartitions::Same };
    }
    let mut old_partitions = 0;
    match draws.below(100) {
        0..25 if rows > 0 => {
            old.shape = Shape::Directory;
            old_partitions = if draws.chance(30) { 2 } else { 1 };
        }
        25..40 => old.shape = Shape::Directory,
        _ => {}
    }
    let mut new = old.clone();
    let mut layout = Vec::new();
    new_format(draws, &old, &mut new, &mut layout);
    let new_partitions = match draws.below(100) {
        0..15 if rows > 0 => NewPartitions::Other,
        15..35 if old_partitions > 0 => NewPartitions::None,
        _ => NewPartitions::Same,
    };
    if new_partitions == NewPartitions::Other {
        new.shape = Shape::Directory;
    } else if (old_partitions == 0 || new_partitions == NewPartitions::None) && draws.chance(20) {
        new.shape = if old.shape == Shape::File { Shape::Directory } else { Shape::File };
        let shape = if new.shape == Shape::File { "file" } else { "directory" };
        layout.push(("shape".to_owned(), text(shape)));
    }
    let layout = (!layout.is_empty()).then_some(Node::Map(layout));
    Frame { old, new, layout, old_partitions, new_partitions }
}

fn new_format(draws: &mut Draws, old: &Layout, new: &mut Layout, layout: &mut Vec<(String, Node)>) {
    match (&old.format, draws.below(100)) {
        (Format::Csv(_), 0..60) => {
            layout.push(("format".to_owned(), text("parquet")));
            new.format = Format::Parquet { compression: Compression::Zstd };
            new_codec(draws, new, layout);
        }
        (Format::Csv(_), 60..75) | (Format::Parquet { .. }, 0..8) => {
            let other = Dialect { mark: false, crlf: false, escape: None, header: true, ..dialect(draws) };
            if !old.format.is_csv() {
                layout.push(("format".to_owned(), text("csv")));
            }
            // An empty dialect says that the usual one is wanted, not the old one.
            layout.push(("csv".to_owned(), dialect_node(&other)));
            new.format = Format::Csv(other);
        }
        (Format::Csv(_) | Format::Json, _) => {}
        (Format::Parquet { .. }, _) => {
            new.format = Format::Parquet { compression: Compression::Zstd };
            new_codec(draws, new, layout);
        }
    }
}

fn new_codec(draws: &mut Draws, new: &mut Layout, layout: &mut Vec<(String, Node)>) {
    if draws.chance(50) {
        let compression = codec(draws);
        layout.push(("compression".to_owned(), text(codec_name(compression))));
        new.format = Format::Parquet { compression };
    }
}

/// The `layout` part with `partitionBy`, where the partitions change.
pub(super) fn with_partitions(frame: &Frame) -> Option<Node> {
    let changes = frame.new_partitions != NewPartitions::Same;
    if !changes {
        return frame.layout.clone();
    }
    let layout = frame.layout.clone().unwrap_or(Node::Map(vec![]));
    Some(layout.with("partitionBy", Node::texts(&frame.new.partition_by)))
}

//! Which attributes a dataset has, and in which order their columns stand.

use super::Slot;
use super::frame::{Frame, NewPartitions};
use crate::attribute::{Attribute, MAKERS, Making, NewColumn, Place, partition, partition_types};
use crate::hostile::Hostile;

/// Draws the attributes; also says which of them are partition columns, those of the old dataset first.
pub(super) fn attributes(
    making: &mut Making<'_>,
    frame: &Frame,
    hostile: Option<Hostile>,
    wide: bool,
) -> (Vec<Attribute>, Vec<usize>) {
    let index = making.turn;
    let mut attributes = Vec::new();
    let tiny = index % 40 == 3 && hostile.is_none();
    if let Some(hostile) = hostile {
        attributes.extend(hostile.attribute(making));
    }
    let mut uses = vec![0_usize; MAKERS.len()];
    let mut add = |making: &mut Making<'_>, attributes: &mut Vec<Attribute>, maker: usize| {
        making.turn = index + uses[maker] * 97;
        uses[maker] += 1;
        attributes.extend((MAKERS[maker].1)(making));
    };
    let maker = |name: &str| MAKERS.iter().position(|(other, _)| *other == name).unwrap_or(0);
    add(making, &mut attributes, maker("keep"));
    if !tiny {
        add(making, &mut attributes, maker("rename"));
        add(making, &mut attributes, maker("cast"));
        let more = if wide { 0 } else { 1 + making.draws.below(8) };
        for turn in 0..more {
            let cast = making.draws.chance(25);
            add(making, &mut attributes, if cast { maker("cast") } else { (index + turn) % MAKERS.len() });
        }
        while wide && attributes.iter().map(|attribute| attribute.old.len()).sum::<usize>() < 200 {
            let renamed = making.draws.chance(10);
            add(making, &mut attributes, maker(if renamed { "rename" } else { "keep" }));
        }
    }
    // Delimited lines of one empty field cannot be told from empty lines: two columns at least.
    add(making, &mut attributes, maker("keep"));
    making.draws.shuffle(&mut attributes);
    let mut partitions = Vec::new();
    let others = usize::from(frame.new_partitions == NewPartitions::Other);
    for turn in 0..frame.old_partitions + others {
        making.turn = index + turn;
        let types = partition_types();
        let data_type = types[making.turn % types.len()].clone();
        let renamed = making.draws.chance(25);
        let at = making.draws.below(attributes.len() + 1);
        for earlier in &mut partitions {
            *earlier += usize::from(*earlier >= at);
        }
        attributes.insert(at, partition(making, data_type, renamed));
        partitions.push(at);
    }
    (attributes, partitions)
}

pub(super) fn old_slots(attributes: &[Attribute], partition_by: &[String]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (attribute, made) in attributes.iter().enumerate() {
        for (cell, column) in made.old.iter().enumerate() {
            slots.push(Slot { column: column.clone(), attribute, cell });
        }
    }
    partitions_last(slots, partition_by)
}

/// Columns that carry an old one on stand in its place; the others follow in the order of the file.
pub(super) fn new_slots(attributes: &[Attribute], old: &[Slot], partition_by: &[String]) -> Vec<Slot> {
    let mut slots = Vec::new();
    let all: Vec<(Place, Slot)> = (attributes.iter().enumerate())
        .flat_map(|(attribute, made)| {
            let slot = move |(cell, new): (usize, &NewColumn)| {
                (new.place, Slot { column: new.column.clone(), attribute, cell })
            };
            made.new.iter().enumerate().map(slot)
        })
        .collect();
    for slot in old {
        let carried =
            all.iter().filter(|(place, new)| new.attribute == slot.attribute && *place == Place::At(slot.cell));
        slots.extend(carried.map(|(_, new)| new.clone()));
    }
    for section in [Place::Columns, Place::Merge] {
        slots.extend(all.iter().filter(|(place, _)| *place == section).map(|(_, new)| new.clone()));
    }
    partitions_last(slots, partition_by)
}

fn partitions_last(slots: Vec<Slot>, partition_by: &[String]) -> Vec<Slot> {
    let is_partition = |slot: &Slot| partition_by.contains(&slot.column.name);
    let (partitions, mut rest): (Vec<Slot>, Vec<Slot>) = slots.into_iter().partition(is_partition);
    for name in partition_by {
        rest.extend(partitions.iter().filter(|slot| slot.column.name == *name).cloned());
    }
    rest
}

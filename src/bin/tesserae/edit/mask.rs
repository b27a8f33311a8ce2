//! Masks that are drawn as pictures.

use std::path::Path;

use tesserae::{Codec, Picture, Result, Tokens};

use crate::files;

/// Whether the mask in the file, scaled to the picture, is white anywhere in each token's cell,
/// row-major.
pub fn cells(path: &Path, tokens: &Tokens, codec: &Codec) -> Result<Vec<bool>> {
    let grid = tokens.grid()?;
    let mask = files::picture(path)?;
    let cell = codec.config().factor() as u64;
    let across = spans(grid.columns, cell, tokens.width, mask.width());
    let down = spans(grid.rows, cell, tokens.height, mask.height());
    let cells = down.iter().flat_map(|rows| {
        across.iter().map(|columns| {
            rows.clone()
                .any(|y| columns.clone().any(|x| is_white(&mask, x, y)))
        })
    });
    Ok(cells.collect())
}

/// The pixels of a mask that is `length` long that lie over each of `count` cells of `cell` pixels,
/// which cover `side`; the last cell may reach beyond them.
fn spans(count: u32, cell: u64, side: u32, length: u32) -> Vec<std::ops::Range<u32>> {
    let [side, length] = [side, length].map(u64::from);
    let at = |pixel: u64| pixel.min(side) * length / side;
    (0..u64::from(count))
        .map(|index| {
            let start = at(index * cell).min(length - 1);
            // At least one pixel, also of a mask that is smaller than the grid.
            let end = at((index + 1) * cell).max(start + 1);
            start as u32..end as u32
        })
        .collect()
}

fn is_white(mask: &Picture, x: u32, y: u32) -> bool {
    let at = 3 * (y as usize * mask.width() as usize + x as usize);
    let sum: u32 = mask.rgb()[at..at + 3].iter().copied().map(u32::from).sum();
    sum > 3 * 127
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_part_of_the_mask() {
        assert_eq!(spans(4, 8, 32, 32), [0..8, 8..16, 16..24, 24..32]);
        // The last cell reaches beyond the picture.
        assert_eq!(spans(3, 8, 20, 20), [0..8, 8..16, 16..20]);
        assert_eq!(spans(3, 8, 17, 17), [0..8, 8..16, 16..17]);
        // A mask twice as large, and one smaller than the grid.
        assert_eq!(spans(2, 8, 16, 32), [0..16, 16..32]);
        assert_eq!(spans(4, 8, 32, 2), [0..1, 0..1, 1..2, 1..2]);
        assert_eq!(spans(2, 8, 16, 1), [0..1, 0..1]);
    }
}

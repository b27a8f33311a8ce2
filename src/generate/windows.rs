use super::Canvas;

/// Where a prior's grid lies on a canvas of another size: over the tokens that are to be drawn, each of
/// which is drawn in the window in whose middle it is nearest.
#[derive(Debug)]
pub(super) struct Windows {
    /// Rows and columns of a window.
    size: [usize; 2],
    /// Where windows begin, by row and by column.
    starts: [Vec<usize>; 2],
    /// Rows and columns of the canvas.
    canvas: [usize; 2],
}

impl Windows {
    /// Of `size`, for the unknown tokens of `canvas`.
    pub fn new(canvas: &Canvas, size: [usize; 2]) -> Self {
        let sides = [canvas.rows(), canvas.columns()];
        let cells = canvas.masked();
        let starts = [0, 1].map(|axis| {
            let place = |cell: &usize| [cell / sides[1], cell % sides[1]][axis];
            let first = cells.iter().map(place).min().unwrap_or(0);
            let last = cells.iter().map(place).max().unwrap_or(0);
            starts(first, last, sides[axis], size[axis])
        });
        Self {
            size,
            starts,
            canvas: sides,
        }
    }

    /// The window that a cell is drawn in, and the cell's place in it, row-major.
    pub fn of(&self, cell: usize) -> (usize, usize) {
        let place = [cell / self.canvas[1], cell % self.canvas[1]];
        let nearest = [0, 1].map(|axis| {
            let middle = |start: usize| (2 * start + self.size[axis]).abs_diff(2 * place[axis] + 1);
            let all = self.starts[axis].iter().enumerate();
            all.min_by_key(|(_, start)| middle(**start))
                .map_or((0, 0), |(index, start)| (index, *start))
        });
        let [(row, top), (column, left)] = nearest;
        let local = (place[0] - top) * self.size[1] + place[1] - left;
        (row * self.starts[1].len() + column, local)
    }

    /// The tokens in a window; outside the canvas there are none.
    pub fn cut(&self, window: usize, canvas: &Canvas) -> Vec<Option<u32>> {
        let [rows, columns] = self.size;
        let across = self.starts[1].len();
        let (top, left) = (
            self.starts[0][window / across],
            self.starts[1][window % across],
        );
        let mut tokens = Vec::with_capacity(rows * columns);
        for row in top..top + rows {
            tokens.extend((left..left + columns).map(|column| {
                let inside = row < self.canvas[0] && column < self.canvas[1];
                inside.then(|| canvas.tokens()[row * self.canvas[1] + column])?
            }));
        }
        tokens
    }
}

/// Where windows begin that cover `first` to `last` of a `side`, with some of what is around.
fn starts(first: usize, last: usize, side: usize, window: usize) -> Vec<usize> {
    let end = side.saturating_sub(window);
    let length = last - first + 1;
    if 4 * length <= 3 * window {
        let middle = (first + last).div_ceil(2);
        return vec![middle.saturating_sub(window / 2).min(end)];
    }
    let mut starts = Vec::new();
    let mut start = first.saturating_sub(window / 4).min(end);
    loop {
        starts.push(start);
        if start == end || start + window > last + window / 4 {
            return starts;
        }
        start = (start + (window / 2).max(1)).min(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_what_is_unknown_with_something_around_it() {
        // A small hole: one window around it, or at the edge.
        assert_eq!(starts(12, 19, 32, 16), [8]);
        assert_eq!(starts(0, 3, 32, 16), [0]);
        assert_eq!(starts(30, 31, 32, 16), [16]);
        // A large one: several, half a window apart.
        assert_eq!(starts(0, 31, 32, 16), [0, 8, 16]);
        assert_eq!(starts(20, 50, 64, 16), [16, 24, 32, 40]);
        // A canvas that is smaller than a window.
        assert_eq!(starts(0, 8, 9, 16), [0]);
        assert_eq!(starts(0, 0, 1, 1), [0]);
    }

    #[test]
    fn every_unknown_cell_lies_in_its_window() {
        for (rows, columns) in [(1, 1), (3, 40), (16, 16), (17, 16), (33, 21)] {
            let canvas = Canvas::empty(rows, columns);
            for size in [[1, 1], [4, 6], [16, 16]] {
                let windows = Windows::new(&canvas, size);
                for cell in canvas.masked() {
                    let mut marked = canvas.clone();
                    marked.set(cell, 7);
                    let (window, local) = windows.of(cell);
                    let cut = windows.cut(window, &marked);
                    let expected = (0..size[0] * size[1]).map(|i| (i == local).then_some(7));
                    assert_eq!(cut, expected.collect::<Vec<_>>());
                }
            }
        }
    }
}

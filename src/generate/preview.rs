use std::collections::VecDeque;

/// Tokens with those that are not drawn yet replaced by the nearest one that is, in steps between
/// neighbours; `None` if there is none at all. What a decoder makes of it shows where a picture is
/// going.
pub fn filled(tokens: &[Option<u32>], columns: usize) -> Option<Vec<u32>> {
    let rows = tokens.len() / columns.max(1);
    let mut filled = tokens.to_vec();
    let known = (0..tokens.len()).filter(|cell| tokens[*cell].is_some());
    let mut next: VecDeque<usize> = known.collect();
    while let Some(cell) = next.pop_front() {
        let (row, column) = (cell / columns, cell % columns);
        let neighbours = [
            (row > 0).then(|| cell - columns),
            (row + 1 < rows).then(|| cell + columns),
            (column > 0).then(|| cell - 1),
            (column + 1 < columns).then(|| cell + 1),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            if filled[neighbour].is_none() {
                filled[neighbour] = filled[cell];
                next.push_back(neighbour);
            }
        }
    }
    filled.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_spreads_to_its_surroundings() {
        let mut tokens = vec![None; 12];
        assert_eq!(filled(&tokens, 4), None);
        (tokens[0], tokens[11]) = (Some(5), Some(7));
        let expected = [5, 5, 5, 7, 5, 5, 7, 7, 5, 7, 7, 7];
        assert_eq!(filled(&tokens, 4).unwrap(), expected);
    }
}

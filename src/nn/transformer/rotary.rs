use burn::tensor::{Device, Tensor, TensorData};

/// Frequency of the slowest rotation is about 1 over this.
const BASE: f64 = 10_000.0;

/// Rotary positions on a grid: the cosines and sines by which each position's queries and keys are
/// rotated.
///
/// The first half of a head's pairs rotate by the row, the others by the column. Conditions come
/// before the grid; theirs are all zero, cosines too, so that their queries and keys vanish and
/// everyone attends to them with a logit of 0: the published models are trained so.
///
/// Source: Su et al. 2021, <https://arxiv.org/abs/2104.09864>; LlamaGen
/// `autoregressive/models/gpt.py`, `precompute_freqs_cis_2d`.
#[derive(Debug, Clone, Copy)]
pub struct Rotary {
    /// Number of positions before the grid.
    pub conditions: usize,
    /// Columns of the grid.
    pub columns: usize,
    /// Width of a head; a multiple of 4.
    pub width: usize,
}

impl Rotary {
    /// Cosines and sines for `count` positions from `first` on, `[1, 1, count, width / 2, 1]` each.
    pub fn table(self, first: usize, count: usize, device: &Device) -> [Tensor<5>; 2] {
        let half = self.width / 2;
        let angles: Vec<Option<f64>> = (first..first + count)
            .flat_map(|position| {
                let cell = position.checked_sub(self.conditions);
                let at = cell.map(|cell| [cell / self.columns, cell % self.columns]);
                (0..half).map(move |pair| {
                    let quarter = half / 2;
                    let exponent = (pair % quarter) as f64 / quarter as f64;
                    at.map(|at| at[pair / quarter] as f64 * BASE.powf(-exponent))
                })
            })
            .collect();
        let of = |function: fn(f64) -> f64| {
            let values = angles
                .iter()
                .map(|angle| angle.map_or(0.0, function) as f32);
            let data = TensorData::new(values.collect::<Vec<_>>(), [1, 1, count, half, 1]);
            Tensor::from_data(data, device)
        };
        [of(f64::cos), of(f64::sin)]
    }
}

/// Rotates neighbouring values of each head as pairs, by a [`Rotary::table`].
///
/// # Shapes
/// - input and output: `[batch, heads, n, width]`
pub fn rotate(x: Tensor<4>, [cosines, sines]: &[Tensor<5>; 2]) -> Tensor<4> {
    let shape = x.dims();
    let [batch, heads, positions, width] = shape;
    let pairs = x.reshape([batch, heads, positions, width / 2, 2]);
    let a = pairs.clone().narrow(4, 0, 1);
    let b = pairs.narrow(4, 1, 1);
    let turned = [
        a.clone() * cosines.clone() - b.clone() * sines.clone(),
        b * cosines.clone() + a * sines.clone(),
    ];
    Tensor::cat(turned.to_vec(), 4).reshape(shape)
}

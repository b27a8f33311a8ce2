use burn::tensor::Tensor;

/// The keys and values of one layer at the positions so far, `[batch, heads, n, width]`.
#[derive(Debug, Clone, Default)]
pub struct KeyValues(Option<[Tensor<4>; 2]>);

impl KeyValues {
    /// Appends the keys and values of further positions; returns those of all.
    pub fn extend(&mut self, k: Tensor<4>, v: Tensor<4>) -> [Tensor<4>; 2] {
        let all = match self.0.take() {
            Some([keys, values]) => [
                Tensor::cat(vec![keys, k], 2),
                Tensor::cat(vec![values, v], 2),
            ],
            None => [k, v],
        };
        self.0 = Some(all.clone());
        all
    }
}

/// What a causal transformer keeps of the positions so far: the next ones need not compute it again.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    layers: Vec<KeyValues>,
    positions: usize,
}

impl Cache {
    /// Number of positions so far.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Begins `count` further positions; returns the position of the first.
    pub fn advance(&mut self, count: usize) -> usize {
        let first = self.positions;
        self.positions += count;
        first
    }

    /// The keys and values of a layer.
    pub fn layer(&mut self, index: usize) -> &mut KeyValues {
        if self.layers.len() <= index {
            self.layers.resize_with(index + 1, KeyValues::default);
        }
        &mut self.layers[index]
    }
}

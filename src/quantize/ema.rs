use burn::tensor::{IndexingUpdateOp, Int, Tensor};

/// A codebook updated by exponential moving averages of the latents instead of gradients.
///
/// Source: van den Oord et al. 2017, appendix A.1; DeepMind sonnet `VectorQuantizerEMA`, including
/// its Laplace smoothing but not its bias correction (which k-means initialisation makes
/// unnecessary).
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Int, Tensor};
/// # use tesserae::quantize::EmaCodebook;
/// let device = Device::flex();
/// let mut average = EmaCodebook::new(Tensor::from_floats([[0.0], [5.0]], &device), 0.5);
/// for _ in 0..20 {
///     let latents = Tensor::<2>::from_floats([[1.0], [6.0]], &device);
///     average.update(latents, Tensor::<1, Int>::from_ints([0, 1], &device));
/// }
/// let codebook: Vec<f32> = average.codebook().into_data().iter().collect();
/// assert!((codebook[0] - 1.0).abs() < 1e-3 && (codebook[1] - 6.0).abs() < 1e-3);
/// ```
#[derive(Debug, Clone)]
pub struct EmaCodebook {
    /// Moving average of the number of latents per code, N, `[K]`.
    pub cluster_size: Tensor<1>,
    /// Moving average of the sum of those latents, m, `[K, D]`.
    pub embed_sum: Tensor<2>,
    /// EMA decay (papers: 0.99).
    pub decay: f32,
    /// Smoothing constant ε (papers: 1e-5).
    pub epsilon: f32,
}

impl EmaCodebook {
    /// Starts from `codebook`, `[K, D]`, as if each entry had been chosen once.
    pub fn new(codebook: Tensor<2>, decay: f32) -> Self {
        let [codes, _] = codebook.dims();
        Self {
            cluster_size: Tensor::ones([codes], &codebook.device()),
            embed_sum: codebook,
            decay,
            epsilon: 1e-5,
        }
    }

    /// One step: updates the averages with this batch and returns the new codebook, `[K, D]`.
    ///
    /// # Shapes
    /// - `z`: `[n, D]`, detached; `indices`: `[n]`
    pub fn update(&mut self, z: Tensor<2>, indices: Tensor<1, Int>) -> Tensor<2> {
        let [codes] = self.cluster_size.dims();
        let (count, sum) = assign(z, indices, codes);
        let mix = |old: f32| 1.0 - old;
        self.cluster_size =
            self.cluster_size.clone().mul_scalar(self.decay) + count.mul_scalar(mix(self.decay));
        self.embed_sum =
            self.embed_sum.clone().mul_scalar(self.decay) + sum.mul_scalar(mix(self.decay));
        self.codebook()
    }

    /// The current codebook, `[K, D]`: m / N, with N smoothed so that an unused code divides by ε
    /// instead of zero.
    pub fn codebook(&self) -> Tensor<2> {
        let [codes] = self.cluster_size.dims();
        let total = self.cluster_size.clone().sum(); // [1]
        let smoothed = (self.cluster_size.clone().add_scalar(self.epsilon))
            / (total.clone().add_scalar(codes as f32 * self.epsilon))
            * total;
        self.embed_sum.clone() / smoothed.reshape([codes, 1])
    }

    /// Replaces the `dead` codes with `rows` of latents, each as if chosen `size` times.
    ///
    /// # Shapes
    /// - `dead`: `[m]`, `rows`: `[m, D]`
    pub fn restart(&mut self, dead: Tensor<1, Int>, rows: Tensor<2>, size: f32) {
        let codes = self.cluster_size.dims();
        let sizes = rows.full_like(size).narrow(1, 0, 1); // [m, 1]
        let column = self.cluster_size.clone().reshape([codes[0], 1]);
        self.cluster_size = replaced(column, dead.clone(), sizes).reshape(codes);
        self.embed_sum = replaced(self.embed_sum.clone(), dead, rows.mul_scalar(size));
    }
}

/// `table` with the entries at `indices`, which must be distinct, replaced by `rows`.
///
/// # Shapes
/// - `table` and output: `[K, D]`, `indices`: `[m]`, `rows`: `[m, D]`
pub(crate) fn replaced(table: Tensor<2>, indices: Tensor<1, Int>, rows: Tensor<2>) -> Tensor<2> {
    let [length, _] = table.dims();
    let (count, moved) = assign(rows, indices, length);
    let keep = count.lower_elem(0.5).float().reshape([length, 1]);
    table * keep + moved
}

/// How many latents chose each code, `[K]`, and their sums, `[K, D]`.
pub(super) fn assign(
    z: Tensor<2>,
    indices: Tensor<1, Int>,
    codes: usize,
) -> (Tensor<1>, Tensor<2>) {
    let [n, dim] = z.dims();
    let device = z.device();
    let count = Tensor::<1>::zeros([codes], &device).select_assign(
        0,
        indices.clone(),
        Tensor::ones([n], &device),
        IndexingUpdateOp::Add,
    );
    let sum = Tensor::<2>::zeros([codes, dim], &device).select_assign(
        0,
        indices,
        z,
        IndexingUpdateOp::Add,
    );
    (count, sum)
}

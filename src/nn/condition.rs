use burn::tensor::{Int, Tensor};

/// `x` with 1 added at the place of each one's class, and 0 at those of the others; no class, which
/// has the number `count`, is 0 everywhere.
///
/// # Shapes
/// - `x`: `[batch, width]`
/// - `classes`: `[batch]`
/// - output: `[batch, width + count]`
pub fn with_classes(x: Tensor<2>, classes: Tensor<1, Int>, count: usize) -> Tensor<2> {
    if count == 0 {
        return x;
    }
    let shape = [x.dims()[0], count];
    let numbers = Tensor::<1, Int>::arange(0..count as i64, &x.device());
    let classes = classes.unsqueeze_dim::<2>(1).expand(shape);
    let marks = classes.equal(numbers.unsqueeze::<2>().expand(shape));
    Tensor::cat(vec![x, marks.float()], 1)
}

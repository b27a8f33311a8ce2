//! Gradients compared with finite differences, where there is no reference for them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use super::On;
use super::on::floats;

/// Finite-difference step, relative to the value's magnitude.
pub const STEP: f32 = 2e-3;
/// Maximum relative difference between slopes, which allows for curvature and single precision.
pub const APART: f32 = 2e-2;

/// Pseudo-random values within ±1, the same everywhere.
pub fn spread(shape: &[usize], salt: usize) -> TensorData {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| ((i + 1) as f64 * 0.754_877_666 + salt as f64 * 0.569_840_291).fract() as f32)
        .map(|turn| 2.0 * turn - 1.0)
        .collect();
    TensorData::new(values, shape.to_vec())
}

/// Magnitude of a parameter's values, chosen so that outputs are about as large as inputs.
fn scale(shape: &[usize]) -> f32 {
    let fan_in: usize = shape.iter().skip(1).product();
    1.0 / (fan_in as f32).sqrt()
}

/// Fills every parameter: a scale of one or a shift of zero would hide mistakes.
struct Fill(usize);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let salt = self.0;
        param.map(|tensor| {
            let values = Tensor::from_data(spread(&tensor.dims(), salt), &tensor.device());
            values.mul_scalar(scale(&tensor.dims()))
        })
    }
}

/// The sign of the gradient per value: the direction of steepest ascent; positive where it is zero.
pub fn direction<const D: usize>(grad: Tensor<D>) -> Tensor<1> {
    let values: usize = grad.dims().iter().product();
    let up = grad.reshape([values]).greater_equal_elem(0.0).float();
    up.mul_scalar(2.0).sub_scalar(1.0)
}

/// A direction and the slope along it for each parameter, in module order.
struct Slopes<'a> {
    grads: &'a Gradients,
    seen: usize,
    /// With each parameter's index.
    found: Vec<(usize, Tensor<1>, Tensor<1>)>,
}

impl Slopes<'_> {
    fn push<const D: usize>(&mut self, value: &Tensor<D>, scale: f32) {
        let grad = value.grad(self.grads).unwrap();
        let direction = direction(grad.clone()).mul_scalar(scale);
        let slope = (grad.reshape(direction.dims()) * direction.clone()).sum();
        self.found.push((self.seen, direction, slope));
        self.seen += 1;
    }
}

impl ModuleVisitor for Slopes<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Running averages are stored as parameters that are not trained.
        if param.is_require_grad() {
            self.push(&param.val(), scale(&param.val().dims()));
        } else {
            self.seen += 1;
        }
    }
}

/// Moves the parameter with this index in module order.
struct Move {
    before: usize,
    by: Tensor<1>,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let mine = self.before == 0;
        self.before = self.before.wrapping_sub(1);
        if !mine {
            return param;
        }
        let by = self.by.clone();
        param.map(|tensor| {
            let tensor = tensor.inner();
            Tensor::from_inner(tensor.clone() + by.reshape(tensor.dims()))
        })
    }
}

/// Fails unless every gradient of `forward` agrees with finite differences, for parameters and
/// inputs.
pub async fn same_slopes<M: Module, const N: usize>(
    on: &On,
    module: M,
    inputs: [&[usize]; N],
    forward: impl Fn(&M, [Tensor<4>; N]) -> Tensor<4>,
) {
    let device = on.autodiff();
    let module = module.map(&mut Fill(0)).train();
    let inputs: [Tensor<4>; N] = std::array::from_fn(|i| {
        Tensor::from_data(spread(inputs[i], 100 + i), &device).require_grad()
    });
    let loss = |module: &M, inputs: &[Tensor<4>; N]| {
        let output = forward(module, inputs.clone());
        let weigh = Tensor::from_data(spread(&output.dims(), 200), &output.device());
        (output * weigh).sum()
    };

    let grads = loss(&module, &inputs).backward();
    let mut slopes = Slopes {
        grads: &grads,
        seen: 0,
        found: Vec::new(),
    };
    module.visit(&mut slopes);
    let parameters = slopes.seen;
    for input in &inputs {
        slopes.push(input, 1.0);
    }
    // Still in training mode, where batch normalisation is a different function.
    let inputs = inputs.map(Tensor::detach);
    let slope = |(_, _, slope): &(_, _, Tensor<1>)| slope.clone();
    let found = floats(Tensor::cat(slopes.found.iter().map(slope).collect(), 0)).await;
    // The bias of attention's keys has no effect: a gradient that is zero except for rounding is
    // compared on the scale of the others.
    let least = 1e-3 * found.iter().copied().fold(0.0, f32::max);
    for ((i, direction, _), &got) in slopes.found.into_iter().zip(&found) {
        let moved = async |by: f32| {
            let by = direction.clone().mul_scalar(by);
            let loss = if i < parameters {
                loss(&module.clone().map(&mut Move { before: i, by }), &inputs)
            } else {
                let mut inputs = inputs.clone();
                let input = &mut inputs[i - parameters];
                *input = input.clone() + Tensor::from_inner(by.reshape(input.dims()));
                loss(&module, &inputs)
            };
            floats(loss).await[0]
        };
        let want = (moved(STEP).await - moved(-STEP).await) / (2.0 * STEP);
        let apart = (got - want).abs() / got.max(want.abs()).max(least);
        assert!(apart <= APART, "slope {i} is {got}, by differences {want}");
    }
}

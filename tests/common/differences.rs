//! Gradients against differences of the output, where no reference has computed them.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use super::On;
use super::on::floats;

/// How far a parameter is moved each way, and how far the slopes may then be apart, over the larger
/// one: what is left of single precision and of the curvature.
const STEP: f32 = 1e-2;
const APART: f32 = 2e-2;

/// Values within ±1 that have no pattern, the same everywhere.
pub fn spread(shape: &[usize], salt: usize) -> TensorData {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count)
        .map(|i| ((i + 1) as f64 * 0.754_877_666 + salt as f64 * 0.569_840_291).fract() as f32)
        .map(|turn| 2.0 * turn - 1.0)
        .collect();
    TensorData::new(values, shape.to_vec())
}

/// Fills every parameter: a scale that is zero, or one, would hide mistakes.
struct Fill(usize);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let salt = self.0;
        param.map(|tensor| {
            let fan_in: usize = tensor.dims().iter().skip(1).product();
            let values = Tensor::from_data(spread(&tensor.dims(), salt), &tensor.device());
            values.mul_scalar(2.0 / (fan_in as f32).sqrt())
        })
    }
}

/// Moves one parameter, counted in the order of the module, along its direction.
struct Move {
    before: usize,
    by: f32,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(before) = self.before.checked_sub(1) else {
            self.before = usize::MAX;
            return param.map(|tensor| {
                let direction = Tensor::from_data(spread(&tensor.dims(), 7), &tensor.device());
                tensor + direction.mul_scalar(self.by)
            });
        };
        self.before = before;
        param
    }
}

/// The slope of each parameter along its direction.
struct Slopes<'a> {
    grads: &'a Gradients,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Slopes<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let grad = param.val().grad(self.grads).unwrap();
        let direction = Tensor::from_data(spread(&grad.dims(), 7), &grad.device());
        self.found.push((grad * direction).sum());
    }
}

/// Fails unless every gradient of `forward` is what moving the parameter, or an input, does.
pub async fn same_slopes<M: Module, const N: usize>(
    on: &On,
    module: M,
    inputs: [&[usize]; N],
    forward: impl Fn(&M, [Tensor<4>; N]) -> Tensor<4>,
) {
    let device = on.autodiff();
    let module = module.map(&mut Fill(0)).train();
    let at = |moved: usize, by: f32| {
        std::array::from_fn(|i| {
            let x = Tensor::from_data(spread(inputs[i], 100 + i), &device);
            let direction = Tensor::from_data(spread(inputs[i], 7), &device);
            x + direction.mul_scalar(if i == moved { by } else { 0.0 })
        })
    };
    let loss = |module: &M, inputs| {
        let output = forward(module, inputs);
        let weigh = Tensor::from_data(spread(&output.dims(), 200), &device);
        (output * weigh).sum()
    };

    let given: [Tensor<4>; N] = at(0, 0.0).map(Tensor::require_grad);
    let grads = loss(&module, given.clone()).backward();
    let mut slopes = Slopes {
        grads: &grads,
        found: Vec::new(),
    };
    module.visit(&mut slopes);
    let parameters = slopes.found.len();
    for (i, x) in given.iter().enumerate() {
        let direction = Tensor::from_data(spread(inputs[i], 7), &x.grad(&grads).unwrap().device());
        slopes
            .found
            .push((x.grad(&grads).unwrap() * direction).sum());
    }
    for (i, slope) in slopes.found.into_iter().enumerate() {
        let moved = async |by: f32| {
            let loss = match i.checked_sub(parameters) {
                None => loss(&module.clone().map(&mut Move { before: i, by }), at(0, 0.0)),
                Some(input) => loss(&module, at(input, by)),
            };
            floats(loss).await[0]
        };
        let (got, want) = (
            floats(slope).await[0],
            (moved(STEP).await - moved(-STEP).await) / (2.0 * STEP),
        );
        let apart = (got - want).abs() / got.abs().max(want.abs());
        assert!(apart <= APART, "slope {i} is {got}, by differences {want}");
    }
}

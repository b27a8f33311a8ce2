use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor};

use super::Golden;

/// A device, and its tolerance against the reference.
pub struct On {
    pub device: Device,
    /// Largest error divided by the largest magnitude.
    pub tolerance: f32,
}

/// Largest error divided by the largest magnitude of `want`, or by `least` if that is larger.
/// Infinite if a value is NaN.
pub fn relative_error(got: &[f32], want: &[f32], least: f32) -> f32 {
    assert_eq!(got.len(), want.len());
    assert!(!want.is_empty());
    let scale = want.iter().fold(least, |m, v| m.max(v.abs()));
    let error = got.iter().zip(want).fold(0.0_f32, |m, (g, w)| {
        let e = (g - w).abs();
        if e.is_finite() {
            m.max(e)
        } else {
            f32::INFINITY
        }
    });
    if error == 0.0 { 0.0 } else { error / scale }
}

impl On {
    pub fn cpu() -> Self {
        Self {
            device: Device::flex(),
            tolerance: 1e-4,
        }
    }

    pub fn webgpu(device: Device) -> Self {
        Self {
            device,
            tolerance: 1e-3,
        }
    }

    pub fn autodiff(&self) -> Device {
        self.device.clone().autodiff()
    }

    /// Fails unless `got` is close to the golden tensor `name`.
    pub async fn close<const D: usize>(&self, golden: &Golden, name: &str, got: Tensor<D>) {
        assert_eq!(got.dims().to_vec(), golden.shape(name), "shape of {name}");
        self.close_to(golden, name, floats(got).await, 0.0);
    }

    fn close_to(&self, golden: &Golden, name: &str, got: Vec<f32>, least: f32) {
        let error = relative_error(&got, &golden.floats(name), least);
        assert!(
            error <= self.tolerance,
            "{}: {name} is {error:e} off, with {:e} allowed",
            golden.name,
            self.tolerance
        );
    }

    /// Fails unless `got` are the golden codes up to the margin rule: they may differ only where
    /// the two nearest distances are within 1e-3 of each other, at no more than 0.5 % of tokens.
    /// Names begin with `case` and end with `grid`.
    pub async fn same_codes(&self, golden: &Golden, case: &str, grid: &str, got: Tensor<3, Int>) {
        let name = format!("{case}indices{grid}");
        assert_eq!(got.dims().to_vec(), golden.shape(&name), "shape of {name}");
        let got = ints(got).await;
        let nearest = golden.floats(&format!("{case}nearest{grid}"));
        let wrong = differing(&got, &golden.ints(&name), &nearest);
        assert_eq!(wrong, Ok(()), "{}: {name}", golden.name);
    }

    /// Fails unless the module's gradients match all the golden ones under `prefix`.
    pub async fn same_gradients<M: Module>(
        &self,
        golden: &Golden,
        prefix: &str,
        module: &M,
        grads: &Gradients,
    ) {
        self.same_gradients_as(golden, prefix, module, grads, str::to_owned)
            .await;
    }

    /// The same, with `ours` mapping the golden names to the module's.
    pub async fn same_gradients_as<M: Module>(
        &self,
        golden: &Golden,
        prefix: &str,
        module: &M,
        grads: &Gradients,
        ours: impl Fn(&str) -> String,
    ) {
        let mut names = golden.names(prefix);
        names.retain(|&name| name != "input");
        assert!(!names.is_empty(), "{} has no {prefix}", golden.name);
        let largest = names
            .iter()
            .flat_map(|name| golden.floats(&format!("{prefix}{name}")))
            .fold(0.0_f32, |m, v| m.max(v.abs()));
        let mut found = Collected::of(module, grads);
        for name in names {
            let ours = ours(name);
            let index = found.grads.iter().position(|(n, ..)| *n == ours);
            let index = index.unwrap_or_else(|| panic!("{}: {name} has no gradient", golden.name));
            let (_, mut shape, grad) = found.grads.swap_remove(index);
            let name = format!("{prefix}{name}");
            let wanted = golden.shape(&name);
            // Other implementations use linear layers in place of 1×1 convolutions.
            if wanted.len() == 2 && shape.ends_with(&[1, 1]) {
                shape.truncate(2);
            }
            assert_eq!(shape, wanted, "shape of {name}");
            // A gradient that is zero except for rounding is compared on the scale of the others.
            let zero = golden.floats(&name).iter().all(|v| *v == 0.0);
            self.close_to(
                golden,
                &name,
                floats(grad).await,
                if zero { largest } else { 0.0 },
            );
        }
    }
}

/// The margin rule; the error lists the tokens that violate it.
pub fn differing(got: &[i64], want: &[i32], nearest: &[f32]) -> Result<(), String> {
    assert_eq!(got.len(), want.len());
    let pairs = nearest.as_chunks::<2>().0;
    assert_eq!(pairs.len(), want.len());
    let off: Vec<usize> = (0..got.len())
        .filter(|&i| got[i] != i64::from(want[i]))
        .collect();
    let clear = |i: &usize| {
        let [a, b] = pairs[*i];
        (a - b).abs() > 1e-3 * a.abs().max(b.abs())
    };
    let wrong: Vec<usize> = off.iter().copied().filter(clear).collect();
    if !wrong.is_empty() {
        return Err(format!("clear tokens {wrong:?} differ"));
    }
    if off.len() * 200 > want.len() {
        return Err(format!("{} of {} tokens differ", off.len(), want.len()));
    }
    Ok(())
}

/// Reads asynchronously, as a browser cannot block.
pub async fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data_async().await.unwrap().iter().collect()
}

pub async fn ints<const D: usize>(tensor: Tensor<D, Int>) -> Vec<i64> {
    tensor.into_data_async().await.unwrap().iter().collect()
}

/// Gradients of a module's parameters, flattened, under their checkpoint names.
pub fn gradients_of<M: Module>(module: &M, source: &Gradients) -> Vec<(String, Tensor<1>)> {
    let found = Collected::of(module, source).grads.into_iter();
    found.map(|(name, _, grad)| (name, grad)).collect()
}

/// The same, as values.
pub async fn gradients<M: Module>(module: &M, grads: &Gradients) -> Vec<(String, Vec<f32>)> {
    let mut read = Vec::new();
    for (name, grad) in gradients_of(module, grads) {
        read.push((name, floats(grad).await));
    }
    read
}

/// Gradients of a module's parameters under their checkpoint names, with their shapes.
struct Collected<'a> {
    path: Vec<String>,
    /// The structs that the walk is in.
    structs: Vec<String>,
    source: &'a Gradients,
    grads: Vec<(String, Vec<usize>, Tensor<1>)>,
}

impl<'a> Collected<'a> {
    fn of<M: Module>(module: &M, source: &'a Gradients) -> Self {
        let mut collected = Self {
            path: Vec::new(),
            structs: Vec::new(),
            source,
            grads: Vec::new(),
        };
        module.visit(&mut collected);
        collected
    }
}

impl ModuleVisitor for Collected<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        // A variant's name is not part of a checkpoint name; Burn's own norms use other names.
        if !container.starts_with("Enum:") {
            self.structs.push(container.to_owned());
            self.path.push(match name {
                "gamma" => "weight".to_owned(),
                "beta" => "bias".to_owned(),
                name => name.to_owned(),
            });
        }
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.structs.pop();
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = param.val().grad(self.source) {
            let linear = self.structs.last().is_some_and(|s| s == "Struct:Linear");
            // Burn stores a linear layer's weights transposed.
            let grad = match (linear, D) {
                (true, 2) => grad.swap_dims(0, 1),
                _ => grad,
            };
            let shape = grad.dims().to_vec();
            let flat = grad.reshape([shape.iter().product::<usize>()]);
            self.grads.push((self.path.join("."), shape, flat));
        }
    }
}

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, GradientsParams, Optimizer,
};
use burn::tensor::{Device, Tensor};

use super::{OptimizerConfig, State};
use crate::error::{Error, Result};
use crate::params;

/// AdamW's moments for each parameter, flattened. (Burn's own module optimizer stores the same, but
/// reads it back synchronously, which a browser cannot do.)
pub type Moments = BTreeMap<ParamId, AdamWState<1>>;

/// Takes one step of Burn's AdamW over every parameter of `module` that has a gradient.
///
/// Source: Loshchilov and Hutter 2017, <https://arxiv.org/abs/1711.05101>.
pub fn step<M: Module>(
    config: &OptimizerConfig,
    rate: f64,
    module: M,
    gradients: GradientsParams,
    moments: &mut Moments,
) -> M {
    let rule = AdamWConfig::new()
        .with_beta_1(config.beta_1)
        .with_beta_2(config.beta_2)
        .with_epsilon(1e-8)
        .with_weight_decay(config.weight_decay)
        .build();
    module.map(&mut Step {
        rule,
        rate,
        gradients,
        moments,
    })
}

struct Step<'a> {
    rule: AdamW,
    rate: f64,
    gradients: GradientsParams,
    moments: &'a mut Moments,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else {
            return param;
        };
        let (id, value, mapper) = param.consume();
        let tracked = value.is_require_grad();
        let shape = value.shape();
        let row = |tensor: Tensor<D>| tensor.reshape([shape.num_elements()]);
        let old = self.moments.remove(&id);
        let (value, new) = self
            .rule
            .step(self.rate, row(value.inner()), row(gradient), old);
        if let Some(new) = new {
            self.moments.insert(id, new);
        }
        let value = Tensor::from_inner(value.reshape(shape)).set_require_grad(tracked);
        Param::from_mapped_value(id, value, mapper)
    }
}

/// Writes the moments of `module`'s parameters under `prefix`.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn save(
    moments: &Moments,
    module: &impl Module,
    prefix: &str,
    state: &mut State,
) -> Result<()> {
    let mut tensors = Vec::new();
    for (name, id) in params::ids(module) {
        let Some(AdamWState { momentum }) = moments.get(&id) else {
            continue;
        };
        let [first, second, time] = names(prefix, &name);
        tensors.push((first, momentum.moment_1.clone()));
        tensors.push((second, momentum.moment_2.clone()));
        state.put_note(&time, momentum.time.to_string());
    }
    state.put(tensors).await
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// [`Error::WeightsCorrupt`] and [`Error::WeightsMismatch`] for the state of another module.
pub fn read(module: &impl Module, prefix: &str, state: &State, device: &Device) -> Result<Moments> {
    let mut moments = Moments::new();
    let shapes = params::shapes(module);
    for (name, id) in params::ids(module) {
        let [first, second, time] = names(prefix, &name);
        let Ok(time) = state.note(&time) else {
            continue;
        };
        let length = shapes.get(&name).map(|shape| shape.iter().product());
        let of = |key: &str| {
            let tensor = state.tensor::<1>(key, device)?;
            let [found] = tensor.dims();
            match length == Some(found) {
                true => Ok(tensor),
                false => Err(Error::WeightsMismatch(format!(
                    "`{key}` has {found} values"
                ))),
            }
        };
        let time = time
            .parse()
            .map_err(|_| Error::WeightsCorrupt(format!("`{time}` is not a step count")))?;
        let momentum = AdaptiveMomentumState::new(time, of(&first)?, of(&second)?);
        moments.insert(id, AdamWState { momentum });
    }
    Ok(moments)
}

fn names(prefix: &str, name: &str) -> [String; 3] {
    ["moment_1", "moment_2", "time"].map(|what| format!("{prefix}.{what}.{name}"))
}

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::container::TensorContainer;

use super::walk::Path;
use crate::nn::half::widened;

/// Interpolates between two modules of the same architecture, on their device: a `share` of 0 gives
/// `from` and 1 gives `to`, both to the bit; values beyond extrapolate. Parameters whose published
/// name `chosen` rejects stay those of `from`, uncopied. Values that are equal in both stay
/// bit-identical.
pub fn lerp<M: Module>(from: M, to: &M, share: f64, chosen: impl Fn(&str) -> bool) -> M {
    let mut ends = Ends {
        path: Path::default(),
        values: TensorContainer::new(),
        chosen,
    };
    to.visit(&mut ends);
    from.map(&mut Lerp {
        path: Path::default(),
        ends: ends.values,
        share,
    })
}

struct Ends<F> {
    path: Path,
    values: TensorContainer<String>,
    chosen: F,
}

impl<F: Fn(&str) -> bool> ModuleVisitor for Ends<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.name();
        if (self.chosen)(&name) {
            self.values.register(name, param.val());
        }
    }
}

struct Lerp {
    path: Path,
    ends: TensorContainer<String>,
    share: f64,
}

impl ModuleMapper for Lerp {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(to) = self.ends.remove::<Tensor<D>>(&self.path.name()) else {
            return param;
        };
        let share = self.share;
        param.map(|from| {
            // Either may be kept as f16.
            let (from, to) = (widened(from), widened(to.clone()));
            let change = to.clone() - from.clone();
            // From the nearer end, as `torch.lerp` does, so that both ends are exact.
            if share < 0.5 {
                from + change.mul_scalar(share)
            } else {
                to - change.mul_scalar(1.0 - share)
            }
        })
    }
}

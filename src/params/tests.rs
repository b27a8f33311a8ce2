use burn::module::{Module, Param};
use burn::nn::{
    Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, RmsNorm,
    RmsNormConfig,
};
use burn::tensor::{DType, Device, Tensor};
use pollster::block_on;

use super::*;

/// One of each layer used in transformers. Nothing in it is square, so a missing or extra transpose
/// gives the wrong shape.
#[derive(Module, Debug)]
struct Layers {
    table: Embedding,
    project: Linear,
    back: Linear,
    norm: LayerNorm,
    rms: RmsNorm,
    scale: Param<Tensor<1>>,
    /// A field of the same name in another module keeps it.
    own: Own,
}

#[derive(Module, Debug)]
struct Own {
    gamma: Param<Tensor<1>>,
}

fn layers(device: &Device) -> Layers {
    let ones = |count| Param::from_tensor(Tensor::ones([count], device));
    Layers {
        table: EmbeddingConfig::new(5, 3).init(device),
        project: LinearConfig::new(3, 4).init(device),
        back: LinearConfig::new(4, 3).with_bias(false).init(device),
        norm: LayerNormConfig::new(4).init(device),
        rms: RmsNormConfig::new(3).init(device),
        scale: ones(4),
        own: Own { gamma: ones(2) },
    }
}

/// PyTorch's file of the same module: `tests/golden/gen_params.py`.
const GOLDEN: &[u8] = include_bytes!("../../tests/golden/params.safetensors");

fn golden() -> BTreeMap<String, Values> {
    let tensors = safetensors::SafeTensors::deserialize(GOLDEN).unwrap();
    let values = tensors.iter().map(|(name, view)| {
        let (words, _) = view.data().as_chunks::<4>();
        let values = Values {
            shape: view.shape().to_vec(),
            values: words.iter().map(|word| f32::from_le_bytes(*word)).collect(),
            outputs: 0,
            matrix: ["project.weight", "back.weight", "table.weight"]
                .iter()
                .any(|end| name.ends_with(end)),
        };
        (name.to_owned(), values)
    });
    values.collect()
}

/// The golden parameters, without values computed from them.
fn parameters() -> BTreeMap<String, Values> {
    let all = golden().into_iter();
    all.filter_map(|(name, values)| Some((name.strip_prefix("param.")?.to_owned(), values)))
        .collect()
}

fn filled() -> Layers {
    let mut stored = parameters();
    fill(layers(&Device::flex()), Keep::Wide, |name| {
        Ok(stored.remove(name).unwrap().values)
    })
    .unwrap()
}

#[test]
fn names_and_shapes_are_those_of_pytorch() {
    let stored = parameters().into_iter();
    let expected: BTreeMap<_, _> = stored.map(|(name, values)| (name, values.shape)).collect();
    assert_eq!(shapes(&layers(&Device::flex())), expected);
}

#[test]
fn what_pytorch_stored_is_written_again_as_it_was() {
    assert_eq!(block_on(values(&filled())).unwrap(), parameters());
}

#[test]
fn what_pytorch_stored_computes_what_pytorch_computed() {
    let (layers, golden) = (filled(), golden());
    let device = Device::flex();
    let ids = Tensor::<1, burn::tensor::Int>::from_ints([0, 3, 4], &device);
    let x = layers.table.forward(ids.unsqueeze());
    let x = layers.norm.forward(layers.project.forward(x)) * layers.scale.val().unsqueeze();
    let y = layers.rms.forward(layers.back.forward(x));
    let found: Vec<f32> = y.into_data().iter().collect();
    for (found, wanted) in found.iter().zip(&golden["output"].values) {
        assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
    }
    assert_eq!(found.len(), golden["output"].values.len());
}

#[test]
fn values_of_another_length_are_refused_by_name() {
    let error = fill(layers(&Device::flex()), Keep::Wide, |name| {
        let mut values = parameters().remove(name).unwrap().values;
        if name == "back.weight" {
            values.push(0.0);
        }
        Ok(values)
    })
    .unwrap_err();
    assert_eq!(error.code(), "weights_mismatch");
    assert!(
        error
            .to_string()
            .contains("`back.weight` has 13 values where 12"),
        "{error}"
    );
}

#[test]
fn between_two_modules_lie_their_ends_and_their_mean() {
    let (from, device) = (filled(), Device::flex());
    let mut to = from.clone();
    to.project.weight = to.project.weight.map(|weight| weight * 3.0 + 0.1);
    let at = |share| block_on(values(&lerp(from.clone(), &to, share, |_| true))).unwrap();
    let ends = [&from, &to].map(|end| block_on(values(end)).unwrap());
    assert_ne!(ends[0], ends[1]);
    assert_eq!([at(0.0), at(1.0)], ends);
    for share in [-0.5, 0.25, 0.5, 0.75, 1.25] {
        for (name, found) in at(share) {
            let pairs = ends[0][&name].values.iter().zip(&ends[1][&name].values);
            for (found, (from, to)) in found.values.into_iter().zip(pairs) {
                let wanted = f64::from(*from) + share * (f64::from(*to) - f64::from(*from));
                assert!(
                    (f64::from(found) - wanted).abs() < 1e-6,
                    "{name} at {share}: {found} is not {wanted}"
                );
                // Equal values stay bit-identical.
                assert!(from != to || found.to_bits() == from.to_bits(), "{name}");
            }
        }
    }
    let one = |value: f32| Tensor::<1>::from_floats([value, 4.0], &device);
    let own = |value| Own {
        gamma: Param::from_tensor(one(value)),
    };
    let mean = block_on(values(&lerp(own(1.0), &own(2.0), 0.5, |_| true))).unwrap();
    assert_eq!(mean["gamma"].values, [1.5, 4.0]);
}

#[test]
fn what_is_not_chosen_stays() {
    let from = filled();
    let mut to = from.clone();
    to.project.weight = to.project.weight.map(|weight| weight + 1.0);
    to.scale = to.scale.map(|scale| scale + 1.0);
    let mixed = lerp(from.clone(), &to, 1.0, |name| name == "scale");
    let [from, to, mixed] = [from, to, mixed].map(|m| block_on(values(&m)).unwrap());
    for (name, found) in &mixed {
        let wanted = if name == "scale" { &to } else { &from };
        assert_eq!(found, &wanted[name], "{name}");
    }
    assert_ne!(from["project.weight"], to["project.weight"]);
    assert_ne!(from["scale"], to["scale"]);
}

#[test]
fn an_f16_weight_and_an_f32_one_are_interpolated_in_f32() {
    let mut stored = parameters();
    let narrow = fill(layers(&Device::flex()), Keep::Narrow, |name| {
        let values = stored.remove(name).unwrap().values.into_iter();
        Ok(values.map(|value| f16::from_f32(value).to_f32()).collect())
    });
    let narrow = narrow.unwrap();
    assert_eq!(narrow.project.weight.val().dtype(), DType::F16);
    let mixed = lerp(narrow.clone(), &filled(), 0.5, |_| true);
    assert_eq!(mixed.project.weight.val().dtype(), DType::F32);
    let [half, whole, mixed] =
        [&narrow, &filled(), &mixed].map(|layers| block_on(values(layers)).unwrap());
    let at = |values: &BTreeMap<String, Values>| values["project.weight"].values[1];
    assert!((at(&mixed) - 0.5 * (at(&half) + at(&whole))).abs() < 1e-7);
}

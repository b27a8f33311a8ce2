use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use tesserae::PriorConfig;
use tesserae::models::{Masked, Predictor, Prior, Raster};
use tesserae::nn::transformer::Cache;
use tesserae::weights::{CheckedWeights, Family, build};

use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
macro_rules! prior_tests {
    ($make:ident) => {
        $make! {
            priors::halton
            priors::llamagen
            priors::llamagen_with_a_cache
            priors::mingpt
            priors::mingpt_unconditional
            priors::mingpt_with_a_cache
        }
    };
}
pub(crate) use prior_tests;

/// The prior of a checkpoint with its family's own names.
fn load(on: &On, golden: &Golden, family: Family, assumed: &[&str]) -> (Prior, PriorConfig) {
    let bytes = golden.checkpoint(str::to_owned);
    let heads = golden.setting("heads");
    let sides = ["rows", "columns", "classes"].map(|name| golden.setting(name));
    let hints = serde_json::json!({"heads": heads as usize, "rows": sides[0] as usize,
        "columns": sides[1] as usize, "classes": sides[2] as usize});
    let checked = CheckedWeights::of(bytes, Some(&hints.to_string())).unwrap();
    assert_eq!(checked.family, family);
    assert_eq!(checked.assumed, assumed);
    let loaded = build(&checked, &on.device).unwrap().prior().unwrap();
    for name in [
        "codes", "rows", "columns", "classes", "width", "layers", "heads",
    ] {
        let found = serde_json::to_value(&loaded.config).unwrap();
        assert_eq!(found[name].as_f64(), Some(golden.setting(name)), "{name}");
    }
    (loaded.network, loaded.config)
}

fn masked(prior: &Prior) -> &dyn Masked {
    match prior.predictor() {
        Predictor::Masked(masked) => masked,
        Predictor::Raster(_) => panic!("a raster prior"),
    }
}

fn raster(prior: &Prior) -> &dyn Raster {
    match prior.predictor() {
        Predictor::Raster(raster) => raster,
        Predictor::Masked(_) => panic!("a masked prior"),
    }
}

/// Mean cross-entropy, with its gradients compared; `ours` maps golden names to the module's.
async fn same_gradients(
    on: &On,
    golden: &Golden,
    prior: &Prior,
    logits: Tensor<3>,
    targets: &str,
    ours: impl Fn(&str) -> String,
) {
    let targets = Tensor::from_inner(golden.indices::<2>(targets, &on.device));
    let right = log_softmax(logits, 2).gather(2, targets.unsqueeze_dim(2));
    let loss = right.mean().neg();
    on.close(golden, "loss", loss.clone()).await;
    let grads = loss.backward();
    on.same_gradients_as(golden, "grad.", prior, &grads, ours)
        .await;
}

pub async fn halton(on: &On) {
    let golden = golden!("prior_halton");
    let (prior, _) = load(on, &golden, Family::Halton, &[]);
    let tokens = golden.indices::<2>("tokens", &on.device);
    let classes = golden.indices::<1>("classes", &on.device);
    let logits = masked(&prior).logits(tokens.clone(), classes.clone());
    on.close(&golden, "logits", logits).await;

    let prior = prior.train();
    let logits = masked(&prior).logits(Tensor::from_inner(tokens), Tensor::from_inner(classes));
    let ours = |name: &str| name.replace(".mlp.1.", ".modulation.linear.");
    same_gradients(on, &golden, &prior, logits, "targets", ours).await;
}

async fn raster_prior(on: &On, golden: &Golden, family: Family, ours: impl Fn(&str) -> String) {
    let (prior, _) = load(on, golden, family, &[]);
    let tokens = golden.indices::<2>("tokens", &on.device);
    let classes = classes(on, golden);
    let logits = raster(&prior).logits(tokens.clone(), classes.clone());
    on.close(golden, "logits", logits).await;

    let prior = prior.train();
    let logits = raster(&prior).logits(Tensor::from_inner(tokens), Tensor::from_inner(classes));
    same_gradients(on, golden, &prior, logits, "tokens", ours).await;
}

/// The classes, which an unconditional prior has not.
fn classes(on: &On, golden: &Golden) -> Tensor<1, Int> {
    match golden.names("classes").is_empty() {
        true => Tensor::zeros([golden.shape("tokens")[0]], &on.device),
        false => golden.indices("classes", &on.device),
    }
}

/// One token after the other, each step given only the last one and the cache.
async fn with_a_cache(on: &On, golden: &Golden, family: Family) {
    let (prior, _) = load(on, golden, family, &[]);
    let prior = raster(&prior);
    let tokens = golden.indices::<2>("tokens", &on.device);
    let mut cache = Cache::default();
    let mut x = prior.embed_classes(classes(on, golden));
    let mut logits = Vec::new();
    for position in 0..tokens.dims()[1] {
        logits.push(prior.next(x, &mut cache));
        assert_eq!(cache.positions(), position + 1);
        x = prior.embed_tokens(tokens.clone().narrow(1, position, 1));
    }
    on.close(golden, "logits", Tensor::cat(logits, 1)).await;
}

pub async fn llamagen(on: &On) {
    let golden = golden!("prior_llamagen");
    raster_prior(on, &golden, Family::LlamaGenPrior, str::to_owned).await;
}

pub async fn llamagen_with_a_cache(on: &On) {
    with_a_cache(on, &golden!("prior_llamagen"), Family::LlamaGenPrior).await;
}

fn mingpt_names(name: &str) -> String {
    let name = name.strip_prefix("transformer.").unwrap_or(name);
    name.replace(".mlp.0.", ".mlp.up.")
        .replace(".mlp.2.", ".mlp.down.")
}

pub async fn mingpt(on: &On) {
    raster_prior(on, &golden!("prior_mingpt"), Family::MinGpt, mingpt_names).await;
}

pub async fn mingpt_unconditional(on: &On) {
    let golden = golden!("prior_mingpt_uncond");
    raster_prior(on, &golden, Family::MinGpt, mingpt_names).await;
}

pub async fn mingpt_with_a_cache(on: &On) {
    with_a_cache(on, &golden!("prior_mingpt"), Family::MinGpt).await;
}

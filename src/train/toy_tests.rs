//! A model kind that only its own file knows about passes through the whole life of a model.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};
use pollster::block_on;

use super::{
    Artifact, Event, Learner, Losses, OptimizerConfig, Rhythm, Role, Session, State, Task,
};
use crate::error::Result;
use crate::models::{Model, ModelConfig};
use crate::weights::{
    About, CheckedWeights, Container, Family, Loaded, Storage, Survey, blend, build, save,
};

/// Learns that the words form a cycle.
struct Circle {
    learner: Learner<Model>,
    config: ModelConfig,
    optimizer: OptimizerConfig,
}

impl Task for Circle {
    type Data = Vec<i32>;

    async fn step(&mut self, words: &Vec<i32>, step: usize, steps: usize) -> Result<Losses> {
        let Model::Toy(toy) = self.learner.module() else {
            panic!("not the toy");
        };
        let device = Device::flex().autodiff();
        let words = Tensor::<1, Int>::from_ints(words.as_slice(), &device);
        let count = words.dims()[0];
        let next = Tensor::cat(
            vec![
                words.clone().narrow(0, 1, count - 1),
                words.clone().narrow(0, 0, 1),
            ],
            0,
        );
        let logits = log_softmax(toy.forward(words), 1);
        let loss = logits.gather(1, next.unsqueeze_dim(1)).mean().neg();
        let mut losses = Losses::default();
        losses.add("cross_entropy", loss.clone().inner());
        self.learner.gather(&mut loss.backward());
        self.learner.step(self.optimizer.rate(step, steps));
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        Ok("circle".to_owned())
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        Ok(identity == self.identity()?)
    }

    async fn save(&self, state: &mut State) -> Result<()> {
        self.learner.save("model", state).await
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let restored = self.learner.read("model", state)?;
        self.learner.set(restored);
        Ok(())
    }

    async fn artifacts(&self, about: About<'_>, storage: Storage) -> Result<Vec<Artifact>> {
        let bytes = save(&self.learner.outcome(), &self.config, about, storage).await?;
        let role = Role::Weights;
        Ok(vec![Artifact { role, bytes }])
    }
}

fn fresh(config: &ModelConfig, seed: u64) -> Loaded<ModelConfig> {
    let device = Device::flex();
    device.seed(seed);
    let network = Model::new(config, &device).unwrap();
    let about = About::named(Some("a toy"));
    let bytes = block_on(save(&network, config, about, Storage::F32)).unwrap();
    build(&CheckedWeights::of(bytes, None).unwrap(), &device).unwrap()
}

fn saved(network: &Model, config: &ModelConfig) -> Vec<u8> {
    block_on(save(network, config, About::default(), Storage::F32)).unwrap()
}

#[test]
fn a_new_kind_needs_no_code_outside_its_file() {
    let json = r#"{"kind":"toy","words":5,"width":3}"#;
    let config = ModelConfig::from_json(json).unwrap();
    assert_eq!(config.to_json().unwrap(), json);
    assert!(ModelConfig::preset_names().contains(&"toy"));
    let error = ModelConfig::from_json(r#"{"kind":"toy","words":5,"widht":3}"#).unwrap_err();
    assert!(error.to_string().contains("`widht`"), "{error}");

    // Saved, inspected, loaded.
    let (first, second) = (fresh(&config, 1), fresh(&config, 2));
    let bytes = saved(&first.network, &config);
    let survey = Survey::of(
        Container::open(std::rc::Rc::new(bytes.clone())).unwrap(),
        None,
    )
    .unwrap();
    assert_eq!((survey.family, &survey.faults), (Family::Tesserae, &vec![]));
    assert_eq!(survey.config, config);
    assert_eq!(survey.shapes["score.weight"], [5, 3]);
    assert_eq!(survey.shapes["table.weight"], [5, 3]);
    assert_eq!(survey.parameters(), 15 + 15 + 5);
    let loaded = build(
        &CheckedWeights::of(bytes.clone(), None).unwrap(),
        &Device::flex(),
    )
    .unwrap();
    assert_eq!(loaded.hashes, first.hashes);
    assert_ne!(loaded.hashes.decoder, second.hashes.decoder);
    assert_eq!(saved(&loaded.network, &config), bytes);
    assert_eq!(loaded.autoencoder().unwrap_err().code(), "weights_mismatch");

    // Blended: at either end the result equals that model.
    for (share, end) in [(0.0, &first), (1.0, &second)] {
        let mixed = blend(&first, &second, share).unwrap();
        let wanted = CheckedWeights::of(saved(&end.network, &config), None).unwrap();
        let found = CheckedWeights::of(saved(&mixed, &config), None).unwrap();
        for name in found.shapes.keys() {
            let pairs = found
                .values(name)
                .unwrap()
                .into_iter()
                .zip(wanted.values(name).unwrap());
            for (found, wanted) in pairs {
                assert!(
                    (found - wanted).abs() < 1e-6,
                    "{name}: {found} and {wanted}"
                );
            }
        }
    }

    // Trained, resumed bit-exactly from a checkpoint, and saved.
    let optimizer: OptimizerConfig =
        serde_json::from_str(r#"{"learning_rate": 0.05, "warmup": 1}"#).unwrap();
    let session = || {
        let circle = Circle {
            learner: Learner::new(first.network.clone(), &optimizer),
            config: config.clone(),
            optimizer: optimizer.clone(),
        };
        let rhythm = Rhythm {
            save: 20,
            ..Rhythm::default()
        };
        Session::new(circle, vec![0, 1, 2, 3, 4], 40, rhythm)
    };
    let mut whole = session();
    let (mut losses, mut checkpoints) = (Vec::new(), Vec::new());
    while let Some(event) = block_on(whole.next()).unwrap() {
        match event {
            Event::Step(report) => losses.push(report.loss("cross_entropy").unwrap()),
            _ => checkpoints.push(block_on(whole.checkpoint()).unwrap()),
        }
    }
    assert_eq!((losses.len(), checkpoints.len()), (40, 2));
    assert!(losses[39] < 0.5 * losses[0], "{losses:?}");
    let mut halved = session();
    halved.resume(&checkpoints[0]).unwrap();
    while block_on(halved.next()).unwrap().is_some() {}
    let made = |session: &Session<Circle>| {
        let artifacts = session.artifacts(Some("learned"), Storage::F32);
        let [artifact] = block_on(artifacts).unwrap().try_into().unwrap();
        artifact.bytes
    };
    assert_eq!(made(&whole), made(&halved));
    let learned = build(
        &CheckedWeights::of(made(&whole), None).unwrap(),
        &Device::flex(),
    )
    .unwrap();
    assert_eq!(learned.name.as_deref(), Some("learned"));
    assert_ne!(learned.hashes.decoder, first.hashes.decoder);
}

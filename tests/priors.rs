//! Priors over tokens: their networks and samplers compared with their references, their files, and
//! what sampling refuses.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};
use common::native_tests;
use common::priors::prior_tests;
use pollster::block_on;
use serde_json::Value;
use tesserae::generate::{self, Canvas, Choice, SampleOptions, Sampler, Schedule, Visit, bits};
use tesserae::models::{Model, Predictor, Prior};
use tesserae::weights::{About, CheckedWeights, Corpus, Storage, build, load, save};
use tesserae::{Autoencoder, AutoencoderConfig, Error, ModelConfig, PriorConfig, Result};

prior_tests!(native_tests);

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/samplers.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|number| number.as_f64().unwrap()).collect()
}

fn each(value: &Value) -> &Vec<Value> {
    let all = value.as_array().unwrap();
    assert!(!all.is_empty());
    all
}

#[test]
fn halton_orders_are_the_references() {
    for case in each(&golden()["halton"]) {
        let side = case["size"].as_u64().unwrap() as usize;
        let order = generate::halton(side, side);
        // For large grids only the number of cells that the reference reaches is stored.
        if let Some(expected) = case["order"].as_array() {
            let cell = |pair: &Value| {
                let pair = numbers(pair);
                pair[0] as usize * side + pair[1] as usize
            };
            let expected: Vec<usize> = expected.iter().map(cell).collect();
            assert_eq!(order[..expected.len()], expected, "{side}");
        }
        assert_eq!(order.len(), side * side);
    }
}

#[test]
fn schedules_are_the_references() {
    for case in each(&golden()["known"]) {
        let [tokens, steps] = ["tokens", "steps"].map(|name| case[name].as_u64().unwrap() as usize);
        for (schedule, name) in [(Schedule::Arccos, "arccos"), (Schedule::Cosine, "cosine")] {
            let found = (1..=steps).map(|step| schedule.revealed(tokens, step, steps) as f64);
            let found: Vec<f64> = found.collect();
            let mut expected = numbers(&case[name]);
            if steps == tokens {
                // Here every step reveals one; MaskGIT's rule would stand still at first.
                expected = (1..=steps).map(|step| step as f64).collect();
            }
            assert_eq!(found, expected, "{name}, {tokens} in {steps}");
        }
    }
}

#[test]
fn filters_are_the_references() {
    for case in each(&golden()["filters"]) {
        let choice = Choice {
            temperature: case["temperature"].as_f64().unwrap(),
            top_k: case["top_k"].as_u64().unwrap() as usize,
            top_p: case["top_p"].as_f64().unwrap(),
        };
        let logits: Vec<f32> = numbers(&case["logits"]).iter().map(|v| *v as f32).collect();
        let found = choice.probabilities(&logits).unwrap();
        for (found, expected) in found.iter().zip(numbers(&case["probabilities"])) {
            assert_eq!(*found == 0.0, expected == 0.0, "{case}");
            assert!((found - expected).abs() < 1e-6, "{found}, {case}");
        }
    }
}

const TINY: [&str; 3] = ["maskgit-tiny", "llamagen-tiny", "mingpt-tiny"];

/// A prior with random weights, large enough that its predictions differ.
fn random(preset: &str) -> (Prior, PriorConfig) {
    let device = Device::flex();
    let config = PriorConfig::preset(preset).unwrap();
    let prior = Prior::new(&config, &device).unwrap();
    let model = Model::Prior(prior);
    let file = saved(&model, &config, About::default(), Storage::F32);
    let spread = spread(&file);
    (
        load(spread, &device).unwrap().prior().unwrap().network,
        config,
    )
}

fn saved(model: &Model, config: &PriorConfig, about: About<'_>, storage: Storage) -> Vec<u8> {
    let config = ModelConfig::from(config.clone());
    block_on(save(model, &config, about, storage)).unwrap()
}

/// The same file with other values, the same in every run: ones, the scales of norms, within 0.2 of
/// 1, all others within 0.35 of 0. A fresh prior's modulations are zero, so that nothing depends on
/// anything, and its values come from a generator that all tests share.
fn spread(file: &[u8]) -> Vec<u8> {
    let (header, _) = safetensors::SafeTensors::read_metadata(file).unwrap();
    let mut file = file.to_vec();
    let mut next = 12_345_u32;
    for word in file[8 + header..].as_chunks_mut::<4>().0 {
        next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (next >> 8) as f32 / (1 << 24) as f32 - 0.5;
        let value = match f32::from_le_bytes(*word) {
            1.0 => 1.0 + 0.4 * noise,
            _ => 0.7 * noise,
        };
        *word = value.to_le_bytes();
    }
    file
}

fn sampler(
    preset: &str,
    options: &SampleOptions,
    start: Option<&[Option<u32>]>,
) -> Result<Sampler> {
    let (prior, config) = random(preset);
    let start = start.map(|tokens| Canvas::new(4, 4, tokens.to_vec()));
    let start = start.transpose()?;
    Sampler::new(prior, &config, options.clone(), start, &Device::flex())
}

fn sample(preset: &str, options: &SampleOptions, start: Option<&[Option<u32>]>) -> Vec<Vec<u32>> {
    let mut sampler = sampler(preset, options, start).unwrap();
    assert!(sampler.grids().is_err());
    while sampler.done() < sampler.steps() {
        block_on(sampler.step()).unwrap();
    }
    let grids = sampler.grids().unwrap().into_iter();
    grids.map(|grid| grid.indices).collect()
}

fn of_class(class: usize) -> SampleOptions {
    SampleOptions {
        class: Some(class),
        ..SampleOptions::default()
    }
}

#[test]
fn files_keep_priors_and_what_they_learned_from() {
    let corpus = Corpus {
        tokenizer: "digits".to_owned(),
        codebook: tesserae::tokens::Hash([7; 8]),
        classes: vec!["a".to_owned(), "b".to_owned()],
    };
    let device = Device::flex();
    for preset in TINY {
        let (prior, config) = random(preset);
        let about = About {
            name: Some("mine"),
            corpus: Some(&corpus),
            ..About::default()
        };
        let logits = |prior: &Prior| {
            let tokens = Tensor::<2, Int>::from_ints([[3; 16], [5; 16]], &device);
            let classes = Tensor::<1, Int>::from_ints([1, 2], &device);
            let logits = match prior.predictor() {
                Predictor::Masked(prior) => prior.logits(tokens, classes),
                Predictor::Raster(prior) => prior.logits(tokens, classes),
            };
            logits.into_data().iter::<f32>().collect::<Vec<_>>()
        };
        let before = logits(&prior);
        let model = Model::Prior(prior);
        for (storage, most) in [
            (Storage::F32, 0.0),
            (Storage::F16, 0.05),
            (Storage::Int8, 1.0),
        ] {
            let file = saved(&model, &config, about, storage);
            let loaded = load(file, &device).unwrap();
            assert_eq!(loaded.name.as_deref(), Some("mine"));
            let loaded = loaded.prior().unwrap();
            assert_eq!(loaded.corpus.as_ref(), Some(&corpus), "{preset}");
            assert_eq!(loaded.config, config);
            let after = logits(&loaded.network);
            let off = before.iter().zip(&after).map(|(a, b)| (a - b).abs());
            let off = off.fold(0.0, f32::max);
            assert!(off <= most, "{preset}, {storage:?}: {off}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_tokens_alone_and_among_others() {
    for preset in TINY {
        let options = SampleOptions {
            count: 3,
            seed: 40,
            ..of_class(2)
        };
        let three = sample(preset, &options, None);
        assert_eq!(three[0].len(), 16);
        let alone = SampleOptions {
            count: 1,
            seed: 42,
            ..of_class(2)
        };
        assert_eq!(sample(preset, &alone, None)[0], three[2], "{preset}");
        assert_ne!(three[0], three[1], "{preset}");
    }
}

/// Greedy sampling against a loop that computes everything anew in each step.
#[test]
fn greedy_tokens_are_those_of_a_plain_loop() {
    let device = Device::flex();
    for (preset, guidance) in [
        ("llamagen-tiny", 1.0),
        ("llamagen-tiny", 3.0),
        ("mingpt-tiny", 1.0),
        ("maskgit-tiny", 1.0),
        ("maskgit-tiny", 2.5),
    ] {
        let (prior, config) = random(preset);
        let order = match prior.predictor() {
            Predictor::Raster(_) => (0..16).collect(),
            Predictor::Masked(_) => generate::halton(4, 4),
        };
        // K stands for what is not known yet, as for a mask.
        let mut tokens = [8_i32; 16];
        for cell in order {
            let logits = |class: i32| -> Vec<f32> {
                let known = tokens.iter().map(|token| match prior.predictor() {
                    Predictor::Raster(_) => token % 8,
                    Predictor::Masked(_) => *token,
                });
                let known = TensorData::new(known.collect::<Vec<i32>>(), [1, 16]);
                let known = Tensor::<2, Int>::from_data(known, &device);
                let class = Tensor::<1, Int>::from_ints([class], &device);
                let logits = match prior.predictor() {
                    Predictor::Raster(prior) => prior.logits(known, class),
                    Predictor::Masked(prior) => prior.logits(known, class),
                };
                let row = logits.narrow(1, cell, 1).narrow(2, 0, 8);
                row.into_data().iter().collect()
            };
            let with = logits(1);
            let guided: Vec<f32> = match guidance {
                1.0 => with,
                scale => {
                    let without = logits(config.no_class().unwrap() as i32);
                    let pairs = with.iter().zip(&without);
                    pairs.map(|(c, u)| u + scale as f32 * (c - u)).collect()
                }
            };
            let best = (0..8).max_by(|a, b| guided[*a].total_cmp(&guided[*b]));
            tokens[cell] = best.unwrap() as i32;
        }
        let options = SampleOptions {
            temperature: 0.0,
            guidance,
            steps: 16,
            ..of_class(1)
        };
        let found = sample(preset, &options, None).remove(0);
        let expected: Vec<u32> = tokens.iter().map(|token| *token as u32).collect();
        assert_eq!(found, expected, "{preset} at {guidance}");
    }
}

#[test]
fn known_tokens_stay_and_only_the_others_are_drawn() {
    let mut start = vec![Some(5); 16];
    for cell in [3, 9, 12] {
        start[cell] = None;
    }
    for order in [Visit::Halton, Visit::Confidence, Visit::Raster] {
        let options = SampleOptions {
            order: Some(order),
            steps: 10_000,
            count: 4,
            ..of_class(0)
        };
        let mut run = sampler("maskgit-tiny", &options, Some(&start)).unwrap();
        assert_eq!(run.steps(), 3, "one for each masked token");
        block_on(run.step()).unwrap();
        let known = |picture: &Canvas| picture.tokens().iter().flatten().count();
        assert!(run.pictures().iter().all(|picture| known(picture) == 14));
        let grids = sample("maskgit-tiny", &options, Some(&start));
        for grid in &grids {
            for (cell, token) in grid.iter().enumerate() {
                assert!(start[cell].is_none_or(|known| known == *token), "{order:?}");
            }
        }
    }
}

/// A prior for 4×4 tokens sees a part of a larger grid, and a smaller grid as one with masks.
#[test]
fn a_canvas_of_another_size_is_drawn_in_windows() {
    let (prior, config) = random("maskgit-tiny");
    let at_once = SampleOptions {
        temperature: 0.0,
        steps: 1,
        ..of_class(1)
    };
    let drawn = |canvas: &Canvas| {
        let (prior, canvas) = (prior.clone(), Some(canvas.clone()));
        let options = at_once.clone();
        let mut sampler = Sampler::new(prior, &config, options, canvas, &Device::flex()).unwrap();
        block_on(sampler.step()).unwrap();
        sampler.grids().unwrap().remove(0)
    };
    // A hole of two by two in 9×11 tokens lies in the middle of one window.
    let token = |row: usize, column: usize| ((3 * row + 5 * column) % 8) as u32;
    let hole = |row: usize, column: usize| (4..6).contains(&row) && (6..8).contains(&column);
    let known = |row, column| (!hole(row, column)).then(|| token(row, column));
    let of = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        let cells = rows
            .clone()
            .flat_map(|row| columns.clone().map(move |c| (row, c)));
        let tokens = cells.map(|(row, column)| known(row, column)).collect();
        Canvas::new(rows.len(), columns.len(), tokens).unwrap()
    };
    let (large, window) = (drawn(&of(0..9, 0..11)), drawn(&of(3..7, 5..9)));
    assert_eq!((large.rows, large.columns), (9, 11));
    for (cell, found) in large.indices.iter().enumerate() {
        let (row, column) = (cell / 11, cell % 11);
        let expected = match hole(row, column) {
            true => window.indices[(row - 3) * 4 + column - 5],
            false => token(row, column),
        };
        assert_eq!(*found, expected, "{row}, {column}");
    }
    // Three rows of two: the same as in the corner of 4×4 with the others masked.
    let mut tokens = vec![None; 16];
    tokens[0] = Some(3);
    let whole = drawn(&Canvas::new(4, 4, tokens).unwrap());
    let small = drawn(&Canvas::new(3, 2, vec![Some(3), None, None, None, None, None]).unwrap());
    let corner: Vec<u32> = (0..6).map(|i| whole.indices[i / 2 * 4 + i % 2]).collect();
    assert_eq!(small.indices, corner);
}

#[test]
fn all_orders_end_and_differ() {
    let sampled = |order| {
        let options = SampleOptions {
            order: Some(order),
            steps: 5,
            seed: 3,
            guidance: 1.5,
            ..of_class(3)
        };
        sample("maskgit-tiny", &options, None)
    };
    let [a, b, c] = [Visit::Halton, Visit::Confidence, Visit::Raster].map(sampled);
    assert!(a != b && b != c && a != c);
}

#[test]
fn what_cannot_be_sampled_is_refused_in_a_sentence() {
    let plain = || of_class(1);
    let start = |tokens: usize, known: Option<u32>| vec![known; tokens];
    type Case<'a> = (&'a str, SampleOptions, Option<Vec<Option<u32>>>, &'a str);
    let cases: Vec<Case<'_>> = vec![
        (
            "maskgit-tiny",
            of_class(4),
            None,
            "Class 4 is outside 0 to 3",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                count: 0,
                ..plain()
            },
            None,
            "outside 1 to 1024",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                steps: 0,
                ..plain()
            },
            None,
            "at least one step",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                temperature: -1.0,
                ..plain()
            },
            None,
            "temperature",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                temperature: f64::NAN,
                ..plain()
            },
            None,
            "temperature",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                top_p: 0.0,
                ..plain()
            },
            None,
            "Top-p",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                guidance: f64::INFINITY,
                ..plain()
            },
            None,
            "guidance",
        ),
        (
            "maskgit-tiny",
            SampleOptions {
                class: None,
                guidance: 2.0,
                ..plain()
            },
            None,
            "needs a class",
        ),
        (
            "maskgit-tiny",
            plain(),
            Some(start(16, Some(3))),
            "nothing to fill",
        ),
        (
            "maskgit-tiny",
            plain(),
            Some(start(15, None)),
            "grid of 4×4",
        ),
        (
            "maskgit-tiny",
            plain(),
            Some([start(15, None), start(1, Some(8))].concat()),
            "Code 8",
        ),
        (
            "llamagen-tiny",
            plain(),
            Some([start(15, None), start(1, Some(1))].concat()),
            "row by row",
        ),
        (
            "llamagen-tiny",
            SampleOptions {
                order: Some(Visit::Halton),
                ..plain()
            },
            None,
            "row by row",
        ),
        (
            "mingpt-tiny",
            SampleOptions {
                class: None,
                ..plain()
            },
            None,
            "needs a class, 0 to 3",
        ),
        (
            "mingpt-tiny",
            SampleOptions {
                guidance: 2.0,
                ..plain()
            },
            None,
            "cannot be guided",
        ),
    ];
    for (preset, options, start, words) in cases {
        let error = sampler(preset, &options, start.as_deref()).unwrap_err();
        assert_eq!(error.code(), "argument", "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    // Everything masked, and more codes to choose from than there are, are as without.
    let all = SampleOptions {
        top_k: 9,
        ..plain()
    };
    let masked = start(16, None);
    assert_eq!(
        sample("maskgit-tiny", &all, Some(&masked)),
        sample("maskgit-tiny", &plain(), None)
    );
}

#[test]
fn weights_that_predict_no_numbers_stop_the_sampling() {
    let device = Device::flex();
    let config = PriorConfig::preset("maskgit-tiny").unwrap();
    let model = Model::Prior(Prior::new(&config, &device).unwrap());
    let file = saved(&model, &config, About::default(), Storage::F32);
    let mut file = file;
    // The largest finite number in every value: products overflow.
    let (header, _) = safetensors::SafeTensors::read_metadata(&file).unwrap();
    for word in file[8 + header..].as_chunks_mut::<4>().0 {
        *word = f32::MAX.to_le_bytes();
    }
    let prior = load(file, &device).unwrap().prior().unwrap().network;
    let mut sampler = Sampler::new(prior, &config, of_class(0), None, &device).unwrap();
    assert_eq!(block_on(sampler.step()), Err(Error::LogitsNotFinite));
}

#[test]
fn a_prior_is_refused_by_another_model() {
    let device = Device::flex();
    let model = |preset: &str| {
        let config = AutoencoderConfig::preset(preset).unwrap();
        let network = Autoencoder::new(&config, &device).unwrap();
        block_on(tesserae::weights::Loaded::of(network, config)).unwrap()
    };
    let (prior, mut config) = random("maskgit-tiny");
    let loaded = |config: &PriorConfig, corpus| {
        let loaded = tesserae::weights::Loaded::of(prior.clone(), config.clone());
        tesserae::weights::Loaded {
            corpus,
            ..block_on(loaded).unwrap()
        }
    };
    let code = |result: Result<()>| result.unwrap_err().code();
    assert_eq!(
        code(loaded(&config, None).fits(&model("vqgan-tiny"))),
        "weights_mismatch"
    );
    if let PriorConfig::MaskGit(config) = &mut config {
        config.codes = 32;
    }
    let tiny = model("vqgan-tiny");
    loaded(&config, None).fits(&tiny).unwrap();
    assert_eq!(
        code(loaded(&config, None).fits(&model("kl-tiny"))),
        "no_codebook"
    );
    assert_eq!(
        code(loaded(&config, None).fits(&model("vqvae2-tiny"))),
        "weights_mismatch"
    );
    let corpus = |codebook| {
        Some(Corpus {
            tokenizer: "a tiny one".to_owned(),
            codebook,
            classes: Vec::new(),
        })
    };
    loaded(&config, corpus(tiny.hashes.codebook))
        .fits(&tiny)
        .unwrap();
    let other = loaded(&config, corpus(tesserae::tokens::Hash([1; 8])));
    let error = other.fits(&tiny).unwrap_err();
    assert_eq!(error.code(), "prior_other_codebook");
    assert!(error.to_string().contains("`a tiny one`"), "{error}");
}

#[test]
fn bits_count_what_each_order_predicts() {
    let device = Device::flex();
    for preset in TINY {
        let (prior, config) = random(preset);
        let grids = [(vec![1; 16], 0), ((0..16).map(|i| i % 8).collect(), 3)];
        let both = block_on(bits(&prior, &config, &grids, &device)).unwrap();
        let alone = grids.each_ref().map(|grid| {
            block_on(bits(&prior, &config, std::slice::from_ref(grid), &device)).unwrap()
        });
        assert!(
            (both - (alone[0] + alone[1]) / 2.0).abs() < 1e-5,
            "{preset}"
        );
        for wrong in [
            vec![(vec![1; 15], 0)],
            vec![(vec![8; 16], 0)],
            vec![(vec![1; 16], 4)],
            vec![],
        ] {
            let error = block_on(bits(&prior, &config, &wrong, &device)).unwrap_err();
            assert_eq!(error.code(), "argument");
        }
    }
}

#[test]
fn a_checkpoint_with_its_first_stage_gives_either() {
    let golden = common::golden!("prior_mingpt");
    let stage = common::golden!("checkpoint_taming");
    let views = [("", &golden), ("first_stage_model.", &stage)]
        .into_iter()
        .flat_map(|(start, file)| {
            let names = file.names("param.").into_iter();
            names.map(move |name| {
                let view = file.tensors.tensor(&format!("param.{name}")).unwrap();
                (format!("{start}{name}"), view)
            })
        });
    let file = safetensors::serialize(views, None).unwrap();
    let open = || tesserae::weights::Container::open(std::rc::Rc::new(file.clone())).unwrap();
    let hints = r#"{"heads": 2, "classes": 5}"#;
    let survey = tesserae::weights::Survey::of(open(), None).unwrap();
    assert_eq!(survey.config.kind(), "vqgan");
    let survey = tesserae::weights::Survey::prior_of(open(), Some(hints)).unwrap();
    assert_eq!(survey.config.kind(), "mingpt");
    assert!(survey.faults.is_empty(), "{:?}", survey.faults);
    let checked = CheckedWeights::of_survey(survey).unwrap();
    build(&checked, &Device::flex()).unwrap().prior().unwrap();
}

#[test]
fn a_grid_that_is_not_square_must_be_given() {
    let golden = common::golden!("prior_halton");
    let file = golden.checkpoint(str::to_owned);
    let error = CheckedWeights::of(file.clone(), None).unwrap_err();
    assert_eq!(error.code(), "config_invalid");
    assert!(error.to_string().contains("12 positions"), "{error}");
    let hints = r#"{"rows": 3, "columns": 4}"#;
    let checked = CheckedWeights::of(file, Some(hints)).unwrap_err();
    // Heads are assumed to be one of 20 then, but the file has three of 6.
    assert_eq!(checked.code(), "weights_mismatch");
}

/// The optimizer's state lies beside the prior's tensors, which have a prefix.
#[test]
fn a_training_checkpoint_of_halton_maskgit_is_its_prior() {
    let file = include_bytes!("golden/pickle_prior.pth").to_vec();
    let survey = CheckedWeights::of(file, None).unwrap();
    assert_eq!(survey.family, tesserae::weights::Family::Halton);
    assert_eq!(
        (survey.taken(), &*survey.prefix),
        ("model_state_dict", "module.")
    );
    assert_eq!(survey.assumed, ["heads"]);
    assert_eq!(survey.aside, ["module.head.weight"]);
    let config = survey.config.prior().unwrap().clone();
    assert_eq!(
        (config.grid(), config.codes(), config.classes()),
        ([2, 2], 6, 3)
    );
    let prior = build(&survey, &Device::flex())
        .unwrap()
        .prior()
        .unwrap()
        .network;
    let mut sampler = Sampler::new(prior, &config, of_class(2), None, &Device::flex()).unwrap();
    while sampler.done() < sampler.steps() {
        block_on(sampler.step()).unwrap();
    }
    assert_eq!(sampler.grids().unwrap()[0].indices.len(), 4);
}

/// What the key-value cache is for; a matter of time, so that it is not among the quick tests.
#[test]
#[ignore = "slow"]
fn the_cache_makes_256_tokens_at_least_five_times_as_fast() {
    let device = Device::flex();
    let config = r#"{"kind": "llamagen", "codes": 512, "rows": 16, "columns": 16, "classes": 4,
        "width": 256, "layers": 6, "heads": 4, "hidden": 688}"#;
    let config: PriorConfig = serde_json::from_str(config).unwrap();
    let prior = Prior::new(&config, &device).unwrap();
    let Predictor::Raster(raster) = prior.predictor() else {
        panic!("LlamaGen's is a raster prior")
    };
    let start = Instant::now();
    let mut plain = vec![0_i32];
    for count in 1..=256 {
        let tokens = TensorData::new(plain.clone(), [1, count]);
        let tokens = Tensor::<2, Int>::from_data(tokens, &device);
        let logits = raster.logits(tokens, Tensor::from_ints([2], &device));
        let last = logits.narrow(1, count - 1, 1).reshape([512]);
        let best = last.argmax(0).into_data().iter::<i32>().next().unwrap();
        // The last one so far was only there to be predicted.
        *plain.last_mut().unwrap() = best;
        plain.push(0);
    }
    let uncached = start.elapsed().as_secs_f64();
    plain.pop();
    let start = Instant::now();
    let options = SampleOptions {
        temperature: 0.0,
        ..of_class(2)
    };
    let mut sampler = Sampler::new(prior, &config, options, None, &device).unwrap();
    while sampler.done() < sampler.steps() {
        block_on(sampler.step()).unwrap();
    }
    let cached = start.elapsed().as_secs_f64();
    println!("{uncached:.2} s without the cache, {cached:.2} s with it");
    let drawn = sampler.grids().unwrap().remove(0).indices;
    let expected: Vec<u32> = plain.into_iter().map(|token| token as u32).collect();
    assert_eq!(drawn, expected);
    assert!(uncached > 5.0 * cached, "{uncached} s and {cached} s");
}

//! PSNR and SSIM compared with scikit-image, on the pictures in `golden/metrics.safetensors`, and
//! MS-SSIM with pytorch-msssim.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tesserae::pixels::{Picture, metrics};

const GOLDEN: &[u8] = include_bytes!("golden/metrics.safetensors");
const MS_SSIM: &[u8] = include_bytes!("golden/ms_ssim.safetensors");

/// `[height, width, 3]` bytes.
fn picture(tensor: &TensorView) -> Picture {
    let &[height, width, 3] = tensor.shape() else {
        panic!("a picture of shape {:?}", tensor.shape());
    };
    assert_eq!(tensor.dtype(), Dtype::U8);
    Picture::from_rgb(width as u32, height as u32, tensor.data().to_vec()).expect("a picture")
}

fn number(tensor: &TensorView) -> f64 {
    assert_eq!(tensor.dtype(), Dtype::F64);
    f64::from_le_bytes(tensor.data().try_into().expect("one number"))
}

#[test]
fn agrees_with_scikit_image() {
    let golden = SafeTensors::deserialize(GOLDEN).unwrap();
    // One picture's tensors are `a`, `b`, `psnr` and `ssim`; the others' have a prefix.
    let names = golden.names();
    let cases: Vec<_> = names
        .iter()
        .filter_map(|name| name.strip_suffix("psnr"))
        .collect();
    assert!(cases.len() >= 4, "{cases:?}");
    for case in cases {
        let side = |name| picture(&golden.tensor(&format!("{case}{name}")).unwrap());
        let expected = |name| number(&golden.tensor(&format!("{case}{name}")).unwrap());
        let (a, b) = (side("a"), side("b"));
        let (psnr, ssim) = (
            metrics::psnr(&a, &b).unwrap(),
            metrics::ssim(&a, &b).unwrap(),
        );
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-9 * expected.abs();
        assert!(near(psnr, expected("psnr")), "{case}: PSNR {psnr}");
        assert!(near(ssim, expected("ssim")), "{case}: SSIM {ssim}");
    }
}

#[test]
fn agrees_with_pytorch_msssim() {
    let golden = SafeTensors::deserialize(MS_SSIM).unwrap();
    // A single channel, which equals the luma of three identical ones.
    let grey = |name| {
        let tensor = golden.tensor(name).unwrap();
        assert_eq!(
            (tensor.dtype(), tensor.shape()),
            (Dtype::U8, &[1, 1, 176, 176][..])
        );
        let rgb = tensor.data().iter().flat_map(|&sample| [sample; 3]);
        Picture::from_rgb(176, 176, rgb.collect()).unwrap()
    };
    let expected = |name| {
        let tensor = golden.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32);
        f64::from(f32::from_le_bytes(tensor.data().try_into().unwrap()))
    };
    let (a, b) = (grey("a"), grey("b"));
    let (ssim, ms_ssim) = (
        metrics::ssim(&a, &b).unwrap(),
        metrics::ms_ssim(&a, &b).unwrap(),
    );
    // The reference's pictures and results are rounded to single precision.
    assert!((ssim - expected("ssim")).abs() < 1e-6, "SSIM {ssim}");
    assert!(
        (ms_ssim - expected("ms_ssim")).abs() < 1e-6,
        "MS-SSIM {ms_ssim}"
    );
}

//! Every transform against reference values of another program with another method; see `golden/make.py`.

use optlab_opt::{
    Algorithm, Cayley, Descent, DescentForm, Error, GramSchmidt, Householder, Lowdin, OwnStep, Relaxed,
    Rotation, Unconstrained,
};
use serde_json::Value;
use tch::Tensor;

const FILE: &str = include_str!("golden/golden.json");

/// Compares with the values of `key` in the file. `new` takes the raw parameter of the file; `to_file` converts the
/// gradient of our raw parameter to that of the file's.
fn agrees<R: Rotation>(key: &str, new: impl Fn(&Tensor) -> Result<R, Error>, to_file: fn(&Tensor) -> Tensor) {
    let file: Value = serde_json::from_str(FILE).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let size = format!("{key}, d = {} n = {}", case["d"], case["n"]);
        let expected = &case[key];
        let rotation = new(&matrix(&case["raw"])).unwrap();
        let rotated = rotation.rotate(&matrix(&case["frozen_weight"]).tr()).unwrap();
        assert_close(&rotated.weight.tr(), &expected["weight"], &size);
        let weight_gradient = matrix(&case["weight_gradient"]).tr();
        let raw_gradient = rotated.pullback.gradient(&weight_gradient).unwrap();
        assert_close(&to_file(&raw_gradient), &expected["raw_gradient"], &size);
        let frozen_gradient = rotated.pullback.frozen_gradient(&weight_gradient).unwrap();
        assert_close(&frozen_gradient.tr(), &expected["frozen_gradient"], &size);
    }
}

fn matrix(rows: &Value) -> Tensor {
    let row = |row: &Value| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
    let rows: Vec<Vec<f64>> = rows.as_array().unwrap().iter().map(row).collect();
    Tensor::from_slice2(&rows)
}

fn assert_close(ours: &Tensor, expected: &Value, what: &str) {
    let expected = matrix(expected);
    assert_eq!(ours.size(), expected.size(), "{what}");
    let error = ((ours - &expected).norm() / expected.norm()).double_value(&[]);
    assert!(error < 1e-12, "{what}: {error}");
}

#[test]
fn cayley() {
    // The file's parameter is the strict upper triangle, ours the skew matrix.
    agrees("cayley", Cayley::new, |gradient| gradient.triu(1));
    agrees("cayley", |raw| Ok(Cayley::new(raw)?.with_algorithm(Algorithm::Gpu)), |gradient| gradient.triu(1));
}

#[test]
fn gram_schmidt() {
    agrees("gram_schmidt", GramSchmidt::new, Tensor::shallow_clone);
    let on_gpu = |raw: &Tensor| Ok(GramSchmidt::new(raw)?.with_algorithm(Algorithm::Gpu));
    agrees("gram_schmidt", on_gpu, Tensor::shallow_clone);
}

#[test]
fn householder() {
    // Our parameter is the transpose.
    agrees("householder", |raw| Householder::new(&raw.tr()), Tensor::tr);
    agrees("householder_rotation", |raw| Householder::rotation(&raw.tr()), Tensor::tr);
    let on_gpu = |householder: Householder| householder.with_algorithm(Algorithm::Gpu);
    agrees("householder", |raw| Ok(on_gpu(Householder::new(&raw.tr())?)), Tensor::tr);
    agrees("householder_rotation", |raw| Ok(on_gpu(Householder::rotation(&raw.tr())?)), Tensor::tr);
}

#[test]
fn lowdin() {
    agrees("lowdin", Lowdin::new, Tensor::shallow_clone);
    let on_gpu = |raw: &Tensor| Ok(Lowdin::new(raw)?.with_algorithm(Algorithm::Gpu));
    agrees("lowdin", on_gpu, Tensor::shallow_clone);
}

/// P is reset to a multiple of R, where its gradient is another one.
#[test]
fn lowdin_polynomial() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    for (case, algorithm) in file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|case| [Algorithm::Cpu, Algorithm::Gpu].map(|algorithm| (case, algorithm)))
    {
        let size = format!("{algorithm:?}, d = {} n = {}", case["d"], case["n"]);
        let rotation = Lowdin::polynomial(&matrix(&case["raw"])).unwrap().with_algorithm(algorithm);
        let rotated = rotation.rotate(&matrix(&case["frozen_weight"]).tr()).unwrap();
        assert_close(&rotated.weight.tr(), &case["lowdin"]["weight"], &size);
        let turned_back = rotated.pullback.frozen_gradient(&matrix(&case["weight_gradient"]).tr()).unwrap();
        assert_close(&turned_back.tr(), &case["lowdin"]["frozen_gradient"], &size);
    }
}

#[test]
fn unconstrained() {
    agrees("unconstrained", Unconstrained::new, Tensor::shallow_clone);
}

#[test]
fn relaxed() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let beta = file["beta"].as_f64().unwrap();
    agrees("relaxed", |raw| Relaxed::new(raw, beta), Tensor::shallow_clone);
}

#[test]
fn descent() {
    let file: Value = serde_json::from_str(FILE).unwrap();
    let rate = file["learning_rate"].as_f64().unwrap();
    for (key, form) in [("omega", DescentForm::Omega), ("low_rank", DescentForm::LowRank)] {
        for case in file["cases"].as_array().unwrap() {
            let frozen_weight = matrix(&case["frozen_weight"]).tr();
            let mut descent = Descent::new(&frozen_weight, form).unwrap();
            let gradients = case["descent"]["weight_gradients"].as_array().unwrap();
            for (step, gradient) in gradients.iter().enumerate() {
                descent.step_along(&matrix(gradient).tr(), rate).unwrap();
                let what = format!("{key}, d = {} n = {} step {}", case["d"], case["n"], step + 1);
                assert_close(&descent.raw().tr(), &case["descent"][key][step], &what);
            }
        }
    }
}

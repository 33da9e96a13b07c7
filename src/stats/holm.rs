//! Adjustment of p-values for several arms against one baseline.

/// The p-values after Holm's step-down procedure (Scandinavian Journal of Statistics, 1979), in the order given: the
/// smallest counts for all, the next for all but one, and none is less than the one before it.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut reached: f64 = 0.0;
    for (place, index) in order.into_iter().enumerate() {
        let left = (p_values.len() - place) as f64;
        reached = reached.max((left * p_values[index]).min(1.0));
        adjusted[index] = reached;
    }
    adjusted
}

//! The benchmarks of the core, for `colloque bench`.

use bench::{Plan, Row};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

/// A row: level, what was done, packets per flush, nanoseconds of processor time per packet in each round.
type RowTuple = (&'static str, String, usize, Vec<f64>);

/// Measures what this machine can do: encryption, sending, receiving, and the ideal fan-out.
#[pyfunction]
#[pyo3(signature = (*, destinations, per_flush, seconds))]
pub(crate) fn bench_limit(
    py: Python<'_>,
    destinations: usize,
    per_flush: Vec<usize>,
    seconds: f64,
) -> PyResult<Vec<RowTuple>> {
    let plan = plan(destinations, per_flush, seconds)?;
    rows(py.detach(|| bench::limit(&plan)))
}

/// Measures the ideal fan-out and the real worker, turn about.
#[pyfunction]
#[pyo3(signature = (*, destinations, per_flush, seconds))]
pub(crate) fn bench_forward(
    py: Python<'_>,
    destinations: usize,
    per_flush: Vec<usize>,
    seconds: f64,
) -> PyResult<Vec<RowTuple>> {
    let plan = plan(destinations, per_flush, seconds)?;
    rows(py.detach(|| bench::forward(&plan)))
}

/// One round: the caller repeats it, so that it can show how far it is and be interrupted.
fn plan(destinations: usize, per_flush: Vec<usize>, seconds: f64) -> PyResult<Plan> {
    if !(1..=bench::MOST_DESTINATIONS).contains(&destinations) {
        return Err(PyValueError::new_err(format!("destinations: 1 to {}", bench::MOST_DESTINATIONS)));
    }
    if per_flush.is_empty() || per_flush.iter().any(|count| !(1..=64).contains(count)) {
        return Err(PyValueError::new_err("per_flush: numbers from 1 to 64"));
    }
    if !(0.001..=60.0).contains(&seconds) {
        return Err(PyValueError::new_err("seconds: 0.001 to 60"));
    }
    Ok(Plan { destinations, per_flush, rounds: 1, seconds })
}

fn rows(measured: std::io::Result<Vec<Row>>) -> PyResult<Vec<RowTuple>> {
    let rows = measured.map_err(|error| PyOSError::new_err(error.to_string()))?;
    Ok(rows.into_iter().map(|row| (row.level, row.what, row.per_flush, row.ns_per_packet)).collect())
}

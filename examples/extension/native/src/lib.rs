//! `boxes._native`.

use pyo3::prelude::*;
use std::ffi::c_ulong;

#[link(name = "box")]
extern "C" {
    fn box_volume(width: c_ulong, height: c_ulong, depth: c_ulong) -> c_ulong;
}

/// Returns the volume of a box.
#[pyfunction]
fn volume(width: u32, height: u32, depth: u32) -> u64 {
    // SAFETY: the function only multiplies its arguments.
    unsafe { box_volume(width.into(), height.into(), depth.into()) as u64 }
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(volume, module)?)
}

// SPDX-License-Identifier: GPL-2.0-only
//! Learning: from the invocations observed to the policy table enforced.
//!
//! A [`Learner`] keeps the recent invocations of all functions in a
//! [`Window`] and the CPU times of each function in a [`History`]. Every round
//! it replays the window under clairvoyant SRPT, which gives each function's
//! slices and its place in the order, and has a [`Predictor`] turn each
//! history that has grown into a [`Forecast`] of remaining CPU time, which
//! gives the biases.

#[cfg(test)]
mod adapting;
pub mod avg;
pub mod bias;
pub mod config;
pub mod distribution;
pub mod ewma;
pub mod following;
pub mod forecast;
pub mod forest;
mod function;
pub mod gittins;
pub mod history;
mod intake;
pub mod knowledge;
pub mod learner;
pub mod linear;
pub mod moments;
pub mod order;
pub mod param;
pub mod predictor;
pub mod prior;
pub mod replay;
pub mod residual;
pub mod settings;
pub mod shift;
pub mod tail;
pub mod tuning;
pub mod window;

pub use avg::Avg;
pub use bias::BiasFactor;
pub use config::LearnerConfig;
pub use distribution::Distribution;
pub use ewma::Ewma;
pub use following::LoadFactor;
pub use forecast::Forecast;
pub use forest::Forest;
pub use gittins::{Gittins, Objective};
pub use history::History;
pub use knowledge::Knowledge;
pub use learner::Learner;
pub use linear::Linear;
pub use param::ParamError;
pub use predictor::Predictor;
pub use prior::Prior;
pub use settings::{Change, Method, Settings};
pub use tuning::{Tuned, TuningParams};
pub use window::Window;

// SPDX-License-Identifier: GPL-2.0-only
//! Learning: from the invocations observed to the policy table enforced.
//!
//! A [`Learner`] keeps the recent invocations of all functions in a
//! [`Window`] and the CPU times of each function in a [`History`]. Every round
//! it replays the window under clairvoyant SRPT, which gives each function's
//! slices and its place in the order, and has a [`Predictor`] turn each
//! history that has grown into a [`Forecast`] of remaining CPU time, which
//! gives the biases.

pub mod avg;
pub mod bias;
pub mod config;
pub mod distribution;
pub mod forecast;
mod function;
pub mod history;
pub mod learner;
pub mod moments;
pub mod order;
pub mod param;
pub mod predictor;
pub mod prior;
pub mod replay;
pub mod shift;
pub mod tuning;
pub mod window;

pub use avg::Avg;
pub use bias::BiasFactor;
pub use config::LearnerConfig;
pub use distribution::Distribution;
pub use forecast::Forecast;
pub use history::History;
pub use learner::Learner;
pub use param::ParamError;
pub use predictor::Predictor;
pub use prior::Prior;
pub use tuning::TuningParams;
pub use window::Window;

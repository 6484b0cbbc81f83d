// SPDX-License-Identifier: GPL-2.0-only
//! What serverless platforms and container runtimes say of their functions:
//! from a cgroup's path to the container it may be of ([`places`]), from what
//! the runtime keeps of it ([`record`], [`bolt`]) to a [`Container`], and from
//! that to its function.

pub mod bolt;
mod container;
pub mod openlambda;
mod place;
mod pod;
pub mod record;
mod worker;

pub use container::{Container, Told};
pub use place::{Keeper, Place, is_hex_id, is_id, is_of, places};
pub use pod::Pod;
pub use worker::{OwnFunction, WORKER_MARK, own_function};

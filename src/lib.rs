// SPDX-License-Identifier: GPL-2.0-only
//! The pure half of `scx_alps`: what an invocation is, which function it
//! belongs to, what is learned from it, and the table that is enforced.
//! Nothing here does I/O or knows of BPF.

pub mod identify;
pub mod invocation;
pub mod learn;
pub mod platform;
pub mod policy;
pub mod report;
pub mod sim;
pub mod trace;

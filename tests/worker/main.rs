// SPDX-License-Identifier: GPL-2.0-only
//! The worker and the load client against each other, over loopback, as
//! whoever runs the tests.

mod abuse;
mod answers;
mod client;
mod fuzz;
mod http;
mod server;
mod sets;

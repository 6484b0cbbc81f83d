// SPDX-License-Identifier: GPL-2.0-only
//! The control socket: how `scx_alps on`, `off`, `toggle`, `status`, `set`,
//! `explain`, `policy` and `top` talk to the running daemon. One JSON line each
//! way a connection.

mod client;
mod explanation;
mod protocol;
mod server;

pub use client::ask;
pub use explanation::{Explanation, Summary};
pub use protocol::{Command, FunctionRow, Reply, Status};
pub use server::Server;

/// Where the daemon listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/scx_alps/control.sock";

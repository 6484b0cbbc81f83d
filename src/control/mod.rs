// SPDX-License-Identifier: GPL-2.0-only
//! The control socket: how `scx_alps on`, `off`, `toggle`, `status`, `set`,
//! `explain`, `policy`, `functions` and `top` talk to the running daemon. One JSON line each
//! way a connection.

mod client;
mod explanation;
mod protocol;
mod recognised;
mod server;

pub use client::ask;
pub use explanation::{Explanation, Summary};
pub use protocol::{Command, FunctionRow, Reply, Status};
pub use recognised::Recognised;
pub use server::Server;

/// Where the daemon listens unless told otherwise.
pub const DEFAULT_SOCKET: &str = "/run/scx_alps/control.sock";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::mailbox::{Letter, Mailbox};
    use scx_alps::invocation::FunctionId;
    use scx_alps::learn::Change;
    use scx_alps::policy::{BUCKETS, MadeBy, NamedTable, PolicyEntry, PolicyTable};
    use std::thread;
    use std::time::Duration;

    /// The table of a machine with as many functions as there are slots.
    fn full_table() -> NamedTable {
        let entry = PolicyEntry {
            bias_ns: [16_000_000_000; BUCKETS],
            ..PolicyEntry::default()
        };
        let table = PolicyTable::new(vec![entry; FunctionId::CAPACITY]);
        let names: Vec<String> = (0..FunctionId::CAPACITY)
            .map(|slot| format!("system.slice/docker-{slot:064}.scope"))
            .collect();
        NamedTable::new(&table, MadeBy::default(), |id| Some(&names[id.slot()]))
    }

    /// A daemon that knows a table and refuses to be changed.
    fn answer(command: Command) -> Reply {
        match command {
            Command::Policy => Reply::Policy {
                table: Box::new(full_table()),
            },
            Command::Set(change) => Reply::Refused {
                why: format!("{:?} is refused", change.alpha),
            },
            _ => Reply::Status(Status::default()),
        }
    }

    #[test]
    fn a_full_table_and_a_refusal_come_over_the_socket() {
        if !nix::unistd::geteuid().is_root() {
            // The socket answers to root only.
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("control.sock");
        let (sender, mailbox) = Mailbox::new().unwrap();
        let server = Server::start(&socket, sender.clone()).unwrap();
        let daemon = thread::spawn(move || {
            loop {
                for letter in mailbox.take() {
                    match letter {
                        Letter::Control {
                            command,
                            answer: to,
                        } => {
                            to.send(answer(command)).unwrap();
                        }
                        _ => return,
                    }
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        let Reply::Policy { table } = ask(&socket, Command::Policy).unwrap() else {
            panic!("no table");
        };
        assert_eq!(*table, full_table());
        let change = Change {
            alpha: Some(-1.0),
            ..Change::default()
        };
        let error = ask(&socket, Command::Set(change)).unwrap_err();
        assert_eq!(error.to_string(), "Some(-1.0) is refused");
        assert!(
            Server::start(&socket, sender.clone()).is_err(),
            "one is enough"
        );
        sender.send(Letter::Stop).unwrap();
        daemon.join().unwrap();
        drop(server);
        assert!(!socket.exists());
    }
}

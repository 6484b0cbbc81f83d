// SPDX-License-Identifier: GPL-2.0-only
//! Requests as bytes, so that they can be as bad as they like.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer should take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What an error's JSON says.
    pub fn error(&self) -> String {
        let json = self.json();
        json["error"].as_str().expect("no error").to_owned()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        })
    }
}

pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes and reads to the end; `None` where no answer came.
pub fn raw(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(port);
    // A server may answer and hang up before it has read all.
    let _ = stream.write_all(bytes);
    read(stream)
}

/// What is left to be read.
pub fn read(mut stream: TcpStream) -> Option<Answer> {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::parse(&answer)
}

/// Sends bytes, and says that no more will come.
pub fn half_closed(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = connect(port);
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    read(stream)
}

pub fn request(port: u16, method: &str, path: &str, body: &[u8]) -> Answer {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw(port, &[head.as_bytes(), body].concat()).expect("no answer")
}

pub fn run(port: u16, name: &str, body: &str) -> Answer {
    request(port, "POST", &format!("/run/{name}"), body.as_bytes())
}

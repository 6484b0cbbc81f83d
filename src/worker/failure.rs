// SPDX-License-Identifier: GPL-2.0-only
//! Why a request has no answer, and how that is said: a status code and a
//! JSON object `{"error": …}`.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use super::registry::NoHandler;
use super::stats::Fate;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    NoSuchPath,
    /// With the method that the path takes.
    WrongMethod(&'static str),
    BadName(String),
    NoHandler(NoHandler),
    BodyTooLong(usize),
    /// It did not arrive in time.
    BodySlow,
    BodyBroken,
    /// Too many bodies are held at once.
    NoRoom,
    BadEvent(String),
    QueueFull(usize),
    /// The process could not be started, and why.
    NotStarted(String),
    TimedOut(Duration),
    AnswerTooLong(usize),
    /// How the process ended, and its last words.
    Crashed(String, String),
}

impl Failure {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchPath | Self::NoHandler(NoHandler::Unknown) => StatusCode::NOT_FOUND,
            Self::NoHandler(NoHandler::Outside) => StatusCode::FORBIDDEN,
            Self::WrongMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadName(_) | Self::BodyBroken | Self::BadEvent(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::QueueFull(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NoRoom | Self::NotStarted(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut(_) => StatusCode::GATEWAY_TIMEOUT,
            Self::AnswerTooLong(_) => StatusCode::BAD_GATEWAY,
            Self::Crashed(..) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub fn fate(&self) -> Fate {
        match self {
            Self::TimedOut(_) => Fate::TimedOut,
            Self::AnswerTooLong(_) | Self::Crashed(..) => Fate::Failed,
            _ => Fate::Refused,
        }
    }

    /// Whether the request's body may not have been read to its end, so that
    /// nothing more can be read of its connection.
    pub fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::BodyTooLong(_) | Self::BodySlow | Self::BodyBroken | Self::NoRoom
        )
    }

    /// Whether the same request may well succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::QueueFull(_) | Self::NoRoom | Self::NotStarted(_)
        )
    }

    pub fn json(&self) -> String {
        let error = match self {
            Self::NoSuchPath => {
                "there are POST /run/NAME, GET /status and GET /stats, and no other".to_owned()
            }
            Self::WrongMethod(allowed) => format!("this path takes {allowed}"),
            Self::BadName(why) => why.clone(),
            Self::NoHandler(why) => why.to_string(),
            Self::BodyTooLong(most) => format!("the body is longer than {most} bytes"),
            Self::BodySlow => "the body did not arrive in time".to_owned(),
            Self::BodyBroken => "the body ended too early".to_owned(),
            Self::NoRoom => "too many requests are held at once".to_owned(),
            Self::BadEvent(why) => why.clone(),
            Self::QueueFull(queued) => format!("{queued} requests wait for this function already"),
            Self::NotStarted(why) => format!("the function could not be started: {why}"),
            Self::TimedOut(limit) => format!(
                "the function did not answer within {}",
                humantime::format_duration(*limit)
            ),
            Self::AnswerTooLong(most) => {
                format!("the function's output is longer than {most} bytes")
            }
            Self::Crashed(how, _) => format!("the function {how}"),
        };
        match self {
            Self::Crashed(_, words) if !words.is_empty() => {
                json!({"error": error, "output": words}).to_string()
            }
            _ => json!({"error": error}).to_string(),
        }
    }
}

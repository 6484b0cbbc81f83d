// SPDX-License-Identifier: GPL-2.0-only
//! What ALPS learns from before it runs warm: other requests for the same
//! functions, where there are such.

use std::collections::HashSet;

use super::offer::Offer;

/// A practice must know the functions of so many requests.
const KNOWN_SHARE: f64 = 0.9;

/// The requests to learn from.
pub enum Practice {
    /// Of a seed that is not measured, for all that are.
    Other(Offer),
    /// Those that are measured themselves, each for its own: a recording is
    /// the same for every seed, or a seed chooses functions of its own.
    Same,
}

impl Practice {
    /// `candidate`, the trace of another seed, if the measured `offers` are
    /// of the functions it is of and not of the same requests.
    pub fn of(candidate: Offer, offers: &[Offer]) -> Self {
        let known: HashSet<u32> = functions(&candidate).collect();
        let serves = |offer: &Offer| {
            let total = offer.trace.requests.len() as f64;
            let known = functions(offer).filter(|function| known.contains(function));
            offer.trace.requests != candidate.trace.requests
                && known.count() as f64 >= KNOWN_SHARE * total
        };
        if offers.iter().all(serves) {
            Self::Other(candidate)
        } else {
            Self::Same
        }
    }

    /// Whether one serves for all that are measured.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Other(_))
    }

    /// The practice for the measured offer at `place`.
    pub fn before<'a>(&'a self, offers: &'a [Offer], place: usize) -> Option<&'a Offer> {
        match self {
            Self::Other(offer) => Some(offer),
            Self::Same => offers.get(place),
        }
    }
}

fn functions(offer: &Offer) -> impl Iterator<Item = u32> {
    offer.trace.requests.iter().map(|request| request.function)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scx_alps::trace::{Request, Trace};

    use super::super::pauses::Pauses;
    use super::*;

    fn offer(functions: &[u32], cpu_ns: u64) -> Offer {
        let request = |&function: &u32| Request {
            arrival_ns: 0,
            function,
            cpu_ns,
        };
        let trace = Trace {
            functions: vec!["a".into(), "b".into()],
            requests: functions.iter().map(request).collect(),
            duration_ns: 1,
        };
        let pauses = Pauses {
            share: 0.0,
            pause: Duration::ZERO,
        };
        Offer::new(1, trace, &pauses)
    }

    #[test]
    fn other_requests_for_the_same_functions_are_shared() {
        let offers = [offer(&[0, 1], 1), offer(&[1], 2)];
        let practice = Practice::of(offer(&[1, 0], 3), &offers);
        assert!(practice.is_shared());
        assert_eq!(
            practice.before(&offers, 1).unwrap().trace.requests[0].cpu_ns,
            3
        );
    }

    #[test]
    fn the_same_requests_and_other_functions_are_not() {
        let offers = [offer(&[0, 1], 1), offer(&[1], 2)];
        for candidate in [offer(&[0, 1], 1), offer(&[0], 3)] {
            let practice = Practice::of(candidate, &offers);
            assert!(!practice.is_shared());
            assert_eq!(
                practice.before(&offers, 1).unwrap().trace.requests[0].cpu_ns,
                2
            );
        }
    }
}

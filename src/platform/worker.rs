// SPDX-License-Identifier: GPL-2.0-only
//! The functions of this program's own worker, which are known by a mark on the
//! cgroup that holds the worker's: `…/WORKER/FUNCTION` below a marked cgroup.

/// The extended attribute that marks the cgroup which `scx_alps worker` has its
/// functions below. Of the kind that only root can set, in no namespace of
/// users but the first (`xattr(7)`): a user who was given a part of the
/// hierarchy cannot make functions of any name in it.
pub const WORKER_MARK: &str = "trusted.scx_alps.worker";

/// Which function of which worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnFunction<'a> {
    pub worker: &'a str,
    pub name: &'a str,
}

/// The function that the cgroup `path` is of, or a part of, where one above it
/// is marked. The outermost mark counts.
pub fn own_function(path: &str, is_marked: impl Fn(&str) -> bool) -> Option<OwnFunction<'_>> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
    for end in ends {
        let (above, below) = path.split_at_checked(end)?;
        let mut segments = below.split('/').skip(1);
        let (worker, name) = (segments.next()?, segments.next()?);
        if is_marked(above) {
            let is_whole = !worker.is_empty() && !name.is_empty();
            return is_whole.then_some(OwnFunction { worker, name });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of<'a>(path: &'a str, marked: &str) -> Option<(&'a str, &'a str)> {
        let found = own_function(path, |cgroup| cgroup == marked);
        found.map(|function| (function.worker, function.name))
    }

    #[test]
    fn what_is_two_below_the_mark_is_a_function() {
        for (path, marked, expected) in [
            ("/w/one/fib", "/w", Some(("one", "fib"))),
            ("/w/one/fib/x/y", "/w", Some(("one", "fib"))),
            ("/a/w/one/fib", "/a/w", Some(("one", "fib"))),
            ("/w/one", "/w", None),
            ("/w", "/w", None),
            ("/w/one/", "/w", None),
            ("/w/one/fib", "/v", None),
            ("", "/", None),
            ("/", "/", None),
        ] {
            assert_eq!(of(path, marked), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_path_can_be_asked(path in "/?[a/é]{0,12}", marks in any::<u8>()) {
            let found = own_function(&path, |cgroup| cgroup.len() % 8 == usize::from(marks % 8));
            prop_assert!(found.is_none_or(|function| !function.name.contains('/')));
        }
    }
}

// SPDX-License-Identifier: GPL-2.0-only
//! From a cgroup's path to the container it may be of.
//!
//! Where a runtime puts its containers, in the v2 hierarchy:
//!
//! | runtime | systemd driver | cgroupfs driver |
//! |---|---|---|
//! | Docker | `…/docker-ID.scope` | `/docker/ID`, or below a parent of one's choice |
//! | containerd (ctr, faasd) | | `/NAMESPACE/NAME` |
//! | containerd (nerdctl) | `…/nerdctl-ID.scope` | `/NAMESPACE/ID` |
//! | containerd in Kubernetes | `/kubepods.slice/…/cri-containerd-ID.scope` | `/kubepods/…/podUID/ID` |
//! | CRI-O | `/kubepods.slice/…/crio-ID.scope` | `/kubepods/…/podUID/crio-ID` |
//! | podman | `…/libpod-ID.scope`, `…/libpod-payload-ID` | `/libpod_parent/libpod-ID` |
//! | runc, crun | `…/runc-ID.scope`, `…/crun-ID.scope` | `/ID`, or any path |
//!
//! An ID here has 64 hexadecimal digits but for runc and crun, where it is any
//! name. What a container makes below its own cgroup is a part of it, so the
//! outermost place counts: nobody in a container can be taken for another.

/// Longer names are no containers', in bytes.
const MAX_ID_BYTES: usize = 255;
const HEX_ID_BYTES: usize = 64;

/// Whose container it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeper<'a> {
    Docker,
    /// In a namespace, where the path tells which.
    Containerd {
        namespace: Option<&'a str>,
    },
    CriO,
    Podman,
    /// runc or crun by themselves.
    Oci,
    /// The path has an ID, and nothing says whose.
    Any,
}

/// A place in a path that may be a container's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub keeper: Keeper<'a>,
    pub id: &'a str,
    /// The container's own cgroup: the path, or what it begins with.
    pub cgroup: &'a str,
    /// Whether the path itself says that it is a container's, so that it is
    /// one even where no runtime knows of it.
    pub certain: bool,
}

/// The places in a path that may be containers', the outermost first.
pub fn places(path: &str) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut end = 0;
    let mut before: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        end += 1 + segment.len();
        let Some(cgroup) = path.get(..end) else {
            break;
        };
        let place = |(keeper, id, certain)| Place {
            keeper,
            id,
            cgroup,
            certain,
        };
        places.extend(of_segment(segment, &before).map(place));
        before.push(segment);
    }
    places
}

/// The cgroup of a pod's that holds its containers' is no container's, nor are
/// a slice and a runtime's helpers.
fn of_segment<'a>(segment: &'a str, before: &[&'a str]) -> Option<(Keeper<'a>, &'a str, bool)> {
    if segment.len() > MAX_ID_BYTES || segment.ends_with(".slice") {
        return None;
    }
    let scope = segment.strip_suffix(".scope");
    let inner = scope.unwrap_or(segment);
    for (prefix, keeper) in [
        ("docker-", Keeper::Docker),
        (
            "cri-containerd-",
            Keeper::Containerd {
                namespace: Some("k8s.io"),
            },
        ),
        ("crio-", Keeper::CriO),
        ("libpod-payload-", Keeper::Podman),
        ("libpod-", Keeper::Podman),
        ("nerdctl-", Keeper::Containerd { namespace: None }),
    ] {
        if let Some(id) = inner.strip_prefix(prefix)
            && is_hex_id(id)
        {
            return Some((keeper, id, true));
        }
    }
    if scope.is_some() {
        let id = ["runc-", "crun-"]
            .into_iter()
            .find_map(|prefix| inner.strip_prefix(prefix));
        return id.filter(|id| is_id(id)).map(|id| (Keeper::Oci, id, true));
    }
    if is_hex_id(segment) {
        let keeper = match before {
            ["docker"] => Keeper::Docker,
            // Docker's containers have a place of their own, whatever the parent.
            _ if before.iter().any(|segment| is_pods(segment)) => Keeper::Containerd {
                namespace: Some("k8s.io"),
            },
            _ => Keeper::Any,
        };
        return Some((keeper, segment, true));
    }
    match before {
        // Any two segments may be a namespace and a name.
        [namespace] if is_id(namespace) && is_id(segment) => Some((
            Keeper::Containerd {
                namespace: Some(namespace),
            },
            segment,
            false,
        )),
        _ => None,
    }
}

fn is_pods(segment: &str) -> bool {
    segment.starts_with("kubepods") || segment.starts_with("kubelet")
}

/// Whether this is an ID that a runtime made up.
pub fn is_hex_id(text: &str) -> bool {
    text.len() == HEX_ID_BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a name may be a container's or a namespace's: as containerd and runc
/// check it, and never one that leads elsewhere in a path.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len())
        && !text.starts_with('.')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+'))
}

/// Whether a container whose bundle has this `cgroupsPath` is in the cgroup
/// `path`. The path is one of the hierarchy, or `SLICE:PREFIX:NAME` for systemd,
/// where only the unit is compared: systemd may nest the slice.
pub fn is_of(cgroups_path: &str, path: &str) -> bool {
    let mut parts = cgroups_path.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(prefix), Some(name), None) => {
            let unit = path.rsplit('/').next().unwrap_or_default();
            let unit = unit.strip_suffix(".scope").unwrap_or(unit);
            match prefix {
                "" => unit == name,
                _ => unit
                    .strip_prefix(prefix)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|rest| rest == name),
            }
        }
        // One that is relative is below a cgroup that the bundle does not name.
        _ if cgroups_path.is_empty() => false,
        _ if cgroups_path.starts_with('/') => cgroups_path.trim_end_matches('/') == path,
        _ => path
            .strip_suffix(cgroups_path.trim_end_matches('/'))
            .is_some_and(|before| before.ends_with('/')),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const POD: &str = "pod12345678_1234_1234_1234_123456789abc";

    /// The outermost place that is certain, or the outermost: whose, the ID and
    /// the cgroup.
    fn first(path: &str) -> Option<(Keeper<'_>, &str, &str)> {
        let places = places(path);
        let certain = places.iter().find(|place| place.certain);
        let place = certain.or(places.first())?;
        Some((place.keeper, place.id, place.cgroup))
    }

    #[test]
    fn each_runtime_has_its_places() {
        let k8s = Keeper::Containerd {
            namespace: Some("k8s.io"),
        };
        let kubepods = "/kubepods.slice/kubepods-burstable.slice";
        for (cgroup, keeper) in [
            (format!("/system.slice/docker-{ID}.scope"), Keeper::Docker),
            (format!("/docker/{ID}"), Keeper::Docker),
            (
                format!("/functions.slice/docker-{ID}.scope"),
                Keeper::Docker,
            ),
            (format!("/my/parent/{ID}"), Keeper::Any),
            (
                format!("{kubepods}/kubepods-burstable-{POD}.slice/cri-containerd-{ID}.scope"),
                k8s,
            ),
            (format!("/kubepods/besteffort/{POD}/{ID}"), k8s),
            (
                format!("{kubepods}/kubepods-burstable-{POD}.slice/crio-{ID}.scope"),
                Keeper::CriO,
            ),
            (format!("/kubepods/{POD}/crio-{ID}"), Keeper::CriO),
            (format!("/machine.slice/libpod-{ID}.scope"), Keeper::Podman),
            (format!("/libpod_parent/libpod-{ID}"), Keeper::Podman),
            (
                format!("/system.slice/web.service/libpod-payload-{ID}"),
                Keeper::Podman,
            ),
            (
                format!("/system.slice/nerdctl-{ID}.scope"),
                Keeper::Containerd { namespace: None },
            ),
        ] {
            assert_eq!(first(&cgroup), Some((keeper, ID, &*cgroup)));
            let nested = format!("{cgroup}/container/docker-{ID}.scope/x");
            assert_eq!(first(&nested), Some((keeper, ID, &*cgroup)), "nested");
        }
        assert_eq!(
            first("/system.slice/runc-thumb.scope/a/b"),
            Some((Keeper::Oci, "thumb", "/system.slice/runc-thumb.scope"))
        );
        assert_eq!(
            first("/openfaas-fn/fib-1/x"),
            Some((
                Keeper::Containerd {
                    namespace: Some("openfaas-fn")
                },
                "fib-1",
                "/openfaas-fn/fib-1"
            ))
        );
    }

    #[test]
    fn what_is_no_container_has_no_certain_place() {
        for path in [
            "/",
            "",
            "/init.scope",
            "/user.slice/user-0.slice/session-1.scope",
            "/system.slice/ssh.service",
            &format!("/machine.slice/libpod-conmon-{ID}.scope"),
            &format!("/kubepods.slice/crio-conmon-{ID}.scope"),
            &format!("/kubepods/besteffort/{POD}"),
            &format!("/machine.slice/machine-libpod_pod_{ID}.slice"),
            "/system.slice/docker-abc.scope",
            "/system.slice/runc-.scope",
            "/system.slice/runc-...scope",
        ] {
            assert!(places(path).iter().all(|place| !place.certain), "{path}");
        }
        assert!(places("/../x").is_empty() && places("/a/..").is_empty());
    }

    #[test]
    fn a_bundle_tells_its_cgroup() {
        for (cgroups_path, path) in [
            ("/default/fib", "/default/fib"),
            ("system.slice:docker:abc", "/system.slice/docker-abc.scope"),
            (
                "kubepods-a.slice:crio:x",
                "/kubepods.slice/kubepods-a.slice/crio-x.scope",
            ),
            ("machine.slice:libpod:x", "/machine.slice/libpod-x.scope"),
            ("fib", "/user.slice/fib"),
            (":runc:fib", "/system.slice/runc-fib.scope"),
        ] {
            assert!(is_of(cgroups_path, path), "{cgroups_path} {path}");
        }
        for (cgroups_path, path) in [
            ("/default/fib", "/other/fib"),
            ("/default/fib", "/x/default/fib"),
            ("system.slice:docker:abc", "/docker/abc"),
            ("fib", "/xfib"),
            ("", "/fib"),
            ("a:b", "/a"),
            ("a:b:c:d", "/a"),
        ] {
            assert!(!is_of(cgroups_path, path), "{cgroups_path} {path}");
        }
    }

    proptest! {
        #[test]
        fn places_are_in_the_path_and_lead_nowhere_else(
            path in "(/(docker|[a-f0-9]{64}|docker-[a-f0-9]{64}\\.scope|\\.\\.|[a-z.é]{0,6})){0,5}|\\p{any}{0,40}",
        ) {
            for place in places(&path) {
                prop_assert!(path.starts_with(place.cgroup));
                prop_assert!(!place.id.contains('/') && place.id != ".." && !place.id.is_empty());
            }
        }

        #[test]
        fn any_texts_can_be_compared(one in "[a:/é]{0,8}", other in "[a/é]{0,8}") {
            is_of(&one, &other);
        }
    }
}

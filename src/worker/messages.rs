// SPDX-License-Identifier: GPL-2.0-only
//! Datagrams with file descriptors, over a pair of connected sockets.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};

/// Longest message.
pub const MAX_BYTES: usize = 8192;

/// Most descriptors with one.
const MAX_FDS: usize = 4;

/// What has come.
pub struct Message {
    pub bytes: Vec<u8>,
    pub fds: Vec<OwnedFd>,
}

/// Two ends; messages keep their bounds, and the end of one end is seen at
/// the other.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(
        AddressFamily::Unix,
        SockType::SeqPacket,
        None,
        flags,
    )?)
}

/// Sends one message.
///
/// # Errors
/// `WouldBlock` where the socket does not block and the other end is slow.
pub fn send(socket: &impl AsRawFd, bytes: &[u8], fds: &[RawFd]) -> io::Result<()> {
    let rights = [ControlMessage::ScmRights(fds)];
    let control = if fds.is_empty() { &[][..] } else { &rights };
    let flags = MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(
        socket.as_raw_fd(),
        &[IoSlice::new(bytes)],
        control,
        flags,
        None,
    )?;
    Ok(())
}

/// Waits for a message; `None` when the other end is closed.
///
/// # Errors
/// `WouldBlock` where the socket does not block and there is none; `InvalidData`
/// for one that is too long.
pub fn receive(socket: &impl AsRawFd) -> io::Result<Option<Message>> {
    let mut bytes = vec![0; MAX_BYTES];
    let mut space = nix::cmsg_space!([RawFd; MAX_FDS]);
    let (length, fds, truncated) = {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let message = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut space), flags)?;
        let mut fds = Vec::new();
        for control in message.cmsgs()? {
            if let ControlMessageOwned::ScmRights(raw) = control {
                // SAFETY: the kernel has just made them for this process.
                fds.extend(raw.iter().map(|&fd| unsafe { OwnedFd::from_raw_fd(fd) }));
            }
        }
        let truncated = message.flags.contains(MsgFlags::MSG_TRUNC);
        (message.bytes, fds, truncated)
    };
    if truncated {
        return Err(io::ErrorKind::InvalidData.into());
    }
    bytes.truncate(length);
    Ok((length > 0).then_some(Message { bytes, fds }))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn descriptors_travel_along() {
        let (here, there) = pair().unwrap();
        let (reader, writer) = nix::unistd::pipe().unwrap();
        send(&here, b"hello", &[writer.as_raw_fd()]).unwrap();
        drop(writer);
        let mut message = receive(&there).unwrap().unwrap();
        assert_eq!(message.bytes, b"hello");
        File::from(message.fds.pop().unwrap())
            .write_all(b"through")
            .unwrap();
        let mut text = String::new();
        File::from(reader).read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        drop(here);
        assert!(receive(&there).unwrap().is_none());
    }

    #[test]
    fn what_is_too_long_is_an_error() {
        let (here, there) = pair().unwrap();
        send(&here, &[1; MAX_BYTES + 1], &[]).unwrap();
        assert!(receive(&there).is_err());
    }
}

//! A file descriptor that becomes readable when someone rings it.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// An eventfd in counting mode, non-blocking.
pub struct EventFd(OwnedFd);

impl EventFd {
    /// Not rung yet.
    pub fn new() -> io::Result<EventFd> {
        // SAFETY: eventfd takes no pointers; its result is checked before use.
        let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: fd was just opened by us and nobody else has it.
        Ok(EventFd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes the descriptor readable. Cannot fail: the counter would have to be rung 2^64 times.
    pub fn ring(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: the buffer is 8 readable bytes and the descriptor is open as long as self.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes the descriptor unreadable until it is rung again.
    pub fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: the buffer is 8 writable bytes and the descriptor is open as long as self.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

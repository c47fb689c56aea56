//! Waiting for sockets, for a bell, or for a point in time, whichever is first.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Descriptors that one thread may wait for.
const MAX_FDS: usize = 64;

/// An epoll set, level-triggered: what was not read completely is reported again.
pub struct Poller {
    epoll: OwnedFd,
    ready: [libc::epoll_event; MAX_FDS],
    fine: bool,
}

impl Poller {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Poller> {
        // SAFETY: epoll_create1 takes no pointers; its result is checked before use.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: fd was just opened by us and nobody else has it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Poller { epoll, ready: [libc::epoll_event { events: 0, u64: 0 }; MAX_FDS], fine: true })
    }

    /// Watches `fd` for reading; [`Poller::wait`] reports it as `token`.
    pub fn watch(&self, fd: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: the event outlives the call, which copies it; both descriptors are open.
        match unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Waits until something is readable or `timeout` has passed; yields the tokens that are readable.
    ///
    /// Waits for ever without a timeout. A signal ends the wait early with nothing readable.
    pub fn wait(&mut self, timeout: Option<Duration>) -> impl Iterator<Item = u64> {
        let count = match self.wait_fine(timeout) {
            Some(count) => count,
            None => self.wait_coarse(timeout),
        };
        self.ready[..count].iter().map(|event| event.u64)
    }

    /// With nanosecond resolution, where the kernel has it (Linux 5.11).
    fn wait_fine(&mut self, timeout: Option<Duration>) -> Option<usize> {
        if !self.fine {
            return None;
        }
        let spec = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.as_secs().min(86_400) as libc::time_t,
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let spec = spec.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // Through syscall(2), since the wrapper is missing in the older libc that a wheel may meet.
        // SAFETY: `ready` has MAX_FDS writable entries, `spec` is null or lives until the call returns, no signal
        // mask is given.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.epoll.as_raw_fd(),
                self.ready.as_mut_ptr(),
                MAX_FDS as libc::c_int,
                spec,
                std::ptr::null::<libc::sigset_t>(),
                0usize,
            )
        };
        match usize::try_from(count) {
            Ok(count) => Some(count),
            Err(_) if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => Some(0),
            Err(_) => {
                self.fine = false;
                None
            }
        }
    }

    /// With millisecond resolution, rounded up so that it never spins on a timer that is not yet due.
    fn wait_coarse(&mut self, timeout: Option<Duration>) -> usize {
        let millis = timeout.map_or(-1, |timeout| timeout.as_micros().div_ceil(1_000).min(86_400_000) as i32);
        // SAFETY: `ready` has MAX_FDS writable entries.
        let count = unsafe {
            libc::epoll_wait(self.epoll.as_raw_fd(), self.ready.as_mut_ptr(), MAX_FDS as libc::c_int, millis)
        };
        usize::try_from(count).unwrap_or(0) // a signal: nothing is readable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_fd::EventFd;

    #[test]
    fn a_descriptor_is_reported_until_it_is_cleared() {
        let (mut poller, bell) = (Poller::new().unwrap(), EventFd::new().unwrap());
        poller.watch(bell.as_raw_fd(), 7).unwrap();
        let now = Some(Duration::ZERO);
        assert_eq!(poller.wait(now).count(), 0);
        bell.ring();
        bell.ring();
        assert_eq!(poller.wait(now).collect::<Vec<_>>(), [7]);
        assert_eq!(poller.wait(now).collect::<Vec<_>>(), [7]);
        bell.clear();
        assert_eq!(poller.wait(now).count(), 0);
    }

    #[test]
    fn both_resolutions_report_the_same() {
        let (mut poller, bell) = (Poller::new().unwrap(), EventFd::new().unwrap());
        poller.watch(bell.as_raw_fd(), 3).unwrap();
        bell.ring();
        poller.fine = false;
        assert_eq!(poller.wait(Some(Duration::from_micros(1))).collect::<Vec<_>>(), [3]);
    }
}

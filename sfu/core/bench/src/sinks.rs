//! Sockets that take datagrams and that nobody reads.

use std::io;
use std::net::{SocketAddr, UdpSocket};

/// Destinations on loopback whose receive queues are full: the kernel throws away what comes, at its least cost.
pub(crate) struct Sinks {
    sockets: Vec<UdpSocket>,
}

impl Sinks {
    pub(crate) fn new(count: usize) -> io::Result<Sinks> {
        let sockets: Vec<_> =
            (0..count).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
        let filler = UdpSocket::bind("127.0.0.1:0")?;
        for sink in &sockets {
            // The default queue holds some hundred of these; more are thrown away already now.
            for _ in 0..400 {
                filler.send_to(&[0; 1_400], sink.local_addr()?)?;
            }
        }
        Ok(Sinks { sockets })
    }

    pub(crate) fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(UdpSocket::local_addr).collect()
    }
}

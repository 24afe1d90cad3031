//! HTTP by hand: a client that sends what no client library would, byte for byte, and reads one answer after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::harness::Reply;

/// A connection to a server.
pub struct Wire(BufReader<TcpStream>);

impl Wire {
    /// Connects.
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server takes connections");
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Sends bytes. That the server does not read them all is no error: it may have answered already.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Reads an answer; `None` if the server has closed the connection instead. `to_head` if it has no body whatever its
    /// headers say.
    pub fn answer(&mut self, to_head: bool) -> Option<Reply> {
        let (mut reply, body) = self.read(to_head)?;
        reply.text = String::from_utf8_lossy(&body).into_owned();
        Some(reply)
    }

    /// Reads an answer whose body is not text.
    pub fn answer_of_bytes(&mut self) -> Option<(Reply, Vec<u8>)> {
        self.read(false)
    }

    fn read(&mut self, to_head: bool) -> Option<(Reply, Vec<u8>)> {
        let line = self.line()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header has a colon");
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let reply = Reply {
            status,
            headers,
            text: String::new(),
        };
        let bodiless = to_head || matches!(status, 100..=199 | 204 | 304);
        let mut body = Vec::new();
        if bodiless {
        } else if reply.header("transfer-encoding") == Some("chunked") {
            while let size @ 1.. = usize::from_str_radix(&self.line()?, 16).expect("a chunk has a size") {
                body.extend(self.exactly(size)?);
                self.line()?;
            }
            self.line()?;
        } else if let Some(length) = reply.header("content-length") {
            body = self.exactly(length.parse().unwrap())?;
        }
        if status == 100 {
            return self.read(to_head);
        }
        Some((reply, body))
    }

    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).ok()?;
        line.strip_suffix(b"\r\n")
            .map(|line| String::from_utf8_lossy(line).into_owned())
    }

    fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// A request as bytes, with `Host` and, where there is a body, `Content-Length`.
pub fn request(method: &str, target: &str, headers: &[(&str, &[u8])], body: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: ward.test\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    if let Some(body) = body {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

//! HTTP server for this machine only: one response for each connection.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Cancel;

/// Longest head of a request, in bytes.
const LONGEST_HEAD: usize = 32 << 10;
/// Most connections that are served at once; others wait.
const MOST_CONNECTIONS: usize = 64;
/// Time after which a client that sends no request is disconnected.
const PATIENCE: Duration = Duration::from_secs(10);

/// Request of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path with its query, as sent.
    pub target: String,
    /// Values of its `Accept` headers, joined by commas.
    pub accept: String,
}

/// Response to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// `200`.
    pub status: u16,
    /// Names and values, without `Content-Length` and `Connection`.
    pub headers: Vec<(&'static str, String)>,
    /// Content.
    pub body: Body,
}

/// Content of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// Content of a file.
    File(PathBuf),
}

impl Response {
    /// Creates a response with a line of text.
    pub fn text(status: u16, text: &str) -> Self {
        Self { status, headers: Vec::new(), body: Body::Bytes(text.as_bytes().to_vec()) }
            .with("Content-Type", "text/plain; charset=utf-8".to_owned())
    }

    /// Creates a response with the content of a file.
    pub fn file(path: PathBuf, content_type: String) -> Self {
        Self { status: 200, headers: Vec::new(), body: Body::File(path) }
            .with("Content-Type", content_type)
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        // A line break would end the header.
        if !value.contains(['\r', '\n']) {
            self.headers.push((name, value));
        }
        self
    }
}

/// Port that only this machine can reach.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `port` of 127.0.0.1; a free port if it is 0.
    ///
    /// # Errors
    /// Returns an error if the port is in use.
    pub fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `cancel` is set. An error on one connection ends that connection only.
    pub fn serve(&self, cancel: &Cancel, respond: &(dyn Fn(&Request) -> Response + Sync)) {
        let open = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            // Wakes the thread that waits for clients.
            scope.spawn(|| {
                while !cancel.is_cancelled() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                let _ = TcpStream::connect(self.address);
            });
            for stream in self.listener.incoming() {
                if cancel.is_cancelled() {
                    return;
                }
                let Ok(stream) = stream else { continue };
                while open.load(Ordering::Acquire) >= MOST_CONNECTIONS {
                    std::thread::sleep(Duration::from_millis(5));
                }
                open.fetch_add(1, Ordering::AcqRel);
                let open = &open;
                scope.spawn(move || {
                    let _ = answer(&stream, respond);
                    open.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
    }
}

fn answer(
    mut stream: &TcpStream,
    respond: &(dyn Fn(&Request) -> Response + Sync),
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (request, response) = match head(stream)?.as_deref().and_then(parse) {
        Some(request) => {
            let response = respond(&request);
            (Some(request), response)
        }
        None => (None, Response::text(400, "this is not a request\n")),
    };
    let (mut content, size): (Box<dyn Read>, u64) = match response.body {
        Body::Bytes(bytes) => {
            let size = bytes.len() as u64;
            (Box::new(io::Cursor::new(bytes)), size)
        }
        Body::File(path) => {
            let file = super::fs::open(&path)?;
            let size = file.metadata()?.len();
            (Box::new(file.take(size)), size)
        }
    };
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "Content-Length: {size}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    if request.is_none_or(|request| request.method != "HEAD") {
        io::copy(&mut content, &mut stream)?;
    }
    stream.flush()
}

/// Reads the head of a request, up to the empty line. Returns `None` if it is too long or ends
/// early.
fn head(mut stream: &TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut part = [0; 2048];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let n = stream.read(&mut part)?;
        if n == 0 || head.len() + n > LONGEST_HEAD {
            return Ok(None);
        }
        head.extend_from_slice(&part[..n]);
    }
    Ok(String::from_utf8(head).ok())
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    if !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    let accept = headers.filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
    let accept: Vec<&str> = accept.map(|(_, value)| value.trim()).collect();
    Some(Request { method, target, accept: accept.join(",") })
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        _ => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_its_answer() {
        let check = |sent: &str, starts: &str, ends: &str| {
            let listener = Listener::bind(0).unwrap();
            let (cancel, address) = (Cancel::default(), listener.address());
            let respond = |request: &Request| {
                Response::text(200, &format!("{} {}", request.target, request.accept))
            };
            std::thread::scope(|scope| {
                scope.spawn(|| listener.serve(&cancel, &respond));
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(sent.as_bytes()).unwrap();
                let mut text = String::new();
                stream.read_to_string(&mut text).unwrap();
                cancel.cancel();
                assert!(text.starts_with(starts) && text.ends_with(ends), "{text}");
            });
        };
        check(
            "GET /a HTTP/1.1\r\naccept: x\r\nAccept: y\r\n\r\n",
            "HTTP/1.1 200 OK",
            "\r\n\r\n/a x,y",
        );
        check("HEAD /a HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK", "\r\n\r\n");
        check("nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request", "\n");
    }
}

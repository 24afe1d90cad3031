//! A bucket in the test's own process: as much of S3 as a store of files needs, spoken over plain HTTP. It checks that every
//! request is signed by the key it knows, and can be told to fail.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The bucket's name.
pub const NAME: &str = "ward";
/// Who may ask.
pub const KEY: &str = "AKIAWARD";

#[derive(Default)]
struct State {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Parts of uploads that have not ended, by upload and number.
    parts: Mutex<BTreeMap<(String, usize), Vec<u8>>>,
    uploads: AtomicUsize,
    fails: AtomicBool,
}

/// The bucket.
pub struct Bucket {
    /// Its address, for `files_s3_endpoint`.
    pub endpoint: String,
    state: Arc<State>,
}

struct Request {
    method: String,
    /// Percent-decoded, without the bucket.
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

impl Bucket {
    /// Opens one on a free port.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { endpoint, state }
    }

    /// What lies in it, by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.state.objects.lock().unwrap().clone()
    }

    /// Parts of uploads that have not ended.
    pub fn parts(&self) -> usize {
        self.state.parts.lock().unwrap().len()
    }

    /// From now on it answers nothing but 500, or answers again.
    pub fn fail(&self, fails: bool) {
        self.state.fails.store(fails, Ordering::SeqCst);
    }
}

fn serve(stream: TcpStream, state: &State) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let answer = if state.fails.load(Ordering::SeqCst) {
            answer(500, "<Error><Code>InternalError</Code></Error>")
        } else if !signed(&request) {
            answer(403, "<Error><Code>AccessDenied</Code></Error>")
        } else {
            act(&request, state)
        };
        if write(reader.get_mut(), &request.method, &answer).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes());
    Some(Request {
        method,
        key: key(path),
        query: query.map(|(n, v)| (n.into_owned(), v.into_owned())).collect(),
        headers,
        body,
    })
}

/// The key in a path, which begins with the bucket's name. Keys of ours hold nothing that is encoded but the slash.
fn key(path: &str) -> String {
    let path = path.replace("%2F", "/");
    let path = path.trim_start_matches('/');
    path.strip_prefix(NAME)
        .expect("it is our bucket")
        .trim_start_matches('/')
        .to_owned()
}

fn signed(request: &Request) -> bool {
    let expected = format!("AWS4-HMAC-SHA256 Credential={KEY}/");
    request
        .headers
        .get("authorization")
        .is_some_and(|value| value.starts_with(&expected) && value.contains("/eu-ward-1/s3/aws4_request"))
}

fn act(request: &Request, state: &State) -> Answer {
    let mut objects = state.objects.lock().unwrap();
    let mut parts = state.parts.lock().unwrap();
    let asked = |name: &str| request.query.get(name).cloned();
    match (request.method.as_str(), asked("uploadId")) {
        ("POST", None) if request.query.contains_key("uploads") => {
            let id = state.uploads.fetch_add(1, Ordering::SeqCst);
            let (bucket, key) = (NAME, &request.key);
            answer(
                200,
                format!(
                    "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>u{id}</UploadId></InitiateMultipartUploadResult>"
                ),
            )
        }
        ("PUT", Some(upload)) => {
            let number: usize = asked("partNumber").unwrap().parse().unwrap();
            parts.insert((upload, number), request.body.clone());
            Answer {
                headers: vec![("ETag", format!("\"p{number}\""))],
                ..answer(200, "")
            }
        }
        ("POST", Some(upload)) => {
            let of_it = |(of, _): &(String, usize)| *of == upload;
            let whole: Vec<u8> = parts
                .iter()
                .filter(|(of, _)| of_it(of))
                .flat_map(|(_, part)| part.clone())
                .collect();
            let all_but_last = parts
                .iter()
                .filter(|(of, _)| of_it(of))
                .map(|(_, part)| part.len())
                .rev()
                .skip(1);
            assert!(
                all_but_last.clone().all(|length| length >= 5 << 20),
                "S3 takes no part below 5 MiB but the last"
            );
            parts.retain(|of, _| !of_it(of));
            objects.insert(request.key.clone(), whole);
            answer(
                200,
                "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>",
            )
        }
        ("DELETE", Some(upload)) => {
            parts.retain(|(of, _), _| *of != upload);
            answer(204, "")
        }
        ("PUT", None) => {
            let body = match request.headers.get("x-amz-copy-source") {
                Some(from) => match objects.get(&key(from)) {
                    Some(found) => found.clone(),
                    None => return answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
                },
                None => request.body.clone(),
            };
            objects.insert(request.key.clone(), body);
            Answer {
                headers: vec![("ETag", "\"e\"".to_owned())],
                ..answer(
                    200,
                    "<CopyObjectResult><ETag>\"e\"</ETag><LastModified>2026-03-02T00:00:00.000Z</LastModified></CopyObjectResult>",
                )
            }
        }
        ("DELETE", None) => {
            objects.remove(&request.key);
            answer(204, "")
        }
        ("GET", None) if request.query.contains_key("list-type") => {
            listed(&objects, &asked("prefix").unwrap_or_default())
        }
        ("GET" | "HEAD", None) => match objects.get(&request.key) {
            Some(found) => found_part(found, request.headers.get("range")),
            None => answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
        },
        (method, _) => panic!("the bucket knows no {method} {}", request.key),
    }
}

fn listed(objects: &BTreeMap<String, Vec<u8>>, prefix: &str) -> Answer {
    let entry = |(key, body): (&String, &Vec<u8>)| {
        let size = body.len();
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-03-02T00:00:00.000Z</LastModified><ETag>\"e\"</ETag><Size>{size}</Size></Contents>"
        )
    };
    let entries: String = objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(entry)
        .collect();
    answer(
        200,
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"),
    )
}

fn found_part(found: &[u8], range: Option<&String>) -> Answer {
    let mut headers = vec![
        ("ETag", "\"e\"".to_owned()),
        ("Last-Modified", "Mon, 02 Mar 2026 00:00:00 GMT".to_owned()),
    ];
    let Some(range) = range else {
        return Answer {
            headers,
            ..answer(200, found)
        };
    };
    let (first, last) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let last = last.min(found.len() - 1);
    headers.push(("Content-Range", format!("bytes {first}-{last}/{}", found.len())));
    Answer {
        headers,
        ..answer(206, &found[first..=last])
    }
}

fn write(stream: &mut TcpStream, method: &str, answer: &Answer) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} x\r\nContent-Length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    stream.flush()
}

use std::net::SocketAddr;

use axum::Extension;
use axum::body::Bytes;
use axum::routing::{get, post};
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::DropGuard;

use super::*;

const PATIENCE: Duration = Duration::from_secs(120);
const SHORT: Duration = Duration::from_millis(200);

const ROOMY: Limits = Limits { connections: 100, spare: 4, next_request: PATIENCE, stalled_client: PATIENCE };

struct Server {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shutdown) = (listener.local_addr().unwrap(), CancellationToken::new());
        let task = tokio::spawn(serve(listener, router, BasePath::default(), limits, shutdown.clone()));
        Self { address, shutdown, task }
    }

    async fn connect(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

fn ask(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Everything that arrives until the server closes the connection, in any way.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the connection is closed");
    String::from_utf8(bytes).unwrap()
}

/// Everything that arrives up to and including `end`.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let byte = timeout(PATIENCE, stream.read_u8()).await.expect("the answer comes");
        bytes
            .push(byte.unwrap_or_else(|error| panic!("{error} after {:?}", String::from_utf8_lossy(&bytes))));
    }
    String::from_utf8(bytes).unwrap()
}

/// A pending answer: the test ends it by dropping the sender that it receives.
fn held() -> (Router, mpsc::Receiver<mpsc::Sender<()>>) {
    let (sender, receiver) = mpsc::channel(10);
    let hold = move |spare: Option<Extension<Spare>>| async move {
        if spare.is_some() {
            return "spare";
        }
        let (end, mut ended) = mpsc::channel(1);
        sender.send(end).await.unwrap();
        let _ = ended.recv().await;
        "held"
    };
    (Router::new().route("/", get(|| async { "done" })).route("/hold", get(hold)), receiver)
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_the_time_limit() {
    let server = Server::start(held().0, Limits { next_request: SHORT, ..ROOMY }).await;
    for text in ["", "GET / HTTP/1.1\r\nhost: localh"] {
        assert_eq!(rest(&mut server.connect(text).await).await, "", "{text}");
    }
    assert!(rest(&mut server.connect(&ask("/")).await).await.ends_with("done"));
    // Bytes that arrive one by one do not extend the time limit.
    let (mut reader, mut writer) = server.connect("GET / HTTP/1.1\r\nx: ").await.into_split();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    };
    let closed = async { reader.read_to_end(&mut Vec::new()).await };
    let _ = timeout(PATIENCE, async { tokio::join!(drip, closed) }).await.expect("the connection is closed");
}

#[tokio::test]
async fn slow_transfers_with_progress_continue() {
    let slow = || async {
        let parts = stream::iter(0..6).then(|part| async move {
            sleep(SHORT / 2).await;
            Ok::<_, Infallible>(format!("part {part};"))
        });
        Body::from_stream(parts)
    };
    let length = |body: Bytes| async move { body.len().to_string() };
    let router = Router::new().route("/slow", get(slow)).route("/length", post(length));
    let limits = Limits { next_request: SHORT, stalled_client: SHORT, ..ROOMY };
    let server = Server::start(router, limits).await;
    assert!(rest(&mut server.connect(&ask("/slow")).await).await.contains("part 5;"));
    let mut upload =
        server.connect("POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 6\r\n\r\n").await;
    for _ in 0..6 {
        sleep(SHORT / 2).await;
        upload.write_all(b"x").await.unwrap();
    }
    assert!(rest(&mut upload).await.ends_with("\r\n\r\n6"));
}

#[tokio::test]
async fn an_unread_answer_is_aborted() {
    let (sender, mut receiver) = mpsc::channel::<CancellationToken>(1);
    let endless = move || async move {
        let ended = CancellationToken::new();
        sender.send(ended.clone()).await.unwrap();
        let guard: DropGuard = ended.drop_guard();
        Body::from_stream(stream::repeat_with(move || {
            let _until_the_answer_ends = &guard;
            Ok::<_, Infallible>(vec![0; 64 * 1024])
        }))
    };
    let limits = Limits { stalled_client: SHORT, ..ROOMY };
    let server = Server::start(Router::new().route("/", get(endless)), limits).await;
    let _unread = server.connect(&ask("/")).await;
    let ended = receiver.recv().await.unwrap();
    timeout(PATIENCE, ended.cancelled()).await.expect("the answer ends");
}

#[tokio::test]
async fn the_longest_idle_connection_is_evicted_and_busy_ones_are_not() {
    let (router, mut requests) = held();
    let server = Server::start(router, Limits { connections: 2, spare: 1, ..ROOMY }).await;
    let mut first = server.connect(&ask("/")).await;
    until(&mut first, "done").await;
    let mut second = server.connect(&ask("/")).await;
    until(&mut second, "done").await;
    // The first has sent another request meanwhile, so the second has been idle longest.
    first.write_all(ask("/").as_bytes()).await.unwrap();
    until(&mut first, "done").await;
    let mut third = server.connect(&ask("/hold")).await;
    let held = requests.recv().await.unwrap();
    assert_eq!(rest(&mut second).await, "");
    first.write_all(ask("/hold").as_bytes()).await.unwrap();
    let also_held = requests.recv().await.unwrap();

    // Both are busy: any further connection is answered on the spare place and then closed.
    for _ in 0..3 {
        let answer = rest(&mut server.connect(&ask("/hold")).await).await;
        assert!(answer.ends_with("spare") && answer.contains("connection: close"), "{answer}");
    }
    // Nor can the spare place be held.
    let mut silent = server.connect("").await;
    assert!(rest(&mut server.connect(&ask("/hold")).await).await.ends_with("spare"));
    assert_eq!(rest(&mut silent).await, "");

    drop((held, also_held));
    until(&mut first, "held").await;
    until(&mut third, "held").await;
    let mut fourth = server.connect(&ask("/")).await;
    until(&mut fourth, "done").await;
}

#[tokio::test]
async fn pending_requests_are_answered_before_shutdown() {
    let (router, mut requests) = held();
    let server = Server::start(router, ROOMY).await;
    let mut silent = server.connect("").await;
    let mut kept = server.connect(&ask("/")).await;
    until(&mut kept, "done").await;
    let mut working = server.connect(&ask("/hold")).await;
    let held = requests.recv().await.unwrap();
    server.shutdown.cancel();
    assert_eq!(rest(&mut silent).await, "");
    assert_eq!(rest(&mut kept).await, "");
    assert!(!server.task.is_finished());
    drop(held);
    assert!(rest(&mut working).await.ends_with("held"));
    timeout(PATIENCE, server.task).await.expect("the server ends").unwrap();
}

//! Proxies and certificates for connections to servers, data and the database.

mod support;
#[path = "support/tls.rs"]
mod tls;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use support::postgres::Postgres;
use support::{OPTLAB, Server, small_experiment};
use tempfile::TempDir;
use tls::Authority;

/// Sets every variable that could name a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// A proxy that records its requests.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects every client to `behind`, whatever host it names, or rejects all clients.
    fn start(behind: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (heard, behind) = (heard.clone(), behind.clone());
                thread::spawn(move || serve(client, &heard, behind.as_deref()));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// The command with this proxy in every variable.
    fn for_all<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(PROXIES.map(|name| (name, &self.address)))
    }
}

fn serve(mut client: TcpStream, asked: &Mutex<Vec<String>>, behind: Option<&str>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match client.read(&mut byte) {
            Ok(1) => head.extend(byte),
            _ => return,
        }
    }
    asked.lock().unwrap().push(String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned());
    let Some(behind) = behind else {
        let _ = client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        return;
    };
    let server = TcpStream::connect(behind).unwrap();
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    let _ = std::io::copy(&mut &server, &mut client);
}

fn optlab(folder: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(OPTLAB);
    command.args(args).current_dir(folder.path());
    for name in PROXIES.into_iter().chain(["NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"]) {
        command.env_remove(name);
    }
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    said(&output)
}

#[track_caller]
fn fails(command: &mut Command, says: &str) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(says), "`{says}` is missing: {}", said(&output));
}

#[test]
fn a_server_on_this_machine_is_never_reached_through_a_proxy() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    server.submit(&small_experiment(1, &[0]));
    let proxy = Proxy::start(None);
    let port = server.address.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("http://{host}:{port}");
        let listed = succeeds(proxy.for_all(&mut optlab(&folder, &["experiments", "--server", &address])));
        assert!(listed.contains("small"), "{listed}");
    }
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn a_remote_server_is_reached_through_the_proxy_and_errors_name_it() {
    let folder = TempDir::new().unwrap();
    let proxy = Proxy::start(None);
    let elsewhere = ["experiments", "--server", "http://optlab.example:8080"];
    let named = format!("(through the proxy {} in HTTP_PROXY; NO_PROXY lists", proxy.address);
    fails(optlab(&folder, &elsewhere).env("HTTP_PROXY", &proxy.address), &named);
    assert!(proxy.asked()[0].contains("optlab.example:8080"), "{:?}", proxy.asked());
    let with_password = proxy.address.replace("http://", "http://me:hunter2@");
    let output = optlab(&folder, &elsewhere).env("HTTP_PROXY", with_password).output().unwrap();
    assert!(said(&output).contains(&named) && !said(&output).contains("hunter2"), "{}", said(&output));

    // The variable for the other scheme has no effect, and neither has any for these hosts.
    let before = proxy.asked().len();
    fails(
        optlab(&folder, &elsewhere).env("HTTPS_PROXY", &proxy.address),
        "no answer from http://optlab.example:8080",
    );
    let without = ("NO_PROXY", "198.51.0.0/16,.example");
    fails(
        proxy.for_all(&mut optlab(&folder, &elsewhere)).envs([without]),
        "no answer from http://optlab.example",
    );
    assert_eq!(proxy.asked().len(), before);

    let wrong = optlab(&folder, &elsewhere).env("HTTP_PROXY", "http://a b").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    assert!(said(&wrong).contains("HTTP_PROXY is not a valid proxy"), "{}", said(&wrong));
}

#[test]
fn servers_and_data_with_a_private_certificate_can_be_reached() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    server.submit(&small_experiment(1, &[0]));
    let authority = Authority::new();
    let address = authority.in_front_of(&server.address);
    let list = ["experiments", "--server", &address];
    fails(&mut optlab(&folder, &list), "SSL_CERT_FILE");
    let trusting = |args: &[&str]| {
        let mut command = optlab(&folder, args);
        command.env("SSL_CERT_FILE", authority.certificate());
        command
    };
    assert!(succeeds(&mut trusting(&list)).contains("small"));
    // The name must match, too.
    let by_address = address.replace("localhost", "127.0.0.1");
    fails(&mut trusting(&["experiments", "--server", &by_address]), "certificate");

    // Also through a proxy, which cannot read https.
    let behind = address.replace("https://localhost", "127.0.0.1");
    let proxy = Proxy::start(Some(behind));
    let mut through = trusting(&["experiments", "--server", "https://far.example"]);
    fails(proxy.for_all(&mut through), "certificate");
    assert_eq!(proxy.asked(), ["CONNECT far.example:443 HTTP/1.1"]);

    // A data mirror follows the same rules. This mirror has no data, and the proxy blocks the official addresses.
    let proxy = Proxy::start(None);
    let fetched = |command: &mut Command| {
        let cache = folder.path().join("cache");
        let command = command.env("OPTLAB_DATA_MIRROR", &address).env("XDG_CACHE_HOME", cache);
        let output = proxy.for_all(command).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said = said(&output);
        let of_mirror = said.find(&address).unwrap_or_else(|| panic!("{said}"));
        let reasons = said[of_mirror..].split("; http").next().unwrap().to_owned();
        assert!(said.contains("(through the proxy http://127.0.0.1:"), "{said}");
        reasons
    };
    let distrusted = fetched(&mut optlab(&folder, &["data", "fetch", "mnist"]));
    assert!(distrusted.contains("certificate") && !distrusted.contains("status: 404"), "{distrusted}");
    let trusted = fetched(&mut trusting(&["data", "fetch", "mnist"]));
    assert!(trusted.contains("status: 404"), "{trusted}");
}

#[test]
fn a_self_signed_ca_certificate_is_explained() {
    let folder = TempDir::new().unwrap();
    let server = Server::start_with(&folder, &["--workers", "0"]);
    let own = Authority::self_signed();
    let address = own.in_front_of(&server.address);
    let mut command = optlab(&folder, &["experiments", "--server", &address]);
    command.env("SSL_CERT_FILE", own.certificate());
    fails(&mut command, "openssl req -x509 -addext basicConstraints=critical,CA:FALSE");
}

#[test]
fn an_answer_of_another_program_is_identified() {
    let folder = TempDir::new().unwrap();
    for (status, says) in [
        (
            "413 Payload Too Large",
            "answered 413 Payload Too Large with text/html (gate/1.0), which is not an answer of optlab: a proxy",
        ),
        (
            "404 Not Found",
            "answered 404 Not Found with text/html (gate/1.0), which is not an answer of optlab: a proxy",
        ),
        ("200 OK", "answered 200 OK with text/html (gate/1.0), which is not an answer of optlab: a proxy"),
    ] {
        let page = "<html><h1>Sign in to the network</h1></html>";
        let answer = format!(
            "HTTP/1.1 {status}\r\nserver: gate/1.0\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
            page.len()
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                let _ = client.write_all(answer.as_bytes());
            }
        });
        fails(&mut optlab(&folder, &["experiments", "--server", &address]), says);
    }
}

#[test]
fn sslmode_in_the_url_is_followed() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new();
    let (_postgres, url) = Postgres::with_tls(|place| authority.serve_from(place));
    let root = authority.certificate();
    let named = format!("&sslrootcert={}", root.display());
    let migrate = |parameters: &str| {
        let url = format!("{url}?{parameters}");
        optlab(&folder, &["migrate", "--database-url", &url])
    };
    succeeds(&mut migrate(""));
    succeeds(&mut migrate("sslmode=require"));
    for mode in ["require", "verify-ca", "verify-full"] {
        succeeds(&mut migrate(&format!("sslmode={mode}{named}")));
    }
    succeeds(migrate("sslmode=verify-full").env("SSL_CERT_FILE", &root));
    succeeds(migrate("sslmode=require&sslrootcert=system").env("SSL_CERT_FILE", &root));
    // The authority is not trusted.
    fails(&mut migrate("sslmode=verify-full"), "sslrootcert=FILE in the URL, or SSL_CERT_FILE");
    fails(&mut migrate("sslmode=verify-ca"), "certificate");
    let other = Authority::new();
    fails(
        &mut migrate(&format!("sslmode=require&sslrootcert={}", other.certificate().display())),
        "certificate",
    );
    fails(&mut migrate("sslmode=disable"), "no encryption");
    // The certificate is for another name, which only `verify-full` rejects.
    let by_address = |mode: &str| {
        let url = url.replace("localhost", "127.0.0.1");
        optlab(&folder, &["migrate", "--database-url", &format!("{url}?sslmode={mode}{named}")])
    };
    succeeds(&mut by_address("verify-ca"));
    fails(&mut by_address("verify-full"), "certificate");

    // A server works and wakes its slots over this connection.
    let url = format!("{url}?sslmode=verify-full{named}");
    let server = Server::without_slots(&url, &folder);
    assert!(Path::new(&root).exists());
    let id = server.submit(&small_experiment(1, &[0]));
    let mut worker = support::processes::Worker::start_with(&url, &["--exit-when-idle", "1"]);
    server.wait_for_success(id);
    assert!(worker.ends_well());
}

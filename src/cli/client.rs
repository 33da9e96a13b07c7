//! The REST interface, as the client commands use it.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use optlab_api_types::{DryRun, Job, List, ProblemDetails, Submitted};
use optlab_domain::{ExperimentId, Provenance};
use optlab_net::Network;
use optlab_spec::submission::is_json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::SendBody;
use ureq::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use ureq::middleware::MiddlewareNext;

use super::Failure;
use super::client_error::ClientError;
use super::provenance::in_header;
use crate::clock::{Clock, SystemClock};

/// Maximum size of a JSON answer, in bytes. The answer to a query may have 8 MB.
const LARGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// The server of a client command.
#[derive(Args, Clone)]
pub(super) struct ServerArgs {
    /// Address of the server, for client commands
    #[arg(long, env = "OPTLAB_SERVER", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    server: String,
    #[arg(skip = Surroundings::from_env())]
    surroundings: Surroundings,
}

impl ServerArgs {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        Client::new(&self.server, self.surroundings.clone())
    }

    /// The text without the token of the environment.
    pub(super) fn hide_token(&self, text: &str) -> String {
        match self.surroundings.token.as_ref().map(|token| token.to_string_lossy()) {
            Some(token) if !token.trim().is_empty() => text.replace(token.trim(), "..."),
            _ => text.to_owned(),
        }
    }
}

/// Settings that a client takes only from the environment. The token has no flag, because the arguments of a process
/// are not secret.
#[derive(Clone)]
pub(super) struct Surroundings {
    /// `OPTLAB_TOKEN`.
    token: Option<OsString>,
    network: Network,
}

impl Surroundings {
    /// Reads the environment of the process.
    pub(super) fn from_env() -> Self {
        let token = env::var_os("OPTLAB_TOKEN").filter(|token| !token.is_empty());
        Self { token, network: Network::from_env() }
    }

    /// The header with the token.
    fn authorization(&self) -> Result<Option<HeaderValue>, Failure> {
        let Some(token) = &self.token else { return Ok(None) };
        let token = token.to_str().unwrap_or_default().trim();
        if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
            return Err(Failure::Usage(
                "OPTLAB_TOKEN is not a token: it is blank or has characters that no token has. Copy the line that \
                 `optlab token create` printed"
                    .to_owned(),
            ));
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// A client of one server.
#[derive(Clone)]
pub(super) struct Client {
    server: String,
    network: Network,
    agent: ureq::Agent,
}

impl Client {
    /// A client with the token of the environment, if there is one.
    ///
    /// # Errors
    /// If `server` is not a URL, its proxy cannot be used, or the token cannot be sent.
    pub(super) fn new(server: &str, surroundings: Surroundings) -> Result<Self, Failure> {
        let authorization = surroundings.authorization()?;
        let network = surroundings.network;
        let server = base_url(server)?;
        let agent = network
            .agent(&server)?
            .middleware(move |mut request: Request<SendBody>, next: MiddlewareNext| {
                if let Some(value) = &authorization {
                    request.headers_mut().insert(header::AUTHORIZATION, value.clone());
                }
                next.handle(request)
            })
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Ok(Self { server, network, agent: agent.into() })
    }

    /// Address of an experiment's page.
    pub(super) fn page(&self, experiment: ExperimentId) -> String {
        format!("{}/experiments/{experiment}", self.server)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/v1{path}", self.server)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.ask(path, &[])
    }

    /// The answer of `path` to these parameters.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let url = self.url(path);
        self.read(self.agent.get(&url).query_pairs(parameters.iter().copied()).call())
    }

    /// Every job that matches the `filters`, in pages of the maximum size.
    pub(super) fn jobs(&self, filters: &[(&str, &str)]) -> Result<Vec<Job>, ClientError> {
        self.first("/jobs", filters, usize::MAX)
    }

    /// Every item of a list that matches the `filters`.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, &str)],
    ) -> Result<Vec<T>, ClientError> {
        self.pages(path, filters, usize::MAX)
    }

    /// The first `most` items of a list that match the `filters`, in pages of the maximum size.
    pub(super) fn first<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        most: usize,
    ) -> Result<Vec<T>, ClientError> {
        let page = most.clamp(1, 1000).to_string();
        let mut items = self.pages(path, &[filters, &[("limit", &page)]].concat(), most)?;
        items.truncate(most);
        Ok(items)
    }

    /// The items of the pages of a list, until there are at least `enough`.
    fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        filters: &[(&str, &str)],
        enough: usize,
    ) -> Result<Vec<T>, ClientError> {
        let url = self.url(path);
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let request = self.agent.get(&url).query_pairs(filters.iter().copied());
            let List { items, next_cursor } = self.read(request.query_pairs(cursor).call())?;
            all.extend(items);
            match next_cursor.filter(|_| all.len() < enough) {
                Some(next) => cursor = Some(("cursor", next)),
                None => return Ok(all),
            }
        }
    }

    /// An answer that is text of any length, and may take any time.
    pub(super) fn text(&self, path: &str) -> Result<impl Read + use<>, ClientError> {
        let url = self.url(path);
        let request = self.agent.get(&url).config().timeout_global(None).build();
        Ok(self.check(request.call())?.into_body().into_reader())
    }

    /// A file of any length, with its name from the server.
    pub(super) fn download(&self, path: &str) -> Result<(String, impl Read + use<>), ClientError> {
        let url = self.url(path);
        let request = self.agent.get(&url).config().timeout_global(None).build();
        let answer = self.check(request.call())?;
        let name = file_name(answer.headers()).unwrap_or_else(|| "export".to_owned());
        Ok((name, answer.into_body().into_reader()))
    }

    /// Sends a file of any length, once the server is ready to receive it.
    pub(super) fn upload<T: DeserializeOwned>(&self, path: &str, file: File) -> Result<T, ClientError> {
        let url = self.url(path);
        let request = self.agent.post(&url).config().timeout_global(None).build();
        self.read(request.header(header::EXPECT, "100-continue").send(file))
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.url(path);
        self.read(self.agent.post(&url).send_json(body))
    }

    /// Requests an action whose answer has no body.
    pub(super) fn act(&self, path: &str) -> Result<(), ClientError> {
        let url = self.url(path);
        self.check(self.agent.post(&url).send_empty()).map(drop)
    }

    pub(super) fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let url = self.url(path);
        self.read(self.agent.patch(&url).send_json(body))
    }

    /// Deletes what is at `path`.
    pub(super) fn delete(&self, path: &str, parameters: &[(&str, &str)]) -> Result<(), ClientError> {
        let url = self.url(path);
        self.check(self.agent.delete(&url).query_pairs(parameters.iter().copied()).call()).map(drop)
    }

    /// Resolves a spec, TOML or JSON, without submitting it.
    pub(super) fn check_spec(&self, spec: &str) -> Result<DryRun, ClientError> {
        self.post_document("/experiments?dry_run=true", spec)
    }

    /// Posts a text, TOML or JSON.
    pub(super) fn post_document<T: DeserializeOwned>(
        &self,
        path: &str,
        text: &str,
    ) -> Result<T, ClientError> {
        let url = self.url(path);
        self.read(self.agent.post(&url).header(header::CONTENT_TYPE, content_type(text)).send(text))
    }

    /// Submits a spec, TOML or JSON, once: if the answer is lost, the request is repeated with the same key.
    pub(super) fn submit(&self, spec: &str, provenance: &Provenance) -> Result<Submitted, ClientError> {
        let key = format!("cli-{}-{}", std::process::id(), SystemClock.now_ms());
        let url = self.url("/experiments");
        let send = || {
            let mut request = self.agent.post(&url).header(header::CONTENT_TYPE, content_type(spec));
            if !provenance.is_empty() {
                request = request.header("optlab-provenance", in_header(provenance));
            }
            self.read(request.header("idempotency-key", &key).send(spec))
        };
        match send() {
            Err(ClientError::Unreachable(_)) => send(),
            result => result,
        }
    }

    fn read<T: DeserializeOwned>(
        &self,
        answer: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, ClientError> {
        let mut answer = self.check(answer)?;
        let foreign_answer = self.foreign_answer(&answer);
        let is_json = answer.body().mime_type() == Some("application/json");
        let body = answer.body_mut().with_config().limit(LARGEST_ANSWER);
        body.read_json().map_err(|error| match error {
            ureq::Error::Json(error) if is_json => ClientError::Unreachable(format!(
                "the answer of {} is not one that this optlab expects ({error}); does the server have another version?",
                self.server
            )),
            ureq::Error::Json(_) => foreign_answer,
            ureq::Error::BodyExceedsLimit(_) => {
                ClientError::Unreachable(format!("the answer of {} is too long: {error}", self.server))
            }
            error => self.unreachable(&error),
        })
    }

    /// The answer, if its status is a success.
    fn check(
        &self,
        answer: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Response<ureq::Body>, ClientError> {
        let mut answer = answer.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if matches!(status.as_u16(), 502..=504) {
            // optlab sends a problem document with the reason; a proxy does not.
            let detail = answer.body_mut().read_json().map(|problem: ProblemDetails| problem.detail);
            return Err(detail.map_or_else(|_| self.unreachable(&status), ClientError::Unreachable));
        }
        if status.is_success() {
            return Ok(answer);
        }
        let foreign_answer = self.foreign_answer(&answer);
        let problem: ProblemDetails = answer.body_mut().read_json().map_err(|_| foreign_answer)?;
        let text = match problem.errors.as_slice() {
            [] => problem.detail,
            errors => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "),
        };
        Err(ClientError::Refused(status.as_u16(), text))
    }

    /// The error for a response that cannot be from optlab, but from a proxy or another program.
    fn foreign_answer(&self, answer: &Response<ureq::Body>) -> ClientError {
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let who = header(header::SERVER).map(|server| format!(" ({server})")).unwrap_or_default();
        let what = header(header::CONTENT_TYPE).unwrap_or("no content type");
        let cure = match answer.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                "a proxy on the way rejects requests as long as this one; raise its limit"
            }
            StatusCode::NOT_FOUND => {
                "a proxy on the way, or another program, does not know this address; is its path right?"
            }
            _ => "a proxy on the way, or another program, answers there",
        };
        ClientError::Unreachable(format!(
            "{} answered {} with {what}{who}, which is not an answer of optlab: {cure}",
            self.server,
            answer.status()
        ))
    }

    fn unreachable(&self, error: &dyn std::fmt::Display) -> ClientError {
        let http = match self.server.strip_prefix("https://") {
            Some(address) => format!("; without TLS in front of it, it is http://{address}"),
            None => String::new(),
        };
        let hint = self.network.hint(&self.server, error);
        ClientError::Unreachable(format!(
            "no answer from {}: {error}{hint}. Is `optlab serve` running there{http}? --server or OPTLAB_SERVER names another",
            self.server
        ))
    }
}

fn content_type(spec: &str) -> &'static str {
    if is_json(spec) { "application/json" } else { "application/toml" }
}

/// The name in a `Content-Disposition` header, if it is a plain file name.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let disposition = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let name = disposition.split_once("filename=\"")?.1.strip_suffix('"')?;
    (Path::new(name).file_name()? == name).then(|| name.to_owned())
}

/// The URL of a server, which may be given without the scheme.
fn base_url(given: &str) -> Result<String, Failure> {
    let trimmed = given.trim_end_matches('/');
    let url = if given.contains("://") { trimmed.to_owned() } else { format!("http://{trimmed}") };
    let is_server = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    match is_server {
        true => Ok(url),
        false => Err(Failure::Usage(format!(
            "`{given}` is not the address of a server; --server and OPTLAB_SERVER take one like http://127.0.0.1:8080"
        ))),
    }
}

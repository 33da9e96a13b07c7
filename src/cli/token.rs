//! `optlab token`: manages the tokens for other machines. Opens the database itself, with or without a server.

use anyhow::Context;
use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use optlab_domain::{Scope, TokenId, parse_word};

use super::serve::block_on;
use super::{Failure, output, which};
use crate::config::DatabaseSettings;
use crate::store::{self, Secret, Store, Token};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a token and print it once
    Create {
        /// Name of its owner or purpose
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// Scope: read or write
        #[arg(long, value_parser = parse_word::<Scope>, default_value_t = Scope::Read)]
        scope: Scope,
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// List the tokens, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        database: DatabaseSettings,
    },
    /// Revoke a token; servers reject it within two seconds
    Revoke {
        /// Id of the token, from the list
        #[arg(value_parser = which::id::<TokenId>)]
        id: TokenId,
        #[command(flatten)]
        database: DatabaseSettings,
    },
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (Command::Create { database, .. }
    | Command::List { database, .. }
    | Command::Revoke { database, .. }) = &args.command;
    let url = &database.database_url;
    block_on(async {
        let opened = match args.command {
            // The first token comes before the first server.
            Command::Create { .. } => store::open(url.expose()).await,
            Command::List { .. } | Command::Revoke { .. } => store::join(url.expose()).await,
        };
        let store = opened.with_context(|| format!("cannot open {url}"))?;
        let done = act(&store, &args.command).await;
        store.close().await;
        Ok(done?)
    })?
}

async fn act(store: &Store, command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Create { name, scope, .. } => {
            let secret = Secret::draw().context("the operating system has no random numbers")?;
            let id = store.add_token(name, *scope, &secret).await?;
            // Only the token goes to standard output, so that a script can keep it.
            if let Err(error) = output::line(secret.reveal()) {
                store.revoke_token(id).await?;
                return Err(error.context(format!("token {id} is revoked, because it could not be printed")));
            }
            output::note(format!(
                "Token {id} `{name}` may {scope}. It is not shown again; commands read it from OPTLAB_TOKEN."
            ));
        }
        Command::List { json, .. } => print(&store.tokens().await?, *json)?,
        Command::Revoke { id, .. } => {
            store.revoke_token(*id).await?;
            output::line(format!("Token {id} is revoked; servers reject it within two seconds."))?;
        }
    }
    Ok(())
}

fn print(tokens: &[Token], json: bool) -> anyhow::Result<()> {
    if json {
        let view = |token: &Token| {
            serde_json::json!({
                "id": token.id, "name": token.name, "scope": token.scope,
                "created_at": time(token.created_ms), "revoked_at": token.revoked_ms.map(time),
            })
        };
        return output::json(&tokens.iter().map(view).collect::<serde_json::Value>());
    }
    if tokens.is_empty() {
        output::note("optlab: no tokens; `optlab token create NAME` creates one");
    }
    for Token { id, name, scope, created_ms, revoked_ms } in tokens {
        let revoked = revoked_ms.map(|ms| format!(", revoked {}", time(ms))).unwrap_or_default();
        output::line(format!("{id:>4}  {scope:<5}  {name}  made {}{revoked}", time(*created_ms)))?;
    }
    Ok(())
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|time| format!("{time:.0}")).unwrap_or_default()
}

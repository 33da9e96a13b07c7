//! Tokens.

use optlab::store::Secret;
use optlab_domain::{Scope, TokenId};

use crate::fixture::{Fixture, is_not_found};

pub async fn a_token_is_valid_until_it_is_revoked(fixture: Fixture) {
    let store = &fixture.store;
    let [reader, writer, stranger] = [(); 3].map(|()| Secret::draw().unwrap());
    let first = store.add_token("me", Scope::Read, &reader).await.unwrap();
    fixture.clock.advance(5);
    let second = store.add_token("me", Scope::Write, &writer).await.unwrap();
    assert_eq!(store.scope_of(&reader).await.unwrap(), Some(Scope::Read));
    assert_eq!(store.scope_of(&writer).await.unwrap(), Some(Scope::Write));
    assert_eq!(store.scope_of(&stranger).await.unwrap(), None);

    store.revoke_token(first).await.unwrap();
    assert_eq!(store.scope_of(&reader).await.unwrap(), None);
    assert_eq!(store.scope_of(&writer).await.unwrap(), Some(Scope::Write));
    // Revoking it again does not change the time.
    fixture.clock.advance(5);
    store.revoke_token(first).await.unwrap();
    let tokens = store.tokens().await.unwrap();
    let times: Vec<_> = tokens.iter().map(|token| (token.id, token.created_ms, token.revoked_ms)).collect();
    assert_eq!(times, [(first, 1_000_000, Some(1_000_005)), (second, 1_000_005, None)]);
    is_not_found(store.revoke_token(TokenId::from(99)).await);
}

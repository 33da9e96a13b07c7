//! `/pools`: pools of pilots, and what their jobs wait for.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use optlab_api_types::{List, Pool};
use optlab_domain::time::rfc3339;
use optlab_domain::{Pilot, PilotState};

use super::error::ApiError;
use super::extract::Path;
use super::state::AppState;
use super::workers::SHOWN_FOR_MS;
use crate::store;

/// The pools of pilots that were kept within the last day, by name.
#[utoipa::path(get, path = "/api/v1/pools", tag = "workers", responses((status = 200, body = List<Pool>)))]
pub(super) async fn list(State(state): State<AppState>) -> Result<Json<List<Pool>>, ApiError> {
    let now = state.store.time_ms().await?;
    let pools = state.store.pools(now - SHOWN_FOR_MS).await?;
    Ok(Json(List::whole(pools.into_iter().map(|pool| view(pool, now)).collect())))
}

/// Ends the pause of a pool after failures: the next pilot is requested within seconds.
#[utoipa::path(post, path = "/api/v1/pools/{name}/resume", tag = "workers",
    responses((status = 204)))]
pub(super) async fn resume(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    state.store.resume_pool(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(pool: store::Pool, now_ms: i64) -> Pool {
    Pool {
        paused_until: pool.pause_ms(now_ms).map(|left| rfc3339(now_ms + left)),
        unattended: pool.is_unattended(now_ms),
        last_seen_at: rfc3339(pool.seen_ms),
        name: pool.name,
        engine: pool.engine,
        device: pool.device,
        max_workers: pool.max_workers,
        pilots: pool.pilots.0,
        failures: pool.failures,
        trouble: pool.trouble,
    }
}

/// What a pool waits for before it has more pilots that run; `None` if it waits for nothing.
pub(super) fn waits_for(pool: &store::Pool, now_ms: i64) -> Option<String> {
    let (name, engine) = (&pool.name, pool.engine.title());
    if let Some(trouble) = &pool.trouble {
        let pause = pool.pause_ms(now_ms).map_or(String::new(), |left| {
            format!(
                "; the next is requested in {} s, or at once by `optlab workers resume {name}`",
                (left + 999) / 1000
            )
        });
        return Some(format!("pool {name}: {trouble}{pause}"));
    }
    let pending: Vec<&Pilot> =
        pool.pilots.iter().filter(|pilot| pilot.state == PilotState::Pending).collect();
    let mut reasons: Vec<&str> = pending.iter().filter_map(|pilot| pilot.reason.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    match pending.len() {
        0 if pool.pilots.is_empty() => Some(format!("pool {name} requests a pilot from {engine}")),
        0 if pool.pilots.len() as i64 >= pool.max_workers => {
            Some(format!("pool {name} has all of its {} pilots", pool.max_workers))
        }
        0 => None,
        1 if reasons.is_empty() => Some(format!("1 pilot of pool {name} waits in {engine}")),
        1 => Some(format!("1 pilot of pool {name} waits in {engine} ({})", reasons.join(", "))),
        pilots if reasons.is_empty() => Some(format!("{pilots} pilots of pool {name} wait in {engine}")),
        pilots => Some(format!("{pilots} pilots of pool {name} wait in {engine} ({})", reasons.join(", "))),
    }
}

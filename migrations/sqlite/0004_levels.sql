-- Long curves as charts need them, derived from metric_points: buckets of steps with their lowest and highest points.

-- How far a curve has been condensed. A short curve has no row.
CREATE TABLE condensed_curves (
    job_id       BIGINT NOT NULL,
    series_id    BIGINT NOT NULL,
    width        BIGINT NOT NULL,               -- steps of a bucket of the finest level; a power of two
    condensed_to BIGINT NOT NULL,               -- points at this step and later ones are in no bucket yet
    first_step   BIGINT NOT NULL,               -- of the first point
    first_value  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (job_id, series_id)
) WITHOUT ROWID;

-- 64 neighbouring stretches of a level. Each level has stretches four times as long as the one below it.
CREATE TABLE curve_blocks (
    job_id     BIGINT NOT NULL,
    series_id  BIGINT NOT NULL,
    width      BIGINT NOT NULL,                 -- steps of a bucket of this level
    first_step BIGINT NOT NULL,                 -- where the block begins: a multiple of 64 * width
    buckets    BLOB   NOT NULL,                 -- those that have points; see src/store/curves/block.rs
    PRIMARY KEY (job_id, series_id, width, first_step)
);

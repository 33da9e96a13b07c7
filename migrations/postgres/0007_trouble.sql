-- A worker whose machine fails its jobs rests for a while and says why.

ALTER TABLE workers ADD COLUMN trouble TEXT;   -- why it, or one of its slots, claims nothing now

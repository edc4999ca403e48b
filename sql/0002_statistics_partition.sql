-- Which day an hour of the statistics belongs to, and which hour a call was counted in, are written
-- down rather than computed from UTC's clock face. So a period divides what it counts into whole
-- days, whole hours and single calls without overlap even where rows were moved in time by amounts
-- that are no whole hours (contract §7.3: exact to the second).

ALTER TABLE call_statistics ADD COLUMN day_starts_at DATETIME NULL AFTER starts_at;
UPDATE call_statistics SET day_starts_at = DATE(starts_at);
ALTER TABLE call_statistics
  MODIFY day_starts_at DATETIME NOT NULL,
  DROP PRIMARY KEY,
  ADD PRIMARY KEY (user_id, span, starts_at, day_starts_at);

-- NULL while the call is live.
ALTER TABLE calls ADD COLUMN counted_hour DATETIME NULL AFTER ended_at;
UPDATE calls SET counted_hour = created_at - INTERVAL MINUTE(created_at) MINUTE
    - INTERVAL SECOND(created_at) SECOND - INTERVAL MICROSECOND(created_at) MICROSECOND
  WHERE deadline_at IS NULL;

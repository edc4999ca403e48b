-- Imports calls, histories and quality of the Java backend from the tables of java_schema.sql, in one transaction.
-- What has been imported before is left alone, so it may run again. Run it with the client of MySQL or MariaDB, on the
-- database of Chattrix Calls, when the Java backend is stopped: a call that it has not finished is over by then.
--
--   @call_timeout_seconds  how long a call rang there; 60 unless set
--   @unseen_since          calls that were missed since then are unseen (the badge); NULL unless set: none is
--
-- How a call reads in a history follows from the call (contract, section 7.2), not from the word that the Java backend
-- wrote, because `StatisticsStore` counts the hour at a period's edge call by call. The rows of its history say only
-- who still has an entry. Where it has written none at all (its later versions), everybody gets one.

SET time_zone = '+00:00';
SET @call_timeout_seconds = COALESCE(@call_timeout_seconds, 60);

DROP TEMPORARY TABLE IF EXISTS import_calls, import_channels, import_shown, import_entries, import_samples;

-- Staged with the types and collations of the schema, so that what follows compares like with like.
CREATE TEMPORARY TABLE import_calls (
  id               CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL PRIMARY KEY,
  channel_id       VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  caller_id        VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  callee_id        VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_type        VARCHAR(5)  CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  java_status      VARCHAR(20) CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  status           VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin   NULL,
  end_reason       VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin   NULL,
  created_at       DATETIME(3) NOT NULL,
  accepted_at      DATETIME(3) NULL,
  ended_at         DATETIME(3) NOT NULL,
  duration_seconds INT         NULL,
  KEY (channel_id)
) ENGINE = InnoDB;

-- A call to oneself has no two histories; the schema has no place for it.
INSERT INTO import_calls (id, channel_id, caller_id, callee_id, call_type, java_status, created_at, accepted_at,
  ended_at, duration_seconds)
SELECT LOWER(id), CONVERT(channel_id USING ascii), caller_id, callee_id, LOWER(call_type), UPPER(status), created_at,
  start_time, COALESCE(end_time, updated_at), duration_seconds
FROM java_calls
WHERE caller_id <> callee_id AND LENGTH(id) = 36 AND UPPER(call_type) IN ('AUDIO', 'VIDEO')
  AND UPPER(status) IN ('INITIATING', 'RINGING', 'CONNECTING', 'CONNECTED', 'DISCONNECTING', 'ENDED', 'MISSED',
    'REJECTED', 'FAILED');

DELETE i FROM import_calls i JOIN calls c ON c.id = i.id;

-- A call was accepted if it was connected, or lasted. The moment of the acceptance itself is not known there.
UPDATE import_calls SET accepted_at = CASE
    WHEN java_status IN ('INITIATING', 'RINGING', 'MISSED', 'REJECTED') THEN NULL
    WHEN java_status IN ('CONNECTING', 'CONNECTED', 'DISCONNECTING') OR duration_seconds > 0
      THEN COALESCE(accepted_at, created_at)
    ELSE accepted_at
  END;
UPDATE import_calls SET
  accepted_at = GREATEST(accepted_at, created_at),
  ended_at = GREATEST(ended_at, created_at, COALESCE(accepted_at, created_at)),
  status = CASE
    WHEN java_status IN ('MISSED', 'REJECTED', 'FAILED') THEN LOWER(java_status)
    WHEN java_status IN ('INITIATING', 'RINGING') THEN 'missed'
    ELSE 'ended'
  END,
  end_reason = CASE
    WHEN java_status IN ('INITIATING', 'RINGING', 'MISSED') THEN 'timeout'
    WHEN java_status = 'REJECTED' THEN 'declined'
    WHEN java_status = 'FAILED' THEN 'failed'
    WHEN java_status = 'ENDED' THEN IF(accepted_at IS NULL, 'cancelled', 'hangup')
    ELSE 'connection_lost'
  END;
UPDATE import_calls SET duration_seconds =
  IF(accepted_at IS NULL, 0, GREATEST(COALESCE(duration_seconds, TIMESTAMPDIFF(SECOND, accepted_at, ended_at)), 0));

-- A channel belongs to one call here.
CREATE TEMPORARY TABLE import_channels (
  channel_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT INTO import_channels SELECT channel_id FROM import_calls GROUP BY channel_id HAVING COUNT(*) > 1;
INSERT IGNORE INTO import_channels SELECT c.channel_id FROM calls c JOIN import_calls i ON i.channel_id = c.channel_id;
UPDATE import_calls i JOIN import_channels taken ON taken.channel_id = i.channel_id
  SET i.channel_id = CONCAT('import-', i.id);

CREATE TEMPORARY TABLE import_shown (
  user_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_id CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  PRIMARY KEY (user_id, call_id)
) ENGINE = InnoDB;
INSERT IGNORE INTO import_shown SELECT user_id, LOWER(call_id) FROM java_call_history WHERE LENGTH(call_id) = 36;
SET @has_history = (SELECT COUNT(*) FROM import_shown);

-- Each participant's side of a call.
CREATE TEMPORARY TABLE import_entries (
  user_id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_id          CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  remote_user_id   VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_type        VARCHAR(5)  CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  status           VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  direction        VARCHAR(8)  CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  end_reason       VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  created_at       DATETIME(3) NOT NULL,
  duration_seconds INT         NOT NULL,
  -- Of a call that the Java backend has not finished there is no row yet.
  is_shown         BOOLEAN     NOT NULL,
  PRIMARY KEY (user_id, call_id)
) ENGINE = InnoDB;
-- Twice, because MySQL does not read a temporary table twice in one statement.
INSERT INTO import_entries
SELECT i.caller_id, i.id, i.callee_id, i.call_type, CASE WHEN i.status = 'failed' THEN 'failed'
    WHEN i.accepted_at IS NOT NULL THEN 'completed' WHEN i.status = 'rejected' THEN 'rejected' ELSE 'missed' END,
  'outgoing', i.end_reason, i.created_at, i.duration_seconds, @has_history = 0 OR s.call_id IS NOT NULL
    OR i.java_status NOT IN ('ENDED', 'MISSED', 'REJECTED', 'FAILED')
FROM import_calls i LEFT JOIN import_shown s ON s.user_id = i.caller_id AND s.call_id = i.id;
INSERT INTO import_entries
SELECT i.callee_id, i.id, i.caller_id, i.call_type, CASE WHEN i.status = 'failed' THEN 'failed'
    WHEN i.accepted_at IS NOT NULL THEN 'completed' WHEN i.status = 'rejected' THEN 'rejected' ELSE 'missed' END,
  'incoming', i.end_reason, i.created_at, i.duration_seconds, @has_history = 0 OR s.call_id IS NOT NULL
    OR i.java_status NOT IN ('ENDED', 'MISSED', 'REJECTED', 'FAILED')
FROM import_calls i LEFT JOIN import_shown s ON s.user_id = i.callee_id AND s.call_id = i.id;

CREATE TEMPORARY TABLE import_samples (
  call_id          CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  user_id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  network_quality  VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin   NOT NULL,
  packet_loss_rate DOUBLE      NULL,
  round_trip_time  DOUBLE      NULL,
  recorded_at      DATETIME(3) NOT NULL,
  KEY (call_id)
) ENGINE = InnoDB;
-- A round trip of 0 ms is no measurement (contract, section 4).
INSERT INTO import_samples
SELECT LOWER(call_id), user_id, CASE UPPER(network_quality) WHEN 'VERY_BAD' THEN 'veryBad'
    ELSE COALESCE(LOWER(network_quality), 'unknown') END,
  packet_loss_rate, NULLIF(round_trip_time, 0), recorded_at
FROM java_call_quality_metrics WHERE LENGTH(call_id) = 36;
DELETE s FROM import_samples s LEFT JOIN import_calls i ON i.id = s.call_id WHERE i.id IS NULL;

-- From here on as the service itself writes. READ COMMITTED: reading the outbox takes no locks.
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
START TRANSACTION;

-- Lines first, in the order of their ids, as `make_lines` makes and locks them: the totals and the badge below change
-- only under the lock of their user's line.
INSERT INTO user_lines (user_id, last_event_id)
SELECT i.user_id, COALESCE(MAX(e.event_id), 0)
FROM (SELECT DISTINCT user_id FROM import_entries) i LEFT JOIN call_events e ON e.user_id = i.user_id
GROUP BY i.user_id ORDER BY i.user_id
ON DUPLICATE KEY UPDATE user_id = VALUES(user_id);

INSERT INTO calls (id, channel_id, caller_id, callee_id, call_type, status, end_reason, created_at, expires_at,
  accepted_at, connected_at, ended_at, counted_hour, duration_seconds, invited)
SELECT id, channel_id, caller_id, callee_id, call_type, status, end_reason, created_at,
  created_at + INTERVAL @call_timeout_seconds SECOND, accepted_at, accepted_at, ended_at,
  DATE(created_at) + INTERVAL HOUR(created_at) HOUR, duration_seconds, TRUE
FROM import_calls ORDER BY created_at;

-- An entry with the number of its user's looks is unseen.
INSERT INTO call_history (user_id, call_id, remote_user_id, call_type, status, direction, end_reason, `timestamp`,
  duration_seconds, looks)
SELECT i.user_id, i.call_id, i.remote_user_id, i.call_type, i.status, i.direction, i.end_reason, i.created_at,
  i.duration_seconds, IF(i.direction = 'incoming' AND i.status = 'missed' AND i.created_at >= @unseen_since,
    COALESCE(t.looks, 1), 0)
FROM import_entries i LEFT JOIN call_history_totals t ON t.user_id = i.user_id
WHERE i.is_shown ORDER BY i.created_at;

INSERT INTO call_history_totals (user_id, audio_completed, audio_missed, audio_rejected, audio_failed,
  video_completed, video_missed, video_rejected, video_failed, unseen_missed)
SELECT user_id,
  SUM(call_type = 'audio' AND status = 'completed'), SUM(call_type = 'audio' AND status = 'missed'),
  SUM(call_type = 'audio' AND status = 'rejected'),  SUM(call_type = 'audio' AND status = 'failed'),
  SUM(call_type = 'video' AND status = 'completed'), SUM(call_type = 'video' AND status = 'missed'),
  SUM(call_type = 'video' AND status = 'rejected'),  SUM(call_type = 'video' AND status = 'failed'),
  SUM(direction = 'incoming' AND status = 'missed' AND COALESCE(created_at >= @unseen_since, FALSE))
FROM import_entries WHERE is_shown GROUP BY user_id
ON DUPLICATE KEY UPDATE
  audio_completed = audio_completed + VALUES(audio_completed),
  audio_missed    = audio_missed    + VALUES(audio_missed),
  audio_rejected  = audio_rejected  + VALUES(audio_rejected),
  audio_failed    = audio_failed    + VALUES(audio_failed),
  video_completed = video_completed + VALUES(video_completed),
  video_missed    = video_missed    + VALUES(video_missed),
  video_rejected  = video_rejected  + VALUES(video_rejected),
  video_failed    = video_failed    + VALUES(video_failed),
  unseen_missed   = unseen_missed   + VALUES(unseen_missed);

-- The statistics count what happened, whether or not a history still shows it (R15).
INSERT INTO call_statistics (user_id, span, starts_at, day_starts_at, audio_completed, audio_missed, audio_rejected,
  audio_failed, video_completed, video_missed, video_rejected, video_failed, total_seconds, completed_seconds)
SELECT i.user_id, spans.span, IF(spans.span = 'day', DATE(i.created_at), DATE(i.created_at)
    + INTERVAL HOUR(i.created_at) HOUR) AS span_start, DATE(i.created_at) AS day_start,
  SUM(call_type = 'audio' AND status = 'completed'), SUM(call_type = 'audio' AND status = 'missed'),
  SUM(call_type = 'audio' AND status = 'rejected'),  SUM(call_type = 'audio' AND status = 'failed'),
  SUM(call_type = 'video' AND status = 'completed'), SUM(call_type = 'video' AND status = 'missed'),
  SUM(call_type = 'video' AND status = 'rejected'),  SUM(call_type = 'video' AND status = 'failed'),
  SUM(duration_seconds), SUM(IF(status = 'completed', duration_seconds, 0))
FROM import_entries i CROSS JOIN (SELECT 'hour' AS span UNION ALL SELECT 'day') spans
GROUP BY i.user_id, spans.span, span_start, day_start
ON DUPLICATE KEY UPDATE
  audio_completed   = call_statistics.audio_completed   + VALUES(audio_completed),
  audio_missed      = call_statistics.audio_missed      + VALUES(audio_missed),
  audio_rejected    = call_statistics.audio_rejected    + VALUES(audio_rejected),
  audio_failed      = call_statistics.audio_failed      + VALUES(audio_failed),
  video_completed   = call_statistics.video_completed   + VALUES(video_completed),
  video_missed      = call_statistics.video_missed      + VALUES(video_missed),
  video_rejected    = call_statistics.video_rejected    + VALUES(video_rejected),
  video_failed      = call_statistics.video_failed      + VALUES(video_failed),
  total_seconds     = call_statistics.total_seconds     + VALUES(total_seconds),
  completed_seconds = call_statistics.completed_seconds + VALUES(completed_seconds);

INSERT INTO call_quality_metrics (call_id, user_id, network_quality, packet_loss_rate, round_trip_time, recorded_at)
SELECT call_id, user_id, network_quality, packet_loss_rate, round_trip_time, recorded_at
FROM import_samples ORDER BY recorded_at;

-- Plain means of the values given (contract, section 7.4).
UPDATE calls c JOIN (
  SELECT call_id, COUNT(*) AS samples, AVG(packet_loss_rate) AS loss, AVG(round_trip_time) AS rtt,
    AVG(CASE network_quality WHEN 'excellent' THEN 5e0 WHEN 'good' THEN 4e0 WHEN 'poor' THEN 3e0 WHEN 'bad' THEN 2e0
      WHEN 'veryBad' THEN 1e0 END) AS score
  FROM import_samples GROUP BY call_id
) q ON q.call_id = c.id
SET c.quality_samples = q.samples, c.quality_average_loss = q.loss, c.quality_average_rtt = q.rtt,
  c.quality_average_score = q.score;

COMMIT;

SELECT (SELECT COUNT(*) FROM import_calls) AS calls_imported,
  (SELECT COUNT(*) FROM import_entries WHERE is_shown) AS history_entries,
  (SELECT COUNT(*) FROM import_samples) AS quality_samples,
  (SELECT COUNT(*) FROM java_calls) AS calls_in_the_java_backend;

DROP TEMPORARY TABLE import_calls, import_channels, import_shown, import_entries, import_samples;

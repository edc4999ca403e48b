-- The schema of Chattrix Calls (R13): plain SQL that MySQL 8.0 and MariaDB 10.6 both read.
-- Every time is a DATETIME in UTC (R13.5); every user id is compared byte for byte.

-- Read-only to the programs. An installation that has such tables of its own creates two VIEWs of
-- these names before it migrates, and these two statements then leave them alone.
CREATE TABLE IF NOT EXISTS users (
  id         VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  username   VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL,
  full_name  VARCHAR(255) CHARACTER SET utf8mb4 NULL,
  avatar_url VARCHAR(2048) CHARACTER SET utf8mb4 NULL,
  PRIMARY KEY (id)
) ENGINE = InnoDB;

-- One row per direction.
CREATE TABLE IF NOT EXISTS contacts (
  user_id         VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  contact_user_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  status          ENUM('ACCEPTED', 'PENDING', 'REJECTED', 'BLOCKED') NOT NULL,
  PRIMARY KEY (user_id, contact_user_id)
) ENGINE = InnoDB;

CREATE TABLE calls (
  id              CHAR(36)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  channel_id      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  caller_id       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  callee_id       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_type       ENUM('audio', 'video') NOT NULL,
  status          ENUM('initiating', 'ringing', 'connecting', 'connected', 'disconnecting',
                       'ended', 'missed', 'rejected', 'failed') NOT NULL,
  end_reason      ENUM('hangup', 'cancelled', 'declined', 'busy', 'unavailable', 'timeout',
                       'connection_lost', 'max_duration', 'failed') NULL,
  accepted_device VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  idempotency_key VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at      DATETIME(3) NOT NULL,
  -- created_at plus exactly the call timeout.
  expires_at      DATETIME(3) NOT NULL,
  accepted_at     DATETIME(3) NULL,
  connected_at    DATETIME(3) NULL,
  ended_at        DATETIME(3) NULL,
  -- When the sweeper has to act. NULL once the call is over, so that the index holds live calls.
  deadline_at     DATETIME(3) NULL,
  duration_seconds          INT UNSIGNED NOT NULL DEFAULT 0,
  quality_average_score     DOUBLE NULL,
  quality_average_loss      DOUBLE NULL,
  quality_average_rtt       DOUBLE NULL,
  quality_samples           INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY calls_channel_id (channel_id),
  UNIQUE KEY calls_idempotency (caller_id, idempotency_key),
  KEY calls_caller_id (caller_id, created_at),
  KEY calls_callee_id (callee_id, created_at),
  KEY calls_status (status),
  KEY calls_deadline_at (deadline_at)
) ENGINE = InnoDB;

-- A user's line: idle (call_id NULL) or busy with one call. The row is made at the first use and
-- kept, so that there is always a row to lock; every transaction that touches a call locks the lines
-- of both participants first, in the order of their ids.
CREATE TABLE user_lines (
  user_id       VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_id       CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NULL,
  last_event_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  -- When a signaling connection of the user was last known to be open during a call.
  seen_at       DATETIME(3) NULL,
  PRIMARY KEY (user_id)
) ENGINE = InnoDB;

-- The outbox: one row per recipient, written in the transaction that changes the call. event_id
-- counts up per user without gaps, under the lock of the user's line.
CREATE TABLE call_events (
  user_id    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  event_id   BIGINT UNSIGNED NOT NULL,
  call_id    CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The JSON object that the frame carries.
  data       TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  -- The device and the connection of the user that caused the event and are spared it.
  origin_device     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  origin_connection VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id, event_id),
  KEY call_events_created_at (created_at)
) ENGINE = InnoDB;

-- One row per user and call, written by the transaction that ends the call.
CREATE TABLE call_history (
  id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_id          CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  remote_user_id   VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_type        ENUM('audio', 'video') NOT NULL,
  status           ENUM('completed', 'missed', 'rejected', 'failed') NOT NULL,
  direction        ENUM('incoming', 'outgoing') NOT NULL,
  end_reason       ENUM('hangup', 'cancelled', 'declined', 'busy', 'unavailable', 'timeout',
                        'connection_lost', 'max_duration', 'failed') NOT NULL,
  -- The call's created_at.
  `timestamp`      DATETIME(3) NOT NULL,
  duration_seconds INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (id),
  UNIQUE KEY call_history_call (user_id, call_id),
  KEY call_history_walk (user_id, `timestamp`, id),
  KEY call_history_filtered (user_id, status, call_type, `timestamp`, id),
  KEY call_history_timestamp (`timestamp`)
) ENGINE = InnoDB;

-- How many entries a user's history shows, by type and status: `total` without counting.
CREATE TABLE call_history_totals (
  user_id         VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  audio_completed INT UNSIGNED NOT NULL DEFAULT 0,
  audio_missed    INT UNSIGNED NOT NULL DEFAULT 0,
  audio_rejected  INT UNSIGNED NOT NULL DEFAULT 0,
  audio_failed    INT UNSIGNED NOT NULL DEFAULT 0,
  video_completed INT UNSIGNED NOT NULL DEFAULT 0,
  video_missed    INT UNSIGNED NOT NULL DEFAULT 0,
  video_rejected  INT UNSIGNED NOT NULL DEFAULT 0,
  video_failed    INT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id)
) ENGINE = InnoDB;

-- What happened to a user in an hour and in a day of UTC, whether or not the history still shows it
-- (R15). starts_at is the beginning of that hour or day.
CREATE TABLE call_statistics (
  user_id           VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  span              ENUM('hour', 'day') NOT NULL,
  starts_at         DATETIME NOT NULL,
  audio_completed   INT UNSIGNED NOT NULL DEFAULT 0,
  audio_missed      INT UNSIGNED NOT NULL DEFAULT 0,
  audio_rejected    INT UNSIGNED NOT NULL DEFAULT 0,
  audio_failed      INT UNSIGNED NOT NULL DEFAULT 0,
  video_completed   INT UNSIGNED NOT NULL DEFAULT 0,
  video_missed      INT UNSIGNED NOT NULL DEFAULT 0,
  video_rejected    INT UNSIGNED NOT NULL DEFAULT 0,
  video_failed      INT UNSIGNED NOT NULL DEFAULT 0,
  total_seconds     BIGINT UNSIGNED NOT NULL DEFAULT 0,
  completed_seconds BIGINT UNSIGNED NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, span, starts_at)
) ENGINE = InnoDB;

CREATE TABLE call_quality_metrics (
  id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  call_id          CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  network_quality  ENUM('excellent', 'good', 'poor', 'bad', 'veryBad', 'unknown') NOT NULL,
  packet_loss_rate DOUBLE NULL,
  -- In milliseconds.
  round_trip_time  DOUBLE NULL,
  -- When the client says that it measured.
  reported_at      DATETIME(3) NULL,
  recorded_at      DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY call_quality_metrics_call_id (call_id),
  KEY call_quality_metrics_recorded_at (recorded_at),
  CONSTRAINT call_quality_metrics_call FOREIGN KEY (call_id) REFERENCES calls (id)
    ON DELETE CASCADE
) ENGINE = InnoDB;

-- Who was given which token (R3.4, R4.4). Append-only; of an old token only a prefix is kept.
CREATE TABLE token_audit (
  id               BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id          VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  call_id          CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NULL,
  channel_id       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  action           ENUM('generate', 'refresh') NOT NULL,
  role             ENUM('publisher', 'subscriber') NOT NULL,
  uid              INT UNSIGNED NOT NULL,
  old_token_prefix VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  request_id       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issued_at        DATETIME(3) NOT NULL,
  expires_at       DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY token_audit_user_id (user_id, issued_at),
  KEY token_audit_issued_at (issued_at)
) ENGINE = InnoDB;

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
  -- Of both in Agora's channel, so that a token's audit row is written by the statement that reads the call.
  -- NULL: computed from the ids of user and call.
  caller_uid      INT UNSIGNED NULL,
  callee_uid      INT UNSIGNED NULL,
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
  -- The hour of call_statistics that the call was counted in; NULL while it is live.
  counted_hour    DATETIME NULL,
  -- When the sweeper has to act. NULL once the call is over, so that the index holds live calls.
  deadline_at     DATETIME(3) NULL,
  duration_seconds          INT UNSIGNED NOT NULL DEFAULT 0,
  quality_average_score     DOUBLE NULL,
  quality_average_loss      DOUBLE NULL,
  quality_average_rtt       DOUBLE NULL,
  quality_samples           INT UNSIGNED NOT NULL DEFAULT 0,
  -- False for a call that was recorded and never rang, its callee being busy or not to be disturbed.
  invited         BOOLEAN NOT NULL DEFAULT TRUE,
  PRIMARY KEY (id),
  UNIQUE KEY calls_channel_id (channel_id),
  UNIQUE KEY calls_idempotency (caller_id, idempotency_key),
  KEY calls_caller_id (caller_id, created_at),
  KEY calls_callee_id (callee_id, created_at),
  KEY calls_deadline_at (deadline_at),
  -- Finished calls are found by the time of their end (`chattrix-ctl cdr`), which is written by the statement that
  -- changes the status: the index costs a call no entry more than one of the status alone.
  KEY calls_status (status, ended_at)
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

-- A user without a row may be disturbed (contract, section 11.2).
CREATE TABLE user_availability (
  user_id        VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  do_not_disturb BOOLEAN NOT NULL,
  -- When do_not_disturb ends by itself; NULL: not before the user says so.
  until_at       DATETIME(3) NULL,
  PRIMARY KEY (user_id)
) ENGINE = InnoDB;

-- The outbox: one row per recipient, written in the transaction that changes the call. event_id
-- counts up per user without gaps, under the lock of the user's line.
CREATE TABLE call_events (
  user_id    VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  event_id   BIGINT UNSIGNED NOT NULL,
  -- NULL: the event is about no call (history_seen).
  call_id    CHAR(36)    CHARACTER SET ascii COLLATE ascii_bin NULL,
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
  -- Of an incoming entry: call_history_totals.looks when it was written.
  looks            INT UNSIGNED NOT NULL DEFAULT 0,
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
  -- The badge (contract, section 11.1): entries of missed calls that no look has followed. `looks` counts how often
  -- the user has looked at them.
  unseen_missed   INT UNSIGNED NOT NULL DEFAULT 0,
  looks           INT UNSIGNED NOT NULL DEFAULT 1,
  PRIMARY KEY (user_id)
) ENGINE = InnoDB;

-- What happened to a user in an hour and in a day of UTC, whether or not the history still shows it
-- (R15). starts_at is the beginning of that hour or day, day_starts_at that of its day: written down rather than
-- computed from the clock, so that a period divides what it counts into whole days, whole hours and single calls
-- without overlap, also where rows were moved in time by amounts that are no whole hours (contract §7.3: exact to
-- the second).
CREATE TABLE call_statistics (
  user_id           VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  span              ENUM('hour', 'day') NOT NULL,
  starts_at         DATETIME NOT NULL,
  day_starts_at     DATETIME NOT NULL,
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
  PRIMARY KEY (user_id, span, starts_at, day_starts_at)
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

-- Who was given which token (R3.4, R4.4). Append-only; of an old token only a prefix is kept. A token has one row,
-- although its statement runs again where the answer to it was lost: hence the unique key.
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
  UNIQUE KEY token_audit_user_id (user_id, issued_at, request_id, action),
  KEY token_audit_issued_at (issued_at)
) ENGINE = InnoDB;

-- Requests to servers elsewhere that a change of a call asks for (contract, sections 8 and 9.4): webhooks of the
-- application and kicks at Agora. A row is written in the transaction that it tells of; chattrix-webhooks sends it.
-- What it says is read from `calls` when it is sent.
CREATE TABLE webhook_events (
  call_id    CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- The place of the event in the order of its call; each type occurs once.
  sequence   TINYINT UNSIGNED NOT NULL,
  event_type ENUM('call.invitation', 'call.stopped_ringing', 'call.missed', 'call.ended', 'agora.kick') NOT NULL,
  state      ENUM('pending', 'delivered', 'failed') NOT NULL DEFAULT 'pending',
  -- Requests made so far.
  attempts   SMALLINT UNSIGNED NOT NULL DEFAULT 0,
  -- What shares a bound: events that have not been tried, those whose request has failed, kicks.
  queue      ENUM('fresh', 'retry', 'kick') NOT NULL,
  -- Whether an operator asked for it again, so that it is sent however late it is.
  is_forced  BOOLEAN NOT NULL DEFAULT FALSE,
  created_at DATETIME(3) NOT NULL,
  -- When it may be sent next, or when the lease on it ends; NULL once it is delivered or given up, so that
  -- the index holds pending ones.
  due_at     DATETIME(3) NULL,
  -- Who is sending it now.
  leased_by  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  -- When it was delivered or given up.
  settled_at DATETIME(3) NULL,
  last_error VARCHAR(255) CHARACTER SET utf8mb4 NULL,
  PRIMARY KEY (call_id, sequence),
  KEY webhook_events_due (queue, due_at),
  KEY webhook_events_settled (state, settled_at)
) ENGINE = InnoDB;

-- Who is in the channels of calls according to Agora (contract, section 9.2), apart from what clients say: one row
-- per call that Agora has reported anything of. Both participants and the time at which the sweeper
-- has to look at the call are read and locked together. Written under the lock of the call.
CREATE TABLE agora_presence (
  call_id         CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  -- Of each participant, NULL where Agora has never reported it: the highest clientSeq that came, which is the
  -- event that holds; whether it is in the channel; since when; and Agora's code of why it left.
  caller_sequence BIGINT UNSIGNED NULL,
  caller_joined   BOOLEAN NULL,
  caller_since    DATETIME(3) NULL,
  caller_reason   INT NULL,
  callee_sequence BIGINT UNSIGNED NULL,
  callee_joined   BOOLEAN NULL,
  callee_since    DATETIME(3) NULL,
  callee_reason   INT NULL,
  -- When the channel was destroyed, if it has not been made anew since.
  destroyed_at    DATETIME(3) NULL,
  -- When the notice arrived by which no participant is in the channel any more.
  absent_since    DATETIME(3) NULL,
  -- When the sweeper has to look at the call; NULL for nearly all calls, so that its index is small.
  due_at          DATETIME(3) NULL,
  PRIMARY KEY (call_id),
  KEY agora_presence_due_at (due_at),
  CONSTRAINT agora_presence_call FOREIGN KEY (call_id) REFERENCES calls (id) ON DELETE CASCADE
) ENGINE = InnoDB;

-- Notices about calls that have come: one that comes again does not count. Kept for a day. Bytes, because the
-- comparison of texts takes no notice of blanks at the end.
CREATE TABLE agora_notices (
  notice_id   VARBINARY(255) NOT NULL,
  received_at DATETIME(3) NOT NULL,
  PRIMARY KEY (notice_id),
  KEY agora_notices_received_at (received_at)
) ENGINE = InnoDB;

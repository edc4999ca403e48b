-- What the import expects of the Java backend: its tables of calls, history and quality as its migrations V3 to V5 and
-- its entities Call, CallHistory and CallQualityMetrics define them, with `java_` before their names and PostgreSQL's
-- types as MySQL's. Fill these tables (nginx/guide/migrate.html), or create views of these names over the originals
-- where they are in MySQL already. Then run java.sql, and drop them.
--
-- Users are numbers. Enumerations are words in upper case. Times are in UTC.

CREATE TABLE java_calls (
  id               VARCHAR(36) NOT NULL PRIMARY KEY,  -- a UUID
  channel_id       VARCHAR(64) NOT NULL,              -- made by the app, and not unique
  caller_id        BIGINT      NOT NULL,
  callee_id        BIGINT      NOT NULL,
  call_type        VARCHAR(10) NOT NULL,              -- AUDIO, VIDEO
  status           VARCHAR(20) NOT NULL,              -- INITIATING, RINGING, CONNECTING, CONNECTED, DISCONNECTING,
                                                      -- ENDED, MISSED, REJECTED, FAILED
  start_time       DATETIME(6) NULL,                  -- when it became CONNECTED
  end_time         DATETIME(6) NULL,
  duration_seconds INT         NULL,
  created_at       DATETIME(6) NOT NULL,
  updated_at       DATETIME(6) NOT NULL
) ENGINE = InnoDB;

-- One row per user and call. A user who deletes an entry deletes the row.
CREATE TABLE java_call_history (
  id                 VARCHAR(36)  NOT NULL PRIMARY KEY,
  user_id            BIGINT       NOT NULL,
  call_id            VARCHAR(36)  NOT NULL,
  remote_user_id     BIGINT       NOT NULL,
  remote_user_name   VARCHAR(100) CHARACTER SET utf8mb4 NOT NULL,
  remote_user_avatar VARCHAR(500) CHARACTER SET utf8mb4 NULL,
  call_type          VARCHAR(10)  NOT NULL,
  status             VARCHAR(20)  NOT NULL,           -- COMPLETED, MISSED, REJECTED, FAILED
  direction          VARCHAR(10)  NOT NULL,           -- INCOMING, OUTGOING
  `timestamp`        DATETIME(6)  NOT NULL,
  duration_seconds   INT          NULL,
  created_at         DATETIME(6)  NOT NULL,
  UNIQUE KEY (user_id, call_id)
) ENGINE = InnoDB;

CREATE TABLE java_call_quality_metrics (
  id               VARCHAR(36)  NOT NULL PRIMARY KEY,
  call_id          VARCHAR(36)  NOT NULL,
  user_id          BIGINT       NOT NULL,
  network_quality  VARCHAR(20)  NULL,                 -- EXCELLENT, GOOD, POOR, BAD, VERY_BAD, UNKNOWN
  packet_loss_rate DECIMAL(5,4) NULL,                 -- 0 to 1
  round_trip_time  INT          NULL,                 -- milliseconds
  recorded_at      DATETIME(6)  NOT NULL,
  KEY (call_id)
) ENGINE = InnoDB;

-- Unseen missed calls, do not disturb, and calls that never rang (contract, section 11).

-- The badge. `looks` counts how often the user has looked at the missed calls; an entry has the number that held
-- when it was written, and is unseen while no look has followed. What there was before counts as seen.
ALTER TABLE call_history_totals
  ADD COLUMN unseen_missed INT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN looks         INT UNSIGNED NOT NULL DEFAULT 1;
-- Of an incoming entry.
ALTER TABLE call_history ADD COLUMN looks INT UNSIGNED NOT NULL DEFAULT 0;

-- NULL: the event is about no call (history_seen).
ALTER TABLE call_events MODIFY call_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- A user without a row may be disturbed.
CREATE TABLE user_availability (
  user_id        VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  do_not_disturb BOOLEAN NOT NULL,
  -- When do_not_disturb ends by itself; NULL: not before the user says so.
  until_at       DATETIME(3) NULL,
  PRIMARY KEY (user_id)
) ENGINE = InnoDB;

-- False for a call that was recorded and never rang, its callee being busy or not to be disturbed.
ALTER TABLE calls ADD COLUMN invited BOOLEAN NOT NULL DEFAULT TRUE;

-- Who is in the channels of calls according to Agora (contract, section 9.2), apart from what clients say.

-- One row per call that Agora has reported anything of: both participants and the time at which the sweeper
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

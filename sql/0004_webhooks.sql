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

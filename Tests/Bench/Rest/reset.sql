-- The state in which every turn of the REST benchmark begins: @LIVE@ connected calls, everybody else
-- idle, an empty outbox, an empty audit trail.

SET foreign_key_checks = 0;
TRUNCATE calls;
SET foreign_key_checks = 1;
TRUNCATE call_events;
TRUNCATE token_audit;
UPDATE user_lines SET call_id = NULL, last_event_id = 0 WHERE call_id IS NOT NULL OR last_event_id > 0;

INSERT INTO calls (id, channel_id, caller_id, callee_id, caller_uid, callee_uid, call_type, status, created_at, expires_at, accepted_at,
  connected_at, deadline_at)
SELECT CONCAT('00000000-0000-7000-8000-', LPAD(seq, 12, '0')), CONCAT('channel', LPAD(seq, 25, '0')),
  CONCAT('bench-caller-', seq), CONCAT('bench-callee-', seq),
  CONV(LEFT(SHA2(CONCAT('bench-caller-', seq), 256), 8), 16, 10) | 2147483648,
  CONV(LEFT(SHA2(CONCAT('bench-callee-', seq), 256), 8), 16, 10) | 2147483648, 'video', 'connected', UTC_TIMESTAMP(3),
  UTC_TIMESTAMP(3) + INTERVAL 60 SECOND, UTC_TIMESTAMP(3), UTC_TIMESTAMP(3), UTC_TIMESTAMP(3) + INTERVAL 1 DAY
FROM seq_1_to_@LIVE@;

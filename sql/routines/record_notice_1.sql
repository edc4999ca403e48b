-- Writes what a notice of Agora's makes of the presence of a call that lock_channel has locked, and notes the
-- notice; then commits.
CREATE PROCEDURE record_notice_1(
  IN p_call            CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_notice          VARBINARY(255),
  IN p_caller_sequence BIGINT UNSIGNED,
  IN p_caller_joined   BOOLEAN,
  IN p_caller_since    DATETIME(3),
  IN p_caller_reason   INT,
  IN p_callee_sequence BIGINT UNSIGNED,
  IN p_callee_joined   BOOLEAN,
  IN p_callee_since    DATETIME(3),
  IN p_callee_reason   INT,
  IN p_destroyed       DATETIME(3),
  IN p_absent          DATETIME(3),
  IN p_due             DATETIME(3),
  -- False where the transaction changes the call as well.
  IN p_commits         BOOLEAN
)
SQL SECURITY INVOKER
BEGIN
  INSERT INTO agora_presence (call_id, caller_sequence, caller_joined, caller_since, caller_reason,
    callee_sequence, callee_joined, callee_since, callee_reason, destroyed_at, absent_since, due_at)
  VALUES (p_call, p_caller_sequence, p_caller_joined, p_caller_since, p_caller_reason, p_callee_sequence,
    p_callee_joined, p_callee_since, p_callee_reason, p_destroyed, p_absent, p_due)
  ON DUPLICATE KEY UPDATE
    caller_sequence = p_caller_sequence, caller_joined = p_caller_joined, caller_since = p_caller_since,
    caller_reason = p_caller_reason, callee_sequence = p_callee_sequence, callee_joined = p_callee_joined,
    callee_since = p_callee_since, callee_reason = p_callee_reason, destroyed_at = p_destroyed,
    absent_since = p_absent, due_at = p_due;
  -- One that another channel had is there already.
  INSERT INTO agora_notices (notice_id, received_at) VALUES (p_notice, UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE received_at = received_at;
  IF p_commits THEN COMMIT; END IF;
END

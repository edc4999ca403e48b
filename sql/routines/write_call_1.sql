-- Writes a change of a call that lock_call has locked: the call, the outbox, both lines and, where the call is
-- over, both histories and the counts; then commits.
CREATE PROCEDURE write_call_1(
  IN p_call      CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin,
  -- The status that was read: another one in the row means that a lock does not hold.
  IN p_previous  VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_status    VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_reason    VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_device    VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_created   DATETIME(3),
  IN p_accepted  DATETIME(3),
  IN p_connected DATETIME(3),
  IN p_ended     DATETIME(3),
  IN p_deadline  DATETIME(3),
  IN p_duration  INT UNSIGNED,
  IN p_score     DOUBLE,
  IN p_loss      DOUBLE,
  IN p_rtt       DOUBLE,
  IN p_samples   INT UNSIGNED,
  IN p_type      VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  -- Of each participant: the line's call and its last event afterwards; the event, NULL without one; who is
  -- spared it; and, where the call is over, how it reads in the history.
  IN p_caller            VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_caller_call       CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller_last       BIGINT UNSIGNED,
  IN p_caller_event      VARCHAR(32)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller_data       TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_caller_device     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_caller_connection VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller_history    VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_callee            VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee_call       CHAR(36)     CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_callee_last       BIGINT UNSIGNED,
  IN p_callee_event      VARCHAR(32)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_callee_data       TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee_device     VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee_connection VARCHAR(64)  CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_callee_history    VARCHAR(16)  CHARACTER SET ascii   COLLATE ascii_bin,
  -- As in record_webhooks.
  IN p_webhooks  TINYINT UNSIGNED,
  -- False where the transaction writes more calls than this one.
  IN p_commits   BOOLEAN
)
SQL SECURITY INVOKER
BEGIN
  -- By the primary key: the optimizer takes the index of `status` where few calls have that one, and then
  -- waits for calls that are none of this transaction's.
  UPDATE calls FORCE INDEX (PRIMARY) SET status = p_status, end_reason = p_reason,
    accepted_device = p_device, accepted_at = p_accepted, connected_at = p_connected, ended_at = p_ended,
    counted_hour = IF(p_caller_history IS NULL, NULL, DATE(p_created) + INTERVAL HOUR(p_created) HOUR),
    deadline_at = p_deadline, duration_seconds = p_duration, quality_average_score = p_score,
    quality_average_loss = p_loss, quality_average_rtt = p_rtt, quality_samples = p_samples
  WHERE id = p_call AND status = p_previous;
  IF ROW_COUNT() <> 1 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The call is not as it was read under the lock.';
  END IF;

  IF p_caller_event IS NOT NULL AND p_callee_event IS NOT NULL THEN
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, origin_device,
      origin_connection, created_at)
    VALUES
      (p_caller, p_caller_last, p_call, p_caller_event, p_caller_data, p_caller_device,
        p_caller_connection, UTC_TIMESTAMP(3)),
      (p_callee, p_callee_last, p_call, p_callee_event, p_callee_data, p_callee_device,
        p_callee_connection, UTC_TIMESTAMP(3));
  ELSEIF p_caller_event IS NOT NULL THEN
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, origin_device,
      origin_connection, created_at)
    VALUES (p_caller, p_caller_last, p_call, p_caller_event, p_caller_data, p_caller_device,
      p_caller_connection, UTC_TIMESTAMP(3));
  ELSEIF p_callee_event IS NOT NULL THEN
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, origin_device,
      origin_connection, created_at)
    VALUES (p_callee, p_callee_last, p_call, p_callee_event, p_callee_data, p_callee_device,
      p_callee_connection, UTC_TIMESTAMP(3));
  END IF;

  UPDATE user_lines FORCE INDEX (PRIMARY)
  SET call_id = IF(user_id = p_caller, p_caller_call, p_callee_call),
    last_event_id = IF(user_id = p_caller, p_caller_last, p_callee_last)
  WHERE user_id IN (p_caller, p_callee);

  IF p_caller_history IS NOT NULL THEN
    CALL close_call_1(p_call, p_caller, p_callee, p_type, p_reason, p_created, p_duration,
      p_caller_history, p_callee_history);
  END IF;
  IF p_webhooks THEN CALL record_webhooks_1(p_call, p_webhooks); END IF;
  IF p_commits THEN COMMIT; END IF;
END

-- Records a call that was refused before it rang, as over from the start, in one transaction: its row, both
-- histories and the counts. The callee is not disturbed (contract, section 4).
CREATE PROCEDURE record_call_1(
  IN p_call       CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_channel    VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_caller_uid INT UNSIGNED,
  IN p_callee_uid INT UNSIGNED,
  IN p_type       VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_status     VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_reason     VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_created    DATETIME(3),
  IN p_expires    DATETIME(3),
  IN p_caller_history VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
  IN p_callee_history VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
  -- As in record_webhooks.
  IN p_webhooks   TINYINT UNSIGNED
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_lines INT;

  START TRANSACTION;
  SELECT COUNT(*) INTO v_lines FROM user_lines FORCE INDEX (PRIMARY)
    WHERE user_id IN (p_caller, p_callee) FOR UPDATE;
  IF v_lines < 2 THEN
    -- Lines are locked in the order of their ids: one that is held is let go before another is made.
    ROLLBACK;
    START TRANSACTION;
    CALL make_lines_1(p_caller, p_callee);
  END IF;
  INSERT INTO calls (id, channel_id, caller_id, callee_id, caller_uid, callee_uid, call_type, status,
    end_reason, created_at, expires_at, ended_at, counted_hour, invited)
  VALUES (p_call, p_channel, p_caller, p_callee, p_caller_uid, p_callee_uid, p_type, p_status, p_reason,
    p_created, p_expires, p_created, DATE(p_created) + INTERVAL HOUR(p_created) HOUR, FALSE);
  CALL close_call_1(p_call, p_caller, p_callee, p_type, p_reason, p_created, 0, p_caller_history,
    p_callee_history);
  IF p_webhooks THEN CALL record_webhooks_1(p_call, p_webhooks); END IF;
  COMMIT;
END

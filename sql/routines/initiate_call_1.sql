-- Makes a call in one transaction: takes both lines if both are idle (design, section 2: the claim guarantees
-- at most one call per user), inserts the call and its invitation, and commits. Makes the lines of users who
-- have none. The call begins, and its time to ring, when the lines have been taken: they may have been waited
-- for, and a call that was in them ended no later.
--
-- Nothing is claimed where the callee is not to be disturbed (contract, section 11.2).
--
-- One row: whether it was made; if not, of the caller and of the callee the call that keeps the user busy (NULL:
-- idle, or idle again by now) and whether that is overdue or has been deleted; the time (the call's, if it
-- was made); the status of the
-- caller's call where it is one from this callee; and whether the callee is not to be disturbed.
CREATE PROCEDURE initiate_call_1(
  IN p_call       CHAR(36)    CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_channel    VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_caller     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_callee     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  IN p_caller_uid INT UNSIGNED,
  IN p_callee_uid INT UNSIGNED,
  IN p_type       VARCHAR(16) CHARACTER SET ascii   COLLATE ascii_bin,
  -- The Idempotency-Key, or NULL; a second call of the caller's with it is error 1062.
  IN p_key        VARCHAR(64) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_ring_seconds INT UNSIGNED,
  -- The invitation; its data lack what follows from the time: the value of the last member, `expiresAt`.
  IN p_event      VARCHAR(32) CHARACTER SET ascii   COLLATE ascii_bin,
  IN p_data       TEXT        CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  -- As in record_webhooks.
  IN p_webhooks   TINYINT UNSIGNED
)
SQL SECURITY INVOKER
BEGIN
  DECLARE v_claimed, v_existing INT;
  DECLARE v_last BIGINT UNSIGNED;
  DECLARE v_quiet BOOLEAN DEFAULT FALSE;
  DECLARE v_created, v_expires DATETIME(3);

  SELECT do_not_disturb AND (until_at IS NULL OR until_at > UTC_TIMESTAMP(3)) INTO v_quiet
    FROM user_availability WHERE user_id = p_callee;

  START TRANSACTION;
  UPDATE user_lines FORCE INDEX (PRIMARY)
  SET call_id = p_call, last_event_id = last_event_id + (user_id = p_callee)
  WHERE user_id IN (p_caller, p_callee) AND call_id IS NULL AND NOT v_quiet;
  SET v_claimed = ROW_COUNT();

  IF v_claimed < 2 THEN
    -- Lines are locked in the order of their ids: one that is held is let go before another is made.
    ROLLBACK;
    -- A statement of its own: within IF the query would wait for locks.
    SELECT COUNT(*) INTO v_existing FROM user_lines WHERE user_id IN (p_caller, p_callee);
    IF v_existing < 2 AND NOT v_quiet THEN
      START TRANSACTION;
      CALL make_lines_1(p_caller, p_callee);
      UPDATE user_lines FORCE INDEX (PRIMARY)
      SET call_id = p_call, last_event_id = last_event_id + (user_id = p_callee)
      WHERE user_id IN (p_caller, p_callee) AND call_id IS NULL;
      SET v_claimed = ROW_COUNT();
      IF v_claimed < 2 THEN ROLLBACK; END IF;
    END IF;
  END IF;

  IF v_claimed = 2 THEN
    SET v_created = UTC_TIMESTAMP(3);
    SET v_expires = v_created + INTERVAL p_ring_seconds SECOND;
    INSERT INTO calls (id, channel_id, caller_id, callee_id, caller_uid, callee_uid, call_type, status,
      idempotency_key, created_at, expires_at, deadline_at)
    VALUES (p_call, p_channel, p_caller, p_callee, p_caller_uid, p_callee_uid, p_type, 'initiating',
      p_key, v_created, v_expires, v_expires);
    SELECT last_event_id INTO v_last FROM user_lines WHERE user_id = p_callee;
    INSERT INTO call_events (user_id, event_id, call_id, event_type, data, created_at)
    VALUES (p_callee, v_last, p_call, p_event, CONCAT(p_data, DATE_FORMAT(v_expires, '"%Y-%m-%dT%H:%i:%s.'),
      LPAD(MICROSECOND(v_expires) DIV 1000, 3, '0'), 'Z"}'), v_created);
    IF p_webhooks THEN CALL record_webhooks_1(p_call, p_webhooks); END IF;
    COMMIT;
    SELECT 1, NULL, 0, NULL, 0, v_created, NULL, 0;
  ELSE
    SELECT 0, a.call_id, a.call_id IS NOT NULL AND (x.id IS NULL OR x.deadline_at <= UTC_TIMESTAMP(3)),
      b.call_id, b.call_id IS NOT NULL AND (y.id IS NULL OR y.deadline_at <= UTC_TIMESTAMP(3)),
      UTC_TIMESTAMP(3), IF(x.caller_id = p_callee AND x.callee_id = p_caller, x.status, NULL), v_quiet
    FROM (SELECT 1) one
    LEFT JOIN user_lines a ON a.user_id = p_caller LEFT JOIN calls x ON x.id = a.call_id
    LEFT JOIN user_lines b ON b.user_id = p_callee LEFT JOIN calls y ON y.id = b.call_id;
  END IF;
END
